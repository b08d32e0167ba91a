import type { Judgement, Method, MethodInput } from "./method.ts";
import { claiming, inverse, made, markOf, peersOf, tableFor, unclaim, unmade } from "./routes-rules.ts";
import { bounded, printed } from "./shell-words.ts";

/** Routing rules before all others: to the analysts by the table that leads to them now, to anybody else into a black hole. */
export const ROUTES: Method = {
  id: "routes",
  title: "routing rules: to the analysts alone, the rest into a black hole",
  unusable(facts, input) {
    if (!facts.tools.includes("ip")) return "the host has no ip";
    if (place(facts.rules4, input) === undefined || (facts.ipv6 && place(facts.rules6, input) === undefined))
      return "the host's routing rules leave no room before the first, or could not be read";
    if (hole(input, facts.tables) === undefined) return "the host uses every routing table that could become a black hole";
    const listed = `${facts.rules4 ?? ""}${facts.rules6 ?? ""}`;
    const odd = [...listed.matchAll(/\blookup (\S+)/g)].find(([, table = ""]) => !isPlain(table, input))?.[1];
    if (facts.busyboxIp && odd !== undefined)
      return `the host has routing rules of its own (one leads to the table ${odd}), and busybox's ip does not tell by which table it reaches the analysts`;
    return undefined;
  },
  build(input, facts) {
    const bound = bounded(facts.tools.includes("timeout"), 5);
    const kinds: (4 | 6)[] = facts.ipv6 ? [4, 6] : [4];
    const mark = markOf(input.nonce);
    const table = hole(input, facts.tables) as number;
    const claim = claiming(mark, facts.routeClaim);
    const own = kinds.flatMap((kind) => made(input, kind, place(kind === 4 ? facts.rules4 : facts.rules6, input) as number, table));
    const lines = [...claim, ...own];
    const holes = kinds.map((kind) => ({ kind, shown: `ip -${kind} route show table ${table}` }));
    // busybox's ip lists no table of IPv6 but the two that all know: there the kernel's own list has to do, with what it makes of it
    const six =
      facts.busyboxIp && facts.ipv6
        ? `grep " ${mark.toString(16)} " /proc/net/ipv6_route | cut -d" " -f1-6,9-; ip -6 route get 2001:db8::53 2>&1`
        : undefined;
    const revert = `${unmade(own)}; ${unclaim(mark)}; :`;
    const stands = `ip -4 route show table ${table} | grep -q "metric ${mark}" && ip -4 rule show | grep -q "lookup ${table}"`;
    return {
      check: `${bound}ip rule show >/dev/null && [ -z "$(${holes.map(({ shown }) => `${shown} 2>/dev/null`).join("; ")})" ]`,
      apply: carriedOut(lines, claim.length, revert, bound),
      reapply: [...kinds.map((kind) => `${emptied(kind, table, mark)}`), ...own.map((line) => `${bound}${line} 2>/dev/null`), stands].join(
        "\n",
      ),
      intact: [
        ...holes.map(({ kind, shown }) => `ip -${kind} rule show | head -n ${own.length + 1}; ${shown}`),
        ...(six === undefined ? [] : [six]),
      ].join("; "),
      stands,
      revert,
      look: [
        ...holes.map(
          ({ kind, shown }) =>
            `s rules${kind}$1; ${bound}ip -${kind} rule show 2>&1; s hole${kind}$1; ${bound}${shown} 2>&1 | head -n 20; s local${kind}$1; ${bound}ip -${kind} route show table local 2>&1 | grep -vE '^(local|broadcast|multicast|anycast) ' | head -n 20`,
        ),
        ...(six === undefined ? [] : [`s six$1; ${six}`]),
      ].join("; "),
      rules: `${lines.join("\n")}\n`,
      leaks: [
        "raw frames (AF_PACKET) and everything else that needs no route",
        "anything that is sent to an allowed address, whatever its port; what comes in is heard, it cannot be answered",
      ],
      devices: [],
    };
  },
  judge,
};

const hole = (input: MethodInput, used: readonly number[]) => tableFor(markOf(input.nonce), used, input.existing?.routes ?? []);

/** Is this the table of a rule that every host has, or one of ours? */
const isPlain = (table: string, input: MethodInput) =>
  ["local", "main", "default"].includes(table) || (input.existing?.routes ?? []).some((found) => String(found.table) === table);

/** Where our rules begin, so that they are before every rule but the kernel's own first; undefined where there is no room. */
function place(listed: string | undefined, input: MethodInput): number | undefined {
  const numbers = [...(listed ?? "").matchAll(/^(\d+):/gm)].map((m) => Number(m[1])).filter((n) => n > 0);
  if (numbers.length === 0) return undefined;
  const start = Math.min(1001, ...numbers) - (peersOf(input).length + 1);
  return start < 1 ? undefined : start;
}

/** What somebody has put into our black hole leads out of it: all of it goes but ours. The host's words are only arguments. */
const emptied = (kind: 4 | 6, table: number, mark: number): string =>
  `ip -${kind} route show table ${table} 2>/dev/null | while read -r l; do case $l in "blackhole default "*"metric ${mark}"*) ;; *) ( set -f; ip -${kind} route del $l table ${table} );; esac; done`;

/**
 * All of a family by one ip(8), since each start of it lets the intruder go on for another millisecond. It stops at the first line that
 * fails and says which (`Command failed -:N`), so `n` counts what was done, for {@link halfway}; of one that says nothing (it hung) all is
 * taken back. Where ip knows no batch (busybox), which the first one says, the lines are run one by one. Who fails in the first `claim`
 * lines was not the first.
 */
function carriedOut(lines: readonly string[], claim: number, revert: string, bound: string): string {
  const batches = ([4, 6] as const).map((kind) => {
    const words = lines.filter((line) => line.startsWith(`ip -${kind} `)).map((line) => line.slice("ip -4 ".length));
    const before = kind === 4 ? 0 : lines.length - words.length;
    return words.length === 0 ? ":" : `f=${before} && w=$(${printed(words)} | ${bound}ip -${kind} -batch - 2>&1)`;
  });
  const each = lines.map((line, i) => `${bound}${line} 2>&1 && n=${i + 1}`).join(" &&\n");
  const late = `[ $n -ge ${claim} ] || echo 'File exists: another isolation came meanwhile'`;
  return `n=0; ${batches.join(" && ")} || case $f:$w in
*"Command failed -:"*) echo "$w"; w=\${w##*failed -:}; n=$((f + \${w%%[!0-9]*} - 1)); ${halfway(lines)}; ${late}; (exit 1);;
0:*ption*|0:*sage:*) ${each} || { ${halfway(lines)}; ${late}; (exit 1); };;
*) echo "$w"; ${revert}; (exit 1);; esac`;
}

/** Takes back the first `n`, which the shell has counted: what another console has made with the same words stays. */
function halfway(lines: readonly string[]): string {
  return [...lines.entries()]
    .reverse()
    .map(([i, line]) => `[ $n -le ${i} ] || ${inverse(line)}`)
    .join("; ");
}

function judge(plan: { rules: string; nonce: string }, get: (section: string) => string): Judgement {
  const wrong: string[] = [];
  for (const kind of plan.rules.includes("ip -6 ") ? ([4, 6] as const) : ([4] as const)) {
    const wanted = [...plan.rules.matchAll(new RegExp(`^ip -${kind} rule add pref (\\d+) (?:to (\\S+) )?lookup (\\S+)$`, "gm"))].map(
      ([, pref, to, table]) => `${pref}:from all ${to ? `to ${to} ` : ""}lookup ${table}`,
    );
    const listed = get(`rules${kind}`)
      .split("\n")
      .map((line) => line.trim().replace(/:\s+/, ":"))
      .filter((line) => line !== "" && line !== "0:from all lookup local");
    const ours = listed.slice(0, wanted.length);
    if (ours.join("\n") !== wanted.join("\n")) wrong.push(`our IPv${kind} rules are not the first of the host's routing rules`);
    // alone: a route beside it would lead out of it
    const mark = ` metric ${markOf(plan.nonce)}`;
    const [listedHole = "", ...more] = get(`hole${kind}`).trim().split("\n");
    const black = listedHole.startsWith("blackhole default ") && `${listedHole} `.includes(`${mark} `) && more.length === 0;
    if (!black && !(kind === 6 && listedHole === "" && swallows(get("six"), plan.nonce)))
      wrong.push(`the IPv${kind} table of our rules is no black hole`);
    const odd = get(`local${kind}`).trim();
    if (odd !== "") wrong.push(`the table 'local', which comes before all rules, leads elsewhere: ${odd.split("\n")[0]}`);
  }
  return { wrong };
}

/** The default route with our mark rejects, in the words of /proc/net/ipv6_route (kernel, net/ipv6/ip6_fib.c) without its counters, and there is no way to an address that nobody has. */
function swallows(text: string, nonce: string): boolean {
  const [listed = "", ...way] = text.trim().split("\n");
  const words = listed.trim().split(/\s+/);
  const rejects = (Number.parseInt(words[6] ?? "", 16) & RTF_REJECT) !== 0;
  return /^0{32} 00 /.test(listed) && words[5] === markOf(nonce).toString(16) && rejects && !/ via | dev (?!lo\b)/.test(way.join("\n"));
}

/** include/uapi/linux/route.h */
const RTF_REJECT = 0x0200;
