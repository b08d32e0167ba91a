import type { State } from "#state/state";

/** The number that the logins' list gives to this one; undefined for a login that is not known. */
export function loginNumber(state: State, id: string): number | undefined {
  let number = 0;
  for (const known of state.logins.keys()) {
    number++;
    if (known === id) return number;
  }
  return undefined;
}
