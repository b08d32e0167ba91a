import { on } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { readSession, type Stretch } from "./reading.ts";

/** Young objects of the thread, MB: an event leaves kilobytes that are garbage at once. */
const YOUNG_MB = 48;
/** Between two messages: the listener is a screen. */
const TELL_EVERY_MS = 40;

/** The last message. */
const END = "end";

/** Where this module is, bundled or as its source: the thread begins with it. */
const ITSELF = new URL(import.meta.url.endsWith(".ts") ? "./reading-thread.ts" : "./reading-thread.js", import.meta.url);

/**
 * {@link readSession} in a thread of its own, so that a long session is played, and its keys are answered, while it is read. Rejects as
 * that does, and when the thread dies. Whoever stops iterating ends the thread.
 */
export async function* readInThread(file: string, every: number): AsyncGenerator<Stretch> {
  const worker = new Worker(ITSELF, { workerData: { file, every }, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  try {
    for await (const [stretches] of on(worker, "message", { close: ["exit"] })) {
      if (stretches === END) return;
      yield* stretches as Stretch[];
    }
    throw new Error("the thread that read the session ended before the session did: open the replay again");
  } finally {
    await worker.terminate();
  }
}

if (!isMainThread && parentPort && workerData && "file" in workerData && "every" in workerData) {
  const { file, every } = workerData as { file: string; every: number };
  let told = performance.now();
  let waiting: Stretch[] = [];
  for await (const stretch of readSession(file, every)) {
    waiting.push(stretch);
    if (performance.now() - told < TELL_EVERY_MS) continue;
    parentPort.postMessage(waiting);
    waiting = [];
    told = performance.now();
  }
  parentPort.postMessage(waiting);
  parentPort.postMessage(END);
}
