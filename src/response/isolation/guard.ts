import type { HostFacts } from "./facts/host-facts.ts";
import type { MethodInput } from "./methods/method.ts";
import { rulesetInput } from "./methods/nft.ts";
import { GUARD, tables } from "./methods/nft-ruleset.ts";

/**
 * The guard: our rules once more, in tables with `flags owner` (nft(8)), which the kernel lets nobody but their owner change, root
 * included, and removes when the owner ends. The owner is an `nft -i` of ours in a session of its own. So `nft flush ruleset`, a
 * restart of a firewall or of docker lets nothing out; who wants to has to find and kill that process as well.
 */
export interface Guard {
  /** The whole of it as one line for `nft -i`. */
  line: string;
  nft: string;
  nonce: string;
}

/** Undefined where nft is not what isolates. Whether the kernel takes it (5.12 and later) shows when it is put up. */
export function guardOf(input: MethodInput, facts: HostFacts, method: string): Guard | undefined {
  if (!facts.nft || !method.startsWith("nft ") || !facts.tools.includes("setsid")) return undefined;
  const rules = tables(rulesetInput(input, facts, method === "nft inet+netdev"), GUARD);
  const line = rules
    .trim()
    .split("\n")
    .map((text) => text.trim())
    .map((text) => (/[{;]$/.test(text) ? text : `${text};`))
    .join(" ");
  return { line, nft: facts.nft.path, nonce: input.nonce };
}

/** Defines `guard_up` and `guard_stands`; the history of `nft -i` goes nowhere, since HOME is nowhere. */
export function guardFunctions(guard: Guard): string {
  const { nft, nonce } = guard;
  return `guard_line=$(cat <<'${nonce}'
${guard.line}
${nonce}
)
guard_stands() { ${nft} list table inet ${GUARD} 2>/dev/null | grep -q nonce=${nonce}; }
guard_up() {
${endGuards(nonce)}
HOME=/nonexistent setsid /bin/sh -c '{ printf "%s\n" "$1"; exec sleep 2147483647; } | exec ${nft} -i -I /stakeout-guard-${nonce}' - "$guard_line" </dev/null >/dev/null 2>&1 &
i=0; until guard_stands; do i=$((i+1)); [ $i -le 20 ] || { ${endGuards(nonce)}; return 1; }; sleep 0.05; done
}`;
}

/**
 * Ends the owners of the guards of `nonce`, or of all; the kernel takes their tables away. They are leaders of their own sessions, so
 * group and session are the same and are not those of process 1. Holds no single quote.
 */
export function endGuards(nonce = ""): string {
  return `for p in $(grep -lse "stakeout-guard[-]${nonce}" /proc/[0-9]*/cmdline); do read -r stat <"\${p%cmdline}stat" || continue; set -- \${stat##*) }; [ "$3" -gt 1 ] && [ "$3" = "$4" ] && kill -9 "-$3"; done 2>/dev/null`;
}
