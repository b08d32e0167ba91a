import type { StakeoutEvent, Verdict } from "#model/event";
import { teller, text } from "#testing/events";
import { emptyState } from "../create.ts";
import { reduce } from "../reduce.ts";

const leader = { entity_id: "B:10:1", entry_meta: { type: "sshd" as const, source: { ip: "203.0.113.9" } } };

/** sshd -> session 10 -> bash 11, with whatever the test adds. */
export function night(tell = teller()) {
  const state = emptyState();
  const play = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    reduce(state, event);
    return event;
  };
  const start = (pid: number, parent: number, executable: string, more: Partial<StakeoutEvent["process"]> = {}) =>
    play({
      event: { action: "process.start" },
      process: {
        entity_id: `B:${pid}:1`,
        pid,
        executable: text(executable),
        args: [text(executable)],
        parent: { entity_id: `B:${parent}:1` },
        ...(pid >= 10 && pid < 100 ? { entry_leader: leader } : {}),
        ...more,
      },
      stakeout: { sensor: "collector", tier: "x", ...(executable.startsWith("/tmp") ? { binary: { origin: "exec" as const } } : {}) },
    });
  const end = (pid: number) => play({ event: { action: "process.end" }, process: { entity_id: `B:${pid}:1`, pid } });
  const tag = (id: string, entity: string, verdict: Verdict) =>
    play({
      event: { action: "tag.apply" },
      stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag: { id, verdict, selector: { process: entity }, reason: "r" } },
    });
  const untag = (id: string) =>
    play({
      event: { action: "tag.remove" },
      stakeout: { sensor: "console", tier: "analyst", tag: { id, verdict: "responder", selector: { process: "x" }, reason: "r" } },
    });
  start(1, 0, "/usr/sbin/sshd");
  start(10, 1, "/usr/sbin/sshd");
  play({
    event: { action: "login.start", outcome: "success" },
    process: { entity_id: "B:10:1", tty: { char_device: { major: 136, minor: 0 } }, entry_leader: leader },
    user: { id: "0", name: text("root") },
    source: { ip: "203.0.113.9", port: 5000 },
  });
  start(11, 10, "/bin/bash");
  return { state, play, start, end, tag, untag };
}
