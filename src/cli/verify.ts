import { verifyLog } from "#session/read-log";
import { openSession, sessionsRoot } from "#session/session-store";
import { checkout } from "./checkout.ts";
import { EXIT, say } from "./exit.ts";
import { write } from "./standard-output.ts";

/** Checks a session's chain and says which line was changed. */
export async function verify(name: string, options: { sessions?: string }): Promise<number> {
  const session = await openSession(name, sessionsRoot(options.sessions, checkout()));
  const result = await verifyLog(session.events, session.about.head);
  const sealed = session.about.head ? "sealed" : "not sealed (it was not ended): its last line cannot be vouched for";
  if (result.ok) {
    write(`${session.about.session}: ${result.events} events, the chain is whole, ${sealed}; head ${result.head}`);
    return EXIT.ok;
  }
  for (const { line, what } of result.broken.slice(0, 20)) write(`${session.events}:${line}: ${what}`);
  if (result.broken.length > 20) write(`and ${result.broken.length - 20} more`);
  say(`${result.broken.length} damaged lines; ${result.events} events can still be read (stakeout replay).`);
  return EXIT.failed;
}
