import { expect, test } from "vitest";
import type { Selector, StakeoutEvent, Tag } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { TagDesk, type TagKeeper } from "./tags.ts";

/** sshd 2, logins 10 and 20 with a shell each, and what was told to the keeper. */
function desk() {
  const tell = teller();
  const state = emptyState();
  const events: StakeoutEvent[] = [];
  const play = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    events.push(event);
    reduce(state, event);
  };
  const kept: string[] = [];
  const keeper: TagKeeper = {
    keep: (tag, analyst) => void kept.push(`keep ${tag.verdict} ${analyst}`),
    forget: (tag) => void kept.push(`forget ${tag.verdict}`),
  };
  const tags = new TagDesk({ state, append: play, hostNow: () => "2026-11-27T21:00:00.000000Z", changed: () => {}, keeper });
  for (const pid of [10, 20]) {
    const entry_leader = { entity_id: `B:${pid}:1`, entry_meta: { type: "sshd" as const } };
    const source = { ip: `198.51.100.${pid}` };
    play({ event: {}, process: { entity_id: `B:${pid}:1`, pid, executable: text("/usr/sbin/sshd"), entry_leader } });
    play({ event: { action: "login.start", outcome: "success" }, process: { entity_id: `B:${pid}:1`, entry_leader }, source });
    play({ event: {}, process: { entity_id: `B:${pid + 1}:1`, pid: pid + 1, parent: { entity_id: `B:${pid}:1` }, entry_leader } });
  }
  const last = () => events.at(-1)?.stakeout.tag as Tag;
  const standing = (pid: number) => state.processes.get(`B:${pid}:1`)?.standing;
  const order = state.sequence;
  return { state, tags, last, standing, kept, order, events };
}
const login = (pid: number): Selector => ({ login: `B:${pid}:1` });
const ours = (selector: Selector) => ({ selector, verdict: "responder" as const, reason: "our triage" });

test("a tag is recorded with what it did, its scope, and who made it", () => {
  const { tags, last, kept } = desk();
  expect(tags.tag({ ...ours({ source: "198.51.100.0/24" }), scope: "host", hides_flagged: true }, "jm")).toBeUndefined();
  expect(last()).toEqual({
    id: "t1",
    verdict: "responder",
    selector: { source: "198.51.100.0/24" },
    reason: "our triage",
    scope: "host",
    hides_flagged: true,
    effect: { logins: 2, processes: 4, connections: 0, binaries: 0, flagged: 0 },
  });
  expect(kept).toEqual(["keep responder jm"]);
  expect(tags.untag("t1", "kim")).toBeUndefined();
  expect(kept).toEqual(["keep responder jm", "forget responder"]);
});

test("undo takes back what was done, what it took the place of stands again, redo does it again; each analyst has his own", () => {
  const { tags, standing, state } = desk();
  tags.tag({ selector: login(10), verdict: "suspect", reason: "odd" }, "jm");
  tags.tag(ours(login(10)), "jm");
  tags.tag(ours(login(20)), "kim");
  expect([standing(11), standing(21)]).toEqual(["responder", "responder"]);
  expect(tags.undo("jm")).toMatch(/^undone: /);
  expect([standing(11), standing(21)]).toEqual(["suspect", "responder"]);
  tags.undo("jm");
  expect(standing(11)).toBe("unknown");
  expect(tags.undo("jm")).toMatch(/nothing with tags/);
  tags.redo("jm");
  tags.redo("jm");
  expect(standing(11)).toBe("responder");
  expect(tags.redo("jm")).toBe("nothing was undone");
  tags.undo("jm");
  tags.tag({ selector: login(10), verdict: "intruder", reason: "no" }, "jm");
  expect(tags.redo("jm")).toBe("nothing was undone");
  expect([...state.tags.values()].filter(({ removed }) => removed === undefined)).toHaveLength(2);
});

test("what somebody else has changed since is not undone over it", () => {
  const { tags, standing } = desk();
  tags.tag(ours(login(10)), "jm");
  tags.untag("t1", "kim");
  expect(tags.undo("jm")).toMatch(/somebody has changed that/);
  tags.tag(ours(login(10)), "jm");
  tags.untag("t2", "jm");
  tags.tag({ selector: login(10), verdict: "intruder", reason: "no" }, "kim");
  expect(tags.undo("jm")).toMatch(/somebody has tagged the same/);
  expect(standing(11)).toBe("intruder");
});

test("two at once: nobody hides unseen what the other has just called the intruder's, and the same twice is one", () => {
  const { tags, standing, order, state } = desk();
  tags.tag({ selector: login(10), verdict: "intruder", reason: "no", since: order }, "kim");
  expect(tags.tag({ ...ours(login(10)), since: order }, "jm")).toBe(
    "kim tagged it intruder while you decided: it stays so until you decide again",
  );
  expect(standing(11)).toBe("intruder");
  expect(tags.tag({ selector: login(10), verdict: "intruder", reason: "me too", since: order }, "jm")).toMatch(
    /kim has just tagged it intruder/,
  );
  expect(tags.tag({ ...ours(login(10)), since: state.sequence }, "jm")).toBe("it takes the place of kim's intruder");
  expect(standing(11)).toBe("responder");
});

test("an edited tag takes the place of the old one, also on something else; one that is gone meanwhile is not edited", () => {
  const { tags, standing, last, state } = desk();
  tags.tag(ours({ source: "198.51.100.10" }), "jm");
  expect(tags.tag({ ...ours({ source: "198.51.100.20" }), replaces: "t1" }, "jm")).toBeUndefined();
  expect([standing(11), standing(21)]).toEqual(["unknown", "responder"]);
  expect(last()).toMatchObject({ replaces: "t1", effect: { processes: 2 } });
  expect(tags.tag({ ...ours({ source: "198.51.100.10" }), replaces: "t1" }, "jm")).toMatch(/taken back meanwhile/);
  tags.undo("jm");
  expect([standing(11), standing(21)]).toEqual(["responder", "unknown"]);
  expect(state.tags.get("t1")?.removed).toBeUndefined();
});

test("what cannot be tagged is refused with the reason, and nothing is recorded", () => {
  const { tags, events } = desk();
  const before = events.length;
  for (const [selector, why] of [
    [{ source: "198.51.100.0/99" }, /length of a network/],
    [{ process: "B:99:1" }, /no longer in the picture/],
    [login(99), /not in the picture/],
    [{}, /selects nothing/],
    [{ package: "unchanged", user: "root" }, /nobody looked/],
  ] as const)
    expect(tags.tag(ours(selector), "jm")).toMatch(why);
  expect(tags.tag({ ...ours(login(10)), scope: "host" }, "jm")).toMatch(/of this session alone/);
  expect(tags.untag("t9", "jm")).toMatch(/already/);
  expect(events).toHaveLength(before);
});

test("the console's own login is hidden by what it is: nobody undoes that by mistake", () => {
  const { tags, state, standing } = desk();
  const own = state.logins.get("B:10:1");
  if (own) own.ours = true;
  tags.own("B:10:1", "jm");
  expect(standing(11)).toBe("responder");
  expect(tags.untag("t1", "jm")).toMatch(/our footprint/);
  expect(tags.undo("jm")).toMatch(/nothing with tags/);
});
