import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { ProposedCard, StartCard } from "#model/start-card";
import { analystOf, type HostOptions } from "./options.ts";
import { stateFolder } from "./state-folder.ts";

const remembered = z.object({
  analyst: z.string(),
  authorised_by: z.string().optional(),
  ticket: z.string().optional(),
  scope: z.array(z.enum(["observe", "contain", "collect"])).optional(),
});
const memory = z.array(z.tuple([z.string(), remembered]));

/** Hosts whose last answers are kept. */
const MOST_HOSTS = 500;
const file = () => join(stateFolder(), "cards.json");

/** What the options say, without asking anybody: undefined when they say nothing of it. */
export function cardOf(options: HostOptions): StartCard | undefined {
  const { analyst: _, ...given } = givenCard(options);
  return Object.keys(given).length === 0 ? undefined : { analyst: analystOf(options), ...given };
}

function givenCard({ analyst, authorisedBy, ticket, scope, notes }: HostOptions): Partial<StartCard> {
  return {
    ...(analyst ? { analyst } : {}),
    ...(authorisedBy ? { authorised_by: authorisedBy } : {}),
    ...(ticket ? { ticket } : {}),
    ...(scope ? { scope } : {}),
    ...(notes ? { notes } : {}),
  };
}

/** The card as it is put before the analyst: what the options say, else what was said of this host last time, else the least. */
export async function proposedCard(host: string, options: HostOptions): Promise<ProposedCard> {
  const last = (await read()).find(([name]) => name === host)?.[1];
  const given = givenCard(options);
  const card: StartCard = {
    analyst: last?.analyst || analystOf(options),
    scope: last?.scope ?? ["observe"],
    ...(last?.authorised_by ? { authorised_by: last.authorised_by } : {}),
    ...(last?.ticket ? { ticket: last.ticket } : {}),
  };
  return { card: { ...card, ...given }, given };
}

/** Keeps the answers for the next time; the notes belong to this session alone. That nothing can be kept is no reason to stop. */
export async function rememberCard(host: string, { notes: _, skipped: __, ...card }: StartCard): Promise<void> {
  const others = (await read()).filter(([name]) => name !== host);
  const kept = [...others.slice(-(MOST_HOSTS - 1)), [host, card]];
  try {
    await mkdir(dirname(file()), { recursive: true, mode: 0o700 });
    await writeFile(`${file()}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
    await rename(`${file()}.new`, file());
  } catch {
    // a read-only home: the card is in the session's log all the same
  }
}

async function read(): Promise<z.infer<typeof memory>> {
  try {
    return memory.parse(JSON.parse(await readFile(file(), "utf8")));
  } catch {
    return []; // not there yet, or damaged: it only saves some typing
  }
}
