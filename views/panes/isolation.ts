import type { ResponseProgress } from "#model/response-progress";
import type { Found, UnderwayState } from "#state/decided-state";
import type { State } from "#state/state";
import { columns } from "../HostText.ts";
import { type Span, span } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { clock, count, day, stretch } from "../words.ts";

/** The watch looks each second; what it saw longer ago than this is no longer called true. */
const STALE_MS = 5000;
/** How long a finding of the watch stands on the screen. */
const FINDING_MS = 60_000;

export interface IsolationWords {
  /** What it is called where it does not stand yet. */
  word?: string;
  /** Everything is as it should be. */
  well: boolean;
  by: string | undefined;
  /** Since when, or, of one that was made elsewhere, when it was found; `brief` where there is little room. */
  since: { text: string; brief: string };
  /** How it is known that it stands; short and long. */
  verified: { text: string; brief: string; alarm: boolean };
  /** What it did, and what becomes of it: the most important first. */
  counts: { text: string; brief?: string; alarm: boolean }[];
}

const KEEPS = {
  stays: { text: "stays" },
  reverts: { text: "reverts if we vanish", brief: "reverts" },
  boot: { text: "stays through reboots", brief: "boot-proof" },
} as const;

/**
 * What is true of the isolation at this moment, as far as this session knows. Undefined while there is none. `running`: the response that
 * is carried out by this console, whose steps say more than the log does before it is over.
 */
export function isolationWords(theme: Theme, state: State, now: number, running?: ResponseProgress): IsolationWords | undefined {
  const { isolated, underway } = state;
  if (!isolated) return underway?.kind === "isolate" ? underwayWords(state, underway, running) : undefined;
  const { watch } = isolated;
  const response = state.responses.get(isolated.response);
  const yes = theme.glyphs.yes;
  const atCut = isolated.verified?.access === true && isolated.verified.cut;
  const common = { by: response?.analyst, since: sinceWords(isolated.since, response?.found) };
  if (underway?.kind === "release")
    return { ...common, well: false, verified: { text: "BEING RELEASED", brief: "BEING RELEASED", alarm: true }, counts: [] };
  const lost =
    watch?.report.boot === "lost" || (response?.keeps === "boot" && response.on_disk === undefined && watch?.report.boot !== "kept");
  const keeps = lost
    ? [{ text: "WOULD NOT SURVIVE A REBOOT", brief: "NOT THROUGH A REBOOT", alarm: true }]
    : response?.keeps === undefined
      ? []
      : [{ ...KEEPS[response.keeps], alarm: false }];
  const planned = plannedWords(isolated.since, response?.found);
  if (!watch) {
    const verified = atCut
      ? { text: `verified ${yes}`, brief: `verified ${yes}`, alarm: false }
      : { text: "NOT VERIFIED", brief: "NOT VERIFIED", alarm: true };
    return { ...common, well: atCut, verified, counts: [...keeps, ...planned] };
  }
  const { report, status } = watch;
  const last = watch.verified ?? (atCut ? isolated.since : undefined);
  const seen = last === undefined ? undefined : Math.max(0, now - last);
  const ago = seen === undefined ? "never" : `${tenths(seen)} ago`;
  const stale = status === "lost" || seen === undefined || seen > STALE_MS;
  const verified =
    !report.holds && status === "running"
      ? { text: `RULES CHANGED: ${report.wrong?.[0] ?? "they are not as planned"}`, brief: "RULES CHANGED", alarm: true }
      : stale
        ? { text: `NOT WATCHED, last verified ${ago}`, brief: "NOT WATCHED", alarm: true }
        : { text: `verified ${yes} ${ago}`, brief: `${yes} ${ago}`, alarm: false };
  const out =
    report.out === undefined
      ? []
      : [{ text: `${count(report.out)} packets out`, brief: `${count(report.out)} out`, alarm: report.out > 0 }];
  const dropped = report.dropped === undefined ? [] : [{ text: `${count(report.dropped)} dropped`, alarm: false }];
  const back = report.put_back > 0 ? [{ text: `put back ${count(report.put_back)}×`, alarm: true }] : [];
  const guard = report.guard === "down" ? [{ text: "guard ended", alarm: true }] : [];
  // of a narrow line the end is cut: that it would not stand has to be read
  const what = lost ? [...keeps, ...out, ...dropped] : [...out, ...dropped, ...keeps];
  return { ...common, well: !verified.alarm, verified, counts: [...what, ...guard, ...back, ...planned] };
}

/** Since when an isolation of ours stands. Of one that another made it is known when it was found, and no more. */
const sinceWords = (at: number, found?: Found) =>
  found ? { text: `found ${clock(at)}`, brief: `found ${clock(at).slice(0, 5)}` } : { text: `since ${clock(at)}`, brief: clock(at) };

/** When it was planned, as its own rules say: it holds since some time between that and when it was found. */
function plannedWords(at: number, found: Found | undefined): { text: string; brief: string; alarm: boolean }[] {
  if (found === undefined) return [];
  const { planned } = found;
  if (planned === undefined) return [{ text: "since when is not known", brief: "since when?", alarm: false }];
  const when = day(planned).slice(0, 5) === day(at).slice(0, 5) ? clock(planned) : day(planned);
  return [{ text: `planned ${when}, by its own word`, brief: `planned ${when}`, alarm: false }];
}

/** The cut is made before it is proven, and what makes it last comes after the proof: none of that may be called 'not isolated'. */
function underwayWords(state: State, { response, since, failed }: UnderwayState, running: ResponseProgress | undefined): IsolationWords {
  const done = (name: string) => running?.phase === "running" && running.steps.some((step) => step.name === name && step.status === "ok");
  const [proven, cut] = [done("dead man stood down"), done("cut")];
  const verified = failed
    ? { text: "NOT PROVEN: the host may be cut off until it undoes that", brief: "NOT PROVEN", alarm: true }
    : proven
      ? { text: "proven, being made to last", brief: "proven", alarm: false }
      : cut
        ? { text: "cut, not proven yet", brief: "not proven", alarm: false }
        : { text: "wait: it may be cut already", brief: "wait", alarm: false };
  return {
    word: failed ? "ISOLATION" : "ISOLATING",
    well: !failed,
    by: state.responses.get(response)?.analyst,
    since: sinceWords(since),
    verified,
    counts: [],
  };
}

/** The part of it that belongs into the first line, as long as there is room; `rest` is for the second, the longest way to say it first. */
export function isolationBanner(theme: Theme, words: IsolationWords, room: number): { spans: Span[]; rest: Span[][] } {
  const dot = ` ${theme.glyphs.dot} `;
  const by = words.by === undefined ? "" : ` by ${words.by}`;
  const style = (alarm: boolean, calm: Style = "strong"): Style => (alarm ? "alarm" : calm);
  const verified = (text: string) => span(text, style(words.verified.alarm));
  const rest = (calm: Style, brief = false) =>
    words.counts.flatMap(({ text, brief: short = text, alarm }, i) => [
      ...(i > 0 ? [span(dot, "faint")] : []),
      span(brief ? short : text, style(alarm, calm)),
    ]);
  const size = (spans: readonly Span[]) => spans.reduce((sum, s) => sum + columns(s.text), 0);
  const head = (who: string, since: string, text: string) => [
    span(`${words.word ?? "ISOLATED"}${who}${since}${dot}`, "strong"),
    verified(text),
  ];
  const since = ` ${words.since.text}`;
  const tail = words.counts.length > 0 ? [span(dot, "strong"), ...rest("strong")] : [];
  for (const who of [by, ""]) {
    const whole = [...head(who, since, words.verified.text), ...tail];
    if (size(whole) <= room) return { spans: whole, rest: [] };
  }
  const ways = [rest("text"), rest("text", true)];
  for (const [who, when, text] of [
    [by, since, words.verified.text],
    ["", since, words.verified.text],
    ["", since, words.verified.brief],
  ] as const) {
    const spans = head(who, when, text);
    if (size(spans) <= room) return { spans, rest: ways };
  }
  return { spans: head("", ` ${words.since.brief}`, words.verified.brief), rest: ways };
}

/** The newest thing that the watch found, while it is news; a line of its own must not be missed. */
export function isolationFinding(state: State, now: number): string | undefined {
  const finding = [...state.findings.values()].findLast(({ id }) => id.startsWith("isolation-") || id.startsWith("foreign-"));
  if (!finding || finding.dismissed !== undefined || now - finding.at > FINDING_MS) return undefined;
  return `${clock(finding.at)} ${finding.title}`;
}

/** 0.4 s, 12 s, 3 min. */
const tenths = (ms: number) => (ms < 10_000 ? `${(Math.floor(ms / 100) / 10).toFixed(1)} s` : stretch(ms));
