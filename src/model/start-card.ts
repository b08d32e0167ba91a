/** What was authorised: to look, to contain the host (isolate it, end processes), to collect evidence from it. Looking always is. */
export type Scope = "observe" | "contain" | "collect";

/** Who investigates, on whose word and how far: asked when a console opens, recorded as `stakeout.card`. */
export interface StartCard {
  analyst: string;
  authorised_by?: string;
  ticket?: string;
  /** "observe" is always among them; left out where nobody named a scope: then nothing is outside of it. */
  scope?: Scope[];
  notes?: string;
  /** The card was put away without an answer: what stands here was given with the command, the rest is the least. */
  skipped?: boolean;
}

/** A card as it is put before the analyst. What was `given` with the command holds even if he puts it away. */
export interface ProposedCard {
  card: StartCard;
  given: Partial<StartCard>;
}

/** Every scope that can be authorised, the narrowest first. */
export const SCOPES: readonly (readonly Scope[])[] = [
  ["observe"],
  ["observe", "contain"],
  ["observe", "collect"],
  ["observe", "contain", "collect"],
];

/** "contain", "contain,collect", "observe": the scope that it names, or undefined for any other word. */
export function parseScope(text: string): Scope[] | undefined {
  const words = new Set(text.split(/[\s,+]+/).filter((word) => word !== ""));
  const named = [...words].every((word) => word === "observe" || word === "contain" || word === "collect");
  if (words.size === 0 || !named) return undefined;
  return (["observe", "contain", "collect"] as const).filter((scope) => scope === "observe" || words.has(scope));
}

/** "observe, contain". */
export const scopeWords = (scope: readonly Scope[]): string => scope.join(", ");

/** The card in one sentence, for whoever reads the log or listens to the screen. */
export function cardSentence(card: StartCard): string {
  const parts = [
    `${card.analyst} investigates`,
    card.authorised_by ? `authorised by ${card.authorised_by}` : "nobody is named who authorised it",
    card.ticket ? `ticket ${card.ticket}` : "no ticket",
    card.scope ? `scope: ${scopeWords(card.scope)}` : "no scope is named",
    ...(card.skipped ? ["the card was put away unanswered: this is what was given with the command"] : []),
    ...(card.notes ? [`notes: ${card.notes}`] : []),
  ];
  return parts.join("; ");
}
