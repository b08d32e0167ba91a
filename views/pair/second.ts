import { partnersOf } from "#model/presence-selectors";
import type { ResponseProgress } from "#model/response-progress";
import { RESPONSE_WORDS } from "../response-words.ts";
import type { ViewStore } from "../store.ts";
import type { Style } from "../theme.ts";
import { ownPerson } from "./person.ts";

/** What a plan's dialog says of who must confirm it, on this screen. */
export interface SecondWords {
  /** Told with the plan. */
  text: string;
  style: Style;
  /** What Enter does here; undefined where it does nothing. */
  enter?: string;
  /** What `a` does. */
  alone?: string;
  escape: string;
}

/** Undefined where one analyst plans and confirms, as everywhere without a second. */
export function secondWords(dialog: ResponseProgress, store: Pick<ViewStore, "company" | "now">): SecondWords | undefined {
  const { company } = store;
  const own = ownPerson(company);
  if (!company || !own || dialog.phase !== "review") return undefined;
  const { presence } = company;
  const { two } = dialog;
  const { does } = RESPONSE_WORDS[dialog.kind];
  const drops = "cancels, nothing is changed";
  if (!two) {
    if (presence.driver === own.name) return undefined;
    return { text: `${presence.driver} drives and decides`, style: "soft", escape: "closes it here" };
  }
  const partners = partnersOf(presence, own.name);
  if (!own.mayDrive) return { text: `two must confirm; you were let in to watch`, style: "soft", escape: "closes it here" };
  const { confirmed } = two;
  if (confirmed) {
    const left = `${Math.max(0, Math.ceil((confirmed.until - store.now()) / 1000))} s`;
    if (confirmed.by === own.name)
      return { text: `you have confirmed; Enter of ${partners.join(" or ")} is awaited: ${left}`, style: "strong", escape: drops };
    return {
      text: `${confirmed.by} has confirmed this plan; yours is the second Enter: ${left}`,
      style: "warn",
      enter: does,
      escape: drops,
    };
  }
  if (partners.length === 0)
    return {
      text: "two must confirm, and nobody else is here who could",
      style: "warn",
      alone: `${does} alone (logged)`,
      escape: drops,
    };
  const text = `two must confirm within 30 s: you and ${partners.join(" or ")}`;
  return { text, style: "strong", enter: `confirms; then ${partners.join(" or ")} must`, escape: drops };
}
