import { createHash } from "node:crypto";
import { type HostRunner, runScript } from "#host/runner";
import type { ProcessRef } from "#model/measure";

/** What became of one: done, it was not there (any more) as named, or the host would not. */
export interface Signalled extends ProcessRef {
  result: "done" | "gone" | "refused";
}

export type SignalKind = "suspend" | "resume" | "kill";
/** The signal, and the states of /proc/PID/stat (proc(5), field 3) that show that it took effect. */
const SIGNALS: Record<SignalKind, { name: string; state: string }> = {
  suspend: { name: "STOP", state: "T" },
  resume: { name: "CONT", state: "[!T]" },
  kill: { name: "KILL", state: "Z" },
};
/** More than these at once is a mistake, or somebody who wants the script to be long. */
const MOST_PROCESSES = 256;

/**
 * Stops processes where they are (SIGSTOP), lets them go on (SIGCONT) or ends them (SIGKILL), and sees whether it took effect. A stopped
 * process keeps its memory, files and sockets; its parent can notice, and root can let it go on. Never a process whose start is another
 * than named, never pid 1 or less. The parents come first: what is stopped starts nothing new.
 */
export function signalScript(kind: SignalKind, processes: readonly ProcessRef[]): string {
  const { name, state } = SIGNALS[kind];
  return `same() { read -r stat <"/proc/$1/stat" || return 1; set -- \${stat##*) }; now=$1; [ "\${20}" -ge $((wanted-1)) ] && [ "\${20}" -le $((wanted+1)) ]; }
for pair in ${named(processes)
    .map(({ pid, startTicks }) => `${pid}:${startTicks}`)
    .join(" ")}; do
pid=\${pair%:*} wanted=\${pair#*:}
same $pid || { echo "$pid gone"; continue; }
kill -${name} $pid || { echo "$pid refused"; continue; }
i=0; while same $pid; do case $now in ${state}|Z|X) break;; esac; i=$((i+1)); [ $i -lt 50 ] || break; sleep 0.01; done
same $pid || { echo "$pid ${kind === "kill" ? "done" : "gone"}"; continue; }
case $now in ${state}) echo "$pid done";; *) echo "$pid refused";; esac
done 2>/dev/null
`;
}

/** Runs {@link signalScript}. */
export async function signal(runner: HostRunner, kind: SignalKind, processes: readonly ProcessRef[]): Promise<Signalled[]> {
  const wanted = named(processes);
  if (wanted.length === 0) return [];
  const { stdout } = await runScript(runner, signalScript(kind, wanted), { timeoutMs: 30_000, limitBytes: 1 << 16 });
  const said = new Map(
    stdout
      .toString("latin1")
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
  return wanted.map((process) => {
    const result = said.get(String(process.pid));
    return { ...process, result: result === "done" || result === "gone" ? result : "refused" };
  });
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const named = (processes: readonly ProcessRef[]) =>
  processes
    .filter(({ pid, startTicks }) => Number.isSafeInteger(pid) && pid > 1 && Number.isSafeInteger(startTicks) && startTicks >= 0)
    .slice(0, MOST_PROCESSES);
