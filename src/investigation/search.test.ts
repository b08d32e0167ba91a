import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { event, text } from "#testing/events";
import { Replay } from "./replay.ts";
import { mentions, wordsOf } from "./search.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-search-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function replayOf(name: string, events: readonly StakeoutEvent[]): Promise<Replay> {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, events.map((one) => `${JSON.stringify(one)}\n`).join(""));
  return Replay.load(file, (broken) => {
    throw new Error(JSON.stringify(broken));
  });
}

const exec = (sequence: number, ...args: string[]) =>
  event(sequence, {
    event: { action: "process.start" },
    process: {
      entity_id: `b:${sequence}:1`,
      pid: sequence,
      executable: text(`/usr/bin/${args[0]}`),
      args: args.map(text),
      parent: { entity_id: "b:182:1", pid: 182 },
      entry_leader: { entity_id: "b:5:1", entry_meta: { type: "sshd", source: { ip: "185.220.101.1" } } },
    },
  });

test("an event tells of what it is about: arguments in one line, a far end with its port, its own pid alone", () => {
  const cat = exec(18, "cat", "/etc/shadow");
  for (const typed of ["cat /etc/shadow", "SHADOW cat", "process.start", "pid:18", "/usr/bin/cat"])
    expect(mentions(cat, wordsOf(typed)), typed).toBe(true);
  // a parent's pid, the login's address and the hash of the line before are not what it tells
  for (const typed of ["pid:182", "pid:1", "185.220.101.1", "000000", "tracefs", "b:18", "cat passwd"])
    expect(mentions(cat, wordsOf(typed)), typed).toBe(false);
  const call = event(2, {
    event: { action: "network.start" },
    destination: { ip: "61.177.172.1", port: 443, geo: { country_name: "China", city_name: "Nanjing" } },
  });
  for (const typed of ["61.177.172.1:443", "china", "nanjing network"]) expect(mentions(call, wordsOf(typed)), typed).toBe(true);
  expect(mentions(call, wordsOf("61.177.172.1:44 china x"))).toBe(false);
});

test("finds what a look at every event finds, forth and back, over the blocks of the log", async () => {
  const names = ["ls", "cat", "zfneolx", "naïve", "テスト", 'quo"te\\'];
  const events = Array.from({ length: 900 }, (_, i) =>
    exec(
      i + 1,
      i % 301 === 300 ? "zfneolx" : (names[(i * 7) % 2] as string),
      `${i % 97}`,
      i % 257 === 256 ? (names[3 + (i % 3)] as string) : "",
    ),
  );
  const replay = await replayOf("night", events);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names, "96", "cat 42", "pid:600", "zfneolx 7", "nowhere"),
      fc.integer({ min: 0, max: 900 }),
      fc.constantFrom(-1 as const, 1 as const),
      async (typed, position, direction) => {
        const words = wordsOf(typed);
        replay.goTo(position);
        const at =
          direction > 0
            ? events.findIndex((one, i) => i >= position && mentions(one, words))
            : events.findLastIndex((one, i) => i < position - 1 && mentions(one, words));
        const found = await replay.find(words, direction);
        if (at < 0) {
          expect(found).toBeUndefined();
          expect(replay.position).toBe(position); // it stays where it was
        } else {
          expect(found).toMatchObject({ event: { sequence: at + 1 } });
          expect(replay.position).toBe(at + 1);
        }
      },
    ),
  );
  replay.close();
});

test("a search that goes on is given up by the next one, and by any other move", async () => {
  // so long that it does not end in one go: no block can be left out for such a word
  const events = Array.from({ length: 40_000 }, (_, i) => exec(i + 1, "ls"));
  const replay = await replayOf("long", [...events, exec(40_001, "ls", "テスト")]);
  const first = replay.find(["テスト"], 1);
  const second = replay.find(["pid:3"], 1);
  expect(await first).toBe("given up");
  expect(await second).toMatchObject({ process: { pid: 3 } });
  const third = replay.find(["テスト"], 1);
  replay.goTo(7);
  expect(await third).toBe("given up");
  expect(replay.position).toBe(7);
  expect(await replay.find(["テスト"], 1)).toMatchObject({ event: { sequence: 40_001 } });
  replay.close();
});
