import { countTry, joinTries } from "./activity.ts";
import type { ConnectionState, PeerState, ProcessState, State, Tried } from "./state.ts";
import type { Millis } from "./time.ts";

/** Callers that are told apart at one far end. */
const MOST_CALLERS = 8;
/** What all others try is one count, so that nobody hides his behind eight of his own that came first. No caller is called so: see {@link callerOf}. */
const OTHERS = "others";

/** Whose attempts are told as one: a program of one login. Tags come later and go by both, so no verdict is in it. */
export const callerOf = (process: ProcessState | undefined): string => (process ? `${process.login ?? ""} ${programOf(process)}` : "");
const programOf = ({ name, executable, pid }: ProcessState): string => `${name ?? executable ?? pid}`;

/** One more attempt at a far end that is known. Most have one caller: only a second one costs a count of its own. */
export function countCaller(peer: PeerState, process: ProcessState | undefined, at: Millis): void {
  const caller = callerOf(process);
  if (!peer.callers) {
    if (caller === peer.caller) return;
    peer.callers = new Map([[peer.caller, { attempts: peer.attempts, tries: { ...peer.tries, counts: [...peer.tries.counts] } }]]);
  }
  const apart = peer.callers.has(caller) || peer.callers.size < MOST_CALLERS;
  const known = peer.callers.get(apart ? caller : OTHERS);
  if (known) {
    known.attempts += 1;
    countTry(known.tries, at);
  } else peer.callers.set(apart ? caller : OTHERS, { attempts: 1, tries: countTry(undefined, at), ...(apart ? {} : { shared: true }) });
}

/**
 * The attempts at the far end of these connections by whoever made them (programs by login), those that are no longer kept included: of those who are not
 * told apart all of theirs. Undefined of connections that came in.
 */
export function triedBy(state: State, connections: Iterable<ConnectionState>): Tried | undefined {
  let peer: PeerState | undefined;
  const callers = new Set<string>();
  for (const { direction, destination, process } of connections) {
    if (direction !== "egress") return undefined;
    peer ??= state.peers.get(`${destination.ip} ${destination.port ?? 0}`);
    if (!peer?.callers) return peer;
    callers.add(callerOf(process === undefined ? undefined : state.processes.get(process)));
  }
  const those = [...new Set([...callers].map((caller) => peer?.callers?.get(caller) ?? peer?.callers?.get(OTHERS)))].filter(
    (one) => one !== undefined,
  );
  if (those.length === 0) return undefined;
  return {
    ...(those.some(({ shared }) => shared) ? { shared: true as const } : {}),
    attempts: those.reduce((sum, { attempts }) => sum + attempts, 0),
    tries: joinTries(those.map(({ tries }) => tries)),
  };
}

/** The attempts at a far end by one program, whatever login it ran in. Undefined where they are not known apart. */
export function attemptsOf(peer: PeerState, process: ProcessState | undefined): number | undefined {
  if (!peer.callers) return peer.attempts;
  if (!process || peer.callers.size >= MOST_CALLERS) return undefined;
  const program = programOf(process);
  const own = [...peer.callers].filter(([caller]) => caller.slice(caller.indexOf(" ") + 1) === program);
  return own.reduce((sum, [, { attempts }]) => sum + attempts, 0);
}
