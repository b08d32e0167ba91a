import { fork } from "node:child_process";
import { on } from "node:events";
import { fileURLToPath } from "node:url";
import { readSession, type Stretch } from "./reading.ts";

/**
 * Memory of the process: it lives for seconds, and an event leaves kilobytes that are garbage at once. The console's own settings
 * (src/bootstrap/startup.mjs) keep an investigation of days small, and would cost a third of the reading.
 */
const MEMORY = ["--max-semi-space-size=32"];
/** Between two messages: the listener is a screen. */
const TELL_EVERY_MS = 40;

/** Where this module is, bundled or as its source: the process begins with it. */
const ITSELF = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./reading-process.ts" : "./reading-process.js", import.meta.url));
/** Its first argument: this module is in the console's bundle too. */
const READ = "read-session";

type Told = { stretches: Stretch[] } | { whole: true } | { failed: string };

/**
 * {@link readSession} in a process of its own, on another core, so that a long session is played, and its keys are answered, while it is
 * read. Rejects as that does, and when the process dies. Whoever stops iterating ends it; it ends with us.
 */
export async function* readInProcess(file: string, every: number): AsyncGenerator<Stretch> {
  const child = fork(ITSELF, [READ, file, String(every)], {
    execArgv: MEMORY,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  let whole = false;
  try {
    for await (const [told] of on(child, "message", { close: ["disconnect"] }) as AsyncIterable<[Told]>) {
      if ("failed" in told) throw new Error(told.failed);
      if ("stretches" in told) yield* told.stretches;
      else {
        whole = true;
        child.disconnect(); // it waits for that, so that nothing it told is lost with it
      }
    }
    if (!whole) throw new Error("the process that read the session ended before the session did: open the replay again");
  } finally {
    if (!whole) child.kill("SIGKILL");
  }
}

async function read(file: string, every: number, tell: (told: Told) => void): Promise<void> {
  let last = performance.now();
  let stretches: Stretch[] = [];
  for await (const stretch of readSession(file, every)) {
    stretches.push(stretch);
    if (performance.now() - last < TELL_EVERY_MS) continue;
    tell({ stretches });
    stretches = [];
    last = performance.now();
  }
  tell({ stretches });
  tell({ whole: true });
}

const [, , what, file, every] = process.argv;
if (what === READ && process.send && file !== undefined) {
  const tell = process.send.bind(process);
  process.once("disconnect", () => process.exit()); // whoever asked has all, or is gone
  read(file, Number(every), tell).catch((error: unknown) => tell({ failed: error instanceof Error ? error.message : String(error) }));
}
