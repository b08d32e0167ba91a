import type { Subject } from "#model/presence";
import { whoDidWhat } from "#state/selectors";
import type { State } from "#state/state";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { fieldSpans } from "../field.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Style } from "../theme.ts";
import { thingName } from "../thing.ts";
import { clock } from "../words.ts";
import type { PairDialog } from "./dialog.ts";
import { peopleDialog } from "./people-dialog.ts";
import { personStyle } from "./person.ts";

interface Size {
  width: number;
  height: number;
}

/** A dialog of two analysts. */
export function pairDialog(screen: Picture, size: Size, dialog: PairDialog): Overlay {
  if (dialog.kind === "people") return peopleDialog(screen, size, dialog);
  return dialog.kind === "compose" ? composeDialog(screen, size, dialog) : actsDialog(screen, size, dialog.scroll);
}

const subjectName = (state: State, { kind, id }: Subject) => (kind === "finding" ? "a finding" : thingName(state, { kind, id }));

function composeDialog({ theme, store }: Picture, size: Size, dialog: PairDialog & { kind: "compose" }): Overlay {
  const width = Math.min(size.width - 4, 100);
  const chat = dialog.what === "chat";
  const about = dialog.on ? subjectName(store.state, dialog.on) : "the session";
  const says = chat
    ? "Everybody who is here sees it. It is not recorded: what should stay is a note."
    : "It is recorded with your name, and stands in the details and in the report.";
  const body: Span[][] = [
    [],
    fieldSpans(theme, dialog.text, width - 4, chat ? "what you want to say" : "what you found, what you think, what is still to do"),
    [],
    ...wrapText(says, width - 4).map((text): Span[] => [span(text, "soft")]),
    [],
  ];
  const ready = dialog.text.trim() !== "";
  const foot = [[...keyHint("Enter", chat ? "says it" : "notes it", ready), ...keyHint("Esc", "cancels")]];
  return box(theme, { title: chat ? "Chat" : `Note on ${about}`, style: "focus", body, foot, width, height: size.height });
}

/** Lines that one act may take. */
const MOST_LINES = 6;

/** The first lines of what is longer; that there is more is seen. */
const briefly = (lines: readonly string[], room: number): string[] =>
  lines.length <= MOST_LINES ? [...lines] : [...lines.slice(0, MOST_LINES - 1), `${(lines[MOST_LINES - 1] ?? "").slice(0, room - 2)} …`];

/** Who did what, the newest first. */
function actsDialog({ theme, store }: Picture, size: Size, scroll: number): Overlay {
  const width = Math.min(size.width - 4, 120);
  const { state } = store;
  const names = [...state.analysts.keys()];
  const here = store.company?.presence.people ?? [];
  const styleOf = (name: string): Style =>
    personStyle({ colour: here.find((person) => person.name === name)?.colour ?? names.indexOf(name) });
  const acts = whoDidWhat(state);
  const own = Math.min(16, Math.max(4, ...names.map((name) => Array.from(name).length)));
  const room = width - 4 - 10 - own - 2;
  const body: Span[][] = acts.flatMap(({ at, analyst, what, on }) =>
    briefly(wrapText(on ? `${what} ${theme.glyphs.dot} ${subjectName(state, on)}` : what, room), room).map((text, i): Span[] => [
      column(i === 0 ? clock(at) : "", 10, "soft"),
      column(i === 0 ? analyst : "", own + 2, styleOf(analyst)),
      { text, style: "text", flex: true },
    ]),
  );
  const more = [...state.analysts.values()].reduce((sum, { more }) => sum + more, 0);
  if (acts.length === 0) body.push([span("Nobody has done anything in this session yet.", "soft")]);
  if (more > 0) body.push([span(`and ${more} older acts, which the log has`, "faint")]);
  const foot = [[...keyHint("Esc", "closes"), span("times are UTC, by the host's clock", "faint")]];
  return box(theme, { title: "Who did what", style: "focus", body: [[], ...body, []], foot, width, height: size.height - 2, scroll });
}
