import type { HostRunner } from "#host/runner";
import { canonical } from "./addresses.ts";
import { sections } from "./facts/parse.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { PREAMBLE } from "./methods/shell-words.ts";
import type { IsolationPlan } from "./plan.ts";
import { ResponseRefused } from "./refused.ts";
import { Shell } from "./shell.ts";

export const REHEARSAL = "stakeout_rehearsal";

/** Whom the host talked to while the rules only counted: what the cut would have ended. */
export interface Rehearsal {
  seconds: number;
  wouldCut: { ip: string; transport: string; port?: number }[];
  /** Packets that would have been dropped, and ours that would have passed. */
  droppedOut: number;
  droppedIn: number;
  analysts: number;
  /** Our own login was seen to pass the rules. */
  keepsUs: boolean;
  /** The counting rules are gone again. */
  cleared: boolean;
}

/**
 * The plan's own rules with every drop taken out: they count, and note whom the host talks to. Only the family inet, which sees all
 * that is of IP.
 */
function rehearsalRules(plan: Pick<IsolationPlan, "rules">): string {
  const inet = plan.rules.split(/^(?=table )/m).find((part) => part.startsWith(`table inet ${TABLE} {`));
  if (inet === undefined) throw new Error("Only a plan of nft can be rehearsed.");
  const sets = ["4", "6"].map(
    (v) =>
      `  set gone${v} { type ipv${v}_addr . inet_proto . inet_service; flags dynamic; size 4096; }\n  set mute${v} { type ipv${v}_addr . inet_proto; flags dynamic; size 4096; }\n`,
  );
  const noted = ["4 ip", "6 ip6"].flatMap((pair) => {
    const [v, kind] = pair.split(" ");
    return [
      `    meta l4proto { tcp, udp } add @gone${v} { ${kind} daddr . meta l4proto . th dport }`,
      `    meta l4proto != { tcp, udp } add @mute${v} { ${kind} daddr . meta l4proto }`,
    ];
  });
  const counting = inet
    .replace(`table inet ${TABLE} {\n`, `table inet ${REHEARSAL} {\n${sets.join("")}`)
    .replaceAll("policy drop;", "policy accept;")
    .replace(/^ {4}counter name "out_dropped" drop$/m, `${noted.join("\n")}\n    counter name "out_dropped" drop`)
    .replace(/^( {4}counter name "\w+") drop$/gm, "$1")
    .replaceAll("priority -400", "priority -398");
  return `create table inet ${REHEARSAL}\n${counting}`;
}

/** Counts for `seconds` on live traffic, then takes the rules away again: the host does that by itself, should we vanish meanwhile. */
export async function rehearse(runner: HostRunner, plan: IsolationPlan, nft: string, seconds = 10): Promise<Rehearsal> {
  const shell = await Shell.open(runner);
  try {
    const script = `rehearse() {
${PREAMBLE}
s() { printf '\\n${plan.nonce} %s\\n' "$1"; }
${nft} -f - 2>&1 <<'${plan.nonce}' || return 1
${rehearsalRules(plan)}${plan.nonce}
# a word before each second, so that our own login is seen to pass, there and back
i=0; while [ $i -lt ${seconds} ]; do echo; sleep 1; i=$((i+1)); done
s counted; ${nft} list table inet ${REHEARSAL} 2>&1
s cleared; ${nft} delete table inet ${REHEARSAL} 2>&1 && echo yes
s end
}
rehearse`;
    const { code, output } = await shell.run(script, (seconds + 20) * 1000);
    const section = sections(output, plan.nonce);
    if (code !== 0 || !section.has("end"))
      throw new ResponseRefused(
        "The host did not take the rules for a rehearsal, or another console rehearses.",
        "Look at the plan, or isolate without.",
      );
    return read(section.get("counted") ?? "", (section.get("cleared") ?? "").trim() === "yes", seconds);
  } finally {
    shell.close();
  }
}

function read(listed: string, cleared: boolean, seconds: number): Rehearsal {
  const counter = (name: string) => Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+) `).exec(listed)?.[1] ?? 0);
  const elements = (set: string) => (new RegExp(`set ${set} \\{[^}]*?elements = \\{([^}]*)\\}`).exec(listed)?.[1] ?? "").split(",");
  const wouldCut = ["gone4", "mute4", "gone6", "mute6"].flatMap(elements).flatMap((element) => {
    const [address = "", transport = "", port] = element.trim().split(" . ");
    const ip = canonical(address);
    if (ip === undefined || !/^[\w-]{1,24}$/.test(transport)) return [];
    return [{ ip, transport, ...(/^\d{1,5}$/.test(port ?? "") ? { port: Number(port) } : {}) }];
  });
  const analysts = counter("out_analysts");
  return {
    seconds,
    wouldCut,
    droppedOut: counter("out_dropped") + counter("forward_dropped"),
    droppedIn: counter("in_dropped"),
    analysts,
    keepsUs: analysts > 0 && counter("in_analysts") > 0,
    cleared,
  };
}
