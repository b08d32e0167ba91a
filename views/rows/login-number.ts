import type { State } from "#state/state";

/** The number that the logins' list gives to this one; undefined for a login that is not known. */
export const loginNumber = (state: State, id: string): number | undefined => state.logins.get(id)?.number;
