import type { Measure } from "#model/measure";
import type { ResponseKind } from "#model/response";
import type { StartCard } from "#model/start-card";

export const CARD_FIELDS = ["analyst", "authorised_by", "ticket", "scope", "notes"] as const;
export type CardField = (typeof CARD_FIELDS)[number];

/** The start card while it is being filled in. */
export interface CardDialog {
  kind: "card";
  /** The field that has the keys. */
  field: CardField;
  texts: Readonly<Record<Exclude<CardField, "scope">, string>>;
  /** Which of the scopes that can be authorised (`SCOPES`). */
  scope: number;
  /** What holds if the card is put away. */
  given: Partial<StartCard>;
}

/** Asks why something is to be done that was not authorised. */
export interface ReasonDialog {
  kind: "reason";
  response: ResponseKind;
  /** What is wanted, where it is less than an isolation. */
  measure?: Measure;
  text: string;
}
