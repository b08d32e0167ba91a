import { existsSync, statSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { type HostString, printable } from "#model/host-string";
import { SET_UP_CATEGORIES, type SetUp } from "#model/past";
import { inventoryDiff, inventoryOf } from "#sensors/look/inventory";
import { lookAt } from "#sensors/look/look";
import { readEvents } from "#session/read-log";
import { openSession, sessionsRoot } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { connect } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { write } from "./standard-output.ts";

/** Largest baseline that is read: a set-up has at most 6,000 things of some hundred bytes. */
const LARGEST = 64 << 20;

const text = z.string();
const fileSchema = z.object({
  stakeout_baseline: z.literal(1),
  host: text,
  at: text,
  items: z.array(z.object({ category: z.enum(SET_UP_CATEGORIES), id: text, name: text, detail: text })).max(100_000),
});
interface Baseline {
  /** As the host calls itself, or as it was named where it was not asked. */
  host: string;
  /** RFC 3339, by the host's clock. */
  at: string;
  items: SetUp[];
}

/** Keeps how a host is set up in a file: of a session as it was at its end, else of the host now. The file must be new. */
export async function saveBaseline(source: string, file: string, options: HostOptions): Promise<number> {
  if (existsSync(file)) throw new UserError(`${file} is there already: name another file, or move it away.`, EXIT.usage);
  const baseline = (await ofSession(source, options.sessions)) ?? (await ofHost(source, options));
  const { host, at, items } = baseline;
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ stakeout_baseline: 1, host, at, items }, undefined, 1)}\n`);
  } finally {
    await handle.close();
  }
  say(`${items.length} things of ${printable(host)} as of ${at} are in ${file}`);
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
  if (rows.length === 0) say("both are set up alike");
  return EXIT.ok;
}

async function load(name: string, sessions: string | undefined): Promise<Baseline> {
  if (existsSync(name) && statSync(name).isFile()) return fromFile(name);
  const found = await ofSession(name, sessions);
  if (!found) throw new UserError(`${name} is neither a baseline's file nor a session.`, EXIT.usage);
  return found;
}

async function fromFile(file: string): Promise<Baseline> {
  if (statSync(file).size > LARGEST) throw new UserError(`${file} is too large to be a baseline.`);
  const wrong = (why: string) => new UserError(`${file} is no baseline: ${why}. Make one with stakeout baseline save.`);
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw wrong("it is not JSON");
  }
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) throw wrong(`${parsed.error.issues[0]?.path.join(".") || "the file"}: ${parsed.error.issues[0]?.message}`);
  return { ...parsed.data, items: parsed.data.items as (SetUp & { name: HostString })[] };
}

/** The set-up as it was at the session's end; undefined where there is no such session. */
async function ofSession(name: string, sessions: string | undefined): Promise<Baseline | undefined> {
  const session = await openSession(name, sessionsRoot(sessions, checkout())).catch(() => undefined);
  if (!session) return undefined;
  const state = emptyState();
  for await (const { event } of readEvents(session.events, () => {}))
    if (event.event.action.startsWith("baseline.") || event.event.action === "session.start") reduce(state, event);
  if (state.setUp.size === 0) throw new UserError(`${session.path} has no baseline: how the host was set up was not read in it.`);
  const items = [...state.setUp.values()].filter(({ status }) => status !== "gone");
  const at = new Date(Math.max(...items.map((item) => item.at))).toISOString();
  return { host: state.host.name, at, items: items.map(({ category, id, name: what, detail }) => ({ category, id, name: what, detail })) };
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
