import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#range/machine";
import { BusyServer } from "#testing/busy-server";
import { makeKey } from "../host/testing/real-sshd.ts";
import { type Figure, figure, quantile } from "./figure.ts";
import { now, PROGRAM, p95, Watched, wait } from "./watched.ts";

const PROCESSES = 5000;
const RATE = 2000;
const JOINS = 7;
const TAGS = 30;
const KEYS = 60;
const COST_MS = 5000;
const COST_RUNS = 3;
const MINUTE = 60_000;

/**
 * Two analysts' figures, over real ssh clients on loopback in terminals of 160x50: the console is connected to a server that speaks as
 * a collector does of a host with 5,000 processes and 2,000 events a second. One machine runs the host, the console, both clients and
 * both terminals.
 */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stakeout-bench-"));
  const server = await BusyServer.start(folder, { processes: PROCESSES, perSecond: RATE });
  const keys = ["kim", "lee"].map((name) => makeKey(folder, name));
  const sessions = join(folder, "sessions");
  const driver = new Watched([...PROGRAM, ...server.argv(sessions), "--pair", "--pair-keys", ...keys.map((key) => `${key}.pub`)]);
  const guests: Watched[] = [];
  try {
    const [, port = ""] = /ssh -p (\d+)/.exec(await driver.console.screen.until(/ssh -p \d+ NAME@/, MINUTE)) ?? [];
    await driver.console.screen.until(/tracefs\+proc/, MINUTE);
    server.play();
    await driver.flows(2 * RATE); // the snapshot's own cost is not the question
    const join_ = (key: string) => new Watched(sshArgv(folder, key, port));
    const told = (name: string, more: Omit<Parameters<typeof figure>[0], "name">) => report(figure({ name, place: "local", ...more }));

    const alone = await driver.keys(KEYS);
    const costAlone = await cost(driver);

    const firsts: number[] = [];
    for (let i = 0; i < JOINS; i++) {
      const guest = join_("kim");
      await guest.console.screen.until(/tracefs\+proc/, MINUTE);
      firsts.push(now() - guest.started);
      await guest.end();
    }
    told("pair-join-to-first-screen", { value: quantile(firsts, 0.5), unit: "ms", bar: 700, n: JOINS, p: "p50" });

    guests.push(join_("kim"));
    await guests[0]?.console.screen.until(/tracefs\+proc/, MINUTE);
    const costOne = await cost(driver);
    guests.push(join_("lee"));
    await guests[1]?.console.screen.until(/tracefs\+proc/, MINUTE);
    const costTwo = await cost(driver);
    const extra = { unit: "% of a core", n: COST_RUNS, p: "p50" };
    told("pair-cpu-alone", { value: costAlone, bar: null, ...extra });
    told("pair-cpu-first-client", { value: costOne - costAlone, bar: 12, ...extra });
    told("pair-cpu-second-client", { value: costTwo - costOne, bar: 12, ...extra });

    const beside = await driver.keys(KEYS);
    for (const [p, value, was] of [
      ["p50", quantile(beside, 0.5), quantile(alone, 0.5)],
      ["p95", p95(beside), p95(alone)],
    ] as const)
      told("pair-key-to-screen-with-two-clients", { value, unit: "ms", bar: null, n: KEYS, p, peer: { name: "alone", value: was } });

    const tags = await tagging(driver, guests[0] as Watched);
    told("pair-tag-on-the-other-screen", { value: quantile(tags, 0.5), unit: "ms", bar: 25, n: TAGS, p: "p50" });
    told("pair-tag-on-the-other-screen", { value: p95(tags), unit: "ms", bar: 60, n: TAGS, p: "p95" });
  } finally {
    for (const guest of guests) await guest.end();
    await driver.end();
    server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const sshArgv = (folder: string, key: string, port: string): string[] => [
  ...["ssh", "-F", "none", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
  ...["-o", `UserKnownHostsFile=${join(folder, "pair_known")}`, "-o", "StrictHostKeyChecking=accept-new"],
  ...["-i", join(folder, key), "-p", port, `${key}@127.0.0.1`],
];

async function cost(watched: Watched): Promise<number> {
  const runs = [];
  for (let run = 0; run < COST_RUNS; run++) runs.push((await watched.cost(COST_MS)).cpu);
  return quantile(runs, 0.5);
}

/**
 * Milliseconds from the driver's Enter, or his t that takes a tag back, to the bytes that show it on the other screen: what tags hide is
 * counted in the title of its tree.
 */
async function tagging(driver: Watched, guest: Watched): Promise<number[]> {
  const counted = () => /shown: /.test(guest.console.screen.terminal.buffer.active.getLine(3)?.translateToString() ?? "");
  const taken: number[] = [];
  for (const { console: one } of [driver, guest]) one.press("T", "home"); // what is tagged stays where it is; both look at it alike
  for (let i = 0; i < TAGS; i++) {
    driver.console.press("home", "down", "t"); // the first row may be a heading
    await driver.console.screen.until(/Enter +tags it/, MINUTE);
    await wait(100 + ((i * 37) % 90));
    taken.push(await guest.answer("enter", counted, { at: driver }));
    await wait(100);
    driver.console.press("t");
    await until("the tag to be taken back", () => !counted(), { timeoutMs: MINUTE });
  }
  return taken;
}
