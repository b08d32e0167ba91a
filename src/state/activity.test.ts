import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StakeoutEvent, Verdict } from "#model/event";
import { event, text } from "#testing/events";
import { countTry, joinTries, MOST_BUCKETS, MOST_SOURCES, standingOf } from "./activity.ts";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";
import { toPlain } from "./selectors.ts";
import type { State, Tries } from "./state.ts";

const START = Date.UTC(2026, 10, 27, 21, 0, 0);
type Told = { at: number; login: number; does: "exec" | "call" | "write" | "tag" };

/** Each is a moment in seconds, a login, and what is done there. */
function told(story: readonly Told[]): StakeoutEvent[] {
  return story.map(({ at, login, does }, i) => {
    const leader = { entity_id: `B:${login}:1`, entry_meta: { type: "sshd" as const, source: { ip: "203.0.113.9" } } };
    const process = { entity_id: `B:${login}:1`, pid: login, name: text("bash"), entry_leader: leader };
    const at_ = { "@timestamp": new Date(START + at * 1000).toISOString() };
    if (does === "tag") {
      const tag = { id: `t${i}`, verdict: "responder" as Verdict, selector: { login: leader.entity_id }, reason: "r" };
      return event(i, { event: { action: "tag.apply" }, stakeout: { sensor: "console", tier: "analyst", tag }, ...at_ });
    }
    const stakeout = { sensor: "collector", tier: "x", connection: `c${i}` };
    if (does === "exec") return event(i, { event: {}, process, stakeout, ...at_ });
    if (does === "write")
      return event(i, { event: { action: "file.creation" }, process, file: { path: text(`/tmp/${i}`) }, stakeout, ...at_ });
    const ends = { source: { ip: "10.0.0.1", port: i }, destination: { ip: "203.0.113.66", port: 443 } };
    return event(i, { event: { action: "network.start" }, network: { direction: "egress" }, process, ...ends, stakeout, ...at_ });
  });
}
const play = (events: readonly StakeoutEvent[], state = emptyState()) => events.reduce(reduce, state);
const total = (state: State) => [...state.activity.sources.values()].flatMap(({ counts }) => counts).reduce((sum, times) => sum + times, 0);
const story = fc.array(
  fc.record({
    at: fc.oneof(fc.nat(600), fc.nat(200_000), fc.integer({ min: -50, max: 4_000_000_000 })),
    login: fc.integer({ min: 1, max: 200 }),
    does: fc.constantFrom<Told["does"]>("exec", "call", "write", "tag"),
  }),
  { maxLength: 300 },
);

describe("activity", () => {
  test("counts every program, call and file once, within bounds, however long the session and however many log in", () => {
    fc.assert(
      fc.property(story, (told_) => {
        const state = play(told(told_));
        expect(total(state)).toBe(told_.filter(({ does }) => does !== "tag").length);
        expect(state.activity.sources.size).toBeLessThanOrEqual(MOST_SOURCES + 5);
        for (const { first, counts } of state.activity.sources.values()) {
          expect(first).toBeGreaterThanOrEqual(state.activity.first);
          expect(first + counts.length - state.activity.first).toBeLessThanOrEqual(MOST_BUCKETS);
          expect(counts.every((times) => Number.isSafeInteger(times) && times >= 0)).toBe(true);
        }
      }),
    );
  });

  test("is the same by way of any checkpoint", () => {
    fc.assert(
      fc.property(story, fc.nat(300), (told_, cut) => {
        const events = told(told_);
        const halfway = deserialize(serialize(play(events.slice(0, cut)))) as State;
        expect(toPlain(play(events.slice(cut), halfway))["activity"]).toEqual(toPlain(play(events))["activity"]);
      }),
    );
  });

  test("stands where it happened: a count is in the stretch of time of its event", () => {
    const state = play(
      told([
        { at: 0, login: 1, does: "exec" },
        { at: 5, login: 1, does: "exec" },
        { at: 5.5, login: 1, does: "write" },
        { at: 1000, login: 2, does: "call" },
      ]),
    );
    const { width, sources } = state.activity;
    expect(width).toBe(8000); // a thousand seconds in at most 240 columns
    const [one, two] = [...sources.values()];
    expect([one?.first, one?.counts]).toEqual([Math.floor(START / width), [3]]);
    expect([two?.first, two?.counts]).toEqual([Math.floor((START + 1_000_000) / width), [1]]);
  });

  test("a clock that is set years ahead, and back, leaves the picture as fine as it was, and a beacon's too", () => {
    const ahead = 80 * 365 * 86_400;
    const call = (at: number, passed: number) => {
      const [one] = told([{ at, login: 1, does: "call" }]) as [StakeoutEvent];
      const created = new Date(START + passed * 1000).toISOString();
      const stakeout = { ...one.stakeout, connection: `c${passed}` };
      return { ...one, event: { ...one.event, created }, stakeout } as StakeoutEvent;
    };
    const state = play([...Array.from({ length: 30 }, (_, i) => call(i < 10 || i > 20 ? i : i + ahead, i))]);
    expect(state.activity.width).toBe(1000);
    expect([...state.activity.sources.values()][0]?.counts).toEqual(Array(30).fill(1));
    expect(state.peers.get("203.0.113.66 443")?.tries).toMatchObject({ width: 2000, counts: Array(15).fill(2) });
    const away = play([call(0, 0), call(3 * 86_400, 3 * 86_400)]); // days in which nobody looked are days
    expect(away.activity.width).toBeGreaterThan(1_000_000);
  });

  test("a tag that comes later colours what came before it, and taking it back does too", () => {
    const exec = { at: 1, login: 7, does: "exec" } as const;
    const state = play(told([exec, { ...exec, at: 2 }]));
    const [source] = [...state.activity.sources.values()];
    if (!source) throw new Error("nothing was counted");
    const login = event(9, {
      event: { action: "login.start", outcome: "success" },
      process: { entity_id: "B:7:1", entry_leader: { entity_id: "B:7:1", entry_meta: { type: "sshd" } } },
    });
    const tag = { id: "t1", verdict: "responder" as const, selector: { login: "B:7:1" }, reason: "r" };
    const decide = (action: "tag.apply" | "tag.remove") =>
      event(10, { event: { action }, stakeout: { sensor: "console", tier: "analyst", tag } });
    expect(standingOf(reduce(state, login), source)).toBe("unknown");
    expect(standingOf(reduce(state, decide("tag.apply")), source)).toBe("responder");
    expect(standingOf(reduce(state, decide("tag.remove")), source)).toBe("unknown");
  });

  test("logins that are too many to be told apart keep the standing that they had", () => {
    const noise = Array.from({ length: MOST_SOURCES + 20 }, (_, i): Told[] => [
      { at: i, login: i + 1, does: "exec" },
      { at: i, login: i + 1, does: "tag" },
    ]).flat();
    const state = play(told(noise));
    const others = [...state.activity.sources.values()].filter(({ kind }) => kind === "others");
    expect(others.map((source) => standingOf(state, source))).toEqual(["responder"]);
    expect(total(state)).toBe(MOST_SOURCES + 20);
  });

  test("attempts at a far end are counted at its own scale, bounded", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 ** 9 }), { minLength: 1 }), (moments) => {
        let tries: Tries | undefined;
        for (const at of moments) tries = countTry(tries, START + at);
        expect(tries?.counts.reduce((sum, times) => sum + times, 0)).toBe(moments.length);
        expect(tries?.counts.length).toBeLessThanOrEqual(24);
      }),
    );
  });

  test("attempts of several are one series, whatever the host's clock said between them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 10 ** 13 }), { minLength: 1 }), { minLength: 1, maxLength: 8 }),
        (callers) => {
          const all = callers.map((moments) => moments.reduce<Tries | undefined>((tries, at) => countTry(tries, at), undefined) as Tries);
          const joined = joinTries(all);
          expect(joined.counts.reduce((sum, times) => sum + times, 0)).toBe(callers.flat().length);
          expect(joined.counts.length).toBeLessThanOrEqual(24);
        },
      ),
    );
    const [now, long_ago] = [countTry(undefined, START), countTry(undefined, 0)];
    for (const all of [
      [now, long_ago],
      [long_ago, now],
    ])
      expect(joinTries(all).counts.reduce((sum, times) => sum + times, 0)).toBe(2);
  });
});
