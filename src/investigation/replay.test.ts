import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { toPlain } from "#state/selectors";
import { teller, text } from "#testing/events";
import { Checkpoints } from "./checkpoints.ts";
import { momentOf } from "./moment.ts";
import { Replay } from "./replay.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A night of `count` execs of short-lived processes under one shell, one of them named to hurt, with a login, a tag and a drop. */
function night(count: number): StakeoutEvent[] {
  const tell = teller();
  const process = (id: number, name: string, parent?: number) => ({
    entity_id: `b:${id}:1`,
    pid: id,
    name: text(name),
    ...(parent === undefined ? {} : { parent: { entity_id: `b:${parent}:1` } }),
  });
  const events = [
    tell({ event: { action: "baseline.process" }, process: process(1, "init") }),
    tell({ event: { action: "baseline.complete" } }),
    tell({ event: { action: "process.start" }, process: process(2, "sshd", 1) }),
    tell({
      event: { action: "login.start" },
      process: { ...process(2, "sshd", 1), entry_leader: { entity_id: "b:2:1", entry_meta: { type: "sshd" } } },
      user: { name: text("root") },
      source: { ip: "203.0.113.66" },
    }),
  ];
  for (let i = 0; events.length < count - 4; i++) {
    const child = process(10 + i, i % 3 ? "ls" : "constructor", 1);
    events.push(tell({ event: { action: "process.start" }, process: child }), tell({ event: { action: "process.end" }, process: child }));
  }
  events.push(
    tell({ event: { action: "file.creation" }, file: { path: text("/tmp/.kx9fq2vz") } }),
    tell({
      event: { action: "tag.apply" },
      stakeout: { analyst: "jm", tag: { id: "t1", verdict: "intruder", selector: { login: "b:2:1" }, reason: "not us" } } as never,
    }),
    tell({
      event: { action: "response.succeeded" },
      stakeout: { analyst: "jm", response: { id: "r1", kind: "isolate" } } as never,
    }),
    tell({ event: { action: "session.end" } }),
  );
  return events;
}

function write(name: string, events: readonly StakeoutEvent[]): string {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return file;
}
const broken = (): never => {
  throw new Error("no line is broken");
};
const stateAfter = (events: readonly StakeoutEvent[], position: number) => {
  const state = emptyState();
  for (const event of events.slice(0, position)) reduce(state, event);
  return toPlain(state);
};

describe("a replay", () => {
  test("shows the same state at a moment, whichever way it came there", async () => {
    const events = night(240);
    const file = write("ways", events);
    const replay = await Replay.load(file, broken, new Checkpoints(50));
    fc.assert(
      fc.property(fc.array(fc.nat(240), { minLength: 1, maxLength: 8 }), (places) => {
        for (const place of places) {
          replay.goTo(place);
          expect(replay.position).toBe(Math.min(place, events.length));
        }
        expect(toPlain(replay.state)).toEqual(stateAfter(events, places.at(-1) ?? 0));
      }),
      { numRuns: 60 },
    );
    replay.close();
  });

  test("a checkpoint keeps names that are words of JavaScript apart from it", async () => {
    const events = night(240);
    const replay = await Replay.load(write("names", events), broken, new Checkpoints(50));
    replay.goTo(230);
    replay.goTo(180);
    expect({ ...replay.state.processes.get("b:1:1")?.folded }).toEqual({
      ...(stateAfter(events, 180)["processes"] as { id: string; folded?: object }[]).find(({ id }) => id === "b:1:1")?.folded,
    });
    expect(replay.state.processes.get("b:1:1")?.folded?.["constructor"]).toBeGreaterThan(0);
    expect(Object.getPrototypeOf(replay.state.processes.get("b:1:1")?.folded)).toBeNull();
    replay.close();
  });

  test("checkpoints stay within their memory, and any moment is still reached", async () => {
    const events = night(400);
    const replay = await Replay.load(write("bounded", events), broken, new Checkpoints(10, 4000));
    for (const place of [400, 13, 399, 0, 200]) {
      replay.goTo(place);
      expect(toPlain(replay.state)).toEqual(stateAfter(events, place));
    }
    replay.close();
  });

  test("finds the marks: the login, the drop, the tag, the isolation; and goes from one to the next and back", async () => {
    const events = night(60);
    const replay = await Replay.load(write("marks", events), broken);
    expect(replay.marks.map(({ kind }) => kind)).toEqual(["login", "binary", "tag", "isolate"]);
    expect(replay.toMark(1)?.text).toBe("login root@203.0.113.66");
    expect(replay.position).toBe(4);
    expect(replay.state.logins.size).toBe(1);
    expect(replay.toMark(1)?.text).toBe("new binary /tmp/.kx9fq2vz");
    expect(replay.toMark(1)?.text).toBe("tagged intruder: not us");
    expect(replay.toMark(1)?.kind).toBe("isolate");
    expect(replay.state.isolated?.response).toBe("r1");
    expect(replay.toMark(1)).toBeUndefined();
    expect(replay.toMark(-1)?.kind).toBe("tag");
    expect(replay.state.isolated).toBeUndefined();
    replay.close();
  });

  test("seeks by time and by line, past lines that are broken", async () => {
    const events = night(60);
    const file = join(folder, "broken.jsonl");
    const lines = events.map((event) => JSON.stringify(event));
    lines[20] = "damage";
    writeFileSync(file, `${lines.join("\n")}\n`);
    const told: number[] = [];
    const replay = await Replay.load(file, ({ line }) => told.push(line));
    expect(told).toEqual([21]);
    replay.seek({ sequence: 30 });
    expect(replay.state.sequence).toBe(30);
    expect(replay.position).toBe(29);
    replay.seek({ at: Date.parse(events[9]?.["@timestamp"] ?? "") });
    expect(replay.state.sequence).toBe(10);
    const moment = momentOf("+0.2s", replay.from);
    if (moment) replay.seek(moment);
    expect(replay.state.sequence).toBe(20);
    replay.close();
  });

  test("plays to its end and stays there; from there it plays again from the start", async () => {
    const events = night(60);
    const replay = await Replay.load(write("plays", events), broken);
    replay.speed = 64;
    replay.play();
    expect(replay.playing).toBe(true);
    await expect.poll(() => replay.ended, { timeout: 20_000 }).toBe(true);
    await expect.poll(() => replay.playing).toBe(false);
    expect(toPlain(replay.state)).toEqual(stateAfter(events, events.length));
    replay.play();
    expect(replay.position).toBe(0);
    replay.pause();
    expect([replay.changeSpeed(1), replay.changeSpeed(1), replay.changeSpeed(1), replay.changeSpeed(-1)]).toEqual([128, 128, 128, 64]);
    replay.close();
  });

  test("plays as fast as it happened, times the speed, however close the events lie", async () => {
    const events = night(1000); // one each 10 ms: several in every frame
    const replay = await Replay.load(write("pace", events), broken);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      replay.play();
      vi.advanceTimersByTime(2000);
      expect(replay.position).toBeGreaterThan(190);
      expect(replay.position).toBeLessThanOrEqual(202);
      const before = replay.position;
      replay.changeSpeed(1);
      replay.changeSpeed(1);
      vi.advanceTimersByTime(1000);
      expect(replay.position - before).toBeGreaterThan(380);
      expect(replay.position - before).toBeLessThanOrEqual(405);
    } finally {
      vi.useRealTimers();
      replay.close();
    }
  });

  test("shortens a pause of the night, and goes on at its pace after it", async () => {
    const events = night(400);
    for (const event of events.slice(200)) event["@timestamp"] = new Date(Date.parse(event["@timestamp"]) + 3_600_000).toISOString();
    const replay = await Replay.load(write("pause", events), broken);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      replay.goTo(150);
      replay.play();
      vi.advanceTimersByTime(1500);
      expect(replay.position).toBe(200);
      vi.advanceTimersByTime(2100);
      expect(replay.position).toBeGreaterThan(200);
      expect(replay.position).toBeLessThan(320);
    } finally {
      vi.useRealTimers();
      replay.close();
    }
  });
});
