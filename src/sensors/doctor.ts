import type { HostRunner } from "#host/runner";
import { printable } from "#model/host-string";
import type { Collect, TierId } from "#model/observation";
import { collectorCommand, doctorText, NO_PERL } from "./collectors/collector.ts";
import { shellCommand, shellDoctorText } from "./collectors/shell/shell.ts";
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
  /** The kernel's auditing as it is; missing where it cannot be asked. */
  auditing?: Auditing;
}

export interface Auditing {
  on: boolean;
  /** Pid of the auditd that has its records, 0 for none. */
  daemon: number;
  /** How many rules there are. */
  rules: number;
  /** How many records the kernel keeps for who reads them; a program that would make one more waits. */
  queue: number;
  /** How many others read along. */
  readers: number;
  /** The rules that would be ours, as auditctl(8) writes them. */
  ours: string[];
}

/**
 * What could be seen of a host with this choice, found without setting anything up there.
 * @throws SensorUnavailable when the host does not answer within 20 s
 */
export async function examine(runner: HostRunner, collect: Collect): Promise<Examination> {
  const perl = doctorText();
  const shell = shellDoctorText();
  const said = (await ask(runner, collectorCommand(perl), perl)) ?? (await ask(runner, shellCommand(), shell)) ?? "";
  const told = answers(said);
  if (!told.has("end"))
    throw new SensorUnavailable(
      "it did not answer as perl or a shell does",
      "Look at the account's shell and any forced command, and try again.",
    );
  return examination(told, collect);
}

/** What the script says; undefined where the host has no perl for it. */
async function ask(runner: HostRunner, argv: string[], script: string): Promise<string | undefined> {
  const process = await runner.open(argv);
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
  return code === NO_PERL ? undefined : said;
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
    const why = works(id) ? undefined : get(`tier ${id}`) || whyNot(id, told);
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
  const auditing = auditingOf(get("auditing"));
  const footprint = told.get("perl") === "" ? shellFootprint(taken) : footprintOf(tiers, host, get("tracefs") === "");
  const found = { host, tiers, sights: sightsOf(told, tiers), footprint };
  return auditing ? { ...found, auditing } : found;
}

/** Of a tier of which the host said nothing. */
function whyNot(id: TierId, told: ReadonlyMap<string, string>): string {
  if (told.get("perl") === "") return "no perl on this host";
  return id === "tracefs+shell" && told.has("perl") ? "there is perl, which sees more" : "the host did not say";
}

/** enabled, pid, rules, queue, readers, as the host said them. */
function auditingOf(said: string): Auditing | undefined {
  if (!/^\d{1,10}(?: \d{1,10}){4}$/.test(said)) return undefined;
  const [enabled, daemon, rules, queue, readers] = said.split(" ").map(Number) as [number, number, number, number, number];
  const ours = ["b64", "b32"].map((arch) => `-a always,exit -F arch=${arch} -S execve,execveat -F success=1 -F key=stakeout.…`);
  return { on: enabled !== 0, daemon, rules, queue, readers, ours };
}

const THE_LOGIN = "the login itself: sshd's process, its lines in the journal and auth.log, wtmp and lastlog, the PAM modules' own traces";
const NO_DISK = "nothing is written to its disk by us";
/** What follows the kernel's own events there, beside it. */
const SHELL_TRACE_FOOTPRINT = [
  "four more shells, on a second channel of the same connection; four times a second a sleep, a cat or two and, where something happened, a dd: 4 % of a core with busybox to 8 % with bash, quiet or at 200 programs a second",
  "one trace instance named stakeout.* in tracefs, about 4 MB of kernel memory; gone at the end",
  "every 5 s one /bin/true, as a test",
];
/** Of the collector that a host without perl gets. */
const shellFootprint = (taken: TierId): string[] => [
  THE_LOGIN,
  "six shells (some 1 to 2 MB each, most of it shared), their script in no file and no command line",
  "four times a second one sleep, once a second a cat, and for each program that begins an ls and, of some shells, an od: 3 to 4 % of a core on a quiet host, 10 % with 2,000 processes",
  ...(taken === "tracefs+shell" ? SHELL_TRACE_FOOTPRINT : []),
  "access times of what is hashed are left as they are only where dd is GNU's (O_NOATIME)",
  NO_DISK,
];

function footprintOf(tiers: readonly TierSight[], { uid, cpus }: Examination["host"], unmounted: boolean): string[] {
  const taken = tiers.find((tier) => tier.taken);
  const traced = taken?.id.startsWith("tracefs") === true || taken?.id === "audit";
  const buffers = (4 + (taken?.id === "tracefs+proc" || taken?.id === "audit" ? 0 : 3)) * (cpus > 12 ? cpus / 12 : 1);
  return [
    THE_LOGIN,
    `one perl (about 10 MB${uid === 0 ? ", and a sleeping child that cleans up after it" : ""}), its script in no file and no command line`,
    "at the start, at each login, when the set-up changes and else once a minute (not behind sudo) a perl of some 0.2 s that reads what the host remembers or how it is set up",
    ...(taken?.footprint ?? []),
    ...(traced ? [`about ${Math.ceil(buffers)} MB of kernel memory for the trace`] : []),
    ...(traced && unmounted ? ["tracefs, which is not mounted: it is mounted at the start and unmounted at the end"] : []),
    "inotify or fanotify marks on the folders where intruders leave files, and on secrets, logs and terminals (/proc/PID/fdinfo)",
    ...(taken && taken.id !== "poll" ? ["every 5 s one /bin/true and, with tracing, one refused connection to 127.0.0.1, as a test"] : []),
    "every 5 s a file without a name in a folder in memory (/dev/shm), closed with nothing in it, as a test of what is told of new files",
    "access times of what is hashed are left as they are where the host allows it (O_NOATIME)",
    NO_DISK,
  ];
}
