import { GUARD, TABLE } from "../methods/nft-ruleset.ts";
import type { NetworkState } from "./host-facts.ts";

/**
 * Prints what an isolation may touch, in sections `state-NAME` with `suffix` behind. The legacy tables are listed only where the kernel
 * has them already: asking for one by name would load it. `bound` is a command that ends a tool that hangs.
 */
export function stateScript(suffix: string, bound: string): string {
  return `s state-nft${suffix}; command -v nft >/dev/null 2>&1 && { ${bound} nft list ruleset 2>&1 || echo unreadable; }
s state-iptables${suffix}; for v in iptables ip6tables iptables-legacy ip6tables-legacy; do
  command -v $v-save >/dev/null 2>&1 && { echo "# $v"; ${bound} $v-save 2>&1; }
done
s state-rules${suffix}; for f in 4 6; do ${bound} ip -$f rule show 2>/dev/null; done
s state-routes${suffix}; for f in 4 6; do ${bound} ip -$f route show table all 2>/dev/null | head -n 20000; done
s state-addresses${suffix}; ${bound} ip -o addr show 2>/dev/null | head -n 4096`;
}

/** The sections that {@link stateScript} printed; `get` gives a section's text, undefined where it is not there. */
export function parseState(get: (section: string) => string | undefined, suffix = ""): NetworkState {
  const state: NetworkState = {};
  const take = (name: keyof NetworkState, normalise: (text: string) => string) => {
    const text = get(`state-${name}${suffix}`);
    if (text !== undefined) state[name] = normalise(text);
  };
  take("nft", normaliseRuleset);
  take("iptables", normaliseSaved);
  take("rules", plain);
  // what the kernel derives from the addresses comes late where an address is still being tried (RFC 4862, 5.4)
  take("routes", (text) => plain(text.replace(/ (?:expires|age) \d+sec/g, "").replace(/^.* table local .*\bproto kernel\b.*\n/gm, "")));
  take("addresses", (text) => plain(text.replace(/ (?:valid|preferred)_lft \w+/g, "").replace(/ (?:tentative|optimistic)/g, "")));
  return state;
}

/** The names of what differs; what could not be read on either side differs too. */
export function differences(before: NetworkState, after: NetworkState): string[] {
  return (Object.keys(WORDS) as (keyof NetworkState)[]).filter((key) => before[key] !== after[key]).map((key) => WORDS[key]);
}

const WORDS: Record<keyof NetworkState, string> = {
  nft: "the nft ruleset",
  iptables: "the iptables rules",
  rules: "the routing rules",
  routes: "the routes",
  addresses: "the addresses",
};
/** All that can be compared, in words. */
export const stateWords: readonly string[] = Object.values(WORDS);

/**
 * A ruleset as text that can be compared: our own tables and chains, tables with no rule in them (the tools leave these behind),
 * counters, handles, quotas used and lifetimes are left out.
 */
export function normaliseRuleset(text: string): string {
  const ours = new RegExp(`^table (inet|netdev) (${TABLE}|${GUARD}) \\{`);
  return plain(
    text
      .replace(/^# .*\n/gm, "")
      .split(/^(?=table )/m)
      .filter((part) => !ours.test(part))
      .map((part) => part.replace(/^\tchain STAKEOUT_[^}]*\}\n/gm, "").replace(/^.*jump STAKEOUT_.*\n/gm, ""))
      .filter(
        (part) => !/^table \S+ (raw|filter|nat|mangle|security) \{(\s*chain \w+ \{\s*type [^;]*; policy accept;\s*\})*\s*\}\s*$/.test(part),
      )
      .join("")
      .replace(/packets \d+ bytes \d+/g, "packets 0 bytes 0")
      .replace(/ # handle \d+/g, "")
      .replace(/ used \d+ \w+/g, "")
      .replace(/ expires [\dsmhd]+/g, ""),
  );
}

/** The output of iptables-save(8): no dates, no counters, none of our chains, and no table that has neither a rule nor a policy. */
function normaliseSaved(text: string): string {
  const tables = text
    .replace(/^# (?:Generated|Completed|Warning).*\n/gm, "")
    .replace(/^.*STAKEOUT_.*\n/gm, "")
    .replace(/\[\d+:\d+\]/g, "[0:0]")
    .split(/^(?=\*|# )/m);
  return plain(tables.filter((part) => !part.startsWith("*") || /^-A|^:\S+ (?:DROP|-)/m.test(part)).join(""));
}

function plain(text: string): string {
  return text
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{2,}/g, "\n")
    .trim();
}
