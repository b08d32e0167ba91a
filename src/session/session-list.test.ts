import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NIGHT } from "#testing/recorded-night";
import { listSessions } from "./session-list.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stakeout-list-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The recorded night under another name, begun at another time, cut after some lines. */
function night(name: string, started: string, lines?: number): string {
  const folder = join(root, name);
  cpSync(NIGHT, folder, { recursive: true });
  const about = JSON.parse(readFileSync(join(folder, "session.json"), "utf8"));
  writeFileSync(join(folder, "session.json"), JSON.stringify({ ...about, started }));
  if (lines !== undefined) {
    const text = readFileSync(join(folder, "events.jsonl"), "utf8").split("\n").slice(0, lines).join("\n");
    writeFileSync(join(folder, "events.jsonl"), `${text}\n`);
  }
  return folder;
}

test("the newest session stands first, with what its two ends say", async () => {
  night("old", "2026-11-01T00:00:00Z");
  night("new", "2026-11-03T00:00:00Z");
  night("middle", "2026-11-02T00:00:00Z", 20);
  const list = await listSessions(root);
  const all = readFileSync(join(NIGHT, "events.jsonl"), "utf8").trimEnd().split("\n");
  expect(list.map(({ folder }) => folder.path.split("/").at(-1))).toEqual(["new", "middle", "old"]);
  expect(list[0]).toMatchObject({ events: all.length, whole: true, isolated: false });
  expect(list[1]).toMatchObject({ events: 20, whole: false, isolated: false });
  const created = (line = "{}") => Date.parse(JSON.parse(line).event.created);
  expect(list[0]?.lasted).toBe(created(all.at(-1)) - created(all[0]));
});

test("a log that was cut off while the host was isolated says so; one whose end does not tell says nothing", async () => {
  const lines = readFileSync(join(NIGHT, "events.jsonl"), "utf8").split("\n");
  const isolated = lines.findIndex((line) => line.includes('"response.succeeded"') && line.includes('"kind":"isolate"'));
  night("isolated", "2026-11-01T00:00:00Z", isolated + 3);
  const long = night("long", "2026-11-02T00:00:00Z", isolated + 3);
  const filler = lines[5] as string; // further events, far more than are read
  appendFileSync(join(long, "events.jsonl"), `${filler}\n`.repeat(400));
  const [second, first] = await listSessions(root);
  expect(first?.isolated).toBe(true);
  expect(second?.isolated).toBeUndefined();
});

test("half a last line, an empty log, a missing cover and foreign folders are no obstacle", async () => {
  const cut = night("cut", "2026-11-01T00:00:00Z", 30);
  appendFileSync(join(cut, "events.jsonl"), '{"@timestamp":"2026');
  truncateSync(join(night("empty", "2026-11-02T00:00:00Z"), "events.jsonl"));
  rmSync(join(night("bare", "2026-11-03T00:00:00Z"), "session.json"));
  mkdirSync(join(root, "notes"));
  writeFileSync(join(root, "readme.txt"), "no session");
  const list = await listSessions(root);
  expect(list.map(({ folder }) => folder.path.split("/").at(-1)).sort()).toEqual(["bare", "cut"]);
  expect(list.find(({ folder }) => folder.path.endsWith("cut"))).toMatchObject({ events: 30, whole: false });
  expect(list.find(({ folder }) => folder.path.endsWith("bare"))).toMatchObject({ whole: false });
  expect(await listSessions(join(root, "nowhere"))).toEqual([]);
});
