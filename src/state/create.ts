import type { HostString } from "#model/host-string";
import { noActivity } from "./activity.ts";
import type { State } from "./state.ts";

/** Counts by name that hold no name yet. The host gives the names: one called "constructor" must not find a function. */
const noNames = () => Object.create(null) as Record<string, number>;

/** The state before the first event. */
export function emptyState(): State {
  return {
    session: "",
    host: { id: "unknown", name: "unknown" as HostString },
    sequence: 0,
    now: 0,
    started: 0,
    structure: 0,
    judged: 0,
    processes: new Map(),
    orphans: new Set(),
    pids: new Map(),
    endedElsewhere: { count: 0, latest: [] },
    folded: { unseen: noNames(), services: noNames() },
    logins: new Map(),
    origins: new Map(),
    past: { rows: [], more: {}, blind: [] },
    setUp: new Map(),
    connections: new Map(),
    endedConnections: [],
    names: new Map(),
    peers: new Map(),
    binaries: new Map(),
    containers: new Map(),
    owners: new Map(),
    nameless: new Map(),
    activity: noActivity(),
    tags: new Map(),
    findings: new Map(),
    exposed: new Map(),
    touched: { secrets: new Map(), hosts: new Map(), uids: new Map() },
    commands: new Map(),
    users: new Map(),
    responses: new Map(),
    sensors: new Map(),
    notes: [],
    claims: new Map(),
    analysts: new Map(),
    twoPeople: false,
    counts: { events: 0, execs: 0, forks: 0, ends: 0, connections: 0, files: 0, folded: 0, binaries: 0, let_go: 0, findings: 0, logins: 0 },
  };
}
