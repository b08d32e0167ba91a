import { printable } from "#model/host-string";
import type { HostFacts } from "./facts/host-facts.ts";
import { GUARD, TABLE } from "./methods/nft-ruleset.ts";

/** Agents that can isolate a host by themselves, by what their processes call themselves. */
const AGENTS: readonly [RegExp, string][] = [
  [/^(wdavdaemon|mdatp)/, "Microsoft Defender"],
  [/^falcon-sensor/, "CrowdStrike Falcon"],
  [/^(cbagentd|cbdaemon)/, "Carbon Black"],
  [/^(elastic-agent|elastic-endpoin)/, "Elastic Defend"],
  [/^velociraptor/, "Velociraptor"],
  [/^(sentinelone|s1-agent)/, "SentinelOne"],
  [/^(traps_pmd|pmd)$/, "Cortex XDR"],
  [/^ds_agent/, "Trend Micro"],
];

/**
 * Rules of others that drop by default what the host itself sends: few firewalls do, and every isolation does. A sentence each, with the
 * security agents that run here; nothing where there is no such rule.
 */
export function foreignIsolation(facts: Pick<HostFacts, "ruleset" | "state" | "names">): string[] {
  const where = [...nftChains(facts.ruleset ?? ""), ...savedChains(facts.state.iptables ?? "")].slice(0, 8);
  if (where.length === 0) return [];
  const agents = AGENTS.filter(([name]) => facts.names.some((one) => name.test(one))).map(([, agent]) => agent);
  const whose =
    agents.length > 0
      ? `${agents.join(", ")} runs here and can do that`
      : "no agent that does so by itself is seen to run: a firewall, or an isolation by hand";
  return [
    `Somebody else already drops what this host sends (${where.map(printable).join("; ")}): ${whose}. We leave it as it is, and a release of ours does not lift it.`,
  ];
}

/** Base chains on the way out whose policy is to drop. An iptables chain of nft's is among them. */
function nftChains(ruleset: string): string[] {
  const found: string[] = [];
  for (const table of ruleset.split(/^(?=table )/m)) {
    const name = /^table (\S+ \S+) \{/.exec(table)?.[1];
    if (name === undefined || name.endsWith(` ${TABLE}`) || name.endsWith(` ${GUARD}`)) continue;
    for (const [, chain] of table.matchAll(/^\tchain (\S+) \{\n\t\ttype filter hook (?:output|postrouting|egress) [^\n]*policy drop;/gm))
      found.push(`nft table ${name}, chain ${chain}`);
  }
  return found;
}

function savedChains(saved: string): string[] {
  return [...saved.matchAll(/^:OUTPUT DROP/gm)].length > 0 ? ["iptables, chain OUTPUT"] : [];
}
