import { scopeWords } from "#model/start-card";
import type { ResponseState } from "#state/decided-state";
import type { State } from "#state/state";
import type { Clock } from "./clock.ts";
import { prose } from "./escape.ts";
import { count } from "./words.ts";

/** Who investigated, on whose word, how far it was to go, and every step that went further. */
export function startCardSection({ card, responses }: State, clock: Clock): string[] {
  if (!card) return ["Nobody was asked: who authorised this, and how far it was to go, is not in the record.", ""];
  const lines = [
    `- investigator: ${prose(card.analyst)}`,
    `- authorised by: ${card.authorised_by ? prose(card.authorised_by) : "nobody is named"}`,
    `- ticket: ${card.ticket ? prose(card.ticket) : "none"}`,
    `- scope: ${card.scope ? prose(scopeWords(card.scope)) : "not named"}`,
    ...(card.notes ? [`- notes: ${prose(card.notes, 2000)}`] : []),
    `- ${card.skipped ? "put away without an answer; what stands here was given with the command, else nobody named a ticket or who authorised it, and the scope is to observe:" : "recorded"} ${clock(card.at)}`,
  ];
  const outside = [...responses.values()].filter(({ outside_scope }) => outside_scope !== undefined);
  lines.push(
    "",
    outside.length === 0 ? "No step outside this scope was taken or planned." : `**${count(outside.length, "step")} outside the scope:**`,
    ...(outside.length === 0 ? [] : [""]),
    ...outside.map(
      (response) =>
        `- ${clock(response.at)}, ${prose(response.kind)} (${prose(response.id)}, ${prose(response.phase)}): ${outsideWords(response)}`,
    ),
    "",
  );
  return lines;
}

/** What was authorised, and who went beyond it and why; nothing for a step inside. */
export function outsideWords({ outside_scope: outside, analyst }: Pick<ResponseState, "outside_scope" | "analyst">): string {
  if (!outside) return "";
  const authorised = outside.scope.length > 0 ? scopeWords(outside.scope) : "nothing";
  return `authorised was ${prose(authorised)}; ${prose(analyst)} wanted it all the same: ${outside.reason ? prose(outside.reason, 600) : "no reason was given, and it was refused"}`;
}
