import { visiblePath } from "#model/host-string";
import { flagsOf } from "#state/flags";
import { isHidden } from "#state/lineage";
import { RANDOM_LOOKING } from "#state/state";
import { column, paintRow, span } from "../row.ts";
import type { BinaryRow } from "../rows/binaries.ts";
import { processName } from "../rows/standing.ts";
import type { Style, Theme } from "../theme.ts";
import { bytes, loginName } from "../words.ts";
import { ageSpans, cursorSpan, headOfAge } from "./title.ts";
import { type RowContext, standingStyle } from "./tree-row.ts";

/** What speaks against it and where it lies; of what has neither, the path has that room. */
function flags(binary: BinaryRow["binary"], width: number, as: (style: Style) => Style) {
  const spans = [...remarks(binary, as), ...place(binary, width, as)];
  return spans.every(({ text }) => text.trim() === "") ? [] : [span(" "), ...spans];
}

/** What a list says of it goes before what its name looks like. */
function remarks({ known, random }: BinaryRow["binary"], as: (style: Style) => Style) {
  if (known) return [column(known.verdict === "bad" ? "bad" : "known", 7, as(known.verdict === "bad" ? "bad" : "soft"))];
  return [column((random ?? 0) >= RANDOM_LOOKING ? "random" : "", 7, as("suspect"))];
}

const ONE_PLACE = 8;
const placeWidth = (width: number): number => (width >= 150 ? 23 : ONE_PLACE);

/** Where it lies that few programs do: the gravest of it alone where there is no room. */
function place(binary: BinaryRow["binary"], width: number, as: (style: Style) => Style) {
  const lies = flagsOf(binary);
  const words = binary.nameless ? ["no name", ...lies.filter((flag) => flag !== "deleted")] : lies;
  const grave = binary.nameless || lies[0] === "memfd" || lies[0] === "deleted";
  const style = grave ? "bad" : lies[0] === "mount" || lies[0] === "hidden" ? "suspect" : "soft";
  const room = placeWidth(width);
  return [column(room > ONE_PLACE ? words.join(" ") : (words[0] ?? ""), room, as(style)), span(" ")];
}

/** What the columns of such a row are. */
export const binaryHead = (theme: Theme, width: number): string =>
  paintRow(theme, width, [
    column("", 9),
    { text: "path", style: "faint", flex: true },
    span(" "),
    column("flags", 7 + placeWidth(width), "faint"),
    span(" "),
    ...(width >= 76 ? [column("size", 7, "faint", { align: "right" }), span(" "), column("sha256", 12, "faint")] : []),
    column("runs", 9, "faint", { align: "right" }),
    ...(width >= 130 ? [span(" "), column("run as", 18, "faint")] : []),
    ...(width >= 96 ? [span(" "), column("brought by", 20, "faint")] : []),
    ...headOfAge("seen"),
  ]);

/** One row of the new binaries, exactly `width` columns wide. */
export function binaryRow({ binary, number, at }: BinaryRow, context: RowContext): string {
  const { theme, state, now, width, selected, focused } = context;
  const { glyphs } = theme;
  const hidden = isHidden(binary.standing);
  const judged = binary.standing === "intruder" || binary.standing === "suspect";
  const as = (style: Style): Style => (hidden ? "responder" : style);
  const login = binary.login === undefined ? undefined : state.logins.get(binary.login);
  const by = binary.writer ?? binary.runners[0];
  const who = login ? loginName(login) : by === undefined ? "" : processName(state.processes.get(by));
  const pids = binary.runners.map((id) => state.processes.get(id)?.pid ?? "?");
  const runners = pids.length > 3 ? `${pids.slice(0, 3).join(" ")}…` : pids.join(" ");
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${hidden || judged ? glyphs.standing[binary.standing] : " "} `, standingStyle(binary.standing)),
      span(`${binary.elf ? glyphs.binary : " "} `, as("warn")),
      column(`B${number}`, number > 999 ? 6 : 4, as("soft")),
      { text: visiblePath(binary.path), style: as(judged ? standingStyle(binary.standing) : "strong"), cut: "middle", flex: true },
      ...flags(binary, width, as),
      ...(width >= 76
        ? [
            column(bytes(binary.size), 7, as("soft"), { align: "right" }),
            span(" "),
            // a hash that is not there yet is on its way, or was refused: never an empty column
            column(
              binary.sha256?.slice(0, 12) ?? (binary.unread ? "not readable" : "no hash yet"),
              12,
              as(binary.sha256 ? "text" : "faint"),
            ),
          ]
        : []),
      column(binary.runs > 0 ? `ran ${glyphs.times}${binary.runs}` : "not run", 9, as(binary.runs > 0 ? "warn" : "faint"), {
        align: "right",
      }),
      ...(width >= 130 ? [span(" "), column(runners === "" ? "" : `pid ${runners}`, 18, as("soft"))] : []),
      ...(width >= 96 ? [span(" "), column(binary.unseenHand ? `${who} +?` : who, 20, as("soft"), { cut: "middle" })] : []),
      ...ageSpans(theme, binary.first, now, as("soft"), at),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
