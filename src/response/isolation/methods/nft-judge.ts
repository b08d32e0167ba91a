import type { BuiltMethod, Counts, Judgement } from "./method.ts";
import { TABLE } from "./nft-ruleset.ts";

/** Holds our tables as nft lists them against what was loaded: mark, hooks, policies, accepting rules, devices. */
export function judgeNft(plan: Pick<BuiltMethod, "rules" | "devices"> & { nonce: string }, get: (section: string) => string): Judgement {
  const netdev = plan.devices.length > 0;
  const [inet, wire] = [get("inet"), get("netdev")];
  const wrong = [
    ...inspect("inet", inet, plan, expected(plan.rules, "inet")),
    ...(netdev ? inspect("netdev", wire, plan, expected(plan.rules, "netdev")) : []),
  ];
  return { wrong, counts: counted(inet, netdev ? wire : inet) };
}

function inspect(
  kind: "inet" | "netdev",
  listed: string,
  plan: { devices: readonly string[]; nonce: string },
  loaded: { hooks: number; accepts: number },
): string[] {
  if (!new RegExp(`^table ${kind} ${TABLE} \\{`).test(listed.trim())) return [`our ${kind} table is not in the kernel`];
  const wrong: string[] = [];
  const found = tally(listed);
  if (kind === "inet" && !listed.includes(`nonce=${plan.nonce}"`)) wrong.push(`the ${kind} table is not the one of this plan`);
  if (/^\tflags [^\n]*dormant/m.test(listed)) wrong.push(`the ${kind} table has been put to sleep`);
  if (found.hooks !== loaded.hooks) wrong.push(`the ${kind} table has ${found.hooks} hooks that drop, not ${loaded.hooks}`);
  if (found.accepts !== loaded.accepts) wrong.push(`the ${kind} table has ${found.accepts} accepting rules, not ${loaded.accepts}`);
  if (kind === "netdev") {
    for (const hook of listed.split("\n").filter((line) => / hook (ingress|egress) /.test(line))) {
      const hooked = devicesOf(hook);
      const missing = plan.devices.filter((name) => !hooked.includes(name));
      if (missing.length > 0) wrong.push(`not hooked: ${missing.join(", ")}`);
    }
  }
  return wrong;
}

/** nft lists one device as `device "eth0"`, several as `devices = { eth0, eth1 }`. */
function devicesOf(hook: string): string[] {
  const several = / devices = \{ (.*) \} priority /.exec(hook)?.[1];
  const one = / device "([^"]*)" priority /.exec(hook)?.[1];
  return several?.split(", ").map((name) => name.replace(/^"(.*)"$/, "$1")) ?? (one === undefined ? [] : [one]);
}

function expected(rules: string, kind: "inet" | "netdev") {
  return tally(rules.split(/^(?=table )/m).find((part) => part.startsWith(`table ${kind} `)) ?? "");
}

function tally(table: string) {
  const hooks = table.match(/type filter hook [^\n]*policy drop;/g)?.length ?? 0;
  return { hooks, accepts: table.match(/ accept$/gm)?.length ?? 0 };
}

/** A packet that IP hooks drop never reaches the wire's: drops are of both, what passed is of the outermost. */
function counted(inet: string, outermost: string): Counts {
  const of = (listed: string, name: string) => Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+) `).exec(listed)?.[1] ?? 0);
  const both = (name: string) => of(inet, name) + (outermost === inet ? 0 : of(outermost, name));
  return {
    analysts: of(outermost, "out_analysts"),
    neighbours: of(outermost, "out_neighbours"),
    servers: of(outermost, "out_servers"),
    droppedOut: both("out_dropped") + of(inet, "forward_dropped"),
    droppedIn: both("in_dropped"),
  };
}
