import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { toPlain } from "#state/selectors";
import { teller, text } from "#testing/events";
import { Checkpoints } from "./checkpoints.ts";
import { readSession, type Stretch } from "./reading.ts";
import { readInProcess } from "./reading-process.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-reading-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tell = teller();
const events = Array.from({ length: 3000 }, (_, i) =>
  i % 500 === 7
    ? tell({ event: { action: "file.creation" }, file: { path: text(`/tmp/.${i}`) } })
    : tell({ event: { action: "process.start" }, process: { entity_id: `b:${i}:1`, pid: i, name: text("ls") } }),
);
const lines = events.map((event) => JSON.stringify(event));
lines[100] = "damage";
const file = join(folder, "events.jsonl");
writeFileSync(file, `${lines.join("\n")}\n`);

async function whole(reading: AsyncGenerator<Stretch>) {
  const all = { seen: 0, places: [] as number[], marks: [] as unknown[], broken: [] as unknown[], checkpoints: new Checkpoints(1000) };
  let copies = 0;
  for await (const { seen, places, marks, broken, checkpoints } of reading) {
    all.seen = seen;
    all.places.push(...places);
    all.marks.push(...marks);
    all.broken.push(...broken);
    for (const checkpoint of checkpoints) all.checkpoints.add(checkpoint);
    copies += checkpoints.length;
  }
  return { ...all, copies };
}

test("a session is read the same in a process of its own as without one, and its copies of the state are right", async () => {
  const [here, there] = [await whole(readSession(file, 1000)), await whole(readInProcess(file, 1000))];
  const state = emptyState();
  for (const event of [...events.slice(0, 100), ...events.slice(101, 2001)]) reduce(state, event);
  for (const { checkpoints, copies, ...read } of [here, there]) {
    expect(read).toEqual({ seen: Buffer.byteLength(`${lines.join("\n")}\n`), places: here.places, marks: here.marks, broken: here.broken });
    expect(copies).toBe(2);
    expect(checkpoints.before(2500)).toBe(2000);
    expect(toPlain(checkpoints.restore(2500) ?? emptyState())).toEqual(toPlain(state));
  }
  expect(here.places).toHaveLength(3 * 2999);
  expect(here.broken).toEqual([{ line: 101, what: "it is not JSON" }]);
});

test("a file that cannot be read is told, from the process too", async () => {
  await expect(whole(readInProcess(join(folder, "gone.jsonl"), 1000))).rejects.toThrow(/ENOENT/);
});

test("whoever has seen enough ends the process", async () => {
  const children = () => readFileSync("/proc/thread-self/children", "latin1").trim().split(" ").filter(Boolean);
  const before = children();
  const begun: string[] = [];
  for await (const stretch of readInProcess(file, 1000)) {
    expect(stretch.seen).toBeGreaterThan(0);
    begun.push(...children().filter((pid) => !before.includes(pid)));
    break;
  }
  expect(begun).toHaveLength(1);
  await expect.poll(() => existsSync(`/proc/${begun[0]}`), { timeout: 20_000 }).toBe(false);
});
