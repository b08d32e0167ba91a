import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { text } from "#testing/events";
import { exec, hello, INTRUDER, ingested, intrusion, S, snapshot, tick } from "#testing/observed-host";

test("the baseline tells parents before children, knows the console's own login, and maps the clock", () => {
  const { drafts, of, logins } = ingested(snapshot);
  expect(of("baseline.process").map(({ process }) => process?.pid)).toEqual([1, 50, 60, 7, 5]);
  expect(of("baseline.process").map(({ process }) => process?.entry_leader?.entry_meta.type)).toEqual([
    "init",
    "sshd",
    "sshd",
    "init",
    "init",
  ]);
  expect(logins).toEqual([{ id: "B:50:500000000", ours: true, pid: 50, first: 60 }]);
  expect(of("login.start")[0]).toMatchObject({
    stakeout: { ours: true },
    source: { ip: "10.0.0.250", port: 5000 },
    user: { id: "0", name: "root" },
  });
  expect(of("baseline.connection")[0]).toMatchObject({
    network: { direction: "ingress" },
    process: { pid: 50 },
    source: { ip: "10.0.0.250" },
  });
  expect(of("baseline.process")[0]?.["@timestamp"]).toBe("2023-11-14T22:11:40.010000Z"); // 99.99 s before the pair of clocks
  expect(drafts.at(-1)?.event.action).toBe("baseline.complete");
});

test("a login is told once, with its source, before the first program that runs in it", () => {
  const { drafts, of } = ingested([...snapshot, ...intrusion, exec(102, 72, "/usr/bin/id")]);
  const starts = of("login.start").filter(({ source }) => source?.ip === INTRUDER.ip);
  expect(starts).toHaveLength(1);
  expect(starts[0]).toMatchObject({
    process: { entity_id: "B:70:101010000000", tty: { char_device: { major: 136, minor: 3 } } },
    event: { outcome: "success" },
  });
  const shell = of("process.start").find(({ process }) => process?.executable === "/bin/bash");
  expect(shell?.process).toMatchObject({
    entry_leader: { entity_id: "B:70:101010000000", entry_meta: { type: "sshd", source: { ip: INTRUDER.ip } } },
    parent: { pid: 70 },
  });
  expect(drafts.indexOf(starts[0] as EventDraft)).toBeLessThan(drafts.indexOf(shell as EventDraft));
});

test("a program of his own that is named sshd hides no login", () => {
  const { of } = ingested([...snapshot, ...intrusion.slice(0, 7), exec(101.31, 72, "/dev/shm/sshd")]);
  expect(of("login.start").map(({ source }) => source?.ip)).toContain(INTRUDER.ip);
});

test("a failed login is none: a connection that nothing runs in is only a connection", () => {
  const { of } = ingested([...snapshot, ...intrusion.slice(0, 6), { kind: "exit", ts: 102 * S, pid: 70 }]);
  expect(of("login.start")).toHaveLength(1); // the console's
  expect(of("login.end")).toHaveLength(0);
});

test("lost events and a broken sensor become events", () => {
  const { of } = ingested([
    ...snapshot,
    tick(103, 7),
    { kind: "problem", what: text("no fanotify"), fatal: false },
    { kind: "problem", what: text("gone"), fatal: true },
  ]);
  expect(of("sensor.degraded")[0]).toMatchObject({
    event: { reason: expect.stringMatching(/dropped 7 events/) },
    stakeout: { report: { lost: 7 } },
  });
  expect(of("sensor.lost")[0]?.event.reason).toBe("gone");
});

test("the console's second connection is known by its port", () => {
  expect(ingested([...snapshot, ...intrusion], ({ port }) => port === INTRUDER.port).logins).toContainEqual({
    id: "B:70:101010000000",
    ours: true,
    pid: 70,
    first: 72,
  });
});

test("no order of observations breaks it, and none is told before the host is known", () => {
  const some = [...snapshot.slice(1), ...intrusion, exec(102, 999, "/tmp/x"), exec(102, -1, ""), exec(Number.MAX_VALUE, 5, "x")];
  fc.assert(
    fc.property(fc.shuffledSubarray(some), (order) => {
      expect(ingested(order).drafts).toEqual([]);
      for (const draft of ingested([hello, ...order]).drafts) expect(Number.isNaN(Date.parse(draft["@timestamp"]))).toBe(false);
    }),
    { numRuns: 300 },
  );
});
