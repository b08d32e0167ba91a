import type { StakeoutEvent } from "#model/event";
import { toLine } from "#session/line";
import { type BrokenLine, readEvents } from "#session/read-log";
import { openSession, sessionsRoot } from "#session/session-store";
import { checkout } from "./checkout.ts";
import { EXIT, say } from "./exit.ts";
import { drained, outputClosed, write } from "./standard-output.ts";

interface ExportOptions {
  sessions?: string;
}

/**
 * A recorded session in the neutral form in which detection tools are compared: a line for each program, file and connection that was
 * seen, and each finding. `ts` and `seen` are seconds since 1970 on the host's clock: when it happened, and when it was in the log.
 */
export async function exportSession(name: string, options: ExportOptions): Promise<number> {
  const session = await openSession(name, sessionsRoot(options.sessions, checkout()));
  let damaged = 0;
  const onBroken = ({ line, what }: BrokenLine) => {
    damaged += 1;
    say(`${session.events}:${line}: ${what}; it was passed over`);
  };
  let offset = 0;
  for await (const { event } of readEvents(session.events, onBroken)) {
    offset = event.stakeout.report?.clock_offset ?? offset;
    const row = neutral(event, offset);
    if (row === undefined) continue;
    if (outputClosed()) break;
    write(toLine(row));
    await drained();
  }
  return damaged ? EXIT.failed : EXIT.ok;
}

/** `offset`: the host's clock minus ours, milliseconds. */
function neutral(event: StakeoutEvent, offset: number): object | undefined {
  const { action, created } = event.event;
  const at = { ts: Date.parse(event["@timestamp"]) / 1000, seen: (Date.parse(created) + offset) / 1000 };
  const { process, file, destination, stakeout } = event;
  if (action === "process.start") return { ...at, kind: "exec", exe: process?.executable, argv: process?.args ?? [] };
  if (action === "file.creation" || action === "file.change") return file && { ...at, kind: "file", path: file.path };
  if (action === "network.start" && event.network?.direction === "egress")
    return destination && { ...at, kind: "conn", addr: destination.ip, port: destination.port };
  if (action !== "finding.create") return undefined;
  const { rule, level, technique } = (stakeout["finding"] ?? {}) as { rule?: string; level?: string; technique?: string[] };
  return { ...at, kind: "alert", rule, severity: level, technique: technique ?? [] };
}
