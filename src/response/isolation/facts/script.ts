import { family } from "../addresses.ts";
import { findFiles, UNITS } from "../boot/found.ts";
import { VARIANTS } from "../methods/iptables.ts";
import { GUARD, TABLE } from "../methods/nft-ruleset.ts";
import { CLAIMS, HOLES_PATTERN } from "../methods/routes-rules.ts";
import { stateScript } from "./state.ts";

const IPTABLES = VARIANTS.flatMap((v) => [v, v.replace("ip", "ip6")]).flatMap((v) => [`${v}-restore`, `${v}-save`]);

/**
 * The read-only script of the facts. Every section starts with a line of the nonce and its name: what a tool prints cannot know
 * the nonce, so it cannot start a section. Only shell builtins run in loops; tools that may hang run under timeout(1).
 */
export function collectScript(nonce: string): string {
  return `facts() {
PATH=$PATH:/usr/sbin:/sbin
s() { printf '\\n${nonce} %s\\n' "$1"; }
t=; command -v timeout >/dev/null 2>&1 && t='timeout -k 1 5'
s uid; id -u
s init; cat /proc/1/comm
s kernel; uname -r
s tools; for c in nft ss ip setsid timeout systemd-run systemctl sha256sum sync sleep grep perl ${IPTABLES.join(" ")}; do command -v "$c" >/dev/null 2>&1 && echo "$c"; done
s modules; cut -d' ' -f1 /proc/modules
s interfaces
for d in /sys/class/net/*; do
  [ -d "$d" ] || continue
  x=0 a= o= y=0 k=; read -r x <"$d/ifindex"; read -r a <"$d/address"; read -r o <"$d/operstate"; read -r y <"$d/type"
  while IFS='=' read -r key v; do [ "$key" = DEVTYPE ] && k=$v; done <"$d/uevent"
  [ -e "$d/tun_flags" ] && k=tun
  l=; for m in "$d"/lower_*; do [ -e "$m" ] && l="$l \${m##*/lower_}"; done
  printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "\${d##*/}" "$x" "$o" "$a" "$y" "$k" "$l"
done 2>/dev/null
s addresses; $t ip -o addr show 2>/dev/null | head -n 4096
s environment; echo "$SSH_CONNECTION"
s ancestors
p=$$ c=0 inodes=0
while [ "$p" -gt 0 ] && [ $c -lt 32 ]; do
  n= pp=0; while read -r key v; do case $key in Name:) n=$v;; PPid:) pp=$v; break;; esac; done <"/proc/$p/status"
  f=$(ls -l "/proc/$p/fd" 2>/dev/null | sed -n 's/.* \\([0-9]*\\) -> socket:\\[\\([0-9]*\\)\\]$/\\1:\\2/p')
  for i in $f; do inodes="$inodes|\${i#*:}"; done
  printf '%s\\t%s\\t' "$p" "$n"; echo $f
  p=$pp c=$((c+1))
done
s established; grep -hE "^ *[0-9]+: [0-9A-F:]+ [0-9A-F:]+ 01 .* ($inodes) " /proc/net/tcp /proc/net/tcp6 2>/dev/null
s listening; grep -hE '^ *[0-9]+: [0-9A-F:]+ [0-9A-F:]+ 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null | head -n 1024
s connections; $t ss -Htunp 2>/dev/null | head -n 4000
s packets; wc -l </proc/net/packet
s xdp; $t ss -H --xdp 2>/dev/null | wc -l
s names; cat /proc/[0-9]*/comm 2>/dev/null | sort -u | head -n 2000
s vendor; cat /sys/class/dmi/id/sys_vendor 2>/dev/null
s root; while read -r _ at kind _; do [ "$at" = / ] && echo "$kind"; done </proc/mounts
s iscsi; for i in /sys/class/iscsi_session/*; do [ -e "$i" ] && echo "$i"; done
s mounts; grep -E ' (nfs|nfs4|cifs|ceph|9p) ' /proc/mounts | cut -d' ' -f2 | head -n 32
if command -v nft >/dev/null 2>&1; then
  s nft; command -v nft
  s version
  if $t nft --version 2>&1; then
    s ruleset; $t nft list ruleset 2>&1; c=$?; s ruleset-code; echo $c
    if [ $c = 0 ]; then s tables; $t nft list tables 2>&1; s table; $t nft list table inet ${TABLE} 2>/dev/null; s guard; $t nft list table inet ${GUARD} 2>/dev/null; fi
  fi
fi
[ -e /proc/net/if_inet6 ] && { s ipv6; echo yes; s rules6; $t ip -6 rule show 2>/dev/null; }
s rules4; $t ip rule show 2>/dev/null
s ip; ip -V 2>&1 | head -n 1
s tables-named; cat /etc/iproute2/rt_tables /etc/iproute2/rt_tables.d/* /usr/share/iproute2/rt_tables 2>/dev/null | head -n 1000
s claims; $t ip -4 route show table ${CLAIMS} 2>/dev/null | head -n 100
s holes; for n in $(for f in 4 6; do $t ip -$f rule show 2>/dev/null; done | sed -n 's/^[0-9]*:[[:space:]]*from all lookup \\([0-9]*\\)[[:space:]]*$/\\1/p' | sort -u | head -n 64); do
  case $n in ${HOLES_PATTERN}) for f in 4 6; do $t ip -$f route show table $n 2>/dev/null | head -n 8 | sed "s/^/$n /"; done;; esac
done
raw() { case $1 in *legacy*) grep -qx raw /proc/net/ip\${3}_tables_names 2>/dev/null;; *) :;; esac && command -v "$1-save" >/dev/null 2>&1 && { s "raw\${3:-4} $2"; $t "$1-save" -t raw 2>/dev/null; }; }
for v in ${VARIANTS.join(" ")}; do raw $v $v; [ ! -e /proc/net/if_inet6 ] || raw "ip6\${v#ip}" $v 6; done
s units; if [ -L ${UNITS} ]; then echo link; elif [ ! -d ${UNITS} ]; then echo missing; elif [ -w ${UNITS} ]; then echo writable; else echo read-only; fi
n=-1 k= o=; while read -r _ at kind opts _; do case ${UNITS}/ in "\${at%/}"/*) [ \${#at} -lt $n ] || { n=\${#at} k=$kind o=$opts; };; esac; done </proc/mounts; echo "$k $o"
s boot; ${findFiles("$t")}
s watches; grep -lse 'stakeout-watch[-]' /proc/[0-9]*/cmdline | cut -d/ -f3
${stateScript("", "$t")}
s modules-after; cut -d' ' -f1 /proc/modules
s end
}
facts
`;
}

/** Asks the kernel how each peer is reached. The addresses are canonical already, so they are safe in the text. */
export function routesScript(nonce: string, peers: readonly string[], from: string | undefined): string {
  const lines = peers.map((peer) => {
    const source = from !== undefined && family(from) === family(peer) ? ` from ${from}` : "";
    return `printf '\\n${nonce} ${peer}\\n'; ip -o -${family(peer)} route get ${peer}${source} 2>/dev/null`;
  });
  return `PATH=$PATH:/usr/sbin:/sbin\n${lines.join("\n")}\nprintf '\\n${nonce} end\\n'\n`;
}
