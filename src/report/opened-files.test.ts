import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { reportOf } from "./report.ts";

const seen = { sensor: "collector", tier: "tracefs+proc" };
const LOGIN = "B:10:1";
const leader = { entity_id: LOGIN, entry_meta: { type: "sshd" as const, source: { ip: "185.220.101.1" } } };

/** The report's timeline of one intruder who only reads. */
async function timeline(): Promise<string[]> {
  const tell = teller();
  const events: StakeoutEvent[] = [];
  const play = (draft: Parameters<typeof tell>[0]) => void events.push(tell(draft));
  const opens = (path: string, access: NonNullable<StakeoutEvent["stakeout"]["access"]>) =>
    play({
      event: { action: "file.access" },
      file: { path: text(path) },
      process: { entity_id: "B:20:1", pid: 20, entry_leader: leader },
      stakeout: { ...seen, access },
    });
  play({
    event: { action: "process.start" },
    process: { entity_id: LOGIN, pid: 10, executable: text("/usr/sbin/sshd") },
    stakeout: seen,
  });
  play({
    event: { action: "login.start", outcome: "success" },
    process: { entity_id: LOGIN, pid: 10, entry_leader: leader },
    user: { id: "0", name: text("root") },
    source: { ip: "185.220.101.1", port: 5000 },
    stakeout: seen,
  });
  play({
    event: { action: "login.info" },
    process: { entity_id: LOGIN },
    stakeout: { sensor: "look", tier: "files", login: { from: ["syslog"], method: "publickey" } },
  });
  play({
    event: { action: "process.start" },
    process: {
      entity_id: "B:20:1",
      pid: 20,
      executable: text("/usr/bin/perl"),
      args: [text("perl")],
      parent: { entity_id: LOGIN },
      entry_leader: leader,
    },
    stakeout: seen,
  });
  opens("/etc/shadow", { how: "open", secret: "password" });
  opens("/proc/41/environ", { how: "open", target: { entity_id: "B:41:1", pid: 41 } });
  opens("/proc/42/environ", { how: "open", target: { entity_id: "B:42:1", pid: 42 } });
  opens("/dev/pts/7", { how: "held" });
  const state = emptyState();
  for (const event of events) reduce(state, event);
  async function* again() {
    yield* events;
  }
  const told = await reportOf(state, again(), {
    hostLabel: "devbox",
    chain: { ok: true, events: events.length, head: "ab".repeat(32), broken: 0 },
    sealed: true,
    version: "9.9",
  });
  const from = told.split("\n").findIndex((line) => line.startsWith("## Timeline"));
  const rest = told.split("\n").slice(from + 1);
  return rest.slice(
    0,
    rest.findIndex((line) => line.startsWith("## ")),
  );
}

test("what was opened is never told as changed, and what is in /proc is one line for all processes", async () => {
  const lines = await timeline();
  expect(lines.filter((line) => /changes/.test(line))).toEqual([]);
  expect(lines.filter((line) => /shadow/.test(line))).toEqual([expect.stringContaining("opens `/etc/shadow`")]);
  expect(lines.filter((line) => /environ/.test(line))).toEqual([
    expect.stringMatching(/opens `environ` of other processes \(their environment\) — 2 times/),
  ]);
  expect(lines.join("\n")).toContain("was handed, open, `/dev/pts/7`");
});

test("what a host tells of a login later on is no second login", async () => {
  expect((await timeline()).filter((line) => /logs in|was logged in/.test(line))).toHaveLength(1);
});
