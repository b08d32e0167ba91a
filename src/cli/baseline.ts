import { existsSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { printable } from "#model/host-string";
import { oneName } from "#model/package-list";
import { SET_UP_CATEGORIES, type SetUp } from "#model/past";
import { inventoryDiff, inventoryOf } from "#sensors/look/inventory";
import { lookAt } from "#sensors/look/look";
import { readEvents } from "#session/read-log";
import { openSession, sessionsRoot } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { type Baseline, baselineOfFile } from "./baseline-file.ts";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { connect } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { write } from "./standard-output.ts";

/** Keeps how a host is set up in a file: of a session as it was at its end, else of the host now. The file must be new. */
export async function saveBaseline(source: string, file: string, options: HostOptions): Promise<number> {
  if (existsSync(file)) throw new UserError(`${file} is there already: name another file, or move it away.`, EXIT.usage);
  const baseline = (await ofSession(source, options.sessions)) ?? (await ofHost(source, options));
  const { host, at, items, packages } = baseline;
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ stakeout_baseline: 1, host, at, items, packages }, undefined, 1)}\n`);
  } finally {
    await handle.close();
  }
  const files = packages === undefined ? "" : `, with the digests of ${packages.length} files of its packages`;
  say(`${items.length} things of ${printable(host)} as of ${at} are in ${file}${files}`);
  return EXIT.ok;
}

/** What `b` has and `a` has not, and the other way round; each a file or a session. */
export async function diffBaselines(a: string, b: string, options: { sessions?: string }): Promise<number> {
  const [before, now] = await Promise.all([load(a, options.sessions), load(b, options.sessions)]);
  const { added, removed } = inventoryDiff(new Map(before.items.map((thing) => [thing.id, thing])), now.items);
  const rows = [...removed.map((thing) => ({ sign: "-", thing })), ...added.map((thing) => ({ sign: "+", thing }))];
  const order = (thing: SetUp) => SET_UP_CATEGORIES.indexOf(thing.category);
  rows.sort((x, y) => order(x.thing) - order(y.thing) || (x.thing.name < y.thing.name ? -1 : x.thing.name > y.thing.name ? 1 : 0));
  write(`--- ${printable(before.host)} ${before.at}`);
  write(`+++ ${printable(now.host)} ${now.at}`);
  for (const { sign, thing } of rows)
    write(
      `${sign} ${thing.category.padEnd(11)}${[thing.name, thing.detail]
        .filter(Boolean)
        .map((part) => printable(part))
        .join("  ")}`,
    );
  const other = packagesDiff(before, now);
  for (const line of other) write(line);
  if (rows.length + other.length === 0) say("both are set up alike");
  return EXIT.ok;
}

/** Files of one version of a package that are not the same in both: one of them was changed. Other versions are what hosts have. */
function packagesDiff({ packages: before = [] }: Baseline, { packages: now = [] }: Baseline): string[] {
  const known = new Map(before.map((file) => [oneName(file.path), file]));
  return now.flatMap((file) => {
    const other = known.get(oneName(file.path));
    if (!other || other.sha256 === file.sha256 || other.package !== file.package || other.version !== file.version) return [];
    return [
      `~ ${"program".padEnd(11)}${printable(file.path)}  differs, and both say ${printable(file.package)} ${printable(file.version)}`,
    ];
  });
}

async function load(name: string, sessions: string | undefined): Promise<Baseline> {
  if (existsSync(name) && statSync(name).isFile()) return baselineOfFile(name);
  const found = await ofSession(name, sessions);
  if (!found) throw new UserError(`${name} is neither a baseline's file nor a session.`, EXIT.usage);
  return found;
}

/** The set-up as it was at the session's end; undefined where there is no such session. */
async function ofSession(name: string, sessions: string | undefined): Promise<Baseline | undefined> {
  const session = await openSession(name, sessionsRoot(sessions, checkout())).catch(() => undefined);
  if (!session) return undefined;
  const state = emptyState();
  for await (const { event } of readEvents(session.events, () => {}))
    if (event.event.action.startsWith("baseline.") || ["session.start", "file.package"].includes(event.event.action)) reduce(state, event);
  if (state.setUp.size === 0) throw new UserError(`${session.path} has no baseline: how the host was set up was not read in it.`);
  const items = [...state.setUp.values()].filter(({ status }) => status !== "gone");
  const at = new Date(Math.max(...items.map((item) => item.at))).toISOString();
  // what was changed there is no measure for another host; what it leads to is the file, and a link to it is not
  const packages = [...state.owners].flatMap(([path, { host, sha256, package: name, version, file }]) =>
    host === "same" && sha256 !== undefined && name !== undefined && version !== undefined
      ? [{ path: file ?? path, sha256, package: name as string, version: version as string }]
      : [],
  );
  return {
    host: state.host.name,
    at,
    items: items.map(({ category, id, name: what, detail }) => ({ category, id, name: what, detail })),
    packages: [...new Map(packages.map((one) => [one.path, one])).values()],
  };
}

async function ofHost(target: string, options: HostOptions): Promise<Baseline> {
  const connection = await connect(target, options);
  try {
    const answer = await lookAt(connection, ["set-up"]);
    if (!answer.complete) throw new UserError("the host was not read to the end: what came is no baseline. Try again.");
    return { host: target, at: new Date(answer.now).toISOString(), items: inventoryOf(answer) };
  } finally {
    await connection.close();
  }
}
