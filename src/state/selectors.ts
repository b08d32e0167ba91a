import { criteriaOf } from "./criteria.ts";
import type { Act, FindingState } from "./decided-state.ts";
import { KNOWN_BAD } from "./known.ts";
import { isHidden, responderTag } from "./lineage.ts";
import { CHANGED_FILE } from "./owners.ts";
import type { ConnectionState, State } from "./state.ts";

/** What is folded away by tags: counted, never deleted. */
export interface Hidden {
  logins: number;
  processes: number;
  connections: number;
  binaries: number;
}

export function hiddenCounts(state: State): Hidden {
  const count = (things: Iterable<{ standing: Parameters<typeof isHidden>[0] }>) => {
    let hidden = 0;
    for (const thing of things) if (isHidden(thing.standing)) hidden += 1;
    return hidden;
  };
  return {
    logins: count(state.logins.values()),
    processes: count(state.processes.values()),
    connections: count(state.connections.values()),
    binaries: count(state.binaries.values()),
  };
}

/** The end of the connection that is not the suspect host. */
export const farEnd = (connection: ConnectionState) => (connection.direction === "egress" ? connection.destination : connection.source);

/** What rules found, the newest first, without what those did whom a tag vouches for now. */
export const standingFindings = (state: State): FindingState[] =>
  [...state.findings.values()].reverse().filter(({ rule, entities, exposes }) => {
    if (rule === CHANGED_FILE || rule === KNOWN_BAD) return true; // it is of the file: whoever ran it did not make it so
    const [actor = ""] = entities;
    const doer = exposes?.includes(actor) ? undefined : state.processes.get(actor);
    return doer === undefined || !isHidden(doer.standing);
  });

/** Who did what: the acts of all analysts, the newest first. */
export function whoDidWhat(state: State): (Act & { analyst: string })[] {
  return [...state.analysts.values()]
    .flatMap(({ name, acts }) => acts.map((act) => ({ ...act, analyst: name })))
    .sort((a, b) => b.sequence - a.sequence);
}

/** The state as JSON can carry it: maps become arrays of their values (of pairs where the key is not in the value). */
export function toPlain(state: State): Record<string, unknown> {
  return {
    ...state,
    processes: [...state.processes.values()].map((process) => ({ ...process, children: [...process.children] })),
    orphans: [...state.orphans],
    pids: [...state.pids],
    logins: [...state.logins.values()],
    connections: [...state.connections.values()],
    names: [...state.names],
    peers: [...state.peers.values()],
    binaries: [...state.binaries.values()],
    containers: [...state.containers.values()],
    owners: [...state.owners],
    nameless: [...state.nameless],
    activity: {
      ...state.activity,
      sources: [...state.activity.sources.values()].map((source) => ({ ...source, counts: [...source.counts] })),
    },
    tags: [...state.tags.values()],
    findings: [...state.findings.values()],
    exposed: [...state.exposed],
    touched: {
      secrets: [...state.touched.secrets.values()].map((secret) => ({ ...secret, by: [...secret.by.values()] })),
      hosts: [...state.touched.hosts.values()].map((host) => ({ ...host, by: [...host.by.values()] })),
      uids: [...state.touched.uids],
    },
    commands: [...state.commands.values()],
    users: [...state.users],
    responses: [...state.responses.values()],
    sensors: [...state.sensors.values()],
    claims: [...state.claims.values()],
    analysts: [...state.analysts.values()],
  };
}

/**
 * Addresses of who is one of us and still in. Only who was meant by himself or by his address: a rule on an account hides whoever logs in as
 * that, the intruder with a stolen password as well, and he must not be let through the cut.
 */
export function partnersOf(state: State): string[] {
  return [...state.logins.values()].flatMap((login) => {
    const { standing, end, source, tag, finding } = login;
    // nobody has us locked out by abusing a login of ours
    const decided = finding === undefined ? (tag === undefined ? undefined : state.tags.get(tag)) : responderTag(state, login);
    const selector = decided?.selector;
    const meant = selector !== undefined && (criteriaOf(selector) === undefined || criteriaOf(selector)?.source !== undefined);
    const ours = standing === "responder" || finding !== undefined;
    return ours && end === undefined && source !== undefined && meant ? [source.ip] : [];
  });
}
