import type { SharedIntent } from "#commands/intent";
import type { Message, ViewStore } from "#draw/store";
import type { Replay } from "#investigation/replay";
import { wordsOf } from "#investigation/search";
import type { StakeoutEvent } from "#model/event";
import { type HostString, printable } from "#model/host-string";
import type { State } from "#state/state";
import { type Tell, viewStore } from "./view-store.ts";

/** What a screen sees of a replay, and what its keys do to it; `path` is the session's folder as it is to be shown. */
export function replayStore(
  replay: Replay,
  hostLabel: string,
  path: string,
  does: { quit(): void; report(): void },
): { store: ViewStore; tell: Tell } {
  const { store, tell } = viewStore(replay, {
    meta: () => ({
      mode: "replay",
      hostLabel,
      sessionPath: path,
      analyst: "",
      replay: {
        at: replay.state.now || replay.from,
        from: replay.from,
        to: replay.to,
        position: replay.position,
        length: replay.length,
        playing: replay.playing,
        reading: replay.reading !== undefined,
        speed: replay.speed,
        marks: replay.marks,
      },
    }),
    dialog: () => undefined,
    now: () => replay.state.now || replay.from,
    progress: () => readingOf(replay),
    propose: (intent) => {
      if (intent.kind === "quit") return does.quit();
      if (intent.kind === "report") return does.report();
      if (intent.kind === "seek" && typeof intent.to === "object" && "words" in intent.to) return find(replay, intent.to, tell);
      const said = moveReplay(replay, intent);
      if (said !== undefined) tell(said);
      else replay.publisher.now();
    },
  });
  return { store, tell };
}

/** How far a long session is read, while it is. */
function readingOf(replay: Replay): string | undefined {
  const { reading } = replay;
  if (!reading) return undefined;
  const count = (n: number) => n.toLocaleString("en-US");
  const about = Number(reading.about.toPrecision(2));
  return `${replay.awaiting ? "Going there as soon as it is read" : "Reading the session"}: ${count(reading.events)} of about ${count(Math.max(about, reading.events))} events`;
}

/** A search that takes longer is told while it goes on. */
const SLOW_SEARCH_MS = 150;
/** Longest part of what was found that is told. */
const MOST_TOLD = 90;

/** Searches the session, which can take seconds in a long one, and tells what came of it; the picture goes on meanwhile. */
function find(replay: Replay, { words, direction }: { words: string; direction: -1 | 1 }, tell: Tell): void {
  replay.pause();
  let said = false;
  const slow = setTimeout(() => {
    said = true;
    tell(`searching for ${words}: any other move gives it up`);
  }, SLOW_SEARCH_MS);
  const way = direction > 0 ? "after" : "before";
  replay.find(wordsOf(words), direction).then(
    (found) => {
      clearTimeout(slow);
      if (found === "given up") return said ? tell(`the search for ${words} was given up`) : undefined;
      if (found) tell(`found at ${found["@timestamp"].slice(11, 19)}: ${subjectOf(found)}`, "info", placeOf(replay.state, found));
      else tell(`nothing ${way} this moment tells of ${words}${replay.reading ? ", in what is read so far" : ""}`);
    },
    (error: Error) => {
      clearTimeout(slow);
      tell(error.message, "error");
    },
  );
}

/** The row that shows what an event is about; undefined where none does. */
function placeOf(state: State, { event, process, file, stakeout }: StakeoutEvent): Message["about"] {
  const id = process?.entity_id;
  const connection = stakeout["connection"];
  if (typeof connection === "string" && state.connections.has(connection)) return { pane: "connections", ids: [connection] };
  if (event.action !== "file.access" && file && state.binaries.has(file.path)) return { pane: "binaries", ids: [`b:${file.path}`] };
  if (event.action.startsWith("login.") && id !== undefined) return { pane: "tree", ids: [`l:${id}`] };
  const selector = stakeout.tag?.selector;
  if (selector && "login" in selector) return { pane: "tree", ids: [`l:${selector.login}`] };
  const about = selector && "process" in selector ? selector.process : (id ?? stakeout.finding?.entities?.[0]);
  return about !== undefined && state.processes.has(about) ? { pane: "tree", ids: [`p:${about}`] } : undefined;
}

/** What an event is and whom it is about, in few words. */
function subjectOf({ event, process, file, destination, stakeout }: StakeoutEvent): string {
  const subject =
    stakeout.tag?.reason ??
    stakeout.finding?.title ??
    stakeout.note ??
    stakeout.response?.kind ??
    file?.path ??
    (destination ? `${destination.ip}${destination.port === undefined ? "" : `:${destination.port}`}` : undefined) ??
    process?.args?.join(" ") ??
    process?.executable ??
    process?.name ??
    "";
  const text = printable(subject as HostString);
  return `${event.action} ${text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)}…` : text}`.trimEnd();
}

/** What a key does to a replay; the words that answer it, where the picture alone does not. */
function moveReplay(replay: Replay, intent: SharedIntent): string | undefined {
  if (intent.kind === "play") {
    if (intent.on) replay.play();
    else replay.pause();
  } else if (intent.kind === "speed") return `speed ×${replay.changeSpeed(intent.step)}`;
  else if (intent.kind === "seek") {
    replay.pause();
    if (typeof intent.to === "object") {
      if ("at" in intent.to) replay.seek(intent.to);
    } else if (intent.to === "start") replay.goTo(0);
    else if (intent.to === "end") replay.seek("end");
    else if (intent.to === "previous-event") replay.goTo(replay.position - 1);
    else if (intent.to === "next-event") replay.goTo(replay.position + 1);
    else {
      const mark = replay.toMark(intent.to === "next-mark" ? 1 : -1);
      if (!mark)
        return `there is no mark ${intent.to === "next-mark" ? "after" : "before"} this moment${replay.reading ? " in what is read so far" : ""}`;
      return `mark ${replay.marks.indexOf(mark) + 1} of ${replay.marks.length}: ${mark.text}`;
    }
  }
  return undefined;
}
