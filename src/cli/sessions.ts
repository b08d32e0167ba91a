import { lastedWords, Picker, type PickerRow, whenWords } from "#draw/picker";
import type { Settings } from "#draw/settings";
import { printable } from "#model/host-string";
import { listSessions, type SessionSummary } from "#session/session-list";
import { sessionsRoot } from "#session/session-store";
import { checkout } from "./checkout.ts";
import type { ConsoleOptions } from "./console.ts";
import { EXIT, say } from "./exit.ts";
import { wantsPlain } from "./plain.ts";
import { openSettings } from "./settings/open.ts";
import { onEndSignal, onStopSignal } from "./signals.ts";
import { write } from "./standard-output.ts";

/** Hosts that the list offers to connect to again. */
const MOST_HOSTS = 5;

interface Entry extends PickerRow {
  /** What was typed to reach the host; left out where it cannot be reached again. */
  target?: string;
  session?: SessionSummary;
}

/** `stakeout` alone: recent hosts and sessions, to choose from on a terminal, else as lines. */
export async function sessions(options: ConsoleOptions): Promise<number> {
  const root = sessionsRoot(options.sessions, checkout());
  const entries = entriesOf(await listSessions(root));
  if (entries.length === 0) {
    for (const line of lesson(root)) write(line);
    return EXIT.ok;
  }
  if (!process.stdout.isTTY || !process.stdin.isTTY || wantsPlain(options)) {
    for (const entry of entries) if (entry.session) write(sessionLine(entry));
    return EXIT.ok;
  }
  const settings = await openSettings(options.settings);
  const chosen = await pick(entries, settings);
  if (typeof chosen === "number") return chosen;
  if (chosen.session) {
    const { replay } = await import("./replay.ts");
    const file = options.settings;
    return replay(chosen.session.folder.path, {
      ...(options.plain ? { plain: true } : {}),
      ...(file === undefined ? {} : { settings: file }),
    });
  }
  const { consoleOn } = await import("./console.ts");
  return consoleOn(chosen.target ?? chosen.host, options);
}

/** Hosts first, then every session; both newest first. */
function entriesOf(found: readonly SessionSummary[]): Entry[] {
  const hosts = new Map<string, Entry>();
  const all = found.map((session): Entry => {
    const { host } = session.folder.about;
    const { target } = host; // the demo's host is gone: there is nothing to connect to
    const known = target === undefined ? undefined : hosts.get(target);
    if (known) known.sessions = (known.sessions ?? 0) + 1;
    else if (target !== undefined && host.name !== "unknown")
      hosts.set(target, { kind: "host", host: target, target, when: session.started, sessions: 1, ...isolation(session) });
    const { started: when, lasted, events, whole } = session;
    return { kind: "session", host: host.name, when, lasted, events, whole, session, ...isolation(session) };
  });
  return [...[...hosts.values()].slice(0, MOST_HOSTS), ...all];
}

const isolation = ({ isolated }: SessionSummary) => (isolated === undefined ? {} : { isolated });

function sessionLine({ session, host, when, lasted = 0, events = 0, isolated, whole }: Entry): string {
  const parts = [
    whenWords(when),
    printable(host).padEnd(20),
    lastedWords(lasted).padStart(7),
    `${events} events`.padStart(15),
    (isolated === undefined ? "isolation not known" : isolated ? "ISOLATED" : "not isolated").padEnd(19),
    whole ? "ended    " : "not ended",
    printable(session?.folder.about.session ?? ""),
  ];
  return parts.join("  ");
}

const lesson = (root: string): string[] => [
  `No session is recorded in ${root} yet.`,
  "",
  "  stakeout HOST            the console on a host, over ssh alone: alias, [user@]host[:port] or ssh://…",
  "  stakeout demo            a suspect host made for it, with an intruder at work",
  "  stakeout replay SESSION  a recorded session on the same screen",
  "",
  "stakeout --help has the rest.",
];

/** The chosen entry, or an exit code when none was. */
async function pick(entries: readonly Entry[], settings: Settings): Promise<Entry | number> {
  const { mount } = await import("#views/mount");
  let picker: Picker | undefined;
  const streams = { stdin: process.stdin, stdout: process.stdout, settings: { ...settings, mouse: false } };
  const stops = onStopSignal({ stop: () => screen.suspend(), resume: () => screen.resume() });
  const screen = mount(
    (theme, columns, rows) => {
      picker = new Picker(entries, theme, columns, rows);
      return picker;
    },
    streams,
    { onStop: () => stops.ask() },
  );
  const ended = new Promise<number>((resolve) => {
    const offEnd = onEndSignal(() => resolve(EXIT.interrupted));
    const over = (code: number) => {
      offEnd();
      resolve(code);
    };
    screen.waitUntilExit().then(
      () => over(EXIT.ok),
      (error: Error) => {
        say(`the list failed: ${error.stack ?? error.message}`);
        over(EXIT.failed);
      },
    );
  });
  const chosen = await Promise.race([(picker as unknown as Picker).chosen, ended.then((code) => ({ code }))]);
  screen.unmount();
  await ended; // the terminal is as it was, before another screen takes it
  stops.off();
  if (chosen !== undefined && typeof chosen === "object") return chosen.code;
  return chosen === undefined ? EXIT.ok : (entries[chosen] as Entry);
}
