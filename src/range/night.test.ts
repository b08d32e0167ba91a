import { readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "./available.ts";
import { execLoad, startFlood } from "./load.ts";
import { until } from "./machine.ts";
import { type NightStep, playNight } from "./night.ts";
import { plotNight } from "./plot.ts";
import { hostProcesses } from "./processes.ts";
import { Random } from "./random.ts";
import { type Range, startRange } from "./range.ts";

const unavailable = rangeAvailable();

/** Only the analyst may still talk to the host; everything else is dropped, both ways. */
const cutOff = (range: Range) => `table inet test_cut {
  chain in { type filter hook input priority -400; policy drop; iif lo accept; ip saddr ${range.addresses.analyst} tcp dport 22 accept; }
  chain out { type filter hook output priority -400; policy drop; oif lo accept; ip daddr ${range.addresses.analyst} tcp sport 22 accept; }
}`;

describe.skipIf(unavailable !== undefined).concurrent("the night", () => {
  const ranges: Range[] = [];
  const start = async () => {
    const range = await startRange();
    ranges.push(range);
    return range;
  };
  beforeAll(async () => void (await (await startRange()).stop()), 300_000);
  afterAll(() => Promise.all(ranges.map((range) => range.stop())));

  test("is played to its end: the beacon that was killed comes back by cron", async () => {
    const range = await start();
    const steps: NightStep[] = [];
    let deleted: string | undefined;
    const night = playNight(range, {
      seed: 7,
      onStep: (name) => {
        steps.push(name);
        const reverse = hostProcesses(range, night.plot.reverse.path)[0];
        if (name === "reverse-deleted" && reverse) deleted = readlinkSync(`/proc/${reverse.globalPid}/exe`);
      },
    });
    const summary = await night.done;
    const c2 = await night.c2;
    expect(summary.ended).toBe("complete");
    expect(steps.filter((name) => !name.startsWith("responder"))).toEqual([
      "intruder-login",
      "recon",
      "secrets",
      "reverse-started",
      "reverse-deleted",
      "beacon-started",
      "cron-written",
      "beacon-killed",
      "beacon-back",
    ]);
    expect(steps).toContain("responder1-login");
    expect(steps).toContain("responder2-login");
    expect(deleted).toMatch(/ \(deleted\)$/);
    // ground truth: the process table of the host and the C2's own log
    const back = hostProcesses(range, summary.beacon.path);
    expect(back).toHaveLength(1);
    expect(back[0]?.pid).toBe(summary.beacon.againPid);
    expect(summary.beacon.againPid).not.toBe(summary.beacon.pid);
    const killedAt = summary.steps.find((step) => step.name === "beacon-killed")?.at ?? 0;
    const beacons = () => c2.connections.filter((connection) => connection.line === night.plot.beacon.line);
    expect(beacons().filter((connection) => connection.at < killedAt).length).toBeGreaterThanOrEqual(3);
    await until("a beacon of the one that came back", () => beacons().some((connection) => connection.at > killedAt));
    const [reverse, ...others] = c2.connections.filter((connection) => connection.line === night.plot.reverse.line);
    expect(reverse).toMatchObject({ closed: false, from: { ip: range.host.address } });
    expect(others).toEqual([]);
    expect((await range.onHost(["cat", summary.cronFile])).stdout).toBe(`${night.plot.cronLine}\n`);
    // everybody has gone home
    await until("the logins to end", async () => !/root@pts/.test((await range.onHost(["ps", "axo", "args"])).stdout));
  });

  test("goes on without those whom isolation cuts off: the beacon keeps trying, and gets through after the release", async () => {
    const range = await start();
    let isolatedAt = 0;
    let applied: Promise<unknown> = Promise.resolve();
    const night = playNight(range, {
      seed: 8,
      onStep: (name) => {
        if (name !== "cron-written") return;
        applied = range.onHost(["nft", "-f", "-"], cutOff(range)).then(({ code, stderr }) => {
          expect(code, stderr).toBe(0);
          isolatedAt = Date.now();
        });
      },
    });
    const summary = await night.done;
    await applied;
    const c2 = await night.c2;
    expect(summary.ended).toBe("cut");
    const late = () => c2.connections.filter((connection) => connection.at > isolatedAt);
    expect(late()).toEqual([]);
    expect(hostProcesses(range, summary.beacon.path)).toHaveLength(1);
    const syn = async () => (await range.onHost(["ss", "-tnH", "state", "syn-sent"])).stdout.includes(range.c2.address);
    await until("an attempt while isolated", syn);
    expect(late()).toEqual([]);
    await range.onHost(["nft", "delete", "table", "inet", "test_cut"]);
    await until("a beacon after the release", () => late().some((connection) => connection.line === night.plot.beacon.line));
  });

  test("the intruder logs in and waits with all else until he is watched", async () => {
    const range = await start();
    const [stop, watched] = [new AbortController(), Promise.withResolvers<void>()];
    const steps = new Set<NightStep>();
    const night = playNight(range, { signal: stop.signal, watched: watched.promise, onStep: (name) => void steps.add(name) });
    const all = ["intruder-login", "responder1-login", "responder2-login"] as const;
    await until("everybody to be in", () => all.every((name) => steps.has(name)));
    // in which time he would have looked around
    const started = async () => Number((await range.onHost(["cat", "/proc/loadavg"])).stdout.trim().split(" ").at(-1));
    const before = await started();
    await until("the responders to have run their commands", async () => (await started()) > before + 60, { everyMs: 1000 });
    expect([...steps].toSorted()).toEqual([...all]);
    watched.resolve();
    await until("him to have looked around", () => steps.has("recon"));
    stop.abort();
    expect(await night.done).toMatchObject({ ended: "stopped" });
  });

  test("ends early when it is told to", async () => {
    const range = await start();
    const stop = new AbortController();
    const night = playNight(range, { signal: stop.signal, onStep: () => stop.abort() });
    expect(await night.done).toMatchObject({ ended: "stopped", seed: 1 });
    const late = playNight(range, { limitMs: 1, c2: await night.c2 });
    expect(await late.done).toMatchObject({ ended: "limit" });
  });

  test("has names and arguments that the seed alone decides", async () => {
    const range = await start();
    const paths = (seed: number) => {
      const plot = plotNight(range, new Random(seed));
      return [plot.reverse.path, plot.reverse.args, plot.beacon.path, plot.beacon.shell.drop, plot.cronFile, plot.cronLine];
    };
    expect(paths(5)).toEqual(paths(5));
    expect(new Set([...paths(5), ...paths(6)]).size).toBe(12);
  });

  test("the loads for benchmarks say the truth about themselves", async () => {
    const range = await start();
    const flood = await startFlood(range, { perSecond: 500 });
    const before = await until("the flood to arrive", async () => {
      const report = await flood.received();
      return report.udpPackets > 100 && report.tcpBytes > 500 && report;
    });
    const now = process.hrtime.bigint();
    expect((before.udp ?? 0n) <= now && (before.udp ?? 0n) > now - 60_000_000_000n).toBe(true);
    expect((await range.onHost(["nft", "-f", "-"], cutOff(range))).code).toBe(0);
    const cutAt = process.hrtime.bigint();
    await until("the flood to stop", async () => ((await flood.received()).udp ?? 0n) < process.hrtime.bigint() - 1_000_000_000n);
    expect((await flood.received()).udp ?? 0n).toBeLessThan(cutAt + 1_000_000_000n);
    await flood.stop();
    const started = process.hrtime.bigint();
    const executed = await execLoad(range, { perSecond: 100, count: 50 });
    const ended = process.hrtime.bigint();
    expect(executed.map((entry) => entry.index)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(new Set(executed.map((entry) => entry.pid)).size).toBe(50);
    expect(executed[0]?.args).toEqual(["/bin/true", "load-0", "--flag", "two words"]);
    // Each program reads the clocks itself, and the kernel may run a later one first: so within the run, not one after the other
    for (const { monotonic } of executed) {
      expect(monotonic).toBeGreaterThanOrEqual(Number(started) / 1e9);
      expect(monotonic).toBeLessThanOrEqual(Number(ended) / 1e9);
    }
    const boots = executed.map(({ boot }) => boot);
    expect(Math.max(...boots) - Math.min(...boots)).toBeLessThanOrEqual(Number(ended - started) / 1e9);
    await expect(execLoad(range, { perSecond: 100, count: 1, lifeMs: 1 })).resolves.toHaveLength(1);
  });
});
