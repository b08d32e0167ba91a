import { createHash } from "node:crypto";
import { type HostRunner, runScript } from "#host/runner";
import type { Evidence, EvidenceSink } from "#model/evidence";
import type { HostString } from "#model/host-string";
import { PREAMBLE } from "../isolation/methods/shell-words.ts";

export interface Suspect {
  pid: number;
  name?: HostString;
}

export interface GrabResult {
  kept: number;
  /** What could not be had in time, or at all, a sentence each. */
  missed: string[];
  milliseconds: number;
}

const MOST_SUSPECTS = 16;
const MOST_BYTES = 32 << 20;

/**
 * What a cut destroys, taken before it, within `limitMs` (3 s) altogether: all sockets with their processes, then of each suspect his
 * memory map, open files, command, environment, and his executable as the kernel still has it, deleted or not. What is not had in time is
 * named. Only reads. Whatever the host says goes to the sink as it came.
 */
export async function grabBeforeCut(
  runner: HostRunner,
  suspects: readonly Suspect[],
  sink: EvidenceSink,
  limitMs = 3000,
  now: () => Date = () => new Date(),
): Promise<GrabResult> {
  const started = performance.now();
  const left = () => limitMs - (performance.now() - started);
  const missed = suspects.length > MOST_SUSPECTS ? [`only the first ${MOST_SUSPECTS} of ${suspects.length} processes were looked at`] : [];
  let kept = 0;
  const take = async (what: string, source: string, script: string, process?: Suspect) => {
    const rest = left();
    if (rest < 50) {
      missed.push(`${what}: no time was left`);
      return;
    }
    const ran = await runScript(runner, `${PREAMBLE}\n${script}\n`, { timeoutMs: rest, limitBytes: MOST_BYTES }).catch(
      (error: Error) => error,
    );
    if (ran instanceof Error) {
      missed.push(`${what}: ${ran.message}`);
      return;
    }
    const problem = ran.timedOut
      ? "the time was up"
      : ran.cut
        ? `only the first ${MOST_BYTES >> 20} MiB`
        : ran.code === 0
          ? undefined
          : `the host said: ${ran.stderr.toString("latin1").trim().slice(0, 200) || `exit code ${ran.code}`}`;
    if (problem !== undefined) missed.push(`${what}: ${problem}`);
    if (ran.stdout.length === 0) return;
    const evidence: Evidence = {
      what,
      ...(process ? { process } : {}),
      source: source as HostString,
      bytes: ran.stdout,
      sha256: createHash("sha256").update(ran.stdout).digest("hex"),
      collected: now().toISOString(),
      complete: problem === undefined,
      ...(problem === undefined ? {} : { problem }),
    };
    await sink.keep(evidence);
    kept += 1;
  };
  await take(
    "sockets with their processes",
    "ss -tunapeiO; /proc/net",
    "ss -tunapeiO 2>&1 || cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6; cat /proc/net/packet /proc/net/raw",
  );
  const looks = suspects.slice(0, MOST_SUSPECTS).flatMap((suspect) => {
    const at = `/proc/${suspect.pid}`;
    return [
      take(
        `process ${suspect.pid}: state, map, open files`,
        at,
        `for f in stat status cmdline environ maps; do printf '\\n== %s\\n' $f; cat ${at}/$f; done; printf '\\n== exe cwd root fd\\n'; ls -l ${at}/exe ${at}/cwd ${at}/root ${at}/fd`,
        suspect,
      ),
      take(`process ${suspect.pid}: executable`, `${at}/exe`, `cat ${at}/exe`, suspect),
    ];
  });
  await Promise.all(looks);
  return { kept, missed, milliseconds: performance.now() - started };
}
