import type { HostRunner } from "#host/runner";
import { printable } from "#model/host-string";
import type { Collect, TierId } from "#model/observation";
import { collectorCommand, doctorText, NO_PERL } from "./collectors/collector.ts";
import { type Sight, sightsOf } from "./sights.ts";
import { TIER_CARDS, type TierSight, tiersOf } from "./tiers.ts";
import { SensorUnavailable } from "./unavailable.ts";
import { Malformed, text } from "./wire.ts";

export interface Examination {
  host: { name: string; kernel: string; arch: string; cpus: number; processes: number; uid: number };
  /** Every way to watch, best first. */
  tiers: TierSight[];
  /** What can be seen of the host and what not. */
  sights: Sight[];
  /** What root on the host can see of us while we watch. */
  footprint: string[];
}

/**
 * What could be seen of a host with this choice, found without setting anything up there.
 * @throws SensorUnavailable when the host has no perl, or does not answer within 20 s
 */
export async function examine(runner: HostRunner, collect: Collect): Promise<Examination> {
  const script = doctorText();
  const process = await runner.open(collectorCommand(script));
  const timer = setTimeout(() => process.close(), 20_000);
  let said = "";
  process.stdin.on("error", () => {});
  process.stderr.resume();
  process.stdout.on("data", (chunk: Buffer) => {
    if (said.length < 65_536) said += chunk.toString("latin1");
  });
  process.stdin.write(script);
  const { code } = await process.exit;
  clearTimeout(timer);
  if (code === NO_PERL)
    throw new SensorUnavailable("it has no perl", "Use a host with perl (Debian's perl-base is enough), or look with single commands.");
  const told = answers(said);
  if (!told.has("end"))
    throw new SensorUnavailable("it did not answer as perl does", "Look at the account's shell and any forced command, and try again.");
  return examination(told, collect);
}

/** Lines `O key value`; anything else is passed over, for a login script may print what it likes. */
function answers(said: string): Map<string, string> {
  const told = new Map<string, string>();
  for (const line of said.split("\n")) {
    const [letter, key, value, ...more] = line.split("\t");
    if (letter !== "O" || key === undefined || value === undefined || more.length > 0) continue;
    try {
      told.set(key, printable(text(value)));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
  }
  return told;
}

/** What was told as what it means. */
export function examination(told: ReadonlyMap<string, string>, collect: Collect): Examination {
  const get = (key: string) => told.get(key) ?? "";
  const number = (key: string) => (/^\d{1,9}$/.test(get(key)) ? Number(get(key)) : 0);
  const allowed = new Set(tiersOf(collect).map(({ id }) => id));
  const works = (id: TierId) => told.has(`tier ${id}`) && get(`tier ${id}`) === "";
  const taken = TIER_CARDS.find(({ id }) => allowed.has(id) && works(id))?.id ?? "poll";
  const tiers = TIER_CARDS.map(({ id, choice, fidelity }): TierSight => {
    const why = works(id) ? undefined : get(`tier ${id}`) || "the host did not say";
    return { id, choice, works: works(id), ...(why === undefined ? {} : { why }), taken: id === taken, ...fidelity };
  });
  const host = {
    name: get("hostname"),
    kernel: get("kernel"),
    arch: get("arch"),
    cpus: number("cpus"),
    processes: number("processes"),
    uid: number("uid"),
  };
  return { host, tiers, sights: sightsOf(told, tiers), footprint: footprintOf(tiers, host, get("tracefs") === "") };
}

function footprintOf(tiers: readonly TierSight[], { uid, cpus }: Examination["host"], unmounted: boolean): string[] {
  const taken = tiers.find((tier) => tier.taken);
  const traced = taken?.id.startsWith("tracefs") === true;
  const buffers = (4 + (taken?.id === "tracefs+proc" ? 0 : 3)) * (cpus > 12 ? cpus / 12 : 1);
  return [
    "the login itself: sshd's process, its lines in the journal and auth.log, wtmp and lastlog, the PAM modules' own traces",
    `one perl (about 10 MB${uid === 0 ? ", and a sleeping child that cleans up after it" : ""}), its script in no file and no command line`,
    "at the start, at each login, when the set-up changes and else once a minute (not behind sudo) a perl of some 0.2 s that reads what the host remembers or how it is set up",
    ...(taken?.footprint ?? []),
    ...(traced ? [`about ${Math.ceil(buffers)} MB of kernel memory for the trace`] : []),
    ...(traced && unmounted ? ["tracefs, which is not mounted: it is mounted at the start and unmounted at the end"] : []),
    "inotify or fanotify marks on the folders where intruders leave files, and on secrets, logs and terminals (/proc/PID/fdinfo)",
    ...(taken && taken.id !== "poll" ? ["every 5 s one /bin/true and, with tracing, one refused connection to 127.0.0.1, as a test"] : []),
    "access times of what is hashed are left as they are where the host allows it (O_NOATIME)",
    "nothing is written to its disk by us",
  ];
}
