import type { SharedIntent } from "#commands/intent";
import type { ViewStore } from "#draw/store";
import type { Replay } from "#investigation/replay";
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

/** What a key does to a replay; the words that answer it, where the picture alone does not. */
function moveReplay(replay: Replay, intent: SharedIntent): string | undefined {
  if (intent.kind === "play") {
    if (intent.on) replay.play();
    else replay.pause();
  } else if (intent.kind === "speed") return `speed ×${replay.changeSpeed(intent.step)}`;
  else if (intent.kind === "seek") {
    replay.pause();
    if (typeof intent.to === "object") replay.seek(intent.to);
    else if (intent.to === "start") replay.goTo(0);
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
