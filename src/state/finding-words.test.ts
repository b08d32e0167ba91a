import { expect, test } from "vitest";
import { watchedHost as host, id } from "#testing/watched-host";
import type { FindingState } from "./decided-state.ts";
import { findingNow, findingSince } from "./finding-words.ts";

const last = (h: ReturnType<typeof host>) => [...h.state.findings.values()].at(-1) as FindingState;
const untag = (h: ReturnType<typeof host>, tag: string) =>
  h.play({
    event: { action: "tag.remove" },
    stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag: { ...h.state.tags.get(tag), id: tag } as never },
  });

test("who had no tag is called by the one that he has since, and by none again when that is taken back", () => {
  const h = host();
  h.start(22, 21, "/usr/bin/w");
  const said = "a login without a tag asked who is logged in";
  expect(last(h).title).toBe(said);
  expect(findingSince(h.state, last(h))).toBeUndefined();
  h.tag(20, "intruder");
  expect(findingNow(h.state, last(h))).toBe("a login since tagged intruder asked who is logged in");
  expect(last(h).title).toBe(said); // what was said then stays as it was said
  untag(h, "t3");
  expect(findingNow(h.state, last(h))).toBe(said);
  h.tag(20, "responder");
  expect(findingNow(h.state, last(h))).toBe("a login since tagged responder asked who is logged in");
});

test("who was tagged suspect or intruder before is called so from the beginning", () => {
  const h = host();
  h.tag(20, "suspect");
  h.start(22, 21, "/usr/bin/w");
  h.environment(21, "HISTFILE=/dev/null");
  expect(h.findings.map(({ title }) => title)).toEqual([
    "a login tagged suspect asked who is logged in",
    "a login tagged suspect keeps its commands out of the history",
  ]);
  expect(findingSince(h.state, last(h))).toBeUndefined();
});

test("an address is one that an intruder uses only while somebody there is called intruder", () => {
  const h = host();
  h.tag(20, "suspect");
  h.call(11, "203.0.113.20");
  expect(last(h).title).toBe("a tagged login called an address that a suspect uses");
  h.tag(20, "intruder");
  expect(findingNow(h.state, last(h))).toBe("a tagged login called an address that an intruder uses");
});

test("whom nobody vouches for any more was vouched for then; who is no longer in the picture had no tag then", () => {
  const h = host();
  h.access(21, { path: "/proc/11/mem", target: 11 });
  expect(findingNow(h.state, last(h))).toBe("the memory of a tagged process was opened");
  untag(h, "t2");
  expect(findingNow(h.state, last(h))).toBe("the memory of a process that was vouched for then was opened");
  h.start(22, 21, "/usr/bin/w");
  h.state.processes.delete(id(22));
  expect(findingNow(h.state, last(h))).toBe("a login that had no tag then asked who is logged in");
});
