import { attemptsOf } from "#state/callers";
import type { ConnectionState, PeerState, State } from "#state/state";
import { phaseOf, triesLine } from "../panes/connection-row.ts";
import { processName } from "../rows/standing.ts";
import type { Theme } from "../theme.ts";
import { address, age, bytes, clock, count, network, place, plural, stretch } from "../words.ts";
import { type Fact, loginFact, namesFact, originFact, placesByFact, processText } from "./fact.ts";

export function connectionFacts(theme: Theme, state: State, id: string, now: number): Fact[] {
  const c = state.connections.get(id);
  if (!c) return [];
  const process = c.process === undefined ? undefined : state.processes.get(c.process);
  const listens = c.phase === "listening";
  const far = c.direction === "egress" ? c.destination : c.source;
  const phase = phaseOf(c, theme.glyphs);
  const peer = c.direction === "egress" ? state.peers.get(`${far.ip} ${far.port ?? 0}`) : undefined;
  const ended = c.outcome === "failure" ? ", it never got through" : "";
  return [
    { label: listens ? "listens" : c.direction === "egress" ? "to" : "from", text: address(far), style: "strong" },
    ...(listens
      ? []
      : [{ label: "place", text: [place(far), far.geo?.country_name, network(far)].filter(Boolean).join(", "), style: "place" as const }]),
    ...(listens ? [] : [namesFact(state, far.ip)]),
    {
      label: "state",
      text: `${phase.word} since ${clock(c.end ?? c.start)} (${age(c.end ?? c.start, now)})${ended}, ${c.transport}${listens ? "" : c.direction === "egress" ? ", called by the host" : ", came to the host"}`,
      style: phase.style,
    },
    { label: "process", text: process ? processText(process) : "not known" },
    ...(peer ? peerFacts(theme, peer, attemptsOf(peer, process), now) : []),
    ...(process ? [{ label: "command", text: process.args?.join(" ") ?? processName(process) }] : []),
    ...(listens ? [] : [{ label: "local", text: address(c.direction === "egress" ? c.source : c.destination) }]),
    ...loginFact(state, c.login, c.process),
    ...(c.login === undefined ? originFact(state, c.process) : []),
    ...(listens ? [] : [carriedFact(c, now)]),
    ...(far.geo || far.as ? placesByFact(state) : []),
  ];
}

function carriedFact({ carried, phase }: ConnectionState, now: number): Fact {
  if (!carried) return { label: "bytes", text: "not known", style: "faint" };
  const { sent, received, rtt, at } = carried;
  const how = rtt === undefined ? "" : `, round trip ${rtt < 10 ? rtt.toFixed(1) : Math.round(rtt)} ms`;
  return {
    label: "bytes",
    text: `${bytes(sent)} sent by the host, ${bytes(received)} received${how}; ${phase === "ended" ? "at the last look" : `${age(at, now)} ago`}`,
  };
}

/** Everything about the attempts at a far end: a beacon shows by its regularity. */
function peerFacts(theme: Theme, peer: PeerState, own: number | undefined, now: number): Fact[] {
  const { attempts, established, first, last } = peer;
  const every = attempts > 2 ? `, one every ${stretch(Math.max(1000, (last - first) / (attempts - 1)))} on average` : "";
  const [whose, through] =
    own === undefined
      ? ["by all,", "got through"]
      : own === attempts
        ? ["by this program,", "got through"]
        : [`by all, ${count(own)} of them by this program;`, "of all got through"];
  const told = `${plural(attempts, "attempt")} ${whose} ${count(established)} ${through}${every}`;
  const line = triesLine(theme, 24, peer, now).trim();
  return [
    { label: "attempts", text: told, ...(attempts >= 5 ? { style: "warn" as const } : {}) },
    { label: "over time", text: `${clock(first)} ${line} ${clock(now)}` },
  ];
}
