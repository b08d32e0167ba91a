import { homedir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import { mountPlain } from "#draw/plain/mount";
import type { Settings } from "#draw/settings";
import type { ViewMeta, ViewStore } from "#draw/store";
import type { Replay } from "#investigation/replay";
import type { ProposedCard, StartCard } from "#model/start-card";
import type { SessionFolder } from "#session/session-store";
import { mountScreen } from "#views/mount";
import { EXIT, say } from "./exit.ts";
import { type Live, type Lost, tellLoss } from "./live.ts";
import { giveMemoryBack } from "./memory.ts";
import { Door, type PairSettings } from "./pair/door.ts";
import { partnerMount } from "./pair/partner.ts";
import { CONSOLE_SEAT } from "./pair/party.ts";
import { seatStore } from "./pair/seat.ts";
import { replayStore } from "./replay-store.ts";
import { reporter } from "./reporter.ts";
import { onEndSignal, onStopSignal } from "./signals.ts";

/** A path as people say it: from where they stand, or from their home. The screen is shown on calls, and a machine's folders are nobody's business. */
function shownPath(path: string): string {
  const here = relative(process.cwd(), path);
  if (!here.startsWith("..") && !isAbsolute(here)) return here;
  const home = relative(homedir(), path);
  return home.startsWith("..") || isAbsolute(home) ? path : join("~", home);
}

export interface LiveOptions {
  /** The start card to ask for, with what is known beforehand. */
  ask?: ProposedCard | undefined;
  /** Called with the answered card. */
  onCard(card: StartCard): unknown;
  /** Sentences in the place of a screen. */
  plain?: boolean;
  settings: Settings;
  /** How others are let in; `now`: at once. */
  pair: PairSettings & { now: boolean };
}

/** The live console: ends when the analyst quits, a signal asks for it, or the terminal is gone. Returns the exit code. */
export async function showLive(live: Live, hostLabel: string, options: LiveOptions): Promise<number> {
  const { investigation, party } = live;
  let quit: (code: number) => void = () => {};
  const over = new Promise<number>((resolve) => {
    quit = resolve;
  });
  const shared = (): ViewMeta => ({
    mode: "live",
    hostLabel,
    sessionPath: shownPath(live.folder.path),
    analyst: investigation.analyst,
    ...(live.link.view ? { link: live.link.view } : {}),
  });
  const begun = { ...shared(), ...(options.ask ? { ask: options.ask } : {}) };
  const meta = (): ViewMeta => (live.link.view ? { ...begun, link: live.link.view } : begun);
  const openDoor = (keys?: string) => void door.open(investigation.analyst, keys).then(() => investigation.publisher.now());
  const { store, tell } = seatStore(live, {
    seat: CONSOLE_SEAT,
    meta,
    door: {
      get view() {
        return door.view;
      },
      open: openDoor,
      close: () => void door.close("the console lets nobody in any more.").then(() => tell("nobody can join any more")),
    },
    quit: () => quit(EXIT.ok),
    onCard: (card) => void options.onCard(card),
  });
  process.setMaxListeners(50); // each screen puts its terminal back when the process ends
  const door = new Door(options.pair, partnerMount(live, shared), (text, level) => tell(text, level));
  if (options.pair.now) openDoor();
  let loss: Lost | undefined;
  const key = (id: string) => options.settings.keymap.label(id);
  live.lost.then((what) => {
    loss = what;
    party.tellOthers(undefined, `Nothing is taken in any more. ${key("quit")} leaves. ${what.what}`, "error");
  });
  const offNews = live.onNews({
    onAway: (what) => party.tellOthers(undefined, `Nothing is seen any more. Connecting again by itself. ${what}`, "warn"),
    onBack: (words) => party.tellOthers(undefined, words, "warn"),
    onStopped: (why) =>
      party.tellOthers(
        undefined,
        `Nothing is seen any more; all until now is recorded. ${key("reconnect")} tries again, ${key("quit")} leaves. ${why}`,
        "error",
      ),
  });
  const screen = show(store, options.plain === true, options.settings, quit, {
    stop: () => live.pause(),
    resume: () => {
      const words = live.goOn();
      if (words) tell(words, "warn");
    },
  });
  const clock = setInterval(() => {
    investigation.publisher.changed(); // ages and the clock go on without events
    const news = live.profiles.news(investigation.state, options.settings.keymap.label("tags"));
    if (news !== undefined) party.tellOthers(undefined, news, "info");
  }, 1000);
  const code = await over;
  clearInterval(clock);
  offNews();
  if (live.link.view) loss ??= { what: live.link.view.why, code: EXIT.host };
  party.close();
  await door.close("the console was left: the session is over.");
  screen.close();
  if (!loss) return code;
  say(tellLoss(loss)); // the screen that said so is gone
  return code === EXIT.ok ? loss.code : code;
}

/** Mounts the screen, and ends or stops it with the program. What a view throws is told once the terminal is back as it was. */
function show(store: ViewStore, plain: boolean, settings: Settings, quit: (code: number) => void, job: { stop(): void; resume(): void }) {
  const stops = onStopSignal({
    stop: () => {
      screen.suspend();
      job.stop();
    },
    resume: () => {
      screen.resume();
      job.resume();
    },
  });
  const memory = giveMemoryBack();
  const mountOn = plain ? mountPlain : mountScreen;
  const screen = mountOn(store, { stdin: process.stdin, stdout: process.stdout, settings }, { onStop: () => stops.ask() });
  const crashed = (error: unknown) => {
    screen.unmount();
    say(`the console failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    quit(EXIT.failed);
  };
  process.on("uncaughtException", crashed);
  process.on("unhandledRejection", crashed);
  const offEnd = onEndSignal(() => quit(EXIT.interrupted));
  screen.waitUntilExit().then(() => quit(EXIT.ok), crashed);
  return {
    close: () => {
      offEnd();
      stops.off();
      memory.stop();
      screen.unmount();
    },
  };
}

/** A recording on the same screen: it can be moved through, and nothing can be decided in it. */
export async function showReplay(replay: Replay, folder: SessionFolder, settings: Settings, plain = false): Promise<number> {
  let quit: (code: number) => void = () => {};
  const over = new Promise<number>((resolve) => {
    quit = resolve;
  });
  const { store, tell } = replayStore(replay, folder.about.host.name, shownPath(folder.path), {
    quit: () => quit(EXIT.ok),
    report: () => writeReport(),
  });
  const writeReport = reporter(folder, tell, async () => {});
  const screen = show(store, plain, settings, quit, { stop: () => {}, resume: () => {} });
  replay.loaded.catch((error: Error) => tell(`The session could not be read on: ${error.message}`, "error"));
  const code = await over;
  replay.close();
  screen.close();
  return code;
}
