import type { Range } from "#range/range";
import { endGuards } from "../isolation/guard.ts";
import { endWatches } from "../isolation/processes.ts";

/**
 * The host's network without any rule, whoever put it there: the watches are ended first, which would put rules back, and the guards'
 * owners, since only they can let go.
 */
export async function clear(range: Range): Promise<void> {
  const legacy = "for v in iptables-legacy ip6tables-legacy; do $v -t raw -F; $v -t raw -X; done 2>/dev/null";
  const rules =
    "for f in 4 6; do ip -$f rule flush; ip -$f rule add pref 32766 lookup main; done; ip -4 rule add pref 32767 lookup default; ip -4 route flush table 1392508928";
  await range.onHost([
    "sh",
    "-c",
    `${endWatches()}
( ${endGuards()} ); nft flush ruleset; ${legacy}; ${rules}; :`,
  ]);
}
