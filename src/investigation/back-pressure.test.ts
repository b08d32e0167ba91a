import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { RemoteProcess } from "#host/runner";
import { startCollector } from "#sensors/collector";
import { Decoder } from "#sensors/decoder";
import { createSession } from "#session/session-store";
import { BusyHost } from "#testing/busy-host";
import { Investigation } from "./investigation.ts";

const START = Date.UTC(2026, 10, 27, 21);
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "stakeout-pressure-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function investigate(now: () => number) {
  const folder = await createSession(root, { label: "busy" }, START);
  const investigation = await Investigation.open({
    folder,
    enricher: await Enricher.open(),
    analyst: "jm",
    version: "0",
    connection: {},
    now,
    prepareResponse: () => Promise.reject(new Error("nothing is to be changed")),
    askFileInfo: () => {},
    isOurs: () => false,
  });
  return { folder, investigation };
}

test("while too much waits for the disk nobody needs to read on, and a long stand-still is in the log", async () => {
  const clock = { now: START };
  const { folder, investigation } = await investigate(() => clock.now);
  const host = new BusyHost({ processes: 30, perSecond: 20_000 });
  const decoder = new Decoder();
  const take = (lines: string) => investigation.observe(decoder.push(Buffer.from(lines, "latin1")));
  expect(take(host.begin(START))).toBe(undefined);
  let room: Promise<void> | undefined;
  // no turn of the event loop in between: nothing can reach the disk
  for (let batches = 0; room === undefined; batches++) {
    if (batches > 1000) throw new Error(`${host.events} events wait for the disk, and still it takes in more`);
    room = take(host.next(100));
  }
  const recorded = investigation.state.counts.events;
  expect(recorded).toBeLessThan(40_000);
  clock.now += 2500;
  await room;
  expect((await readFile(folder.events, "utf8")).split("\n").length).toBeGreaterThan(recorded);
  expect(take(host.next(100))).toBe(undefined);
  await investigation.end("done");
  const gap = (await readFile(folder.events, "utf8")).split("\n").find((line) => line.includes('"session.gap"'));
  expect(JSON.parse(gap ?? "{}").event).toMatchObject({ duration: 2.5e9, reason: expect.stringContaining("2.5 s nothing was read") });
});

test("the collector's channel is not read while what came from it waits", async () => {
  const stdout = new PassThrough();
  const exit = Promise.withResolvers<{ code: number | null }>();
  const process = { stdin: new PassThrough(), stdout, stderr: new PassThrough(), exit: exit.promise, close: () => {} };
  const host = new BusyHost({ processes: 30, perSecond: 500 });
  stdout.write(host.begin(START));
  const batches: number[] = [];
  let pressure: PromiseWithResolvers<void> | undefined;
  const collector = await startCollector(
    { open: async () => process as unknown as RemoteProcess },
    {
      onObservations: (batch) => {
        batches.push(batch.length);
        return pressure?.promise;
      },
    },
  );
  expect(collector.hello.tier).toBe("tracefs+proc");
  pressure = Promise.withResolvers();
  stdout.write(host.next(10));
  await expect.poll(() => batches.length).toBe(2);
  expect(stdout.isPaused()).toBe(true);
  stdout.write(host.next(10));
  await new Promise((done) => setImmediate(done));
  expect(batches.length).toBe(2);
  const { resolve } = pressure;
  pressure = undefined;
  resolve();
  await expect.poll(() => batches.length).toBe(3);
  exit.resolve({ code: 0 });
  await collector.stop();
});
