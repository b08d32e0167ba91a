import { canonical, family } from "../addresses.ts";
import type { FoundRoutes } from "../facts/host-facts.ts";
import type { Judgement, Method, MethodInput } from "./method.ts";
import { bounded, printed } from "./shell-words.ts";

/**
 * The routing tables that swallow: their number is 'S' (0x53) in the highest byte and half of the nonce below, so that an isolation
 * can be told from another without any name in the kernel.
 */
const tableOf = (nonce: string) => 0x53_00_00_01 + (Number.parseInt(nonce.slice(0, 6), 16) % 0xff_ff_fe);
/** Only one console can fill this table: of two that isolate at once the other fails, and takes back nothing but its own. */
const CLAIM = `ip -4 route add blackhole default table ${0x53_00_00_00}`;
const isOurTable = (table: number): boolean => table >= 0x53_00_00_00 && table <= 0x53_ff_ff_ff;
/** The same for grep(1) -E: a little more than these tables, 1392508928 to 1409286143. */
const OUR_TABLES = "lookup 1(39|40)[0-9]{7}";

/** Routing rules before all others: to the analysts by the table that leads to them now, to anybody else into a black hole. */
export const ROUTES: Method = {
  id: "routes",
  title: "routing rules: to the analysts alone, the rest into a black hole",
  unusable(facts, input) {
    if (!facts.tools.includes("ip")) return "the host has no ip";
    if (place(facts.rules4, input) === undefined || (facts.ipv6 && place(facts.rules6, input) === undefined))
      return "the host's routing rules leave no room before the first, or could not be read";
    return undefined;
  },
  build(input, facts) {
    const bound = bounded(facts.tools.includes("timeout"), 5);
    const kinds: (4 | 6)[] = facts.ipv6 ? [4, 6] : [4];
    const known = input.existing?.routes.filter((found) => found.kind === 4).length ?? 0;
    const claim = known > 0 ? [] : [CLAIM];
    const made = kinds.flatMap((kind) => {
      const start = place(kind === 4 ? facts.rules4 : facts.rules6, input) as number;
      return commands(input, kind, start).map((words) => `ip -${kind} ${words}`);
    });
    const lines = [...claim, ...made];
    const revert = undo(lines);
    return {
      check: `${bound}ip rule show >/dev/null && ! ip rule show | grep -q 'lookup ${tableOf(input.nonce)}'`,
      apply: known > 0 ? replaces(known, bound, carriedOut(lines, bound)) : carriedOut(lines, bound),
      reapply: `${revert}\n${lines.map((line) => `${bound}${line}`).join(" &&\n")}`,
      intact: kinds
        .map((kind) => `ip -${kind} rule show | head -n ${lines.length + 1}; ip -${kind} route show table ${tableOf(input.nonce)}`)
        .join("; "),
      stands: `ip rule show | grep -q "lookup ${tableOf(input.nonce)}"`,
      revert,
      look: kinds
        .map(
          (kind) =>
            `s rules${kind}$1; ${bound}ip -${kind} rule show 2>&1; s hole${kind}$1; ${bound}ip -${kind} route show table ${tableOf(input.nonce)} 2>&1; s local${kind}$1; ${bound}ip -${kind} route show table local 2>&1 | grep -vE '^(local|broadcast|multicast|anycast) ' | head -n 20`,
        )
        .join("; "),
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

/** Where our rules begin, so that they are before every rule but the kernel's own first; undefined where there is no room. */
function place(listed: string | undefined, input: MethodInput): number | undefined {
  const numbers = [...(listed ?? "").matchAll(/^(\d+):/gm)].map((m) => Number(m[1])).filter((n) => n > 0);
  if (numbers.length === 0) return undefined;
  const start = Math.min(1001, ...numbers) - (new Set([...input.allowed, ...input.servers.map((s) => s.ip)]).size + 1);
  return start < 1 ? undefined : start;
}

/** Each but the last lets one peer through; the hole is filled before the rule that leads into it. */
function commands(input: MethodInput, kind: 4 | 6, start: number): string[] {
  const peers = [...new Set([...input.allowed, ...input.servers.map((s) => s.ip)])].filter((ip) => family(ip) === kind);
  const hole = tableOf(input.nonce);
  return [
    `route add blackhole default table ${hole}`,
    ...peers.map((ip, i) => `rule add pref ${start + i} to ${ip} lookup ${input.routes[ip]?.table ?? "main"}`),
    `rule add pref ${start + peers.length} lookup ${hole}`,
  ];
}

/** Ours are claimed already: that nobody else has come since is seen by how many holes there are. */
const replaces = (known: number, bound: string, apply: string): string =>
  `if [ "$(${bound}ip rule show | grep -cE '${OUR_TABLES}')" != ${known} ]; then echo 'File exists: rules of another isolation'; (exit 1); else\n${apply}\nfi`;

/**
 * All of a family by one ip(8), since each start of it lets the intruder go on for another millisecond. It stops at the first line that
 * fails and says which (`Command failed -:N`), so `n` counts what was done, for {@link halfway}; of one that says nothing (it hung) all is
 * taken back. Where ip knows no batch (busybox), which the first one says, the lines are run one by one.
 */
function carriedOut(lines: readonly string[], bound: string): string {
  const batches = ([4, 6] as const).map((kind) => {
    const words = lines.filter((line) => line.startsWith(`ip -${kind} `)).map((line) => line.slice("ip -4 ".length));
    const before = kind === 4 ? 0 : lines.length - words.length;
    return words.length === 0 ? ":" : `f=${before} && w=$(${printed(words)} | ${bound}ip -${kind} -batch - 2>&1)`;
  });
  const each = lines.map((line, i) => `${bound}${line} 2>&1 && n=${i + 1}`).join(" &&\n");
  return `n=0; ${batches.join(" && ")} || case $f:$w in
*"Command failed -:"*) echo "$w"; w=\${w##*failed -:}; n=$((f + \${w%%[!0-9]*} - 1)); ${halfway(lines)}; (exit 1);;
0:*ption*|0:*sage:*) ${each} || { ${halfway(lines)}; (exit 1); };;
*) echo "$w"; ${undo(lines)}; (exit 1);; esac`;
}

/** Takes back the first `n`, which the shell has counted: what another console has made with the same words stays. */
function halfway(lines: readonly string[]): string {
  return [...lines.entries()]
    .reverse()
    .map(([i, line]) => `[ $n -le ${i} ] || ${line.replace(" add ", " del ")}`)
    .join("; ");
}

/** Takes back what {@link commands} made, the last first: at no moment is an analyst without his way. */
function undo(lines: readonly string[]): string {
  return [...lines]
    .reverse()
    .map((line) => `${line.replace(" add ", " del ")} 2>/dev/null`)
    .join("; ");
}

/** The isolations by routing rules in the output of `ip rule`: each hole with the rules just before it, which lead the analysts past it. */
export function routesIn(listed: string, kind: 4 | 6): FoundRoutes[] {
  const rules = [...listed.matchAll(/^(\d+):\s+from all (?:to (\S+) )?lookup (\S+)\s*$/gm)].map(([, pref, to, table]) => ({
    pref: Number(pref),
    to: to === undefined ? undefined : canonical(to),
    table: table as string,
  }));
  const holes = rules.filter((rule) => rule.to === undefined && /^\d+$/.test(rule.table) && isOurTable(Number(rule.table)));
  return holes.map((hole) => {
    const before: typeof rules = [];
    for (let pref = hole.pref - 1; pref > 0; pref--) {
      const rule = rules.find((r) => r.pref === pref && r.to !== undefined && /^[\w.-]+$/.test(r.table));
      if (!rule) break;
      before.unshift(rule);
    }
    const lines = [
      `ip -${kind} route add blackhole default table ${hole.table}`,
      ...before.map((rule) => `ip -${kind} rule add pref ${rule.pref} to ${rule.to} lookup ${rule.table}`),
      `ip -${kind} rule add pref ${hole.pref} lookup ${hole.table}`,
    ];
    const all = kind === 4 ? [CLAIM, ...lines] : lines;
    return { kind, table: Number(hole.table), allowed: before.map((rule) => rule.to as string), revert: `${undo(all)}; :` };
  });
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
    if (!/^blackhole default/.test(get(`hole${kind}`).trim())) wrong.push(`the IPv${kind} table of our rules is no black hole`);
    const odd = get(`local${kind}`).trim();
    if (odd !== "") wrong.push(`the table 'local', which comes before all rules, leads elsewhere: ${odd.split("\n")[0]}`);
  }
  return { wrong };
}
