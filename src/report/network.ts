import type { State } from "#state/state";
import type { Cast } from "./cast.ts";
import type { Clock } from "./clock.ts";
import type { Collected, Peer } from "./collect.ts";
import { code, table } from "./escape.ts";
import { address, networkOf, placeOf } from "./places.ts";
import { count, list } from "./words.ts";

const MOST_ROWS = 60;

/** Far ends by what they matter: those of theirs first, then by attempts. */
export function peersOf(collected: Collected): { theirs: Peer[]; others: Peer[] } {
  const order = (a: Peer, b: Peer) => b.attempts - a.attempts || a.first - b.first;
  const all = [...collected.peers.values()];
  return {
    theirs: all.filter(({ theirs }) => theirs > 0).toSorted(order),
    others: all.filter(({ theirs }) => theirs === 0).toSorted(order),
  };
}

export const programsOf = (peer: Peer, most = 3): string =>
  list(
    [...peer.programs.keys()].map((name) => code(name || "program not seen", 60)),
    most,
  );

export function networkSection(state: State, cast: Cast, collected: Collected, clock: Clock): string[] {
  const { theirs, others } = peersOf(collected);
  const wasIsolated = collected.isolations.length > 0;
  const lines: string[] = [];
  const rows = (peers: readonly Peer[]) => {
    const head = [
      "To",
      "Place",
      "Network (AS)",
      "By",
      "Attempts",
      "Got through",
      ...(wasIsolated ? ["While isolated"] : []),
      "First",
      "Last",
    ];
    const body = peers
      .slice(0, MOST_ROWS)
      .map((peer) => [
        address(peer.far),
        placeOf(peer.far),
        networkOf(peer.far) || "none",
        programsOf(peer),
        `${peer.attempts}${peer.found ? `, and ${peer.found} open at the start` : ""}`,
        `${peer.through}`,
        ...(wasIsolated ? [`${peer.whileIsolated.attempts} tried, ${peer.whileIsolated.through} through`] : []),
        clock(peer.first),
        clock(peer.last),
      ]);
    lines.push(...table(head, body), "");
    if (peers.length > MOST_ROWS)
      lines.push(`Left out: ${count(peers.length - MOST_ROWS, "further far end")} with fewer attempts; the log has them.`, "");
  };
  if (theirs.length) {
    lines.push("Calls by the processes of the tree above:", "");
    rows(theirs);
  } else lines.push("No call by the processes of the tree above was seen.", "");
  if (others.length) {
    lines.push("Calls by other programs of the host, judged by nobody:", "");
    rows(others);
  }
  lines.push(...incoming(state, cast, collected, clock));
  const aside = [
    ...(collected.hidden ? [`${count(collected.hidden, "connection")} of tagged responders and of the console`] : []),
    ...(collected.loopback ? [`${count(collected.loopback, "connection")} of the host with itself`] : []),
    ...(collected.peers.leftOut + collected.callers.leftOut
      ? [`${count(collected.peers.leftOut + collected.callers.leftOut, "event")} of further far ends, more than a report can hold`]
      : []),
  ];
  if (aside.length) lines.push(`Not shown: ${list(aside)}.`, "");
  lines.push(
    "A place and a network are those of the address by the databases named below. Who used it may sit elsewhere: it can be a relay.",
    "",
  );
  return lines;
}

function incoming(state: State, cast: Cast, collected: Collected, clock: Clock): string[] {
  const vouched = new Set([...cast.vouched, ...cast.own].map(({ source }) => source?.ip));
  for (const login of [...cast.accused, ...cast.unvouched]) vouched.delete(login.source?.ip);
  const callers = [...collected.callers.values()]
    .filter(({ far }) => !vouched.has(far.ip))
    .toSorted((a, b) => b.connections - a.connections);
  if (callers.length === 0) return [];
  const logins = (ip: string) => [...state.logins.values()].filter(({ source }) => source?.ip === ip).length;
  const rows = callers
    .slice(0, MOST_ROWS)
    .map((caller) => [
      address({ ip: caller.far.ip }),
      placeOf(caller.far),
      networkOf(caller.far) || "none",
      `${caller.port}`,
      `${caller.connections}`,
      `${logins(caller.far.ip)}`,
      clock(caller.first),
      clock(caller.last),
    ]);
  const lines = [
    "Connections from outside:",
    "",
    ...table(["From", "Place", "Network (AS)", "To port", "Connections", "Logins seen", "First", "Last"], rows),
    "",
  ];
  if (callers.length > MOST_ROWS) lines.push(`Left out: ${count(callers.length - MOST_ROWS, "further far end")}; the log has them.`, "");
  return lines;
}
