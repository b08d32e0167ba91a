import type { HostRunner } from "#host/runner";
import { endGuards } from "../guard.ts";
import type { BuiltMethod } from "../methods/method.ts";
import { bounded, PREAMBLE } from "../methods/shell-words.ts";
import { endWatches, leaseMark } from "../processes.ts";
import type { DeadMan } from "./dead-man.ts";

/** Without a beat for this long, a host that is to revert when we vanish does so. */
export const LEASE_SECONDS = 60;
/** How often the console beats: several may be lost. */
const BEAT_MS = 5000;

export const leaseUnit = (nonce: string): string => `stakeout-lease-${nonce}`;

interface LeaseInput extends Pick<BuiltMethod, "revert" | "revertOwn" | "stands"> {
  nonce: string;
  seconds: number;
  systemd: boolean;
  timeout: boolean;
}

/**
 * Defines `lease_up`: a process on the host that undoes the isolation when no beat (SIGUSR1) came for `seconds`. It says who it
 * is, as the dead man does. It runs by sleep(1), so a clock that jumps means nothing to it, and lives in memory alone.
 */
export function leaseFunction({ nonce, seconds, systemd, timeout, revert, revertOwn, stands }: LeaseInput): string {
  const own = revertOwn ?? `${stands} || exit; ${revert}`;
  // the watches first, which would put back what is taken away
  const lease = `${PREAMBLE}; n=0; trap "n=0" USR1; while [ $n -lt ${seconds} ]; do n=$((n+1)); sleep 1 & wait $!; done
${endWatches(nonce)}
( ${endGuards(nonce)} ); ${own}`;
  const mark = leaseMark(nonce);
  const setsid = `setsid /bin/sh -c '( eval "$1" ) </dev/null >/dev/null 2>&1 & read -r stat <"/proc/$!/stat"; set -- \${stat##*) }; echo "process $! $3 \${20}"; [ "$3" = $$ ]' ${mark} "$lease" </dev/null`;
  const unit = leaseUnit(nonce);
  const start = systemd
    ? `${bounded(timeout, 3)}systemd-run --quiet --collect --unit=${unit} /bin/sh -c "$lease" ${mark} && { echo "unit ${unit}"; return; }\n${setsid}`
    : setsid;
  return `lease='${lease}'
lease_up() {
${start}
}`;
}

/** Beats for as long as it runs. The host's process is told by its start too: a pid that is used again is another. */
export async function keepLease(runner: HostRunner, man: DeadMan): Promise<{ stop(): void }> {
  const process = await runner.open(["/bin/sh", "-s"]);
  process.stdout.resume();
  process.stderr.resume();
  process.stdin.on("error", () => {}); // a lost connection: the host's process is there for it
  const beat =
    "unit" in man
      ? `systemctl kill --kill-who=main --signal=USR1 ${man.unit}`
      : `read -r stat <"/proc/${man.process}/stat" && set -- \${stat##*) } && [ "\${20}" = ${man.start} ] && kill -USR1 ${man.process}`;
  process.stdin.write(`${PREAMBLE}\nwhile read -r _; do { ${beat}; } 2>/dev/null; done\n`);
  const timer = setInterval(() => process.stdin.write("\n"), BEAT_MS);
  timer.unref();
  process.stdin.write("\n");
  const stop = () => {
    clearInterval(timer);
    process.close();
  };
  process.exit.then(stop, stop);
  return { stop };
}
