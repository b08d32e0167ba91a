import { type C2, startC2 } from "./c2.ts";
import { type IntruderStep, intrude } from "./intruder.ts";
import { Login, LoginOver } from "./login.ts";
import { until } from "./machine.ts";
import { type Plot, plotNight } from "./plot.ts";
import { hostProcesses } from "./processes.ts";
import { Random } from "./random.ts";
import type { Range } from "./range.ts";
import { killBeacon, respond, seeItBack } from "./responders.ts";

/** A night that is cut short (the host was isolated) misses the later ones. */
export type NightStep = IntruderStep | "responder1-login" | "responder2-login" | "beacon-killed" | "beacon-back";

export interface NightOptions {
  /** Decides names, pauses and the order of the responders' commands. Default 1. */
  seed?: number;
  onStep?: (name: NightStep) => void;
  /** Ends the night early. */
  signal?: AbortSignal;
  /** The C2's server, if it has been started already. */
  c2?: C2;
  /** The intruder logs in and does nothing before this resolves: a night whose beginning nobody saw is told without it. */
  watched?: Promise<void>;
  /** The night ends after this many milliseconds at the latest. Default 180,000. */
  limitMs?: number;
}

export interface NightSummary {
  seed: number;
  /** complete: the beacon came back; cut: nobody was left to go on; limit: time ran out; stopped: by the signal. */
  ended: "complete" | "cut" | "limit" | "stopped";
  steps: { name: NightStep; at: number }[];
  /** Pids as the host shows them; left out where it did not come to that. */
  beacon: { path: string; pid?: number; againPid?: number };
  reverse: { path: string; pid?: number };
  cronFile: string;
}

export interface Night {
  readonly plot: Plot;
  readonly c2: Promise<C2>;
  /** Resolves when the story is told; the beacon, cron and the C2 go on until the range stops. Rejects when it could not begin. */
  readonly done: Promise<NightSummary>;
}

/** After so many beacons the second responder has noticed. */
const NOTICED_AFTER = 3;

/**
 * Plays the night: an intruder and two responders over ssh logins of their own. It ends when cron has brought the killed beacon
 * back (it waits for the minute), within 180 s at worst. A login that is cut ends that person's part; the night goes on without.
 */
export function playNight(range: Range, options: NightOptions = {}): Night {
  const seed = options.seed ?? 1;
  const plot = plotNight(range, new Random(seed));
  const c2 = options.c2 ? Promise.resolve(options.c2) : startC2(range);
  return { plot, c2, done: c2.then((server) => tell(range, plot, server, seed, options)) };
}

async function tell(range: Range, plot: Plot, c2: C2, seed: number, options: NightOptions): Promise<NightSummary> {
  const over = new AbortController();
  const limit = AbortSignal.timeout(options.limitMs ?? 180_000);
  const signals = [over.signal, limit, ...(options.signal ? [options.signal] : [])];
  const signal = AbortSignal.any(signals);
  const summary: NightSummary = {
    seed,
    ended: "cut",
    steps: [],
    beacon: { path: plot.beacon.path },
    reverse: { path: plot.reverse.path },
    cronFile: plot.cronFile,
  };
  const has = (name: NightStep) => summary.steps.some((step) => step.name === name);
  const step = (name: NightStep) => {
    summary.steps.push({ name, at: Date.now() });
    if (name === "beacon-started") Object.assign(summary.beacon, pidOf(range, plot.beacon.path));
    if (name === "reverse-started") Object.assign(summary.reverse, pidOf(range, plot.reverse.path));
    options.onStep?.(name);
  };
  const person = (netns: string, key: string, number: number) => new Login(range, { netns, key }, new Random(seed * 31 + number), signal);
  const [first, second] = [0, 1].map((index) =>
    person(range.netns.responders[index] as string, range.keys.responders[index] as string, index + 1),
  ) as [Login, Login];
  const intruder = person(range.netns.intruder, range.keys.intruder, 3);

  const heard = () => c2.connections.filter((connection) => connection.line === plot.beacon.line).length;
  const notice = async () => {
    if (!has("beacon-killed") && has("cron-written") && heard() >= NOTICED_AFTER)
      await killBeacon(second, plot.beacon.name, () => step("beacon-killed"));
    if (has("beacon-back")) {
      await seeItBack(second, plot.beacon.name);
      over.abort();
    }
  };
  const parts = [
    respond(first, new Random(seed * 31 + 4), () => step("responder1-login")),
    respond(second, new Random(seed * 31 + 5), () => step("responder2-login"), notice),
    intrude(intruder, plot, step, options.watched),
  ].map(untilOver);
  const everybody = Promise.all(parts);
  everybody.catch(() => over.abort()); // a part that fails ends the night; the error is given below
  // Without the second responder nobody kills the beacon, and nobody sees it come back.
  const secondOver = second.over.then(() => {
    if (!has("beacon-killed")) over.abort();
  });
  const pid = await comesBack(range, plot, summary, signal, () => has("beacon-killed"));
  if (pid !== undefined) {
    summary.beacon.againPid = pid;
    step("beacon-back");
    await secondOver; // it has been seen, or the login was cut
  }
  over.abort();
  await everybody;
  if (has("beacon-back")) summary.ended = "complete";
  else if (options.signal?.aborted) summary.ended = "stopped";
  else if (limit.aborted) summary.ended = "limit";
  return summary;
}

async function untilOver(part: Promise<void>): Promise<void> {
  try {
    await part;
  } catch (error) {
    if (!(error instanceof LoginOver)) throw error;
  }
}

function pidOf(range: Range, path: string): { pid?: number } {
  const pid = hostProcesses(range, path)[0]?.pid;
  return pid === undefined ? {} : { pid };
}

/** The pid of the beacon that cron started after the first one was killed; undefined when the story ends before. */
async function comesBack(
  range: Range,
  plot: Plot,
  summary: NightSummary,
  signal: AbortSignal,
  killed: () => boolean,
): Promise<number | undefined> {
  const found = await until(
    "cron to start the beacon again",
    () => {
      if (signal.aborted) return "over";
      return killed() && hostProcesses(range, plot.beacon.path).find((process) => process.pid !== summary.beacon.pid)?.pid;
    },
    { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 200 },
  );
  return found === "over" ? undefined : found;
}
