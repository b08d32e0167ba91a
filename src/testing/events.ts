import type { EventDraft, StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";

export const text = (value: string): HostString => value as HostString;

/** A whole event out of the part that a test is about. */
export function event(
  sequence: number,
  draft: Omit<Partial<EventDraft>, "event"> & { event: Partial<EventDraft["event"]> },
): StakeoutEvent {
  const { event: given, stakeout, ...rest } = draft;
  return {
    "@timestamp": new Date(Date.UTC(2026, 10, 27, 21, 0, 0) + sequence * 10).toISOString(),
    ...rest,
    event: {
      action: "process.start",
      category: ["process"],
      type: ["start"],
      sequence,
      created: "2026-11-27T21:00:00.000Z",
      kind: "event",
      ...given,
    },
    host: { id: "h", name: text("devbox") },
    stakeout: { schema: 1, session: "s", sensor: "collector", tier: "tracefs+proc", prev: "0".repeat(64), ...stakeout },
  };
}

/** Numbers events as they are told. */
export function teller(): (draft: Parameters<typeof event>[1]) => StakeoutEvent {
  let sequence = 0;
  return (draft) => event(++sequence, draft);
}
