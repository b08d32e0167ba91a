import type { ResponseProgress, ResponseStep } from "#model/response-progress";
import { stepWords } from "#state/words";
import type { SecondWords } from "../pair/second.ts";
import { RESPONSE_WORDS } from "../response-words.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";
import { choiceHints, planBody, section } from "./plan.ts";

interface Size {
  width: number;
  height: number;
}

/** What the screen adds to a response's dialog. */
export interface ResponseLook {
  scroll: number;
  /** The plan has been on the screen long enough to be seen, so Enter means this plan. */
  armed: boolean;
  second?: SecondWords | undefined;
  /** The address that is being typed, to be let through. */
  allowing?: string | undefined;
}

/** The plan exactly as it will run, then its progress, then what was verified. */
export function responseDialog(theme: Theme, size: Size, dialog: ResponseProgress, host: string, look: ResponseLook): Overlay {
  const width = Math.min(size.width - 4, 120);
  const inner = width - 4;
  const words = RESPONSE_WORDS[dialog.kind];
  const common = { width, height: size.height - 2, scroll: look.scroll };
  const title = `${words.verb} ${dialog.target ?? host}`;
  if (dialog.kind === "check") return checkDialog(theme, common, dialog, inner);
  if (dialog.phase === "planning")
    return box(theme, {
      ...common,
      title,
      style: "focus",
      body: lines("Reading the host's interfaces, rules and connections for the plan.", "Nothing has been changed.", inner),
      foot: [keyHint("Esc", "cancels")],
    });
  if (dialog.phase === "review") {
    const typing = look.allowing !== undefined;
    const keys = typing
      ? [...keyHint("Enter", "makes the plan anew"), ...keyHint("Esc", "back to the plan")]
      : question(words.does, look.armed, look.second);
    return box(theme, {
      ...common,
      title: `${title}?`,
      style: "isolated",
      body: planBody(theme, dialog, inner, look.second),
      foot: [...choiceHints(theme, dialog, look.allowing, inner), keys],
    });
  }
  const steps = dialog.steps.flatMap((step) => stepLines(theme, step, inner));
  if (dialog.phase === "running")
    return box(theme, {
      ...common,
      title: `${title}: running`,
      style: "isolated",
      body: [[], ...steps, []],
      foot: [[span("wait for the result: it is being verified", "soft")]],
    });
  const failed = dialog.phase === "failed";
  const body = failed
    ? failure(dialog, steps, inner)
    : [[], ...result(theme, dialog), [], ...lacking(dialog, inner), ...steps, [], ...leaks(theme, dialog, inner)];
  const wrong = failed || !proven(dialog);
  return box(theme, {
    ...common,
    title: `${title}: ${failed ? "FAILED" : wrong ? "NOT VERIFIED" : words.done}`,
    style: wrong ? "alarm" : "isolated",
    body,
    foot: [keyHint("Enter", "closes this")],
  });
}

const proven = (dialog: ResponseProgress) => {
  if (dialog.kind !== "isolate" && dialog.kind !== "release") return true; // the steps say it
  return dialog.verified?.access === true && (dialog.kind === "release" || dialog.verified.cut);
};

function checkDialog(
  theme: Theme,
  common: { width: number; height: number; scroll: number },
  dialog: ResponseProgress,
  width: number,
): Overlay {
  const { verb } = RESPONSE_WORDS.check;
  if (dialog.phase === "planning")
    return box(theme, {
      ...common,
      title: verb,
      style: "focus",
      body: lines("Looking at the host's rules and connections anew.", "Nothing is changed.", width),
      foot: [keyHint("Esc", "closes this")],
    });
  const cut = dialog.verified?.cut === true;
  const [first = "", ...rest] = dialog.words ?? [];
  return box(theme, {
    ...common,
    title: verb,
    style: cut ? "isolated" : "alarm",
    body: [
      [],
      ...wrapText(first, width).map((text) => [span(text, cut ? "good" : "bad")]),
      [],
      ...rest.flatMap((sentence) => [...wrapText(sentence, width).map((text): Span[] => [span(text, "text")]), []]),
    ],
    foot: [keyHint("Enter", "closes this")],
  });
}

function question(does: string, armed: boolean, second: SecondWords | undefined): Span[] {
  if (second)
    return [
      ...(second.enter === undefined ? [] : keyHint("Enter", armed ? second.enter : "wait", armed)),
      ...(second.alone === undefined ? [] : keyHint("a", armed ? second.alone : "wait", armed)),
      ...keyHint("Esc", second.escape),
    ];
  return [...keyHint("Enter", armed ? does : "wait", armed), ...keyHint("Esc", "cancels, nothing is changed")];
}

/** "4.2 ms", "104 ms", "2.2 s": what is read aloud has no more digits than say something. */
const tookWords = (ms: number): string => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);
const TOOK_WIDTH = 12;
/** Lines of a step; a tool that fails can say a page. */
const MOST_SAID = 8;

/** A step with all that it said: what was counted is the proof, and is not cut. */
function stepLines(theme: Theme, step: ResponseStep, width: number): Span[][] {
  const { glyphs } = theme;
  const [glyph, style]: [string, Style] =
    step.status === "ok"
      ? [glyphs.yes, "good"]
      : step.status === "failed"
        ? [glyphs.no, "bad"]
        : step.status === "running"
          ? [glyphs.attempt, "warn"]
          : [glyphs.dot, "faint"];
  // which process the dead man is, is for the log and for whoever ends it
  const said = step.said === undefined || (step.name === "armed" && step.status === "ok") ? "" : `: ${step.said}`;
  const told: Style = step.status === "waiting" ? "faint" : step.status === "failed" ? "bad" : "text";
  const took = step.milliseconds === undefined ? "" : tookWords(step.milliseconds);
  return wrapText(`${stepWords(step.name)}${said}`, width - 5 - TOOK_WIDTH)
    .slice(0, MOST_SAID)
    .map((text, i) => [
      i === 0 ? span(` ${glyph} `, style) : span("     "),
      { text, style: told, flex: true },
      column(i === 0 ? took : "", TOOK_WIDTH, "soft", { align: "right" }),
    ]);
}

function result(theme: Theme, dialog: ResponseProgress): Span[][] {
  const { glyphs } = theme;
  const mark = (label: string, ok: boolean | undefined, yes: string, no: string): Span[] => [
    column(label, 9, "strong"),
    ok === undefined ? span("? not verified", "warn") : ok ? span(`${glyphs.yes} ${yes}`, "good") : span(`${glyphs.no} ${no}`, "bad"),
  ];
  const { verified } = dialog;
  const took: Span[] = dialog.milliseconds === undefined ? [] : [span(`   in ${tookWords(dialog.milliseconds)}`, "soft")];
  if (dialog.kind === "release") return [[...mark("access", verified?.access, "we are still in", "our own access is not proven"), ...took]];
  if (dialog.kind !== "isolate") return [[span(`${glyphs.yes} ${RESPONSE_WORDS[dialog.kind].done}`, "good"), ...took]];
  return [
    [...mark("access", verified?.access, "a way back in works", "the way back in is NOT proven"), ...took],
    mark("cut", verified?.cut, "nothing of others passes", "packets of others STILL PASS"),
  ];
}

/** It was done, but not all of it: what is missing stands before the steps. */
const lacking = ({ error }: ResponseProgress, width: number): Span[][] =>
  error === undefined ? [] : [...wrapText(`${error.what} ${error.next}`, width).map((text) => [span(text, "bad")]), []];

function leaks(theme: Theme, dialog: ResponseProgress, width: number): Span[][] {
  return dialog.leaks.length > 0
    ? section(`${theme.glyphs.standing.suspect} cannot be stopped by this method`, "warn", dialog.leaks, "", width)
    : [];
}

function failure(dialog: ResponseProgress, steps: Span[][], width: number): Span[][] {
  const error = dialog.error ?? { what: "it failed and said nothing", next: "look at the host by hand before you go on" };
  return [
    [],
    ...wrapText(error.what, width).map((text) => [span(text, "bad")]),
    [],
    ...wrapText(`What to do: ${error.next}`, width).map((text) => [span(text, "strong")]),
    [],
    ...steps,
    [],
  ];
}

const lines = (first: string, second: string, width: number): Span[][] => [
  [],
  ...wrapText(first, width).map((text) => [span(text, "strong")]),
  ...wrapText(second, width).map((text) => [span(text, "soft")]),
  [],
];
