import { posix } from "node:path";

/** How an interpreter is called: options whose value is the next argument, and options by which it runs no file. */
interface Calling {
  name: RegExp;
  /** Long options, and letters (the last of a cluster), that take the next argument. */
  takes: readonly string[];
  /** Letters (anywhere in a cluster) and long options with which the program's text is an argument, a module or the standard input. */
  inline: readonly string[];
  /** An option whose value is the script. */
  script?: string;
}

// sh(1posix), bash(1), perlrun(1), python(1), ruby(1), node(1), php(1), lua(1)
const CALLINGS: readonly Calling[] = [
  { name: /^(?:r?bash|sh|dash|ash|zsh|[mp]?ksh\d*)$/, takes: ["o", "O", "rcfile", "init-file"], inline: ["c", "s"] },
  { name: /^perl[\d.]*$/, takes: ["I"], inline: ["e", "E"] },
  { name: /^pypy?[\d.]*$|^python[\d.]*$/, takes: ["W", "X"], inline: ["c", "m"] },
  { name: /^ruby[\d.]*$/, takes: ["I", "r", "C", "E"], inline: ["e"] },
  {
    name: /^(?:node|nodejs|bun|deno)$/,
    takes: ["r", "require", "import", "loader", "C", "conditions"],
    inline: ["e", "p", "eval", "print"],
  },
  { name: /^php[\d.]*$/, takes: ["c", "d", "z"], inline: ["r", "R", "B", "E", "a"], script: "f" },
  { name: /^(?:lua(?:jit)?|tclsh|wish)[\d.]*$/, takes: ["l"], inline: ["e"] },
];
/** No letters of perl's -i (in place) and -F, -0, -l, -C, -x, -M, -m take the next argument: what follows them is their own. */
const OWN_VALUE: Record<string, RegExp> = { perl: /^-[iFMmxC0]/ };
const MOST_OPTIONS = 32;

const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/**
 * The file that an interpreter runs, as an absolute path; undefined where the program is no interpreter, where its text is an argument
 * or comes by standard input, and where its folder is not known. `executable` is what ran: it decides, not what the program calls itself.
 */
export function scriptOf(executable: string | undefined, args: readonly string[] | undefined, cwd: string | undefined): string | undefined {
  if (executable === undefined || args === undefined) return undefined;
  let given = args.slice(1);
  let name = base(executable);
  if (name === "busybox" || name === "toybox") {
    name = base(args[0] ?? "");
    if (name === "busybox" || name === "toybox") [name, given] = [given[0] ?? "", given.slice(1)];
  }
  const calling = CALLINGS.find((one) => one.name.test(name));
  if (!calling) return undefined;
  const path = firstFile(given, calling);
  if (path === undefined || path === "" || path === "-" || /^\/(?:dev\/(?:fd|stdin)|proc\/)/.test(path)) return undefined;
  if (path.startsWith("/")) return posix.normalize(path);
  return cwd?.startsWith("/") ? posix.join(cwd, path) : undefined;
}

function firstFile(given: readonly string[], { name, takes, inline, script }: Calling): string | undefined {
  const own = name.test("perl") ? OWN_VALUE["perl"] : undefined;
  for (let at = 0; at < given.length && at < MOST_OPTIONS; at++) {
    const option = given[at] as string;
    if (option === "--") return given[at + 1];
    if (!/^[-+]./.test(option)) return option;
    if (option.startsWith("--")) {
      const [word = ""] = option.slice(2).split("=", 1);
      if (inline.includes(word)) return undefined;
      if (takes.includes(word) && !option.includes("=")) at += 1;
      continue;
    }
    if (own?.test(option)) continue;
    const letters = option.slice(1);
    const first = [...letters].findIndex((letter) => takes.includes(letter) || inline.includes(letter) || letter === script);
    if (first < 0) continue;
    const letter = letters[first] as string;
    if (inline.includes(letter)) return undefined;
    const rest = letters.slice(first + 1);
    if (letter === script) return rest || given[at + 1];
    if (rest === "") at += 1;
  }
  return undefined;
}
