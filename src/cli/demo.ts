import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { rangeAvailable } from "#range/available";
import { playNight } from "#range/night";
import { type Range, startRange } from "#range/range";
import { recordedNight } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { readConfig } from "./settings/open.ts";

export interface DemoOptions {
  headless?: boolean;
  ndjson?: boolean;
  seed: number;
  sessions?: string;
  settings?: string;
}

/**
 * Makes a suspect host, lets an intruder and two responders loose on it, and opens the console there. The range lives in this process
 * and the console in a child inside the analyst's network namespace: addresses that look public exist only in there.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const watched = !options.headless && process.stdout.isTTY && process.stdin.isTTY;
  if (watched) await readConfig(options.settings); // a mistake in it is told before a host is made
  const reason = rangeAvailable();
  if (reason !== undefined) {
    const night = recordedNight();
    if (options.headless || !night) throw new UserError(`No suspect host can be made here: ${reason}.`);
    say(`no suspect host can be made here: ${reason}. This is the recorded night instead.`);
    const { replay } = await import("./replay.ts");
    return replay(night, options.settings ? { settings: options.settings } : {});
  }
  const range = await startRange({ say, onProgress: progress() });
  const ending = new AbortController();
  try {
    const { promise: seen, resolve: sees } = Promise.withResolvers<void>();
    const night = playNight(range, { seed: options.seed, signal: ending.signal, watched: seen });
    const console_ = startConsole(range, options, watched);
    console_.child.on("message", (message: { watching?: true }) => {
      if (message.watching) sees();
    });
    night.done
      .then((story) => console_.child.connected && console_.child.send({ night: story.ended }))
      .catch((error: Error) => {
        if (ending.signal.aborted) return;
        say(`the night could not be played: ${error.message}`);
        console_.child.kill("SIGTERM");
      });
    return await console_.code;
  } finally {
    ending.abort();
    await range.stop();
  }
}

/** The night's start card, as it would have been filled in. */
const DEMO_CARD = ["--authorised-by", "the demo", "--ticket", "DEMO-1", "--scope", "contain,collect"];

function startConsole(range: Range, options: DemoOptions, watched: boolean) {
  const sessions = options.sessions ? ["--sessions", options.sessions] : [];
  const settings = options.settings ? ["--settings", resolve(options.settings)] : [];
  const reach = ["devbox", "--made-host", "--config", range.sshConfig, "--analyst", "jm", ...DEMO_CARD, ...sessions, ...settings];
  const driven = ["night", ...reach, "--responders", range.addresses.responders.join(","), ...(options.ndjson ? ["--ndjson"] : [])];
  const argv = range.inNetns(range.netns.analyst, [
    process.execPath,
    join(import.meta.dirname, "main.js"),
    ...(watched ? ["--no-card", ...reach] : driven),
  ]);
  const child = spawn(argv[0] as string, argv.slice(1), { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  // The console decides what a signal means; we end when it has ended, and take the range down then.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const code = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 1) : (status ?? EXIT.failed)));
  });
  return { child, code };
}

/** A bar on a terminal, a line each quarter elsewhere. */
function progress(): (at: { fraction: number; phrase: string }) => void {
  let told = -1;
  return ({ fraction, phrase }) => {
    const done = Math.min(1, Math.max(0, fraction));
    if (process.stderr.isTTY) {
      const cells = Math.round(done * 30);
      process.stderr.write(
        `\r\x1b[Kstakeout: making the suspect host's disk ${"█".repeat(cells)}${"░".repeat(30 - cells)} ${phrase.slice(0, 40)}`,
      );
      if (done >= 1) process.stderr.write("\n");
    } else if (Math.floor(done * 4) > told) {
      told = Math.floor(done * 4);
      say(`making the suspect host's disk: ${Math.round(done * 100)} %, ${phrase}`);
    }
  };
}
