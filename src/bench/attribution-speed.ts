import type { EventDraft, Selector, StakeoutEvent, Tag } from "#model/event";
import type { HostString } from "#model/host-string";
import { emptyState } from "#state/create";
import { effectOf } from "#state/effect";
import { reduce } from "#state/reduce";
import { hiddenCounts } from "#state/selectors";
import type { State } from "#state/state";
import { Entities } from "../investigation/entities.ts";
import { type Figure, figure, quantile } from "./figure.ts";

const PROCESSES = 50_000;
/** Of them the tree that is tagged. */
const TAGGED = 10_000;
const LOGINS = 40;
/** Tags by rule that stand while events are attributed. */
const RULES = 20;
const EVENTS = 200_000;
const ROUNDS = 7;
const TAGS = 30;
const DEPTH = 12;
const BATCH = 4000;
const SERVICE = 50;

const START = Date.UTC(2026, 10, 27, 21, 0, 0);
const host = { id: "h", name: "busy" as HostString };
const programs = ["/usr/bin/id", "/usr/bin/ps", "/bin/sh", "/usr/bin/tar", "/usr/sbin/sshd"] as HostString[];

/** Events one after the other, in the way the log has them: made beforehand, so that only what is done with them is measured. */
class Told {
  #sequence = 0;
  readonly #state: State;
  constructor(state: State) {
    this.#state = state;
  }
  event(draft: Omit<Partial<EventDraft>, "event"> & { event: Pick<EventDraft["event"], "action"> }): StakeoutEvent {
    const sequence = ++this.#sequence;
    return {
      "@timestamp": new Date(START + sequence).toISOString(),
      ...draft,
      event: { category: ["process"], type: ["start"], sequence, created: "", kind: "event", ...draft.event },
      host,
      stakeout: { schema: 1, session: "s", sensor: "collector", tier: "x", prev: "", ...draft.stakeout },
    };
  }
  take(draft: Parameters<Told["event"]>[0]): void {
    reduce(this.#state, this.event(draft));
  }
}

const idOf = (pid: number) => `B:${pid}:${pid}`;

type Start = (pid: number, parent: number, login: number | undefined, which: number) => StakeoutEvent;

/** A host with so many processes, half of them ended but for the tree that is tagged, under logins whose trees are deep and wide, and one service. */
function crowd(): { state: State; told: Told; start: Start; big: number } {
  const state = emptyState();
  const told = new Told(state);
  const leader = (login: number) => ({
    entity_id: idOf(login),
    entry_meta: { type: "sshd" as const, source: { ip: `198.51.100.${login % 250}` } },
  });
  const start: Start = (pid, parent, login, which) => {
    const executable = programs[which % programs.length] as HostString;
    return told.event({
      event: { action: "process.start" },
      process: {
        entity_id: idOf(pid),
        pid,
        name: "x" as HostString,
        executable,
        args: [executable, "--option" as HostString],
        parent: { entity_id: idOf(parent) },
        ...(login === undefined ? {} : { entry_leader: leader(login) }),
      },
      user: { id: "0", name: "root" as HostString },
    });
  };
  reduce(state, start(1, 0, undefined, 0));
  reduce(state, start(SERVICE, 1, undefined, 0));
  const roots = Array.from({ length: LOGINS }, (_, i) => 100 + i);
  for (const root of roots) {
    reduce(state, start(root, 1, root, root));
    told.take({
      event: { action: "login.start" },
      process: { entity_id: idOf(root), entry_leader: leader(root) },
      source: { ip: `198.51.100.${root % 250}` },
      user: { id: "0", name: "root" as HostString },
    });
  }
  const [big = 100] = roots;
  const above = new Map(roots.map((root) => [root, [root]]));
  for (let pid = 1000; state.processes.size < PROCESSES; pid++) {
    const root = pid < 1000 + TAGGED - 1 ? big : (roots[1 + (pid % (LOGINS - 1))] ?? big);
    const chain = above.get(root) ?? [root];
    const parent = chain[chain.length < DEPTH ? chain.length - 1 : (pid * 31) % DEPTH] ?? root;
    reduce(state, start(pid, parent, root, pid));
    if (chain.length < DEPTH) chain.push(pid);
    // of what ended under one login only the first and the latest stay: the tree that is tagged lives
    if (root !== big && pid % 2 === 0) told.take({ event: { action: "process.end" }, process: { entity_id: idOf(pid), pid } });
  }
  return { state, told, start, big };
}

const tagEvent = (told: Told, action: "tag.apply" | "tag.remove", tag: Tag) =>
  told.event({ event: { action }, stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag } });

/**
 * What it costs to know whose an event is, on a host with 50,000 live and dead processes and 20 rules that stand: `Entities` finds the
 * parent and the origin (what ingest stamps), `reduce` keeps the tree, the login and the judgement; all that it does besides is in the
 * figure. And what a tag on a tree of 10,000 costs: working out what it would hide, and hiding it.
 */
export async function attributionSpeed(report: (figure: Figure) => void): Promise<void> {
  const { state, told, start, big } = crowd();
  const rules: Selector[] = Array.from({ length: RULES }, (_, i) =>
    i % 3 === 0 ? { source: `203.0.113.${i}/32` } : i % 3 === 1 ? { command: `/opt/tool${i}/*` } : { user: `nobody${i}` },
  );
  for (const [i, selector] of rules.entries())
    reduce(state, tagEvent(told, "tag.apply", { id: `r${i}`, verdict: i % 2 === 0 ? "responder" : "suspect", selector, reason: "r" }));

  const tell = (name: string, values: readonly number[], bar: number | null, more: Pick<Figure, "unit" | "n" | "p">) =>
    report(figure({ name, value: quantile(values, more.p === "p95" ? 0.95 : 0.5), bar, place: "local", ...more }));
  const tag = { unit: "ms", n: TAGS, p: "p95" };
  const [reach, applied] = tagging(state, told, { login: idOf(big) });
  tell("tag-10000-what-it-hides", reach, null, tag);
  tell("tag-10000-applied", applied, null, tag);
  tell(
    "tag-10000",
    reach.map((one, i) => one + (applied[i] ?? Number.NaN)),
    50,
    tag,
  );
  const [ruled, spread] = tagging(state, told, { source: "198.51.100.0/24" });
  tell("rule-on-50000-what-it-hides", ruled, null, tag);
  tell("rule-on-50000-applied", spread, null, tag);

  const event = { unit: "us", n: EVENTS, p: "mean, the middle of the rounds" };
  const stamp = stamping();
  const reduced = attribution(state, told, start);
  if (state.processes.size > PROCESSES + 1) throw new Error(`there are ${state.processes.size} processes by now`);
  tell("attribution-stamp", stamp, null, event);
  tell("attribution-reduce", reduced, null, event);
  tell(
    "attribution-of-an-event",
    stamp.map((one, i) => one + (reduced[i] ?? Number.NaN)),
    5,
    event,
  );
}

/** Microseconds an event to find parent and origin of a process among as many, starts and ends in equal parts, a mean a round. */
function stamping(): number[] {
  const entities = new Entities("B");
  const root = entities.add(1, 0, undefined);
  for (let pid = 2; pid < PROCESSES; pid++) {
    entities.add(pid, pid, entities.get(pid - 1 - (pid % 7)) ?? root);
    if (pid % 2 === 0) entities.end(pid, pid);
  }
  let pid = PROCESSES;
  return Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    for (let i = 0; i < EVENTS; i += 2, pid++) {
      entities.add(pid, pid, entities.get(1 + 2 * (pid % 20_000)));
      entities.end(pid, pid);
      if (i % 10_000 === 0) entities.prune(pid - 5000);
    }
    return ((performance.now() - began) * 1000) / EVENTS;
  });
}

/**
 * Microseconds for which `reduce` has an event, a mean a round, in equal parts: an exec and a call of a process that a login has, the start
 * and the end of a service's child. There are as many processes after it as before.
 */
function attribution(state: State, told: Told, start: Start): number[] {
  const live = [...state.processes.values()].filter(({ end, login }) => end === undefined && login !== undefined);
  let pid = 10_000_000;
  return Array.from({ length: ROUNDS }, () => {
    let spent = 0;
    for (let done = 0; done < EVENTS; done += BATCH) {
      const events: StakeoutEvent[] = [];
      for (let i = 0; i < BATCH; i += 4, pid++) {
        const one = live[(pid * 7919) % live.length] ?? live[0];
        const parent = Number(one?.parent?.split(":")[1]);
        if (one) events.push(start(one.pid, parent, Number(one.login?.split(":")[1]), pid));
        events.push(
          told.event({
            event: { action: "network.start" },
            process: { entity_id: one?.id ?? "" },
            source: { ip: "10.0.0.1", port: pid % 60_000 },
            destination: { ip: `192.0.2.${pid % 250}`, port: 443 },
            network: { transport: "tcp", direction: "egress" },
            stakeout: { sensor: "collector", tier: "x", connection: `c${pid % 500}` },
          }),
        );
        events.push(start(pid, SERVICE, undefined, pid));
        events.push(told.event({ event: { action: "process.end" }, process: { entity_id: idOf(pid), pid } }));
      }
      const began = performance.now();
      for (const event of events) reduce(state, event);
      spent += performance.now() - began;
    }
    return (spent * 1000) / EVENTS;
  });
}

/** Milliseconds to work out what a tag would hide, and to hide it; each time it is taken back. */
function tagging(state: State, told: Told, selector: Selector): [reach: number[], applied: number[]] {
  const reach: number[] = [];
  const applied: number[] = [];
  const before = hiddenCounts(state).processes;
  for (let i = 0; i < TAGS; i++) {
    const tag: Tag = { id: `t${i}`, verdict: "responder", selector, reason: "r" };
    const began = performance.now();
    const effect = effectOf(state, selector, "responder");
    const between = performance.now();
    reduce(state, tagEvent(told, "tag.apply", tag));
    applied.push(performance.now() - between);
    reach.push(between - began);
    const hidden = hiddenCounts(state).processes - before;
    if (hidden !== effect.processes || hidden < TAGGED)
      throw new Error(`the tag hid ${hidden} processes and was to hide ${effect.processes}`);
    reduce(state, tagEvent(told, "tag.remove", tag));
  }
  return [reach, applied];
}
