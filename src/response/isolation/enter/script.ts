import type { BootFiles } from "../boot/files.ts";
import { findFiles } from "../boot/found.ts";
import { bootFunctions, removeFiles } from "../boot/script.ts";
import { type CutOff, datagramFunction } from "../datagram.ts";
import { stateScript } from "../facts/state.ts";
import { endGuards, type Guard, guardFunctions } from "../guard.ts";
import type { BuiltMethod } from "../methods/method.ts";
import { bounded, PREAMBLE } from "../methods/shell-words.ts";
import { endLeases, endWatches, REPLACED } from "../processes.ts";
import type { DeadMan } from "./dead-man.ts";
import { leaseFunction, leaseUnit } from "./lease.ts";

interface EnterInput extends Pick<BuiltMethod, "apply" | "revert" | "revertOwn" | "stands"> {
  nonce: string;
  deadManSeconds: number;
  /** systemd is process 1 and systemd-run is there: its unit outlives a login whose processes are killed at its end. */
  systemd: boolean;
  timeout: boolean;
  /** The sockets to destroy, as a filter of ss(8); undefined where there is no ss. */
  sockets?: string;
  guard?: Guard;
  /** Guards of an isolation that this one replaces: they would keep its rules. */
  guarded: boolean;
  /** Something of an earlier isolation is there. */
  replaces: boolean;
  /** A console watches that one, and would put its rules back. */
  watched: boolean;
  /** What is written to the disk when all was proven, and the nonces of what of other isolations is there. */
  boot?: BootFiles;
  onDisk: readonly string[];
  /** It is undone when no console has beaten for so long. */
  leaseSeconds?: number;
}

/** The function of a plan's script that makes it last through a reboot. */
export const SURVIVE = "survive";

/**
 * What Enter runs, whole: the dead man is armed first, then the cut, then the sockets that are cut off are destroyed, then the guard is
 * put up. After each step it prints `@nonce name code`. Without a dead man there is no cut; if the cut fails nothing of it is left, and
 * the dead man is stood down.
 */
export function enterScript(input: EnterInput): string {
  const { nonce } = input;
  // the leader of the new session starts the sleeper, says who it is, and ends: nothing has to be waited for by polling
  const setsid = `  man=$(setsid /bin/sh -c '( eval "$1" ) </dev/null >/dev/null 2>&1 & read -r stat <"/proc/$!/stat"; set -- \${stat##*) }; echo "process $! $3 \${20}"; [ "$3" = $$ ]' - "$dead" </dev/null 3>&- 4>&-) && echo "$man"`;
  const unit = deadManUnit(nonce);
  const armed = input.systemd
    ? `  ${bounded(input.timeout, 3)}systemd-run --quiet --collect --unit=${unit} /bin/sh -c "$dead" && { echo "unit ${unit}"; return; }\n${setsid}`
    : setsid;
  const sockets =
    input.sockets === undefined ? "" : `${bounded(input.timeout, 5)}ss -KHtun '${input.sockets}' 2>&1 | head -n 1000; step sockets $?\n`;
  const guard = input.guard === undefined ? "" : `${guardFunctions(input.guard)}\nguard_up; step guard $?\n`;
  const lease =
    input.leaseSeconds !== undefined ? `${leaseFunction({ ...input, seconds: input.leaseSeconds })}\nlease_up; step lease $?\n` : "";
  const boot = input.boot
    ? `# '${SURVIVE}' is run when all has been proven and the dead man was stood down: a lock-out is never made to last\n${bootFunctions(input.boot)}\n`
    : "";
  // what another isolation has left on the disk would come back at a boot as if it were this one
  const earlier = input.onDisk.length > 0 ? `( ${removeFiles(input.onDisk, input.timeout)} ); step earlier $?\n` : "";
  return `isolate() {
${PREAMBLE}
step() { printf '\\n@${nonce} %s %s\\n' "$1" "$2"; }
dead='${deadMan(input)}'
arm() {
${armed}
}
${armedCut(input)}
step cut $code
[ $code = 0 ] || { ${input.systemd ? `[ -n "$man" ] || systemctl kill --signal=KILL ${unit}; ` : ""}set -- $man; [ -n "$3" ] && kill -9 "-$3"; return 1; }
${earlier}${sockets}${guard}${lease}}
${boot}isolate
`;
}

/**
 * Arms the dead man, ends what would undo the cut, and cuts; `code` is the cut's, `man` who he is. A tool that reads its rules from standard
 * input is started first: to load it takes as long as to arm, and it gets no rules before that is done, and none if it failed. What it says,
 * which root can have replaced, is kept apart until then, bounded, and without lines that only we are to print. (Descriptor 3 is what the console hears, 4 what comes back from the
 * pipe, in lines that begin with the nonce; neither may stay with the dead man, who outlives both.)
 */
function armedCut(input: EnterInput): string {
  const { apply, nonce } = input;
  const before = [
    input.watched ? `( ${endWatches("", REPLACED)} ) 2>/dev/null` : "",
    input.replaces ? `( ${endLeases} )` : "",
    input.guarded ? `( ${endGuards()} )` : "",
  ].filter((step) => step !== "");
  const arm = ["code=$?; step armed $code; [ $code = 0 ] || return 1", ...before].join("\n");
  if (typeof apply === "string") return `arm; ${arm}\n${apply}\ncode=$?`;
  return `rules='${apply.rules.replaceAll("'", `'\\''`)}'
told() { printf '\n#${nonce} %s %s;\n' "$1" "$2" >&4; }
fed() {
{ arm 4>&-; ${arm}
} >&3
told man "$man"; printf '%s' "$rules"
}
{ said=$({ fed | { ${apply.reads}; told cut $?; } 3>&- | { head -c 4096; cat >/dev/null; }; } 4>&1); } 3>&1
case $said in *'#${nonce} man '*) ;; *) return 1;; esac
man=\${said#*'#${nonce} man '}; man=\${man%%;*}; code=\${said#*'#${nonce} cut '}; code=\${code%%;*}
printf '%s\n' "$said" | sed '/^[#@]${nonce} /d'`;
}

/** Reverts only the isolation that it was armed for: it looks for its own nonce. sleep(1) runs on the monotonic clock. */
function deadMan({ nonce, stands, revert, revertOwn, deadManSeconds }: EnterInput): string {
  return `${PREAMBLE}; sleep ${deadManSeconds}; ( ${endGuards(nonce)} ); ${revertOwn ?? `${stands} || exit; ${revert}`}`;
}

/**
 * Stands the dead man down: exits with 0 if he is gone and the isolation stands, with {@link NOT_ISOLATED} if he is gone and the
 * isolation is too (he was faster). Nothing is written to disk for it; a pid used again is spared.
 *
 * A service manager that was too slow for us may have begun after all what a process of our own does instead: nobody would beat for such a
 * unit, and it would undo an isolation that was proven. Its end is asked for by the way that its start went.
 */
export function standDownScript(
  man: DeadMan,
  plan: { stands: string; timeout: boolean; nonce: string; systemd: boolean },
  lease?: DeadMan,
): string {
  const told = [man, lease].map((one) => (one && "unit" in one ? one.unit : ""));
  const late = plan.systemd ? [deadManUnit(plan.nonce), leaseUnit(plan.nonce)].filter((unit) => !told.includes(unit)) : [];
  const end = late.map((unit) => `${bounded(plan.timeout, 2)}systemctl kill --signal=KILL ${unit} >/dev/null 2>&1\n`).join("");
  const stands = `${PREAMBLE}; ${plan.stands} || (exit ${NOT_ISOLATED})`;
  return `${PREAMBLE}; ${end}{ ${goneScript(man, plan.timeout).trimEnd()}\n} && { ${stands}; }\n`;
}

const deadManUnit = (nonce: string): string => `stakeout-deadman-${nonce}`;

export const NOT_ISOLATED = 3;

function goneScript(man: DeadMan, timeout: boolean): string {
  if ("unit" in man) {
    return `${PREAMBLE}; ${bounded(timeout, 8)}systemctl kill --signal=KILL ${man.unit} 2>&1; i=0
while systemctl is-active --quiet ${man.unit} && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; ! systemctl is-active --quiet ${man.unit}\n`;
  }
  // no `--` before the group: the kill of dash and of busybox knows none
  return `gone() { read -r stat <"/proc/${man.process}/stat" || return 0; set -- \${stat##*) }; [ "$1" = Z ] || [ "\${20}" != ${man.start} ]; }
{ gone || kill -9 -${man.group}; i=0; until gone || [ $i -ge 250 ]; do sleep 0.02; i=$((i+1)); done; gone; } 2>/dev/null\n`;
}

/**
 * Two looks, half a second apart (a second where sleep knows no fractions), at our rules and at what left the interfaces. Before them, and
 * so before any tool that could have been replaced says a word (a section counts as it is told first), without any of those: a datagram is
 * tried, and the kernel's own list of connections is read for what is still established.
 */
export function sampleScript(plan: CutOff & { look: string }): string {
  return `sample() {
${PREAMBLE}
s() { printf '\\n${plan.nonce} %s\\n' "$1"; }
rules() { ${plan.look}; }
wire() { s wire$1; for d in /sys/class/net/*; do n=0; read -r n <"$d/statistics/tx_packets" && echo "\${d##*/} $n"; done 2>/dev/null; }
${datagramFunction(plan)}
open() {
n=0; for f in tcp tcp6; do while read -r _ l r c _; do [ "$c" = 01 ] && echo "$l $r" && n=$((n+1)); [ $n -ge 4000 ] && break; done <"/proc/net/$f"; done 2>/dev/null
}
s datagram; datagram; s established; open
rules 1; wire 1; sleep 0.5 2>/dev/null || sleep 1; wire 2; rules 2
s end
}
sample
`;
}

/** Takes away what `undo` says, with the state of the network before and after. */
export function releaseScript(nonce: string, undo: readonly string[], timeout: boolean): string {
  const bound = bounded(timeout, 5).trim();
  return `release() {
${PREAMBLE}
s() { printf '\\n${nonce} %s\\n' "$1"; }
${stateScript("-before", bound)}
code=0
s said
${undo.map((command) => `{ ${command}\n} 2>&1 || code=$?`).join("\n")}
s code; echo $code
s disk; ${findFiles(bound)}
${stateScript("-after", bound)}
s end
}
release
`;
}
