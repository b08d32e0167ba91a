import { type HostString, printable } from "#model/host-string";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Method, MethodInput } from "./method.ts";
import { judgeNft } from "./nft-judge.ts";
import { type RulesetInput, replaced, ruleset, TABLE } from "./nft-ruleset.ts";
import { bounded } from "./shell-words.ts";

const BELOW_EVERY_HOOK = "AF_XDP sockets and packets redirected by XDP or tc programs: they pass below every hook of nft";

/** nft in the family inet, and in netdev where `netdev` says so: then frames that no IP hook sees are stopped too. */
function nftMethod(id: string, title: string, netdev: boolean): Method {
  return {
    id,
    title,
    unusable(facts) {
      if (!facts.nft) return "the host has no nft";
      if (facts.ruleset !== undefined) return undefined;
      const said = printable(facts.rulesetError ?? "").trim();
      return `${facts.nft.path} does not print the host's ruleset: ${said === "" ? "it hangs, or says nothing" : `it said '${said}'`}; the file may have been replaced`;
    },
    build(input, facts) {
      const path = (facts.nft as { path: string }).path;
      const nft = bounded(facts.tools.includes("timeout"), 5) + path;
      const { devices, leaks } = netdev ? hooked(facts) : { devices: [], leaks: [RAW, "ARP and every protocol that is not IP"] };
      const replaces = { inet: input.existing?.inet ?? false, netdev: input.existing?.netdev ?? false };
      const rules = ruleset({ ...input, devices }, replaces);
      const stands = `${nft} list table inet ${TABLE} 2>/dev/null | grep -q nonce=${input.nonce}`;
      const revert = `${path} delete table netdev ${TABLE}; printf "delete table inet ${TABLE}\\n" | ${path} -f -`;
      return {
        check: `${nft} -c -f - 2>&1 <<'${input.nonce}'\n${rules}${input.nonce}`,
        // 8 s: it waits for the dead man, whom systemd has 3 s to start
        apply: { reads: `${bounded(facts.tools.includes("timeout"), 8)}${path} -f - 2>&1`, rules },
        reapply: (devices.length > 0 ? (["inet", "netdev"] as const) : (["inet"] as const))
          .map((kind) => `${nft} -f - <<'${input.nonce}' || c=$?\n${replaced({ ...input, devices }, kind)}${input.nonce}`)
          .reduce((script, part) => `${script}\n${part}`, "c=0")
          .concat("\n(exit $c)"),
        intact: `{ ${nft} list table inet ${TABLE}; ${devices.length > 0 ? `${nft} list table netdev ${TABLE}; ` : ""}} | sed "s/packets [0-9]* bytes [0-9]*//" | cksum`,
        monitor: `${path} monitor`,
        stands,
        revert,
        revertOwn: byHandle(nft, input.nonce, stands, revert),
        look: `s inet$1; ${nft} list table inet ${TABLE} 2>&1; s netdev$1; ${nft} list table netdev ${TABLE} 2>&1`,
        rules,
        leaks: [...leaks, `${BELOW_EVERY_HOOK} (${facts.xdpSockets} AF_XDP sockets seen)`],
        devices,
      };
    },
    judge: judgeNft,
  };
}

export const NFT = nftMethod("nft inet+netdev", "one nft transaction: inet, and netdev ingress and egress on every interface", true);
export const NFT_INET = nftMethod("nft inet", "one nft transaction: inet alone", false);

/**
 * A table that was replaced has another handle (nft(8), `delete table handle`): so deleting by the handles that were read with our nonce
 * deletes ours or nothing. The handle in netdev is read first: as long as inet is ours after that, so is what was read. Where nft
 * knows no handles, it is asked again whether ours stands.
 */
function byHandle(nft: string, nonce: string, stands: string, revert: string): string {
  const list = (family: string) => `${nft} -a list table ${family} ${TABLE} 2>/dev/null`;
  const handle = `sed -n "s/^table .*# handle //p"`;
  return [
    `d=$(${list("netdev")} | ${handle}); i=$(${list("inet")})`,
    `case $i in *nonce=${nonce}*) ;; *) exit;; esac`,
    `i=$(printf "%s\\n" "$i" | ${handle})`,
    `{ [ -z "$d" ] || echo "delete table netdev handle $d"; echo "delete table inet handle $i"; } | ${nft} -f - || { ${stands} && { ${revert}; }; }`,
  ].join("; ");
}

const RAW = "raw frames (AF_PACKET): the host has no netdev egress hook for nft (it needs kernel 5.16 and nft 1.0.1)";

/** What the rules are made of, for the guard to say the same. */
export function rulesetInput(input: MethodInput, facts: HostFacts, netdev: boolean): RulesetInput {
  return { ...input, devices: netdev ? hooked(facts).devices : [] };
}

/** ARPHRD_LOOPBACK (include/uapi/linux/if_arp.h). */
const LOOPBACK = 772;

function hooked(facts: HostFacts): { devices: string[]; leaks: string[] } {
  const names = facts.interfaces.filter((i) => i.name !== "lo" && i.type !== LOOPBACK).map((i) => i.name);
  const odd = names.filter((name) => !quotable(name));
  const leaks = odd.map((name) => `raw frames (AF_PACKET) on the interface '${printable(name)}', whose name nft cannot quote`);
  leaks.push("raw frames (AF_PACKET) on interfaces made after the cut, until they are seen and hooked; their IP packets are dropped");
  return { devices: names.filter(quotable), leaks };
}

/**
 * The kernel forbids only blanks, '/' and ':' in an interface's name (net/core/dev.c, dev_valid_name). In nft's quotes a '"' ends
 * the name, a '*' is a wildcard and a '\' escapes.
 */
function quotable(name: HostString): boolean {
  return /^[!#-)+-.0-9;-[\]-~]{1,15}$/.test(name);
}
