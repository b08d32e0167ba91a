import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { LIGHT, toPng } from "#testing/screen";
import { writeCrowds } from "./crowds.ts";
import { livePictures } from "./live-pictures.ts";
import { quiet } from "./quiet.ts";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(import.meta.dirname, "main.js");
const NIGHT = join(ROOT, "sessions", "the-night");
const FOLDER = join(ROOT, "pictures");
const SIZES = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;
type Size = readonly [columns: number, rows: number];

/** Keys to press for each picture, those that lead back to the first view, and what is to be seen between. */
const VIEWS: Record<string, [keys: string[], back: string[], shows: RegExp]> = {
  all: [[], [], / 1 All +2 Proc/],
  "all-connections": [["tab"], ["shift-tab"], /[━=] 3 Connections/],
  processes: [["2"], ["1"], /[━=] 2 Processes/],
  connections: [["3"], ["1", "2", "1"], /[━=] 3 Connections/],
  binaries: [["4"], ["1", "2", "1"], /[━=] 4 New binaries/],
  logins: [["5", "T"], ["T", "1", "2", "1"], /[━=] 5 Logins/],
  map: [["6"], ["1", "2", "1"], /[━=] 6 Where[\s\S]*([\u2801-\u28ff]|\.\.)/],
  activity: [["7"], ["1", "2", "1"], /[━=] 7 Activity/],
  past: [["8"], ["1", "2", "1"], /[━=] 8 Look back/],
  baseline: [["9"], ["1", "2", "1"], /[━=] 9 Baseline/],
  hidden: [["T"], ["T"], /hides\)/],
  tags: [["v"], ["escape"], /In force/],
  footprint: [[":our footprint", "enter"], ["escape"], /Known by the connections/],
  details: [["d"], ["escape"], /Esc +closes/],
  filter: [["/", "country:cn"], ["escape"], /found by \/country:cn/],
  marked: [["down", "down", "m"], ["m"], /marked for you/],
  palette: [[":"], ["escape"], /what do you want to do/],
  found: [[":4"], ["escape"], /Go to/],
  tour: [[":tour", "enter"], ["escape"], /1 of 5/],
  search: [["w", "zfneolx"], ["escape"], /Search the whole session/],
  findings: [["X"], ["escape"], /─ Findings/],
  rotate: [["K"], ["escape"], /─ What to rotate/],
  sight: [["B"], ["escape"], /What we see, and what not/],
  help: [["?"], ["escape"], /type to narrow/],
};
const LOOKS: Record<string, Record<string, string>> = {
  "": {},
  "-16": { TERM: "xterm", COLORTERM: "" },
  "-nocolor": { NO_COLOR: "1" },
  "-ascii": { TERM: "linux", COLORTERM: "", LANG: "C" },
};

/** Themes, each on the background that it is for, at one size. */
const THEMES: Record<string, { config?: string; paper?: typeof LIGHT; env?: Record<string, string> }> = {
  light: { config: "theme: light", paper: LIGHT },
  "high-contrast": { config: "theme: high-contrast" },
  "colour-blind": { config: "theme: colour-blind" },
  "16-colours": { env: { FORCE_COLOR: "1" } },
  "16-colours-light": { config: "theme: light", paper: LIGHT, env: { FORCE_COLOR: "1" } },
  "no-colour": { env: { NO_COLOR: "1" } },
};

/** The session was read up to the moment that is shown. */
const READ = /^(?![\s\S]*(?:Going there as soon|Reading the session))/;

let pictures = 0;

/**
 * Pictures of every view at every size, from the real program on the recorded night, on sessions made to be hard, and on a live host. They go to pictures/;
 * the README's to the night itself. An argument draws only those whose name holds it.
 */
await mkdir(FOLDER, { recursive: true });
const only = process.argv[2] ?? "";
const at = await lastMomentOfIsolation();
for (const size of SIZES) await draw("", NIGHT, size, Object.keys(VIEWS), {});
const untagged = await beforeTheTags();
for (const size of SIZES) await draw("-before-tags", NIGHT, size, ["processes"], {}, untagged);
await draw("", NIGHT, [60, 16], ["all", "connections", "map"], {});
await draw("", NIGHT, [160, 50], ["all"], {});
if ("all-160x50.png".includes(only)) await writeFile(join(NIGHT, "screen.png"), await readFile(join(FOLDER, "all-160x50.png")));
for (const look of Object.keys(LOOKS).filter((name) => name !== ""))
  await draw(look, NIGHT, [120, 40], ["all", "connections", "map", "activity"], LOOKS[look] ?? {});

const config = await mkdtemp(join(tmpdir(), "stakeout-pictures-"));
await mkdir(join(config, "stakeout"));
for (const [theme, { config: text = "", paper, env = {} }] of Object.entries(THEMES)) {
  await writeFile(join(config, "stakeout", "config.yaml"), text);
  if (!`theme-${theme}`.includes(only)) continue;
  const console_ = await openNight({ XDG_CONFIG_HOME: config, ...env });
  await keep(`theme-${theme}`, toPng(console_.screen.terminal, paper));
  console_.press(":");
  await quiet(console_);
  await keep(`theme-${theme}-palette`, toPng(console_.screen.terminal, paper));
  console_.kill("SIGKILL");
  await console_.exited;
}
await rm(config, { recursive: true });

const crowds = await mkdtemp(join(tmpdir(), "stakeout-pictures-"));
for (const [name, session] of Object.entries(await writeCrowds(crowds)))
  for (const size of SIZES)
    await draw(
      `-${name}`,
      session,
      size,
      name === "one" ? ["all"] : ["all", "connections", "binaries", "logins", "map", "activity"],
      {},
      "end",
    );
await rm(crowds, { recursive: true });
const without = await livePictures(MAIN, SIZES, (name) => name.includes(only), keep);
if (without !== undefined) process.stderr.write(`no pictures of what is asked before a host is changed: ${without}\n`);
process.stdout.write(`${pictures} pictures in ${FOLDER}\n`);
process.exit(0);

async function draw(
  mark: string,
  session: string,
  [columns, rows]: Size,
  views: readonly string[],
  env: Record<string, string>,
  where = at,
) {
  const moment = where === "end" ? "+24h" : where;
  const nameOf = (view: string) => `${view}${mark}-${columns}x${rows}`;
  const wanted = views.filter((view) => nameOf(view).includes(only));
  if (wanted.length === 0) return;
  const console_ = inPty([process.execPath, MAIN, "replay", session, "--at", moment], columns, rows, env);
  await console_.screen.until(/REPLAY/i, 60_000);
  for (const view of wanted) {
    const [keys, back, shows] = VIEWS[view] ?? VIEWS["all"] ?? [[], [], /./];
    console_.press(...keys);
    await console_.screen.until(shows, 60_000);
    do {
      await console_.screen.until(READ, 60_000);
      await quiet(console_);
    } while (!READ.test(console_.screen.text()));
    await keep(nameOf(view), toPng(console_.screen.terminal));
    console_.press(...back);
    if (back.includes("escape")) await quiet(console_); // what follows at once would be a key with Alt
  }
  console_.press("q");
  await console_.exited;
}

async function openNight(env: Record<string, string>): Promise<ConsoleInPty> {
  const console_ = inPty([process.execPath, MAIN, "replay", NIGHT, "--at", at], 120, 40, env);
  await console_.screen.until(/REPLAY/i);
  await quiet(console_);
  return console_;
}

async function keep(name: string, png: Uint8Array): Promise<void> {
  await writeFile(join(FOLDER, `${name}.png`), png);
  pictures++;
}

/** The line before anybody but the console itself was tagged: the responders' noise is all there. */
async function beforeTheTags(): Promise<string> {
  const lines = (await readFile(join(NIGHT, "events.jsonl"), "utf8")).split("\n");
  const first = lines.findIndex((line) => line.includes('"tag.apply"') && !line.includes("own login"));
  return first > 0 ? `#${first}` : "#1";
}

/** The line before the release was planned: everything has happened, and the host is still cut off. */
async function lastMomentOfIsolation(): Promise<string> {
  const lines = (await readFile(join(NIGHT, "events.jsonl"), "utf8")).split("\n");
  const release = lines.findIndex((line) => line.includes('"response.proposed"') && line.includes('"kind":"release"'));
  return release > 0 ? `#${release}` : "+1h";
}
