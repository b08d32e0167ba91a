import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SLOTS } from "./addresses.ts";
import { withLock } from "./lock.ts";
import { startTicks } from "./machine.ts";
import { destroyNetwork, namedNamespaces } from "./network.ts";
import { removeInstances } from "./tracing.ts";

/** Every name that a range gives on the machine begins so; the owner's pid and start time follow. */
const PREFIX = "stakeout-";

export interface Slot {
  /** `stakeout-PID-START-SLOT`: who owns it is in the name, so that nothing else must survive for a sweep to know. */
  id: string;
  number: number;
  /** Folder of this range's keys and files, readable by root alone. */
  state: string;
}

/** Sweeps up what dead owners left behind (theirs only) and claims the lowest free slot for this process. */
export async function claimSlot(): Promise<Slot> {
  const base = stateBase();
  return withLock(join(base, "lock"), async () => {
    await sweep(base);
    const taken = new Set(ranges(base).map((id) => Number(id.split("-")[3])));
    const number = Array.from({ length: SLOTS }, (_, index) => index + 1).find((slot) => !taken.has(slot));
    if (number === undefined) throw new Error(`all ${SLOTS} slots for ranges are taken on this machine: end one of them`);
    const id = `${PREFIX}${process.pid}-${(startTicks(process.pid) as number).toString(36)}-${number}`;
    const state = join(base, id);
    mkdirSync(state, { mode: 0o700 });
    return { id, number, state };
  });
}

/** Ranges of this machine by the name of their id: those with a state folder and those with namespaces. */
function ranges(base: string): string[] {
  const shape = /^(stakeout-\d+-[0-9a-z]+-\d+)(-[a-z0-9]+)?$/;
  const ids = [...readdirSync(base), ...namedNamespaces(PREFIX)].map((name) => shape.exec(name)?.[1]);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

async function sweep(base: string): Promise<void> {
  for (const id of ranges(base)) {
    const [, pid, start] = id.split("-") as [string, string, string];
    // A pid is used again sooner or later; together with its start time it is not.
    if (startTicks(Number(pid))?.toString(36) === start) continue;
    await destroyNetwork(`${id}-`);
    await removeInstances(join(base, id));
    rmSync(join(base, id), { recursive: true, force: true });
  }
}

/** The folder of all ranges; refused when somebody other than us could have put things into it. */
function stateBase(): string {
  const base = join(tmpdir(), "stakeout-range");
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(base);
  if (!lstatSync(base).isDirectory() || uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new Error(`'${base}' belongs to somebody else or is open to others: look at it, remove it, and start again`);
  writeFileSync(join(base, "lock"), "", { flag: "a" });
  return base;
}
