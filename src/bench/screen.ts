import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#range/machine";
import { BusyServer } from "#testing/busy-server";
import { recordBusySession } from "#testing/busy-session";
import { type Figure, figure, quantile } from "./figure.ts";
import { measurePeers } from "./peers.ts";
import { now, PROGRAM, p95, Watched, wait } from "./watched.ts";

const RATE = 2000;
const PROCESSES = 5000;
const SIZES = [200, 1000, PROCESSES, 20_000];
const KEYS = 60;
const TAGS = 9;
const COST_MS = 5000;
const COST_RUNS = 3;
/** So that the end lies as far behind a checkpoint as it can. */
const SESSION_EVENTS = 1_034_000;
const MEMORY_EVENTS = 2_000_000;
/** As many as the console takes in without falling behind on two busy cores. */
const MEMORY_RATE = 8000;

type Report = (figure: Figure) => void;

/**
 * The screen's figures: the program itself in a terminal of 160x50. "live": it is connected by SSH to a server on loopback that speaks
 * as a collector does of a host with so many processes and events (src/testing/busy-server.ts). "replay": it plays a session of that host.
 */
export async function bench(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stakeout-bench-"));
  const say = (line: string) => process.stderr.write(`stakeout: ${line}\n`);
  try {
    await begins(report);
    say(`a peer's turn: htop and btop beside ${PROCESSES} processes`);
    const peers = await measurePeers(say, PROCESSES);
    for (const processes of SIZES) {
      say(`live: ${processes} processes, ${RATE} events/s`);
      await live(folder, processes, peers, report);
    }
    say("live: memory after 2 million events");
    await memory(folder, report);
    say(`replay: recording a session of ${SESSION_EVENTS} events`);
    await replays(folder, report);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the start of the program to its first byte. */
async function begins(report: Report): Promise<void> {
  const help: number[] = [];
  for (let i = 0; i < 7; i++) {
    const started = now();
    const child = spawn(PROGRAM[0], [...PROGRAM.slice(1), "--help"], { stdio: ["ignore", "ignore", "ignore"] });
    await new Promise((done) => child.once("exit", done));
    help.push(now() - started);
  }
  report(figure({ name: "help", value: quantile(help, 0.5), unit: "ms", bar: 150, n: help.length, p: "p50", place: "local" }));
}

async function live(folder: string, processes: number, peers: Awaited<ReturnType<typeof measurePeers>>, report: Report): Promise<void> {
  const large = processes >= 20_000;
  const server = await BusyServer.start(folder, { processes, perSecond: RATE, ...(large ? { subtree: 10_000 } : {}) });
  const watched = new Watched([...PROGRAM, ...server.argv(join(folder, "sessions"))]);
  try {
    await watched.console.screen.until(/tracefs\+proc/, 60_000);
    server.play();
    await watched.flows(2 * RATE); // the snapshot's own cost is not the question
    const keys = await watched.keys(KEYS);
    const costs = [];
    for (let run = 0; run < COST_RUNS; run++) costs.push(await watched.cost(COST_MS));
    const judged = processes === PROCESSES;
    const of = (what: string) => `live-${what}-${processes}-processes`;
    const [htop] = peers;
    const beside = (value: number | null | undefined) => (judged && htop ? { peer: { name: htop.name, value: value ?? null } } : {});
    const place = "local" as const;
    report(
      figure({ name: of("key-to-screen"), value: quantile(keys, 0.5), unit: "ms", bar: judged ? 17 : null, n: KEYS, p: "p50", place }),
    );
    report(
      figure({
        name: of("key-to-screen"),
        value: p95(keys),
        unit: "ms",
        bar: judged ? 30 : null,
        n: KEYS,
        p: "p95",
        place,
        ...beside(htop?.keyMs),
      }),
    );
    const cpu = quantile(
      costs.map((cost) => cost.cpu),
      0.5,
    );
    report(
      figure({
        name: of("cpu"),
        value: cpu,
        unit: "% of a core",
        bar: judged ? 45 : null,
        n: COST_RUNS,
        p: "p50",
        place,
        ...beside(htop?.cpu),
      }),
    );
    const bytes = quantile(
      costs.map((cost) => cost.bytes),
      0.5,
    );
    report(
      figure({
        name: of("terminal"),
        value: bytes / 1000,
        unit: "kB/s",
        bar: null,
        n: COST_RUNS,
        p: "p50",
        place,
        ...beside(htop?.kilobytes),
      }),
    );
    report(figure({ name: of("rss"), value: watched.rssMb(), unit: "MB", bar: judged ? 300 : null, n: 1, p: "max", place }));
    if (judged)
      for (const peer of peers.slice(1))
        report(
          figure({
            name: of("cpu"),
            value: cpu,
            unit: "% of a core",
            bar: 45,
            n: COST_RUNS,
            p: "p50",
            place,
            peer: { name: peer.name, value: peer.cpu },
          }),
        );
    if (large) report(await tag(watched));
  } finally {
    await watched.end();
    server.stop();
  }
}

/**
 * Enter in the tag's dialog, to the title that counts the intruder's 10,000 processes; tagged and untagged in turn. What tags hide is
 * shown dimmed, so that the cursor stays on the login.
 */
async function tag(watched: Watched): Promise<Figure> {
  const { screen } = watched.console;
  const title = () => screen.terminal.buffer.active.getLine(3)?.translateToString() ?? "";
  const counted = () => /shown: 1\d,\d{3}/.test(title());
  const taken: number[] = [];
  watched.console.press("T", "home");
  for (let run = 0; run < TAGS; run++) {
    watched.console.press("t");
    await screen.until(/Tag the login/, 15_000);
    await wait(300 + ((run * 37) % 90)); // a dialog takes no Enter in its first moment; not in step with the frames
    taken.push(await watched.answer("enter", counted, { timeoutMs: 15_000 }));
    watched.console.press("t");
    await until("the tag to be taken back", () => !counted(), { timeoutMs: 15_000 });
  }
  return figure({
    name: "tag-10000-processes-to-screen",
    value: quantile(taken, 0.5),
    unit: "ms",
    bar: 100,
    n: taken.length,
    p: "p50",
    place: "local",
  });
}

async function memory(folder: string, report: Report): Promise<void> {
  const server = await BusyServer.start(folder, { processes: PROCESSES, perSecond: MEMORY_RATE });
  const watched = new Watched([...PROGRAM, ...server.argv(join(folder, "sessions"))]);
  try {
    await watched.console.screen.until(/tracefs\+proc/, 60_000);
    server.play();
    const at: number[] = [];
    for (let half = 0; half < 2; half++) {
      const until = ((half + 1) * MEMORY_EVENTS) / 2;
      while (server.host.events < until) await wait(500);
      at.push(await settled(watched));
    }
    const [one, two] = at as [number, number];
    const place = "local" as const;
    report(figure({ name: "live-rss-after-2-million-events", value: two, unit: "MB", bar: 300, n: MEMORY_EVENTS, p: "after", place }));
    const growth = (100 * (two - one)) / one;
    report(
      figure({ name: "live-rss-growth-of-the-second-million", value: growth, unit: "%", bar: 5, n: MEMORY_EVENTS / 2, p: "after", place }),
    );
  } finally {
    await watched.end();
    server.stop();
  }
}

/** The middle of a few readings: the collector of garbage moves them up and down. */
async function settled(watched: Watched): Promise<number> {
  const read: number[] = [];
  for (let i = 0; i < 10; i++) {
    read.push(watched.rssMb());
    await wait(300);
  }
  return quantile(read, 0.5);
}

async function replays(folder: string, report: Report): Promise<void> {
  const session = await recordBusySession(join(folder, "sessions"), SESSION_EVENTS, { processes: PROCESSES, perSecond: RATE });
  const total = (session.about.head?.sequence ?? 0).toLocaleString("en-US");
  const watched = new Watched([...PROGRAM, "replay", session.path]);
  const place = "local" as const;
  try {
    const { screen } = watched.console;
    await screen.until(`of ${total}`, 300_000);
    const seconds = (now() - watched.started) / 1000;
    const rate = (session.about.head?.sequence ?? 0) / seconds;
    report(
      figure({
        name: "replay-first-byte",
        value: (watched.firstByte ?? Number.NaN) - watched.started,
        unit: "ms",
        bar: 500,
        n: 1,
        p: "max",
        place,
      }),
    );
    report(
      figure({
        name: "replay-read-cold",
        value: rate,
        unit: "events/s",
        bar: 100_000,
        better: "higher",
        n: session.about.head?.sequence ?? 0,
        p: "mean",
        place,
      }),
    );
    report(
      figure({ name: "replay-rss-after-1-million-events", value: await settled(watched), unit: "MB", bar: 300, n: 1, p: "p50", place }),
    );
    const seeks: number[] = [];
    for (let run = 0; run < 3; run++) {
      seeks.push(await watched.answer("$", () => screen.text().includes(`event ${total} of ${total}`), { timeoutMs: 20_000 }));
      seeks.push(await watched.answer("0", () => screen.text().includes(`event 0 of ${total}`), { timeoutMs: 20_000 }));
    }
    report(
      figure({
        name: "replay-seek-in-1-million-events",
        value: Math.max(...seeks) || null,
        unit: "ms",
        bar: 1000,
        n: seeks.length,
        p: "max",
        place,
      }),
    );
    watched.console.press(" ");
    await wait(2000);
    const keys = await watched.keys(KEYS);
    report(figure({ name: "replay-key-to-screen", value: p95(keys), unit: "ms", bar: 30, n: KEYS, p: "p95", place }));
    const cost = await watched.cost(COST_MS);
    report(figure({ name: "replay-cpu", value: cost.cpu, unit: "% of a core", bar: 45, n: 1, p: "mean", place }));
  } finally {
    await watched.end();
  }
}
