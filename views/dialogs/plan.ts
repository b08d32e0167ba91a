import type { BeforeCut, ResponseProgress } from "#model/response-progress";
import { scopeWords } from "#model/start-card";
import { fieldSpans } from "../field.ts";
import type { SecondWords } from "../pair/second.ts";
import { RESPONSE_WORDS } from "../response-words.ts";
import { column, hardWrap, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { count, plural } from "../words.ts";
import { keyHint } from "./box.ts";

/** The plan exactly as it will run, with what it does to whom: what matters most first, the script last. */
export function planBody(theme: Theme, dialog: ResponseProgress, width: number, second: SecondWords | undefined): Span[][] {
  const { glyphs } = theme;
  const { kind } = dialog;
  const isolate = kind === "isolate";
  const words = RESPONSE_WORDS[kind];
  return [
    [],
    [span(words.means, "strong")],
    ...wrapText(staysWords(dialog), width).map((text) => [span(text, "text")]),
    [],
    ...(dialog.outside
      ? told("scope", `OUTSIDE what is authorised (${scopeWords(dialog.outside.scope)}): ${dialog.outside.reason}`, "warn", width)
      : []),
    ...(second ? told("confirm", second.text, second.style, width) : []),
    ...(dialog.target === undefined ? [] : told("what", dialog.target, "strong", width)),
    ...told("method", dialog.method ?? "?", "text", width),
    ...(dialog.keepsAccess === undefined
      ? kind === "release" // it takes rules away, and adds none that could lock us out
        ? []
        : told("access", "not known whether this console's connection survives", "warn", width)
      : dialog.keepsAccess
        ? told("access", `${glyphs.yes} this console's connection survives`, "good", width)
        : told("access", `${glyphs.no} THIS CONSOLE'S CONNECTION DIES: you will be locked out`, "alarm", width)),
    ...(dialog.colleagues?.length ? told("ours?", colleaguesWords(dialog.colleagues), "bad", width) : []),
    ...(isolate ? told("dead man", dialog.deadMan ?? "none", dialog.deadMan ? "text" : "warn", width) : []),
    ...(dialog.before ? beforeLines(theme, dialog, dialog.before, width) : []),
    ...told("below", summary(dialog), "soft", width),
    [],
    ...(isolate || (dialog.allowed.length > 0 && kind !== "release") // released, everybody is let in
      ? section(`${glyphs.yes} stays allowed`, "good", dialog.allowed, "nobody: no address is allowed", width)
      : []),
    ...(kind === "isolate" || kind === "block"
      ? section(`${glyphs.no} dies`, "bad", dialog.dies, "no connection that is open now", width)
      : []),
    ...(isolate ? section(`${glyphs.yes} survives`, "good", dialog.survives, "no connection that is open now", width) : []),
    ...(isolate && dialog.breaks
      ? section("! may break, in words for the customer", "warn", breaksWords(dialog.breaks), "", width, dialog.breaks.length)
      : []),
    ...(isolate || dialog.leaks.length > 0
      ? section("! cannot be stopped by this method", "warn", dialog.leaks, "nothing that is known", width)
      : []),
    ...(dialog.networkBlock?.length
      ? section("ask the customer's network for this as well: root cannot undo it there", "strong", dialog.networkBlock, "", width)
      : []),
    ...(dialog.notes?.length ? section("to know", "strong", dialog.notes, "", width) : []),
    [
      span("exactly this runs on the host", "strong"),
      span(dialog.plan_sha256 ? `   sha256 ${dialog.plan_sha256.slice(0, 16)}` : "", "faint"),
    ],
    ...script(dialog.plan ?? "", width),
    [],
  ];
}

const staysWords = ({ kind, choice }: ResponseProgress): string => {
  if (kind !== "isolate") return RESPONSE_WORDS[kind].after;
  if (choice?.keeps === "boot")
    return "It stays until somebody releases it, also when this console vanishes, through a reboot too: for that files are written to the host's disk, once access is proven; a release removes them.";
  return choice?.keeps === "reverts"
    ? "It reverts by itself when the host has not heard from this console for 60 s. It ends with a reboot."
    : "It stays until somebody releases it, also when this console vanishes. It ends with a reboot: nothing is written to the host's disk.";
};

/** Who would be taken or stopped before the cut, and what the rules on live traffic said. */
function beforeLines(theme: Theme, dialog: ResponseProgress, before: BeforeCut, width: number): Span[][] {
  const { rehearsal, grab, suspects } = before;
  const { yes, no } = theme.glyphs;
  const whom =
    suspects.length === 0 ? "nobody is tagged intruder or suspect" : suspects.slice(0, 6).join(", ") + (suspects.length > 6 ? " …" : "");
  const lines = told(
    "suspects",
    `${whom}${dialog.choice?.freeze && suspects.length > 0 ? ": SUSPENDED just before the cut" : ""}`,
    "text",
    width,
  );
  if (grab === "running") lines.push(...told("grab", "taking sockets, maps and executables: at most 3 s", "warn", width));
  else if (grab && "error" in grab) lines.push(...told("grab", grab.error, "bad", width));
  else if (grab) {
    const missed = grab.missed.length === 0 ? "" : `; not had: ${grab.missed.slice(0, 3).join("; ")}${grab.missed.length > 3 ? " …" : ""}`;
    const took = `${plural(grab.kept, "piece")} of evidence in ${(grab.milliseconds / 1000).toFixed(1)} s, in the session's evidence folder`;
    const alone =
      suspects.length === 0
        ? "; of no process, for nobody is tagged intruder or suspect: tag first to take their memory map, files and program"
        : "";
    const whole = grab.missed.length === 0 && alone === "";
    lines.push(...told("grab", `${whole ? `${yes} ` : ""}${took}${alone}${missed}`, whole ? "good" : "warn", width));
  }
  if (rehearsal === "running") lines.push(...told("rehearsal", "the rules are on the host and only count: 10 s", "warn", width));
  else if (typeof rehearsal === "object" && "error" in rehearsal) lines.push(...told("rehearsal", rehearsal.error, "bad", width));
  else if (typeof rehearsal === "object") {
    const { wouldCut, dropped, keepsUs, cleared, seconds } = rehearsal;
    const us = keepsUs ? `${yes} our login passes` : `${no} OUR LOGIN WAS NOT SEEN TO PASS`;
    const cut =
      wouldCut.length === 0
        ? "nobody else was heard of"
        : `${plural(wouldCut.length, "far end")} would be cut, ${count(dropped)} packets dropped:`;
    lines.push(
      ...told("rehearsal", `${us}; in ${seconds} s ${cut}`, keepsUs ? "good" : "alarm", width),
      ...(wouldCut.length > 0 ? told("", `${wouldCut.slice(0, 14).join(", ")}${wouldCut.length > 14 ? " …" : ""}`, "text", width) : []),
      ...(cleared ? [] : told("", "the counting rules could not be taken away: look at the host", "bad", width)),
    );
  }
  return lines;
}

/** What is not seen can break all the same: the customer is always asked. */
export const breaksWords = (breaks: readonly string[]): string[] => [
  ...(breaks.length > 0 ? breaks : ["Nothing was seen on the host that its silence would break."]),
  "Ask the customer: does a load balancer, a backup, a cluster or a scaling group watch this host?",
];

/** Whoever is cut off by his own team says so on the call a minute later. */
export const colleaguesWords = (names: readonly string[]): string =>
  `${names.slice(0, 6).join(", ")}${names.length > 6 ? ` and ${names.length - 6} more` : ""}: ${names.length === 1 ? "looks like one" : "look like some"} of ours, nobody tagged ${names.length === 1 ? "it" : "them"}, and the cut would take ${names.length === 1 ? "it" : "them"} along. Esc and tag ${names.length === 1 ? "it" : "them"} as responder, or + lets an address in.`;

/** The keys of a plan that can still be changed: the last lines of its dialog. */
export function choiceHints(theme: Theme, dialog: ResponseProgress, allowing: string | undefined, width: number): Span[][] {
  const { choice, before } = dialog;
  if (!choice || !before) return [];
  if (allowing !== undefined)
    return [
      [
        span("let through  ", "soft"),
        ...fieldSpans(
          theme,
          allowing,
          width - 14,
          width < 84 ? "192.0.2.9 logs in; 192.0.2.9:443 is reached" : "192.0.2.9 may log in; 192.0.2.9:443 may be reached by the host",
        ),
      ],
    ];
  const added = choice.logins.length + choice.servers.length > 0;
  const rehearse = before.rehearsal !== undefined;
  return [
    [
      ...keyHint(added ? "+ -" : "+", "allow"),
      ...keyHint("v", "how long"),
      ...keyHint("r", "rehearse", rehearse && before.rehearsal !== "running"),
      ...keyHint("g", "grab", before.grab !== "running"),
      ...keyHint("f", choice.freeze ? "let run" : "suspend", before.suspects.length > 0),
    ],
  ];
}

/** What stands further down, so that a small screen hides none of it. */
function summary({ kind, allowed, dies, survives, leaks, breaks = [], plan = "" }: ResponseProgress): string {
  const lines = plural(plan.split("\n").length, "line of script", "lines of script");
  if (kind !== "isolate") return [...(kind === "block" ? [`${dies.length} die`] : []), lines].join(", ");
  return [
    `${allowed.length} allowed`,
    `${dies.length} ${dies.length === 1 ? "dies" : "die"}`,
    `${survives.length} ${survives.length === 1 ? "survives" : "survive"}`,
    `${breaks.length} may break`,
    `${leaks.length} cannot be stopped`,
    lines,
  ].join(", ");
}

const script = (plan: string, width: number): Span[][] =>
  plan
    .split("\n")
    .flatMap((line, i) =>
      hardWrap(line.replaceAll("\t", "    "), width - 7).map((text, part) => [
        column(part === 0 ? `${i + 1}` : "", 5, "faint", { align: "right" }),
        span("  "),
        span(text, "text"),
      ]),
    );

const told = (label: string, text: string, style: Style, width: number): Span[][] =>
  wrapText(text, width - 11).map((part, i) => [column(i === 0 ? label : "", 11, "soft"), span(part, style)]);

/** A heading with `counted`, and the items below it, a blank line behind. */
export function section(
  title: string,
  style: Style,
  items: readonly string[],
  none: string,
  width: number,
  counted = items.length,
): Span[][] {
  return [
    [span(title, style), span(counted > 0 ? `  ${counted}` : "", "soft")],
    ...(items.length > 0
      ? items.flatMap((item) => wrapText(item, width - 4).map((text, part) => [span(part === 0 ? "   " : "     "), span(text, "text")]))
      : [[span(`   ${none}`, "faint")]]),
    [],
  ];
}
