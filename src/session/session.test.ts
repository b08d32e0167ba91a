import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventDraft } from "#model/event";
import { text } from "#testing/events";
import { EventLog, GENESIS, sha256 } from "./event-log.ts";
import { readEvents, verifyLog } from "./read-log.ts";
import { parseEvent } from "./schema.ts";
import { createSession, openSession, saveAbout, sessionsRoot } from "./session-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stakeout-session-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const draft = (name: string): EventDraft => ({
  "@timestamp": "2026-11-27T21:00:00.000001Z",
  event: { action: "process.start", category: ["process"], type: ["start"] },
  process: { entity_id: "B:1:1", name: text(name), args: [text(name), text("\udcff\u001b[2J")] },
  stakeout: { sensor: "collector", tier: "poll" },
});

async function record(names: string[], file = join(folder, "events.jsonl")) {
  const log = await EventLog.create({ file, session: "s", now: () => 1_700_000_000_000 });
  const lines = names.map((name) => log.append(draft(name)).line);
  await log.close();
  return { file, lines, head: log.head };
}

test("what is appended stands in the file byte for byte, chained from the first line on", async () => {
  const { file, lines, head } = await record(["a", "b", "c"]);
  expect(await readFile(file, "utf8")).toBe(`${lines.join("\n")}\n`);
  const events = lines.map((line) => JSON.parse(line));
  expect(events.map((event) => event.stakeout.prev)).toEqual([GENESIS, sha256(lines[0] as string), sha256(lines[1] as string)]);
  expect(events.map((event) => event.event.sequence)).toEqual([1, 2, 3]);
  expect(head).toEqual({ sequence: 3, sha256: sha256(lines[2] as string) });
  expect(await verifyLog(file, head)).toMatchObject({ ok: true, events: 3 });
});

test("no line can steer a terminal that shows it, and none loses a character by that", async () => {
  const evil = "a\u009b2Jb\u202ec\u007fd\u2028e\u200bf\ufeffg";
  const { lines } = await record([evil]);
  expect(lines[0]).not.toMatch(/[^ -~]/);
  expect(JSON.parse(lines[0] as string).process.name).toBe(evil);
});

test("a log is never appended to by a second writer", async () => {
  const { file } = await record(["a"]);
  await expect(EventLog.create({ file, session: "s", now: Date.now })).rejects.toThrow(/EEXIST/);
});

test("any flipped bit is found, and the line that holds it is named", async () => {
  const { file, head } = await record(["a", "b", "c", "d", "e"]);
  const whole = await readFile(file);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      const damaged = join(folder, "damaged.jsonl");
      await writeFile(damaged, changed);
      const result = await verifyLog(damaged, head);
      const line = whole.subarray(0, at).filter((byte) => byte === 10).length + 1;
      expect(result.ok).toBe(false);
      // A newline that was flipped joins two lines, one that appeared splits one: either half names it.
      expect(Math.abs((result.broken[0]?.line ?? 99) - line)).toBeLessThanOrEqual(whole[at] === 10 || changed[at] === 10 ? 1 : 0);
    }),
    { numRuns: 300 },
  );
});

test("a missing, a doubled and a swapped line are found", async () => {
  const { file, lines, head } = await record(["a", "b", "c", "d"]);
  const [a, b, c, d] = lines as [string, string, string, string];
  for (const order of [
    [a, c, d],
    [a, b, b, c, d],
    [a, c, b, d],
    [a, b, c],
    [b, c, d],
  ]) {
    await writeFile(file, `${order.join("\n")}\n`);
    expect((await verifyLog(file, head)).ok, order.map((line) => lines.indexOf(line)).join("")).toBe(false);
  }
});

test("a log that was written anew with a line more does not pass for the sealed one", async () => {
  const { head } = await record(["a", "b"]);
  const { file } = await record(["x", "y", "z"], join(folder, "forged.jsonl"));
  expect(await verifyLog(file, head)).toMatchObject({ ok: false, broken: [{ line: 3 }] });
});

test("a cut tail and a broken line are told, and the rest is read", async () => {
  const { file, lines } = await record(["a", "b", "c"]);
  await writeFile(file, `${lines[0]}\nnot json\n${lines[2]}\n${lines[1]?.slice(0, 100)}`);
  const broken: number[] = [];
  const names: unknown[] = [];
  for await (const { event } of readEvents(file, ({ line }) => broken.push(line))) names.push(event.process?.name);
  expect(names).toEqual(["a", "c"]);
  expect(broken).toEqual([2, 4]);
});

test("an event whose parts have the wrong shape is a broken line, not a crash of whoever reads it", () => {
  const whole = (stakeout: object, more: object = {}) =>
    JSON.stringify({
      "@timestamp": "2026-11-27T21:00:00.000000Z",
      event: { action: "tag.apply", category: [], type: [], sequence: 1, created: "", kind: "event" },
      host: { id: "h", name: "n" },
      stakeout: { schema: 1, session: "s", sensor: "x", tier: "y", prev: "0", ...stakeout },
      ...more,
    });
  expect(typeof parseEvent(whole({}))).toBe("object");
  for (const line of [
    whole({ tag: {} }),
    whole({ response: "r" }),
    whole({ known: { verdict: "bad", list: 1 } }),
    whole({ known: { verdict: "fine", list: "l" } }),
    whole({ script: { path: 1 } }),
    whole({ binary: { program: { interpreter: 1 } } }),
    whole({ report: { blind: 1 } }),
    whole({}, { process: { entity_id: "B", tty: {} } }),
    whole({}, { file: { path: "/x", hash: {} } }),
  ])
    expect(parseEvent(line)).toMatch(/^it is no event/);
});

test.each([
  ["half a line", 0.5, 0],
  ["one line and a half", 1.5, 1],
  ["all but the last newline", 2.999, 2],
  ["everything, unsynced", 3, 3],
  ["nothing", 0, 0],
])(
  "a disk that runs full after %s stops the recording loudly; the whole lines on it stay, with the hash of the last",
  async (_what, fits, kept) => {
    const file = join(folder, `full-${fits}.jsonl`);
    const failures: string[] = [];
    const log = await EventLog.create({ file, session: "s", now: () => 0, onFailure: ({ message }) => failures.push(message) });
    const { line } = log.append(draft("a"));
    await log.flush();
    const probe = await open(join(folder, "probe"), "w");
    await probe.close();
    const handle = Object.getPrototypeOf(probe) as FileHandle;
    const append = vi.spyOn(handle, "appendFile").mockImplementation(async function (this: FileHandle, data) {
      const text = String(data);
      await this.write(text.slice(0, Math.floor((text.length / 3) * fits))); // as a file system does that runs full: the beginning fits
      throw new Error("ENOSPC: no space left on device, write");
    });
    const lines = ["b", "c", "d"].map((name) => log.append(draft(name)).line);
    await expect(log.flush()).rejects.toThrow(/ENOSPC/);
    append.mockRestore();
    expect(failures).toHaveLength(1);
    expect(() => log.append(draft("e"))).toThrow(/can no longer be recorded.*Free space/);
    await expect(log.close()).rejects.toThrow(/ENOSPC/);
    expect(await readFile(file, "utf8")).toBe([line, ...lines.slice(0, kept), ""].join("\n"));
    expect(log.head.sequence).toBe(1 + kept);
    expect(await verifyLog(file, log.head)).toMatchObject({ ok: true, events: 1 + kept });
  },
);

test("a folder where nothing can be recorded is told with what to do", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  for (const root of [file, join(file, "below")])
    await expect(createSession(root, { label: "h" }, 0)).rejects.toThrow(/No session can be recorded in .*--sessions DIR/);
});

test("a session is made, found again by name, by folder and by its log, and a missing one says where it was looked for", async () => {
  const made = await createSession(folder, { label: "root@dev box/../x", address: "10.0.0.1" }, Date.UTC(2026, 10, 27, 21, 4, 11));
  expect(made.about.session).toBe("20261127-210411-root_dev_box_.._x");
  await record(["a"], made.events);
  made.about.head = { sequence: 1, sha256: "x" };
  await saveAbout(made);
  for (const name of [made.about.session, made.path, made.events]) expect((await openSession(name, folder)).about.head?.sha256).toBe("x");
  const second = await createSession(folder, { label: "root@dev box/../x" }, Date.UTC(2026, 10, 27, 21, 4, 11));
  expect(second.about.session).toMatch(/-2$/);
  await expect(openSession("nothing", folder)).rejects.toThrow(/There is no session "nothing".*name in/);
  await writeFile(join(made.path, "session.json"), "{ damaged");
  expect((await openSession(made.path, folder)).about.head).toBeUndefined();
});

test("sessions lie in the checkout, else in the XDG state folder, or where they were asked to", () => {
  expect(sessionsRoot(undefined, "/co", {})).toBe("/co/sessions");
  expect(sessionsRoot("/x", "/co", {})).toBe("/x");
  expect(sessionsRoot(undefined, undefined, { XDG_STATE_HOME: "/s" })).toBe("/s/stakeout/sessions");
});
