import type { Selection } from "#commands/command";
import type { State } from "#state/state";
import { factsOf } from "../facts/facts.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";

const TITLES: Record<Selection["kind"], string> = {
  login: "Login",
  process: "Process",
  connection: "Connection",
  binary: "New binary",
  place: "Place",
  group: "Group",
  past: "What the host remembers",
  "set-up": "How the host is set up",
};

/** Everything about one thing, however much it is: nothing is cut, it scrolls. */
export function aboutDialog(
  theme: Theme,
  size: { width: number; height: number },
  state: State,
  now: number,
  { selection, scroll }: { selection: Selection; scroll: number },
): Overlay {
  const width = Math.min(size.width - 4, 110);
  const facts = factsOf(theme, state, selection, now);
  const body: Span[][] = [[]];
  for (const { label, text, style } of facts)
    for (const [i, line] of wrapText(text, width - 4 - 12).entries())
      body.push([column(i === 0 ? label : "", 12, "faint"), { text: line, style: style ?? "text", flex: true }]);
  if (facts.length === 0) body.push([span("It is no longer in the picture; the log has it.", "soft")]);
  body.push([]);
  const foot = [[...keyHint("Esc", "closes"), span("times are UTC, by the host's clock", "faint")]];
  return box(theme, {
    title: selection.origin === undefined ? TITLES[selection.kind] : "What begins it",
    style: "focus",
    body,
    foot,
    width,
    height: size.height - 2,
    scroll,
  });
}
