import fc from "fast-check";
import { expect, test } from "vitest";
import type { Presence } from "#model/presence";
import { leaderOf, marksFor, partnersOf, pointerAt, roleOf } from "#model/presence-selectors";
import { atConsole, joined, left, moved, type Refusal } from "./presence.ts";
import { following, followMe, handedOver, pointed, said } from "./together.ts";

const ok = (outcome: Presence | Refusal): Presence => {
  if ("refused" in outcome) throw new Error(outcome.refused);
  return outcome;
};
const why = (outcome: Presence | Refusal) => ("refused" in outcome ? outcome.refused : undefined);
const join = (presence: Presence, seat: string, name: string, mayDrive = true, person = name) =>
  ok(joined(presence, { seat, name, person, mayDrive }, 1));
const three = () => join(join(atConsole("jm", 0), "s1", "kim"), "s2", "customer", false);
const shell = { kind: "process", id: "B:7:1" } as const;

test("the console drives, and everybody who joins watches in a colour of their own", () => {
  const here = three();
  expect(here.people.map(({ name, colour }) => [name, colour, roleOf(here, name)])).toEqual([
    ["jm", 0, "driver"],
    ["kim", 1, "spectator"],
    ["customer", 2, "spectator"],
  ]);
  const back = join(left(here, "s1"), "s3", "ann");
  expect(back.people.map(({ colour }) => colour)).toEqual([0, 2, 1]);
});

test("the driver hands over; nobody else can, and who was let in to watch cannot be given it", () => {
  const here = three();
  expect(why(handedOver(here, "s1", "kim"))).toBe("jm drives: ask for the drive");
  expect(why(handedOver(here, "console", "customer"))).toBe("customer was let in to watch only");
  expect(why(handedOver(here, "console", "ann"))).toBe("ann is not here");
  expect(why(handedOver(here, "console", "jm"))).toBe("you drive already");
  expect(ok(handedOver(here, "console", "kim")).driver).toBe("kim");
});

test("the console can take the drive back, and has it when the driver is gone", () => {
  const driven = ok(handedOver(three(), "console", "kim"));
  expect(ok(handedOver(driven, "console", "jm")).driver).toBe("jm");
  expect(why(handedOver(driven, "console", "customer"))).toBe("kim drives: ask for the drive");
  expect(left(driven, "s1").driver).toBe("jm");
  const twice = join(driven, "s9", "kim");
  expect(left(twice, "s1").driver).toBe("kim"); // another screen of the driver's is still open
});

test("where a cursor stands is a mark on the others' rows, and not on one's own", () => {
  const here = moved(three(), "s1", "tree", shell);
  expect(
    marksFor(here, "console")
      .get("process:B:7:1")
      ?.map(({ name }) => name),
  ).toEqual(["kim"]);
  expect(marksFor(here, "s1").size).toBe(0);
  expect(marksFor(moved(here, "s1", "tree", undefined), "console").size).toBe(0);
});

test("following shows the leader's cursor until one moves; two cannot follow each other", () => {
  let here = ok(following(three(), "s1", "console"));
  expect(leaderOf(here, "s1")?.name).toBe("jm");
  here = ok(following(here, "s2", "s1"));
  expect(leaderOf(here, "s2")?.name).toBe("jm"); // kim shows jm's cursor herself
  expect(why(following(here, "console", "s2"))).toBe("customer follows you: one must lead");
  here = moved(here, "s1", "tree", shell);
  expect(leaderOf(here, "s1")).toBeUndefined();
  expect(leaderOf(here, "s2")?.name).toBe("kim");
  expect(leaderOf(left(here, "s1"), "s2")).toBeUndefined();
  expect(leaderOf(ok(following(here, "s2", undefined)), "s2")).toBeUndefined();
});

test("'follow me' brings everybody, and alone there is nobody to bring", () => {
  const here = ok(followMe(ok(following(three(), "console", "s1")), "s2"));
  expect(["console", "s1", "s2"].map((seat) => leaderOf(here, seat)?.name)).toEqual(["customer", "customer", undefined]);
  expect(why(followMe(atConsole("jm", 0), "console"))).toBe("nobody else is here");
});

test("a pointer flashes for a while and is over", () => {
  const here = ok(pointed(three(), "s1", shell, 1000));
  expect(pointerAt(here, 1500)).toMatchObject({ name: "kim", on: shell });
  expect(pointerAt(here, 60_000)).toBeUndefined();
});

test("chat is one safe line, of bounded length and number", () => {
  let here = ok(said(three(), "s2", "  is \x1b[2Jthat\nours? ", 5));
  expect(here.chat).toEqual([{ at: 5, name: "customer", text: "is ·[2Jthat ours?" }]);
  expect(why(said(here, "s2", " \n ", 6))).toBe("nothing was written");
  expect(why(said(here, "s2", "x".repeat(301), 6))).toMatch(/at most 300/);
  for (let i = 0; i < 500; i++) here = ok(said(here, "s1", `line ${i}`, i));
  expect(here.chat).toHaveLength(100);
  expect(here.chat.at(-1)?.text).toBe("line 499");
});

test("who can confirm with whom: not who watches, and not the same person under another name", () => {
  const here = join(three(), "s3", "jm-2", true, "jm");
  expect(partnersOf(here, "jm")).toEqual(["kim"]);
  expect(partnersOf(here, "kim")).toEqual(["jm", "jm-2"]);
  expect(partnersOf(left(here, "s1"), "jm")).toEqual([]);
});

test("whatever happens in whatever order, somebody who may drives, and nobody leads in a circle", () => {
  const seat = fc.constantFrom("console", "s1", "s2", "s3");
  const name = fc.constantFrom("jm", "kim", "customer", "ann");
  const step = fc.oneof(
    fc.record({ do: fc.constant("join" as const), seat, name }),
    fc.record({ do: fc.constant("leave" as const), seat: fc.constantFrom("s1", "s2", "s3") }),
    fc.record({ do: fc.constant("hand" as const), seat, name }),
    fc.record({ do: fc.constant("follow" as const), seat, whom: seat }),
    fc.record({ do: fc.constant("call" as const), seat }),
    fc.record({ do: fc.constant("move" as const), seat }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let here = atConsole("jm", 0);
      for (const taken of steps) {
        const next =
          taken.do === "join"
            ? joined(here, { seat: taken.seat, name: taken.name, person: taken.name, mayDrive: taken.name !== "customer" }, 1)
            : taken.do === "leave"
              ? left(here, taken.seat)
              : taken.do === "hand"
                ? handedOver(here, taken.seat, taken.name)
                : taken.do === "follow"
                  ? following(here, taken.seat, taken.whom)
                  : taken.do === "call"
                    ? followMe(here, taken.seat)
                    : moved(here, taken.seat, "tree", shell);
        if (!("refused" in next)) here = next;
        expect(here.people.some((person) => person.name === here.driver && person.mayDrive)).toBe(true);
        expect(new Set(here.people.map(({ colour }) => colour)).size).toBe(here.people.length);
        for (const person of here.people) {
          const leader = leaderOf(here, person.seat);
          expect(leader?.following).toBeUndefined();
          expect(person.following === undefined).toBe(leader === undefined);
        }
      }
    }),
  );
});
