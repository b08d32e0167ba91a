import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { playNight } from "#range/night";
import { startRange } from "#range/range";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { toPng } from "#testing/screen";
import { quiet } from "./quiet.ts";

/** What is asked and shown only where a host can be changed, in the order in which a night comes to it: keys, and what is to be seen then. */
const DIALOGS: readonly { view: string; keys: string[]; shows: RegExp; back: string[] }[] = [
  { view: "start-card", keys: [], shows: /─ Start card/, back: ["enter"] },
  { view: "tag", keys: ["t"], shows: /─ Tag the login/, back: ["escape"] },
  { view: "run", keys: ["!", "id; uname -a"], shows: /Enter +runs it on/, back: ["enter"] },
  { view: "output", keys: [], shows: /exit 0/, back: ["escape"] },
  { view: "people", keys: ["P"], shows: /─ People/, back: ["escape"] },
  { view: "block-or-stop", keys: ["c", "x"], shows: /─ Block or stop/, back: ["escape"] },
  { view: "isolate", keys: ["I"], shows: /Enter +isolates the host/, back: ["enter"] },
  { view: "isolated", keys: [], shows: /ISOLATE \S+: isolated[\s\S]*Enter +closes/, back: ["enter"] },
  { view: "is-it-cut", keys: ["i"], shows: /Enter +closes/, back: ["enter"] },
  { view: "leave", keys: ["q"], shows: /still isolated/, back: ["escape"] },
  { view: "who-did-what", keys: ["W"], shows: /─ Who did what/, back: ["escape"] },
  { view: "release", keys: ["I"], shows: /Enter +releases the host/, back: ["escape"] },
];

/** Draws those views at each size from the live program on a host made for it; `keep` takes each. Says why where no host can be made. */
export async function livePictures(
  program: string,
  sizes: readonly (readonly [number, number])[],
  wanted: (name: string) => boolean,
  keep: (name: string, png: Uint8Array) => Promise<void>,
): Promise<string | undefined> {
  const nameOf = (view: string, [columns, rows]: readonly [number, number]) => `live-${view}-${columns}x${rows}`;
  if (!DIALOGS.some(({ view }) => sizes.some((size) => wanted(nameOf(view, size))))) return undefined;
  const reason = rangeAvailable();
  if (reason !== undefined) return reason;
  const sessions = await mkdtemp(join(tmpdir(), "stakeout-pictures-"));
  const range = await startRange();
  const ending = new AbortController();
  let console_: ConsoleInPty | undefined;
  try {
    playNight(range, { seed: 7, signal: ending.signal }).done.catch(() => {});
    const card = ["--analyst", "jm", "--authorised-by", "the customer", "--ticket", "INC-7", "--scope", "contain,collect"];
    const argv = [process.execPath, program, "devbox", "--config", range.sshConfig, "--sessions", sessions, ...card];
    console_ = inPty(range.inNetns(range.netns.analyst, argv), 120, 40);
    const { screen } = console_;
    await screen.until(`root@${range.addresses.intruder}`);
    for (const { view, keys, shows, back } of DIALOGS) {
      console_.press(...keys);
      for (const size of sizes) {
        console_.resize(...size);
        await screen.until(shows);
        await quiet(console_);
        if (wanted(nameOf(view, size))) await keep(nameOf(view, size), toPng(screen.terminal));
      }
      console_.resize(120, 40);
      await quiet(console_);
      console_.press(...back);
      if (back.includes("escape")) await until(`${view} to be closed`, () => !shows.test(screen.text()), { everyMs: 50 });
    }
    return undefined;
  } finally {
    ending.abort();
    console_?.kill("SIGTERM");
    await console_?.exited;
    await range.stop();
    await rm(sessions, { recursive: true, force: true });
  }
}
