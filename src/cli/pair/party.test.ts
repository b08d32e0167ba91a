import { expect, test } from "vitest";
import { People } from "#investigation/people";
import type { EventDraft } from "#model/event";
import { emptyState } from "#state/create";
import { CONSOLE_SEAT, Party } from "./party.ts";

const listed = (name: string, person = name, mayDrive = true) => ({ name, person, mayDrive, fingerprint: `SHA256:${name}` });

function setUp() {
  const drafts: EventDraft[] = [];
  const withdrawn: string[] = [];
  const people = new People({
    state: emptyState(),
    append: (draft) => drafts.push(draft),
    hostNow: () => "2026-11-24T21:00:00Z",
    changed: () => {},
  });
  const party = new Party({
    name: "jm",
    now: () => 1000,
    thing: ({ id }) => `thing ${id}`,
    record: () => people,
    withdraw: (name) => withdrawn.push(name),
    changed: () => {},
  });
  const heard: string[] = [];
  party.listen(CONSOLE_SEAT, (text) => heard.push(text));
  const acts = () => drafts.map(({ event, stakeout }) => `${event.action} ${stakeout.analyst}`);
  return { party, drafts, acts, withdrawn, heard };
}

test("who drives is recorded with the first who joins, by name and key; the console is told", () => {
  const { party, drafts, acts, heard } = setUp();
  const seat = party.join(listed("kim"), "10.0.4.3");
  expect(acts()).toEqual(["session.join jm", "session.join kim"]);
  expect(drafts[1]?.stakeout.joined).toEqual({ seat, role: "spectator", key: "SHA256:kim", address: "10.0.4.3" });
  expect(heard).toEqual(["kim has joined from 10.0.4.3"]);
  expect(party.asker(seat)).toEqual({ role: "spectator", mayDrive: true, driver: "jm" });
});

test("a driver who vanishes leaves the drive to the console, and what he confirmed counts no more", () => {
  const { party, acts, drafts, withdrawn, heard } = setUp();
  const seat = party.join(listed("kim"), "10.0.4.3");
  expect(party.handOver(CONSOLE_SEAT, "kim")).toBeUndefined();
  expect(party.refused("jm", "plan")).toContain("kim drives");
  expect(party.refused("jm", "second")).toBeUndefined();
  party.leave(seat, "the connection ended");
  party.leave(seat);
  expect(acts().slice(2)).toEqual(["session.handover jm", "session.leave kim", "session.handover kim"]);
  expect(drafts.at(-1)?.stakeout.handover).toEqual({ from: "kim", to: "jm" });
  expect(withdrawn).toEqual(["kim"]);
  expect(heard.at(-1)).toBe("kim has left: jm drives now");
  expect(party.refused("jm", "plan")).toBeUndefined();
});

test("what one decides is told to the others, by whom and on what; his own screen has it before its eyes", () => {
  const { party, heard } = setUp();
  const kim: string[] = [];
  const seat = party.join(listed("kim"), "10.0.4.3");
  party.listen(seat, (text) => kim.push(text));
  party.did(seat, "kim", { what: "tagged intruder: calls abroad", on: { kind: "login", id: "l1" } });
  expect(heard.at(-1)).toBe("kim tagged intruder: calls abroad (thing l1)");
  expect(kim).toEqual([]);
  party.did(undefined, "kim", { what: "took it on" }); // nothing else of it is seen
  expect([heard.at(-1), kim.at(-1)]).toEqual(["kim took it on", "kim took it on"]);
});

test("one of two screens of the same analyst closes: he is still here", () => {
  const { party, withdrawn } = setUp();
  const [one] = [party.join(listed("kim"), "a"), party.join(listed("kim"), "b")];
  party.handOver(CONSOLE_SEAT, "kim");
  party.leave(one);
  expect(party.presence.driver).toBe("kim");
  expect(withdrawn).toEqual([]);
});

test("a watcher can neither drive nor second, whatever name the console takes; two keys of one person are one", () => {
  const { party } = setUp();
  const seat = party.join(listed("customer", "customer", false), "a");
  expect(party.handOver(CONSOLE_SEAT, "customer")).toContain("watch only");
  expect(party.refused("customer", "second")).toContain("let in to watch");
  expect(party.partners("jm")).toEqual([]);
  party.rename("customer");
  expect(party.asker(seat)?.role).toBe("spectator");
  party.rename("jm");
  party.join(listed("jm-2", "jm"), "a");
  expect(party.samePerson("jm", "jm-2")).toBe(true);
  expect(party.partners("jm")).toEqual([]);
});

test("chat and pointers are told to the others, and recorded nowhere", () => {
  const { party, drafts, heard } = setUp();
  const seat = party.join(listed("kim"), "a");
  const before = drafts.length;
  expect(party.present(seat, { kind: "chat", text: "look\x1b[2J" })).toBeUndefined();
  expect(party.present(seat, { kind: "point", on: { kind: "process", id: "p" } })).toBeUndefined();
  expect(party.present(seat, { kind: "look", pane: "tree", on: { kind: "process", id: "p" } })).toBeUndefined();
  expect(party.present("gone", { kind: "chat", text: "x" })).toBe("this screen has left");
  expect(drafts).toHaveLength(before);
  expect(heard.at(-1)).toBe("kim: look here, at thing p");
  expect(heard.at(-2)).toMatch(/^kim: look/);
  expect(heard.at(-2)).not.toContain("\x1b");
  party.close();
});
