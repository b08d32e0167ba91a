import type { ResponseKind } from "./response.ts";
import type { Scope, StartCard } from "./start-card.ts";

/** What a response must be authorised for. Whatever it does, it changes the host. */
const NEEDS: Record<ResponseKind, Scope> = {
  isolate: "contain",
  release: "contain",
  rehearse: "contain",
  kill: "contain",
  suspend: "contain",
  resume: "contain",
  block: "contain",
  unblock: "contain",
  shutdown: "contain",
};

/** What the card's scope does not hold of what this response needs; undefined where it is inside, or where no scope was ever named. */
export function outsideScope(card: StartCard | undefined, kind: ResponseKind): Scope | undefined {
  return card?.scope === undefined || card.scope.includes(NEEDS[kind]) ? undefined : NEEDS[kind];
}
