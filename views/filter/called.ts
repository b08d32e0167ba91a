import type { Endpoint } from "#model/event";
import { farEnd } from "#state/selectors";
import type { State } from "#state/state";

/** They change with every connection; a filter asks for them once a row. */
const kept = new WeakMap<State, { sequence: number; called: ReadonlyMap<string, readonly Endpoint[]> }>();

/** Far ends of the connections of each process (by entity_id) that has any in the picture. */
export function calledBy(state: State): ReadonlyMap<string, readonly Endpoint[]> {
  const known = kept.get(state);
  if (known?.sequence === state.sequence) return known.called;
  const called = new Map<string, Endpoint[]>();
  for (const connection of state.connections.values()) {
    if (connection.process === undefined || connection.phase === "listening") continue;
    const ends = called.get(connection.process);
    if (ends) ends.push(farEnd(connection));
    else called.set(connection.process, [farEnd(connection)]);
  }
  kept.set(state, { sequence: state.sequence, called });
  return called;
}
