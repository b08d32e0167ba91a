import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RangeUnavailable } from "./available.ts";
import { exited, runLocal, startBound } from "./machine.ts";

/** `fraction` is 0 to 1; `phrase` says what is being done. */
export type OnProgress = (progress: { fraction: number; phrase: string }) => void;

/**
 * Debian's minimal base of `suite` with `packages` in `folder`, by debootstrap(8), from the machine's own mirror. The downloads are
 * taken away again. Throws {@link RangeUnavailable} with debootstrap's last lines.
 */
export async function debootstrap(folder: string, suite: string, packages: readonly string[], onProgress: OnProgress): Promise<void> {
  const argv = ["debootstrap", "--variant=minbase", `--include=${packages.join(",")}`, suite, folder, await mirror(suite)];
  // Namespaces of its own: its mounts never show on the machine, and what it starts dies with it.
  const isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--"];
  const child = startBound([...isolated, ...(await proxied()), ...argv], ["ignore", "pipe", "pipe"]);
  const progress = debootstrapProgress();
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface({ input: stream }).on("line", (line) => {
        tail.push(line);
        if (tail.length > 5) tail.shift();
        const step = progress(line);
        if (step) onProgress(step);
      });
  const code = await exited(child);
  if (code !== 0)
    throw new RangeUnavailable(
      `debootstrap could not build the suspect host's root file system (exit ${code}): ${tail.join(" | ")}; check the network and the apt mirror, then start again`,
    );
  for (const waste of ["var/cache/apt/archives", "var/lib/apt/lists"])
    for (const name of readdirSync(join(folder, waste)))
      if (name !== "lock" && name !== "partial") rmSync(join(folder, waste, name), { recursive: true, force: true });
  onProgress({ fraction: 1, phrase: "root file system ready" });
}

/** The machine's own Debian mirror (it may be the only one that is reachable), else Debian's. */
export async function mirror(suite: string): Promise<string> {
  const { stdout } = await runLocal(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]);
  const lines = stdout.split("\n").map((line) => line.split(" "));
  const debian = lines.filter(([uri]) => uri && /debian/i.test(uri) && !/security/i.test(uri));
  return debian.find(([, codename]) => codename === suite)?.[0] ?? debian[0]?.[0] ?? "http://deb.debian.org/debian";
}

/** apt's own proxy, which debootstrap's wget does not read. */
async function proxied(): Promise<string[]> {
  const { stdout } = await runLocal(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"]);
  const proxy = stdout.trim();
  return proxy ? ["env", `http_proxy=${proxy}`] : [];
}

/**
 * A reader of debootstrap's lines ("I: Retrieving NAME VERSION", "I: Validating ...", "Extracting", "Unpacking", "Configuring"):
 * gives the fraction done so far, which never falls. The number of packages is not announced; about 155 for this list, and a longer
 * list only makes the bar wait at the end of its phase.
 */
export function debootstrapProgress(expected = 155): (line: string) => { fraction: number; phrase: string } | undefined {
  // phase -> [where it starts, its share of the time], measured: retrieving 30 %, extracting 10, unpacking 25, configuring 35
  const phases: Record<string, [number, number, number]> = {
    Retrieving: [0, 0.3, expected],
    Extracting: [0.3, 0.1, Math.round(expected * 0.57)],
    Unpacking: [0.4, 0.25, expected],
    Configuring: [0.65, 0.34, expected],
  };
  const seen = new Map<string, number>();
  let fraction = 0;
  return (line) => {
    const match = /^I: (Retrieving|Extracting|Unpacking|Configuring) (\S+)/.exec(line);
    const phase = phases[match?.[1] ?? ""];
    if (!match || !phase) return undefined;
    const [verb, what] = [match[1] as string, match[2] as string];
    const count = (seen.get(verb) ?? 0) + 1;
    seen.set(verb, count);
    const [start, share, total] = phase;
    fraction = Math.max(fraction, start + share * Math.min(1, count / total));
    return { fraction, phrase: `${verb.toLowerCase()} ${what.replace(/\.{3}$/, "")}` };
  };
}
