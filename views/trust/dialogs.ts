import { hostsToWarn, type Suspected, secretsToRotate, suspects } from "#state/rotation";
import type { State } from "#state/state";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { processText } from "../facts/fact.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import { clock, loginCalled, place } from "../words.ts";
import type { TrustDialog } from "./dialog.ts";
import { findingsDialog } from "./findings-dialog.ts";
import { socketsDialog } from "./sockets.ts";

interface Size {
  width: number;
  height: number;
}
/** More than anybody reads on a screen; the report and the log have the rest. */
const MOST_ROWS = 500;

export const trustDialog = (screen: Picture, size: Size, dialog: TrustDialog): Overlay =>
  dialog.kind === "findings"
    ? findingsDialog(screen, size, dialog)
    : (dialog.kind === "rotate" ? rotateDialog : socketsDialog)(screen, size, dialog.scroll);

const whoText = (state: State, { who, standing }: Suspected): string => {
  const login = state.logins.get(who);
  return `${login ? loginCalled(login) : processText(state.processes.get(who))}${standing === "unknown" ? "" : ` (${standing})`}`;
};
const some = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? `, and ${names.length - 3} more` : ""}`;

/** What to rotate, and which machines to warn. */
function rotateDialog({ theme, store }: Picture, size: Size, scroll: number): Overlay {
  const width = Math.min(size.width - 4, 130);
  const { state } = store;
  const people = suspects(state);
  const secrets = secretsToRotate(state, people);
  const hosts = hostsToWarn(state, people);
  const inner = width - 4;
  const head = (text: string): Span[][] => [[], [span(text, "strong")]];
  const rows: Span[][] = [];
  if (secrets.length > 0)
    rows.push(
      [],
      ...wrapText("read: take it as known, change it now. could: they had the right to, and were not seen to.", inner).map(
        (text): Span[] => [span(text, "soft")],
      ),
      ...head("Secrets"),
    );
  for (const { secret, read, could } of secrets.slice(0, MOST_ROWS)) {
    const first = read[0];
    const what = [
      secret.kind ?? "",
      ...(secret.fingerprint ? [secret.fingerprint] : []),
      ...(secret.cipher === "none" ? ["no passphrase"] : []),
    ].join(", ");
    const by = first
      ? `read ${clock(first.last)} by ${some(read.map((one) => whoText(state, one)))}`
      : `could be read by ${some(could.map((one) => whoText(state, one)))}`;
    rows.push([
      column(first ? "read" : "could", 7, first ? "bad" : "warn"),
      { text: secret.path, style: "text", flex: true, cut: "middle" },
    ]);
    rows.push(
      ...wrapText(`${what} ${theme.glyphs.dot} ${by}`, inner - 7).map((text): Span[] => [column("", 7, "soft"), span(text, "soft")]),
    );
  }
  if (hosts.length > 0) rows.push(...head("Machines that they called, or where what they read may let them in"));
  for (const { name, called, named } of hosts.slice(0, MOST_ROWS)) {
    const why = called
      ? `${place(called.host.endpoint)} ${theme.glyphs.dot} ${called.host.established > 0 ? "reached" : "tried"} by ${some(called.by.map((one) => whoText(state, one)))}`
      : `named in ${some(named)}`;
    rows.push([column(called ? "called" : "named", 7, called ? "bad" : "warn"), { text: name, style: "text", flex: true, cut: "middle" }]);
    rows.push(...wrapText(why, inner - 7).map((text): Span[] => [column("", 7, "soft"), span(text, "soft")]));
  }
  if (rows.length === 0) rows.push([], [span("No login is in question, or none could read a secret that is known.", "soft")]);
  const blind = state.touched.secrets.size === 0 ? "No secret of this host is known: its account may not look, or nothing looked." : "";
  const notes = [
    blind,
    "What was read before we looked is not known. Who could: by owner, by everybody or as root; groups are not counted.",
  ].filter(Boolean);
  const body = [...rows, [], ...notes.flatMap((note) => wrapText(note, inner).map((text): Span[] => [span(text, "faint")])), []];
  const foot = [[...keyHint("Esc", "closes"), span("the report has this list as well", "faint")]];
  return box(theme, { title: "What to rotate", style: "focus", body, foot, width, height: size.height - 2, scroll });
}
