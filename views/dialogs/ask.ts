import type { State } from "#state/state";
import { fieldSpans } from "../field.ts";
import { type Span, span, wrapText } from "../row.ts";
import type { LocalDialog } from "../screen-state.ts";
import type { SavedFilter } from "../settings.ts";
import type { Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";

/** Leaving an isolated host alone is decided, not slipped into. */
export function leaveDialog(
  theme: Theme,
  size: { width: number; height: number },
  state: State,
  armed: boolean,
  isolateKey: string,
): Overlay {
  const reverts = revertsAlone(state);
  const body: Span[][] = [
    [],
    [span("The host is still isolated.", "strong")],
    [span(reverts ? "It reverts by itself 60 s after you leave." : "It stays isolated when you leave.", "text")],
    [span(`To let it back onto the network, release it first: Esc, then ${isolateKey}.`, "text")],
    [],
  ];
  const foot = [
    [...keyHint("q", armed ? (reverts ? "leaves; it reverts" : "leaves it isolated") : "wait", armed), ...keyHint("Esc", "stays")],
  ];
  return box(theme, {
    title: "Leave the console?",
    style: "isolated",
    body,
    foot,
    width: Math.min(size.width - 4, 104),
    height: size.height,
  });
}

/** The isolation that stands is undone when the host does not hear from this console any more. */
export const revertsAlone = ({ isolated, responses }: State): boolean =>
  isolated !== undefined && responses.get(isolated.response)?.keeps === "reverts";

/** Asks what the whole session is to be searched for. */
export function searchDialog(theme: Theme, size: { width: number; height: number }, text: string): Overlay {
  const width = Math.min(size.width - 4, 84);
  const says =
    "The next event after this moment that tells of all words, whatever tags and filters hide: commands, paths, addresses, hashes, names, countries, reasons. pid:182 is that pid alone.";
  const body: Span[][] = [
    [],
    [span("words     ", "soft"), ...fieldSpans(theme, text, width - 4 - 10, "zfneolx   61.177.172.1:443   cat shadow   finding")],
    [],
    ...wrapText(says, width - 4).map((line): Span[] => [span(line, "soft")]),
    [],
  ];
  const foot = [
    [...keyHint("Enter", "next", text.trim() !== ""), ...keyHint("↑", "the one before", text.trim() !== ""), ...keyHint("Esc", "cancels")],
  ];
  return box(theme, { title: "Search the whole session", style: "focus", body, foot, width, height: size.height });
}

/** Asks under which name a filter is kept. */
export function nameFilterDialog(
  theme: Theme,
  size: { width: number; height: number },
  dialog: LocalDialog & { kind: "name-filter" },
  saved: readonly SavedFilter[],
): Overlay {
  const width = Math.min(size.width - 4, 84);
  const same = saved.find(({ name }) => name === dialog.name.trim());
  const says = !same
    ? "It is kept on this machine, for every session: Tab in the filter's line and the palette offer it."
    : same.fixed
      ? "The config file has a filter of that name: choose another one."
      : `That name has /${same.text} now: Enter puts this one in its place.`;
  const body: Span[][] = [
    [],
    [span("filter    ", "soft"), { text: `/${dialog.text}`, style: "strong", flex: true }],
    [span("name      ", "soft"), ...fieldSpans(theme, dialog.name, width - 4 - 10, "abroad, web shells, …")],
    [],
    ...wrapText(says, width - 4).map((text): Span[] => [span(text, same ? "warn" : "soft")]),
    [],
  ];
  const foot = [[...keyHint("Enter", "saves it", dialog.name.trim() !== "" && !same?.fixed), ...keyHint("Esc", "cancels")]];
  return box(theme, { title: "Save this filter", style: "focus", body, foot, width, height: size.height });
}
