import { Enricher } from "#analysis/enrich";
import { Investigation } from "#investigation/investigation";
import { Decoder } from "#sensors/decoder";
import { createSession, type SessionFolder } from "#session/session-store";
import { type Busy, BusyHost } from "./busy-host.ts";

/**
 * A recorded session of a {@link BusyHost}, of at least `events` events after the snapshot, made by the parts that record a real one:
 * decoder, ingest, log. `root` is the folder of sessions.
 */
export async function recordBusySession(root: string, events: number, busy: Busy): Promise<SessionFolder> {
  const host = new BusyHost(busy);
  const decoder = new Decoder();
  const started = Date.UTC(2026, 10, 24, 21, 0, 0);
  const folder = await createSession(root, { label: "busy" }, started);
  const investigation = await Investigation.open({
    folder,
    enricher: await Enricher.open(),
    analyst: "bench",
    version: "0",
    connection: {},
    now: () => started + host.elapsedMs,
    prepareResponse: () => Promise.reject(new Error("a recorded host is not changed")),
    askFileInfo: () => {},
    isOurs: () => false,
  });
  const take = (lines: string) => investigation.observe(decoder.push(Buffer.from(lines, "latin1")));
  take(host.begin(started));
  while (host.events < events) {
    take(host.next(Math.min(2000, events - host.events)));
    await investigation.flush();
  }
  await investigation.end("the recording was long enough");
  return folder;
}
