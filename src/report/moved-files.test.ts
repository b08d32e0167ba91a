import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { reportOf } from "./report.ts";

const seen = { sensor: "collector", tier: "tracefs+proc" };
const LOGIN = "B:10:1";
const leader = { entity_id: LOGIN, entry_meta: { type: "sshd" as const, source: { ip: "185.220.101.1" } } };

test("what an intruder moved is told with both ends, as far as they were seen; a program that runs on elsewhere was not deleted until it is there", async () => {
  const tell = teller();
  const state = emptyState();
  const events: StakeoutEvent[] = [];
  const play = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    events.push(event);
    reduce(state, event);
  };
  const process = { entity_id: "B:20:1", pid: 20, entry_leader: leader };
  play({ event: { action: "process.start" }, process: { entity_id: LOGIN, pid: 10, executable: text("/usr/sbin/sshd") }, stakeout: seen });
  play({
    event: { action: "login.start", outcome: "success" },
    process: { entity_id: LOGIN, pid: 10, entry_leader: leader },
    user: { id: "0", name: text("root") },
    source: { ip: "185.220.101.1", port: 5000 },
    stakeout: seen,
  });
  play({
    event: { action: "process.start" },
    process: { ...process, executable: text("/tmp/tool"), args: [text("/tmp/tool")], parent: { entity_id: LOGIN } },
    stakeout: { ...seen, binary: { origin: "exec" } },
  });
  const moved = (action: "file.creation" | "file.deletion", path: string, binary: StakeoutEvent["stakeout"]["binary"]) =>
    play({ event: { action }, file: { path: text(path) }, process, stakeout: { ...seen, binary: { origin: "folder", ...binary } } });
  moved("file.creation", "/root/.x", { moved_from: text("/var/log/auth.log") });
  moved("file.creation", "/root/.tool", { moved_from: text("/tmp/tool") });
  moved("file.deletion", "/root/.x", { moved_away: true });
  expect(state.binaries.get(text("/tmp/tool"))).toMatchObject({ deleted: true });
  expect(state.binaries.get(text("/tmp/tool"))).not.toHaveProperty("unlinked");
  moved("file.deletion", "/root/.tool", {});
  expect(state.binaries.get(text("/tmp/tool"))).toMatchObject({ unlinked: true });
  expect(state.binaries.get(text("/root/.tool"))).toMatchObject({ deleted: true, writer: "B:20:1" });
  async function* again() {
    yield* events;
  }
  const chain = { ok: true, events: events.length, head: "ab".repeat(32), broken: 0 };
  const told = await reportOf(state, again(), { hostLabel: "devbox", chain, sealed: true, version: "9.9" });
  const [, timeline = ""] = told.split("## Timeline");
  expect(timeline).toContain("moves `/var/log/auth.log` to `/root/.x`");
  expect(timeline).toContain("moves `/tmp/tool` to `/root/.tool`");
  expect(timeline).toContain("moves `/root/.x` to where was not seen");
  expect(timeline).toContain("deletes `/root/.tool`");
});
