import { forgeableBy } from "#model/past";
import { isHidden } from "#state/lineage";
import { seenLogin } from "#state/past";
import type { PastState, State } from "#state/state";
import { column, paintRow, span } from "../row.ts";
import { loginNumber } from "../rows/login-number.ts";
import type { PastRow, SetUpRow } from "../rows/past.ts";
import type { Style, Theme } from "../theme.ts";
import { day, network, place } from "../words.ts";
import { ageSpans, cursorSpan } from "./title.ts";
import { type RowContext, standingStyle } from "./tree-row.ts";

const KIND_STYLE: Record<PastState["kind"], Style> = {
  gap: "bad",
  login: "strong",
  failed: "soft",
  elevation: "warn",
  account: "warn",
  file: "text",
  package: "soft",
  shell: "text",
};

/** A key's fingerprint, as much of it as tells one from another on a screen; the details have it whole. */
const briefKey = (key: string) => (key.length > 18 ? `${key.slice(0, 15)}…` : key);

/**
 * One thing that the host remembers, in words. Host text in it is still raw. `brief`: what matters less is shortened, and comes last;
 * `narrow`: where somebody came from without the network.
 */
export function pastText(past: PastState, { brief = false, narrow = false } = {}): string {
  const { kind, user = "", effective, source, path, text, methods, keys, tty, first, last, count } = past;
  const where = source ? [source.ip, place(source), narrow ? "" : network(source)].filter(Boolean).join(" ") : "";
  const since = count > 1 && first > 0 && first < last ? `first ${day(first)}` : "";
  if (kind === "login" || kind === "failed") {
    const how = methods ? `by ${methods.join(", ")}` : "";
    const from = where ? `from ${where}` : text ? `from ${text}` : tty ? `at ${tty}` : "";
    const [key, open] = [keys?.map(brief ? briefKey : (whole) => whole).join(" "), past.open ? "not ended" : ""];
    return [user || "no name", from, since, ...(brief ? [open, how, key] : [how, key, open])].filter(Boolean).join(", ");
  }
  if (kind === "elevation" || kind === "account")
    return [effective === undefined ? user : `${user} as ${effective}`, text, methods?.includes("su") ? "su" : "", since]
      .filter(Boolean)
      .join(", ");
  if (kind === "package") return `${methods?.[0] ?? ""} ${text ?? ""}${count > 8 ? ` and ${count - 8} more` : ""}`;
  return [path, text].filter(Boolean).join(kind === "shell" ? ": " : ", ");
}

/** Which of the logins that we see a row tells of: "L3", or that it is this console's; undefined for one of before. */
export function seenAs(state: State, past: PastState): string | undefined {
  const login = seenLogin(state, past);
  if (!login) return undefined;
  return login.ours ? "this console" : `L${loginNumber(state, login.id) ?? "?"}`;
}

/** What the columns of such a row are. */
export const pastHead = (theme: Theme, width: number): string =>
  paintRow(theme, width, [
    column("", 1),
    column("kind", 10, "faint"),
    column("last, UTC", 12, "faint"),
    column("times", 6, "faint"),
    { text: "what", style: "faint", flex: true },
    ...(width >= 110 ? [span(" "), column("who says so", 20, "faint"), span(" "), column("forged by", 9, "faint")] : [span(" ")]),
  ]);

/** One row of the look back, exactly `width` columns wide. */
export function pastRow({ past }: PastRow, context: RowContext): string {
  const { theme, state, width, selected, focused } = context;
  const seen = seenLogin(state, past);
  // what the host wrote down is of the moment when we looked: that he has gone since, we know better
  const told = seen?.end === undefined ? past : { ...past, open: false };
  const style = seen === undefined ? KIND_STYLE[past.kind] : seen.ours || isHidden(seen.standing) ? "faint" : standingStyle(seen.standing);
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      column(past.kind, 10, KIND_STYLE[past.kind]),
      column(day(past.last), 12, past.last > 0 ? "soft" : "faint"),
      column(past.count > 1 ? `${theme.glyphs.times}${past.count}` : "", 6, "soft"),
      ...(seen === undefined
        ? []
        : [span(`${seen.ours ? "" : `${theme.glyphs.standing[seen.standing]} `}${seenAs(state, past)}${seen.ours ? ":" : ""} `, style)]),
      {
        text: pastText(told, { brief: true, narrow: width < 150 }),
        style,
        // of a path both ends say something; of a login its beginning does
        cut: past.kind === "login" || past.kind === "failed" ? "end" : "middle",
        flex: true,
      },
      ...(width >= 110 ? [span(" "), column(past.from.join(", "), 20, "faint"), span(" "), column(forger(past), 8, "faint")] : []),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}

/** Who besides root can make it say something else; that root can is in the title. */
const forger = (past: PastState): string => {
  const by = forgeableBy(past);
  return by === "its owner" ? "owner" : by === "root" ? "" : by;
};

/** Files of a set-up put tabs between words; shown as a tab's own mark they would be read as something odd. */
export const spaced = (text: string): string => text.replaceAll("\t", " ");

const SIGN = { new: "+", gone: "-", here: " " } as const;
const SIGN_STYLE: Record<SetUpRow["thing"]["status"], Style> = { new: "suspect", gone: "bad", here: "soft" };

/** One row of the baseline, exactly `width` columns wide. */
export function setUpRow({ thing, at }: SetUpRow, context: RowContext): string {
  const { theme, now, width, selected, focused } = context;
  const { status, category } = thing;
  const [name, detail] = [spaced(thing.name), spaced(thing.detail)];
  const changed = status !== "here";
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${SIGN[status]} `, SIGN_STYLE[status]),
      column(category, 11, "soft"),
      { text: name, style: changed ? SIGN_STYLE[status] : "text", cut: "middle", flex: true },
      span(" "),
      column(detail, Math.floor((width - 22) / 2), changed ? "text" : "soft", { cut: "middle" }),
      ...(changed
        ? ageSpans(theme, at, now, "soft", at)
        : ageSpans(theme, now, now, "faint", 0).map(({ text }) => span(" ".repeat(text.length)))),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
