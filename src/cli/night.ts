import { drive } from "./drive.ts";
import { EXIT, exitCodeOf, say, UserError } from "./exit.ts";
import { Narrator } from "./lines.ts";
import { type Lost, openLive, tellLoss } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { write } from "./standard-output.ts";

export interface NightOptions extends HostOptions {
  responders: string[];
  ndjson?: boolean;
}

/** The console's side of the headless demo: records, plays the analysts, and ends when the night's story has been told as well. */
export async function night(target: string, options: NightOptions): Promise<number> {
  const narrator = new Narrator();
  const ending = new AbortController();
  const told = new Promise<void>((resolve) => {
    process.on("message", (message: { night?: string }) => {
      if (message.night !== undefined) resolve();
    });
  });
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      interrupted = true;
      ending.abort();
    });
  process.on("disconnect", () => ending.abort()); // whoever made the host is gone, and the host with it
  const live = await openLive(target, options, (line, event, state) => {
    const text = options.ndjson ? line : narrator.line(event, state);
    if (text !== undefined) write(text);
  });
  const stopped = new Promise<Lost>((resolve) => {
    live.onNews({ onStopped: (what) => resolve({ what, code: EXIT.host }) });
  });
  const lost = Promise.race([live.lost, stopped]).then((loss) => {
    throw new UserError(tellLoss(loss), loss.code);
  });
  lost.catch(() => {});
  let failure: Error | undefined;
  try {
    const over = new Promise<never>((_, reject) =>
      ending.signal.addEventListener("abort", () => reject(new Error("the night was ended early"))),
    );
    await Promise.race([Promise.all([drive(live.investigation, options, ending.signal), told]), lost, over]);
  } catch (error) {
    failure = error as Error;
  }
  await live.end(failure ? failure.message : "the night is over");
  if (!options.ndjson) for (const line of narrator.end(live.investigation.state)) write(line);
  say(`recorded in ${live.folder.path}`);
  process.disconnect?.();
  if (!failure) return EXIT.ok;
  say(failure.message);
  return interrupted ? EXIT.interrupted : exitCodeOf(failure);
}
