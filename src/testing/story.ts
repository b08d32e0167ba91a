import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StakeoutEvent } from "#model/event";
import { until } from "#range/machine";
import type { Range } from "#range/range";
import { HEAP } from "../bootstrap/startup.mjs";
import { type ConsoleInPty, inPty } from "./pty.ts";

/** The built program, as the bootstrap starts it (src/bootstrap/run.mjs): stories drive what a user runs. */
export const PROGRAM: readonly [string, ...string[]] = [process.execPath, ...HEAP, join(import.meta.dirname, "../../dist/main.js")];

/** A place for recorded sessions that goes with the test. */
export function sessionsFolder(): { path: string; newest(): string; events(): StakeoutEvent[]; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "stakeout-story-"));
  const newest = () => join(path, readdirSync(path).sort().at(-1) ?? "none");
  return {
    path,
    newest,
    /** Of the newest, as far as it is on the disk: none while there is no session. */
    events: () => {
      const file = join(newest(), "events.jsonl");
      if (!existsSync(file)) return [];
      const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
      return whole.map((line) => JSON.parse(line) as StakeoutEvent);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The console on the range's host, in a terminal of its own, as the demo starts it. */
export function openConsole(range: Range, sessions: string, size: [number, number] = [160, 50]): ConsoleInPty {
  const options = ["--config", range.sshConfig, "--analyst", "jm", "--no-card", "--sessions", sessions];
  return inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...options]), ...size);
}

/**
 * Freezes the picture and moves the cursor of the tree, the left half, down until the selected row holds `text`: the bar in the first
 * column marks it. On a busy host rows move by themselves, and an analyst who aims freezes first too. The picture stays frozen until
 * a tag, or `f`.
 */
export async function select(console_: ConsoleInPty, text: string): Promise<void> {
  const selected = () => (console_.screen.lines().find((line) => line.startsWith("▌")) ?? "").slice(0, console_.screen.terminal.cols / 2);
  console_.press("f");
  await console_.screen.until("FROZEN");
  console_.press("home");
  for (let rows = 0; rows < 200; rows++) {
    await settled(console_);
    if (selected().includes(text)) return;
    console_.press("down");
  }
  throw new Error(`no row with ${text} could be selected on\n${console_.screen.text()}`);
}

/** Waits until every key so far was taken: keys are taken in order, so a help that was asked for after them comes and goes after them. */
async function settled(console_: ConsoleInPty): Promise<void> {
  console_.press("?");
  await console_.screen.until("type to narrow");
  console_.press("escape");
  await until("the help to be gone", () => !console_.screen.text().includes("type to narrow"), { everyMs: 10 });
}

/** Waits until the dialog takes an Enter (it wants to have been read), presses it, and waits for what it brings about. */
export async function confirm(console_: ConsoleInPty, done: RegExp, timeoutMs: number): Promise<void> {
  await console_.screen.until(/Enter +(isolates|releases) the host/, timeoutMs);
  console_.press("enter");
  await console_.screen.until(done, timeoutMs);
}

/** What a console would leave: tracing instances of this host's pid namespace (the kernel shows those of all), and our collectors. */
export async function leftOnHost(range: Range): Promise<{ instances: string[]; collectors: string }> {
  const namespace = /\d+/.exec((await range.onHost(["readlink", "/proc/self/ns/pid"])).stdout)?.[0];
  const instances = await range.onHost(["ls", "/sys/kernel/tracing/instances"]);
  const own = await range.onHost([
    "sh",
    "-c",
    "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep '^perl -' || true",
  ]);
  return {
    instances: instances.stdout.split("\n").filter((name) => name.startsWith(`stakeout.${namespace}.`)),
    collectors: own.stdout.trim(),
  };
}
