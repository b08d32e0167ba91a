import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { until } from "#range/machine";
import { BusyServer } from "#testing/busy-server";
import { recordBusySession } from "#testing/busy-session";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM } from "#testing/story";

/** How long each of the two runs goes on; `npm run test:long` gives ten minutes to both together. */
const SECONDS = Number(process.env["STAKEOUT_SOAK_SECONDS"] ?? 12);
const SEED = Number(process.env["STAKEOUT_SOAK_SEED"] ?? Date.now() % 1e9);
const LIMIT_MS = SECONDS * 1000 * 5 + 120_000;
const folder = mkdtempSync(join(tmpdir(), "stakeout-soak-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Everything but what ends the console, changes the host, writes a report, or offers all of these by name (the palette).
const KEYS = [..."jkhlgGTtpcbuf/.,[]<>0$ ?mnsvxw'", "up", "down", "left", "right", "tab", "\x1b[Z", "\x1b[5~", "\x1b[6~", "home", "\x1b[F"];
const TYPED = ["enter", "escape", "backspace", "a", "日", "\x1b[200~pasted\ntext\x1b[201~", "\x1b[", "\u0000"];

/** Numbers that the seed decides (mulberry32, a public-domain generator by Tommy Ettinger). */
function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** Random keys and sizes for a while; what is done at quiet moments, and the memory at each of them, megabytes. */
async function soak(console_: ConsoleInPty, quietly: () => Promise<void>): Promise<number[]> {
  const pick = random(SEED);
  const ended = { code: undefined as number | undefined };
  void console_.exited.then((code) => {
    ended.code = code;
  });
  const alive = () =>
    expect(ended.code, `the console ended by itself with seed ${SEED}; it showed\n${console_.screen.text()}`).toBe(undefined);
  const memory: number[] = [];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    for (let i = 0; i < 120; i++) {
      console_.screen.written.length = 0;
      const chance = pick(40);
      if (chance === 0) console_.resize(1 + pick(300), 1 + pick(100));
      else if (chance === 1) for (let n = 0; n < 20; n++) console_.resize(1 + pick(300), 1 + pick(100));
      else if (chance < 5) console_.press(TYPED[pick(TYPED.length)] as string);
      else console_.press(KEYS[pick(KEYS.length)] as string);
      if (pick(4) === 0) await new Promise((done) => setTimeout(done, pick(30)));
    }
    alive();
    console_.resize(160, 50);
    for (let i = 0; i < 3; i++) {
      console_.press("escape");
      await new Promise((done) => setTimeout(done, 60)); // else it begins a sequence with what follows
    }
    await quietly();
    alive();
    memory.push((Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${console_.pid}/status`, "latin1"))?.[1]) * 1024) / 1e6);
  }
  return memory;
}

/** Characters and colours of every cell. */
function cells({ terminal }: ConsoleInPty["screen"]): string[] {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, y) => {
    const line = active.getLine(active.baseY + y);
    return Array.from({ length: terminal.cols }, (_, x) => {
      const cell = line?.getCell(x);
      return cell ? `${cell.getChars() || " "}${cell.getFgColor()}/${cell.getBgColor()}` : "";
    }).join(" ");
  });
}

/** Waits until nothing was written for a while in which the console slept: one that waits for a core may have keys before it yet. */
async function silent(console_: ConsoleInPty): Promise<void> {
  let last = performance.now();
  console_.onOutput(() => {
    last = performance.now();
  });
  const sleeps = () => / S (?:\S+ ){49}$/.test(`${readFileSync(`/proc/${console_.pid}/stat`, "latin1").trim()} `);
  await until("the console to have nothing to write", () => {
    if (!sleeps()) last = performance.now();
    return performance.now() - last > 400;
  });
  await console_.screen.settled();
}

/** Megabytes that a console may take, however long it runs. */
const MOST_MB = 300;

/**
 * Long runs alone can tell: garbage comes and goes, and is given back when it is much (src/cli/memory.ts): the least of a while is what is
 * kept. The first half fills it: under the busy host's login 18 programs end in a second, and 3,000 of them stay in the picture
 * (src/state/folding.ts), which takes three minutes.
 */
function expectFlat(memory: readonly number[]): void {
  if (SECONDS < 120) return;
  const [early, late] = [memory.slice(memory.length / 2, (memory.length * 2) / 3), memory.slice(-memory.length / 6)];
  const told = `megabytes with seed ${SEED}: ${memory.map(Math.round).join(" ")}`;
  expect(Math.min(...late), `it grew: ${told}`).toBeLessThan(Math.min(...early) * 1.2 + 10);
  expect(late.toSorted((a, b) => a - b)[Math.floor(late.length / 2)], told).toBeLessThanOrEqual(MOST_MB);
}

test(`random keys and sizes break no replay, and what stands on the screen is what a fresh paint shows (seed ${SEED}, ${SECONDS} s)`, {
  timeout: LIMIT_MS,
}, async () => {
  const session = await recordBusySession(join(folder, "sessions"), 6000, { processes: 300, perSecond: 200 });
  const console_ = inPty([...PROGRAM, "replay", session.path], 160, 50);
  await console_.screen.until("REPLAY");
  let compared = 0;
  const memory = await soak(console_, async () => {
    await until("the replay to stand still", async () => {
      const text = console_.screen.text();
      if (/paused|at the end/.test(text)) return true;
      if (/playing/.test(text)) console_.press(" ");
      else console_.press("escape");
      await new Promise((done) => setTimeout(done, 300));
      return false;
    });
    await silent(console_);
    const before = cells(console_.screen);
    console_.resize(161, 50); // no other height: what is scrolled to would be another place
    await silent(console_);
    console_.resize(160, 50);
    await silent(console_);
    const after = cells(console_.screen);
    const different = before.flatMap((line, y) => (line === after[y] ? [] : [y]));
    expect(different, `lines differ from a fresh paint with seed ${SEED}:\n${console_.screen.text()}`).toEqual([]);
    compared += 1;
  });
  console_.kill("SIGTERM");
  await console_.exited;
  expect(compared).toBeGreaterThan(0);
  expectFlat(memory);
});

test(`random keys and sizes break no live console on a busy host (seed ${SEED}, ${SECONDS} s)`, async () => {
  const server = await BusyServer.start(folder, { processes: 400, perSecond: 500 });
  const console_ = inPty([...PROGRAM, ...server.argv(join(folder, "sessions"))], 160, 50);
  await console_.screen.until(/tracefs\+proc/);
  server.play();
  const memory = await soak(console_, () => console_.screen.until(/STAKEOUT/).then(() => {}));
  console_.kill("SIGTERM");
  await console_.exited;
  server.stop();
  expect(memory.length).toBeGreaterThan(0);
  expectFlat(memory);
});
