import type { Selector } from "#model/event";
import type { TagState } from "#state/decided-state";
import type { State } from "#state/state";
import { type BoxLine, box, keyHint, type Overlay } from "../dialogs/box.ts";
import { standingStyle } from "../panes/tree-row.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import { processName } from "../rows/standing.ts";
import { selectorName } from "../selector.ts";
import { clock, count, loginCalled } from "../words.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { kindOf } from "./list-keys.ts";

/** Every tag with what it hides, and what is suggested; two lines each where there is room for the reason. */
export function tagsDialog(screen: Picture, size: { width: number; height: number }, dialog: { at: number }): Overlay {
  const { theme, store } = screen;
  const width = Math.min(size.width - 4, 140);
  const { state } = store;
  const entries = entriesOf(state, store.suggestions);
  const at = Math.min(dialog.at, Math.max(0, entries.length - 1));
  const covers = hiddenByTag(state);
  const body: BoxLine[] = [[]];
  let place = 0;
  let heading = "";
  for (const [i, entry] of entries.entries()) {
    const group = headingOf(entry);
    if (group !== heading) {
      if (heading !== "") body.push([]);
      body.push([span(group, "soft")]);
      heading = group;
    }
    if (i === at) place = body.length;
    const lines = entryLines(screen, entry, covers, i === at);
    body.push(...(i === at ? lines.map((spans): BoxLine => ({ spans, ground: "selected" })) : lines));
  }
  if (entries.length === 0)
    body.push(
      [span("Nothing is tagged, and nothing is suggested.", "soft")],
      ...wrapText(
        `${screen.keymap.label("tag")} tags what is selected; stakeout profile --help tells how a team's profile suggests.`,
        width - 4,
      ).map((text): BoxLine => [span(text, "soft")]),
    );
  body.push([]);
  const chosen = entries[at];
  const foot = [[...hints(store.suggestions?.length ?? 0, chosen), ...keyHint("Esc", "closes")]];
  const room = Math.max(1, size.height - 2 - 5);
  const scroll = Math.max(0, Math.min(place - Math.floor(room / 2), body.length - room));
  return box(theme, { title: "Tags", style: "focus", body, foot, width, height: size.height - 2, scroll });
}

const headingOf = (entry: Entry) =>
  "suggestion" in entry ? "Suggested, decided by nobody" : entry.tag.removed === undefined ? "In force" : "Taken back";

function hints(suggested: number, entry: Entry | undefined): Span[] {
  if (!entry) return [];
  if ("suggestion" in entry) return [...keyHint("Enter", "makes it a tag"), ...(suggested > 1 ? keyHint("a", `all ${suggested}`) : [])];
  if (entry.tag.removed !== undefined) return [...keyHint("Enter", "makes it again"), ...keyHint("Z", "undoes")];
  return [...keyHint("Enter", "changes it"), ...keyHint("x", "takes it back"), ...keyHint("Z", "undoes")];
}

function entryLines(screen: Picture, entry: Entry, covers: ReadonlyMap<string, number>, on: boolean): Span[][] {
  const { theme, store } = screen;
  const mark = span(on ? `${theme.glyphs.folded} ` : "  ", "focus");
  const { selector, verdict, reason } = "suggestion" in entry ? entry.suggestion : entry.tag;
  const gone = "tag" in entry && entry.tag.removed !== undefined;
  const style = gone ? "faint" : standingStyle(verdict);
  const first: Span[] = [
    mark,
    column(`${theme.glyphs.standing[verdict]} ${verdict}`, 13, style),
    column(kindOf(selector), 10, "soft"),
    { text: brief(store.state, selector), style: gone ? "faint" : "strong", flex: true },
    span(` ${"suggestion" in entry ? "" : amount(entry.tag, covers)}`, gone ? "faint" : "text"),
  ];
  const why =
    "suggestion" in entry
      ? entry.suggestion.why
      : `${entry.tag.analyst} at ${clock(entry.tag.applied)}${gone ? `, taken back ${clock(entry.tag.removed ?? 0)}` : ""}: ${reason}${scopeOf(entry.tag)}`;
  return [first, [span("               "), { text: why, style: gone ? "faint" : "soft", flex: true }]];
}

/** The kind stands beside it already. */
function brief(state: State, selector: Selector): string {
  if ("login" in selector) {
    const login = state.logins.get(selector.login);
    return login ? `${loginCalled(login)}${login.end === undefined ? "" : " (ended)"}` : "in the picture no more";
  }
  if (!("process" in selector)) return selectorName(state, selector);
  const process = state.processes.get(selector.process);
  return process ? `${processName(process)} pid ${process.pid}${process.end === undefined ? "" : " (ended)"}` : "in the picture no more";
}

const scopeOf = ({ scope, hides_flagged: flagged, kept }: TagState): string =>
  [
    scope === "host" ? " · this host" : scope === "profile" ? " · our team's profile" : "",
    flagged ? " · flagged things too" : "",
    kept ? ` · kept since ${kept.since.slice(0, 10)}, by ${kept.analyst}` : "",
  ].join("");

const amount = (tag: TagState, covers: ReadonlyMap<string, number>): string => {
  if (tag.removed !== undefined) return "";
  const n = covers.get(tag.id) ?? 0;
  return `${count(n)} ${n === 1 ? "process" : "processes"}`;
};

/** Processes in the picture that have their standing by each tag. */
function hiddenByTag(state: State): Map<string, number> {
  const found = new Map<string, number>();
  for (const { tag } of state.processes.values()) if (tag !== undefined) found.set(tag, (found.get(tag) ?? 0) + 1);
  return found;
}
