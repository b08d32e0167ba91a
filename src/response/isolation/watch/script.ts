import { bootFunctions } from "../boot/script.ts";
import { datagramFunction } from "../datagram.ts";
import { guardFunctions } from "../guard.ts";
import { TABLE } from "../methods/nft-ruleset.ts";
import { PREAMBLE } from "../methods/shell-words.ts";
import type { IsolationPlan } from "../plan.ts";
import { REPLACED } from "../processes.ts";

/**
 * Runs on the host while it is isolated, for as long as its channel is open; writes nothing. `nft monitor` tells of each change of the
 * ruleset as it is made, and by whom; other methods are looked at ten times a second. What is not as it was is put back here, without
 * a round trip; what was seen is told by lines that begin with `@nonce`:
 *
 * `broken`, `back CODE`, `guard CODE` (put up again, or not), `by PID NAME` (who changed the ruleset, behind a `broken`), `monitor`
 * (it was ended and started again), `disk CODE` (the files for a reboot were not as they were, and were written again, or could not be),
 * `released` or `replaced` (the watch was asked to end), `look` with sections behind it, and `seen` at their end.
 */
export function watchScript(plan: IsolationPlan): string {
  const { nonce } = plan;
  const guarded = plan.guard !== undefined;
  return `watch() {
${PREAMBLE}
s() { printf '\\n${nonce} %s\\n' "$1"; }
say() { printf '\\n@${nonce} %s\\n' "$*"; }
intact() { { ${plan.intact}; } 2>/dev/null; }
stands() { { ${plan.stands}; } 2>/dev/null; }
reapply() {
${plan.reapply}
}
${guarded ? guardFunctions(plan.guard as NonNullable<typeof plan.guard>) : ""}
${plan.boot ? bootFunctions(plan.boot) : ""}
disk() {
${plan.boot ? WRITE_AGAIN : ":"}
}
${datagramFunction(plan)}
look() {
say look
${plan.look}
s links; for d in /sys/class/net/*; do n=0 r=0; read -r n <"$d/statistics/tx_packets"; read -r r <"$d/ifindex"; echo "\${d##*/} $r $n"; done 2>/dev/null
s addresses; ip -o addr show 2>/dev/null | head -n 500
s routes; cut -f1-4,8 /proc/net/route | head -n 500
[ $((looks % ${TRIED_EACH})) != 0 ] || { s datagram; datagram; }
looks=$((looks+1))
s end
say seen
}
mend() {
looks=0; say broken; reapply >/dev/null 2>&1; say back $?
say gone $1; good=$(intact); blame=1
}
keep() {
[ "$(intact)" = "$good" ] || { if stands; then mend no; else mend yes; fi; }
${guarded ? "[ $guard = no ] || guard_stands || { say unguarded; blame=1; guard_up; c=$?; say guard $c; [ $c = 0 ] || guard=no; }" : ":"}
}
trap 'say released; exit 0' TERM
trap 'say replaced; exit 0' ${REPLACED}
good=$(intact); blame= dirty= disk=yes writing= looks=0
${guarded ? "guard_stands && guard=yes || guard=no" : ""}
{
m=
trap '[ -z "$m" ] || kill $m; exit' PIPE TERM
${plan.monitor === undefined ? TICKS : ticksOfMonitor(plan.monitor)}
} 2>/dev/null | while read -r line; do
case $line in
"tick look") keep; disk; look || exit;;
"tick keep") keep;;
monitor) say monitor;;
"# new generation "*)
[ -z "$blame" ] || { set -- $line; say by "$7" "$8"; blame=; }
[ -z "$dirty" ] || { dirty=; keep; };;
"delete table inet ${TABLE}"*) dirty=1; stands || mend yes;;
*stakeout_*) [ -n "$dirty" ] || { dirty=1; keep; };;
esac
done
}
watch
`;
}

/** A datagram is tried with each look that is so many behind the last, and with the first after the rules were put back. */
const TRIED_EACH = 5;

/** Beside the rest: what systemd does takes its time, and meanwhile the rules in the kernel must be kept. */
const WRITE_AGAIN = `[ $disk = no ] && return
[ -n "$writing" ] || { boot_stands || { boot_write >/dev/null 2>&1 & writing=$!; }; return; }
kill -0 $writing 2>/dev/null && return
wait $writing; c=$?; writing=; say disk $c; [ $c = 0 ] || disk=no`;

/** A tick a second; between them the monitor's own lines. A monitor that was ended is told, and started again. */
const ticksOfMonitor = (monitor: string): string => `while :; do
[ -n "$m" ] && kill -0 $m || { [ -z "$m" ] || echo monitor; ${monitor} & m=$!; }
echo "tick look" || exit; sleep 1
done`;

/** Ten ticks a second, of which one looks and the others only keep. */
const TICKS = `i=0; while :; do
echo "tick look" || exit; i=0
while [ $i -lt 9 ]; do sleep 0.1; echo "tick keep" || exit; i=$((i+1)); done; sleep 0.1
done`;
