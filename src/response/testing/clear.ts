import type { Range } from "#range/range";
import { endGuards } from "../isolation/guard.ts";
import { endWatches } from "../isolation/processes.ts";

/**
 * The host's network without any rule, whoever put it there: the watches are ended first, which would put rules back, and the guards'
 * owners, since only they can let go. Without that, watches stay and put back what they can.
 */
export async function clear(range: Range, { watches = true } = {}): Promise<void> {
  const legacy = "for v in iptables-legacy ip6tables-legacy; do $v -t raw -F; $v -t raw -X; done 2>/dev/null";
  const holes =
    "ip -$f route show table all | sed -n 's/^blackhole .*table \\([0-9]*\\).*/\\1/p' | while read -r t; do ip -$f route flush table $t; done";
  const rules = `for f in 4 6; do ip -$f rule flush; ip -$f rule add pref 32766 lookup main; ${holes}; done; ip -4 rule add pref 32767 lookup default`;
  await range.onHost([
    "sh",
    "-c",
    `${watches ? endWatches() : ":"}
( ${endGuards()} ); nft flush ruleset; ${legacy}; ${rules}; :`,
  ]);
}
