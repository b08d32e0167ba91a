import { EXIT, say } from "./exit.ts";
import { Narrator } from "./lines.ts";
import { type Lost, openLive, tellLoss } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { write } from "./standard-output.ts";

export interface RecordOptions extends HostOptions {
  for?: number;
  ndjson?: boolean;
  /** Milliseconds after which a host that does not come back is given up; left out: never. */
  giveUp?: number;
}

/**
 * Records a host without a screen: as the log's own lines, or as lines to read. Ends after a time, at a signal, or when a host that was lost
 * is given up.
 */
export async function record(target: string, options: RecordOptions): Promise<number> {
  const narrator = new Narrator();
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<Lost>();
  let patience: NodeJS.Timeout | undefined;
  const live = await openLive(
    target,
    options,
    (line, event, state) => {
      const text = options.ndjson ? line : narrator.line(event, state);
      if (text !== undefined) write(text);
    },
    {
      onAway: (what) => {
        say(`nothing is seen any more: ${what}. Connecting again by itself.`);
        if (options.giveUp !== undefined) patience = setTimeout(() => giveUp({ what, code: EXIT.host }), options.giveUp);
      },
      onBack: (words) => {
        clearTimeout(patience);
        say(words);
      },
      onStopped: (what) => giveUp({ what, code: EXIT.host }),
    },
  );
  const interrupted = new Promise<"signal">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve("signal"));
  });
  const over =
    options.for === undefined ? new Promise<never>(() => {}) : new Promise<"time">((resolve) => setTimeout(resolve, options.for, "time"));
  const why = await Promise.race([interrupted, over, live.lost, givenUp]);
  clearTimeout(patience);
  await live.end(why === "time" ? "the time was over" : why === "signal" ? "interrupted" : why.what);
  if (!options.ndjson) for (const line of narrator.end(live.investigation.state)) write(line);
  say(`recorded in ${live.folder.path}`);
  if (why === "time") return EXIT.ok;
  if (why === "signal") return EXIT.interrupted;
  say(tellLoss(why));
  return why.code;
}
