import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Enricher } from "#analysis/enrich";
import { Investigation } from "#investigation/investigation";
import type { StakeoutEvent } from "#model/event";
import { startC2 } from "#range/c2";
import { type Range, startRange } from "#range/range";
import { type Abuse, abusesOn, setStage } from "#range/trial/abuses";
import { INTRUDERS, layTrial, onHost, RESPONDERS, Trial } from "#range/trial/people";
import { readRecord, type TrialRecord, type Truth } from "#range/trial/work";
import { type Collector, startCollector } from "#sensors/collector";
import { createSession } from "#session/session-store";
import { isHidden } from "#state/lineage";
import type { State } from "#state/state";
import { sshRunner } from "../sensors/testing/ssh-runner.ts";
import { until } from "../sensors/testing/watched.ts";
import { Confusion, type Seen } from "./confusion.ts";

export interface Raised {
  name: string;
  rule: string;
  /** Milliseconds from the deed to the finding in the log; undefined where none came. */
  after: number | undefined;
  /** The tagged thing came back into view, where it had to. */
  back: boolean;
}
export interface Evaluation {
  seed: number;
  confusion: Confusion;
  abuses: Raised[];
  /** Of the events of responders that were tagged: how many, and how many are out of sight. */
  responders: { events: number; hidden: number };
  /** Of the events of intruders, in whatever login they act: how many, and how many are out of sight although no finding says so. */
  intruders: { events: number; hidden: number };
  /** Rules that found something, in order. */
  findings: string[];
  keystrokes: number;
}

/** For what is there at once, on a machine that is not busy: a slow one is not to be called blind. */
const PATIENCE_S = 60;

/**
 * A trial with known truth, watched by a console as in an investigation: what it makes of each process is held against what the workloads
 * wrote of themselves. Everything runs on a host in namespaces; the seed decides who runs what, in which shape, and when.
 */
export async function evaluate(seed: number, seconds: number, say: (line: string) => void = () => {}): Promise<Evaluation> {
  const range = await startRange({ say });
  const folder = mkdtempSync(join(tmpdir(), "stakeout-trial-"));
  const c2 = await startC2(range);
  const trial = new Trial(range, { seed, seconds });
  let watch: Watch | undefined;
  try {
    await layTrial(range, { seed, seconds });
    watch = await open(range, folder);
    const record = await trial.play();
    await settled(watch, record);
    const keystrokes = tagResponders(watch, record);
    const confusion = new Confusion();
    const { seenOf, loginOf } = watch;
    for (const truth of record.truths) confusion.add(truth, seenOf(truth), loginOf(record, truth.who));
    const responders = hiddenOf(watch, record, (who) => RESPONDERS.includes(who));
    const abuses = await abuse(range, trial, watch, seed);
    const hijacked = readRecord(await onHost(range, "cat /run/trial/hijack"));
    await settled(watch, hijacked);
    const truths = [...record.truths, ...hijacked.truths];
    const intruders = hiddenOf(watch, { ...record, truths }, (who) => INTRUDERS.includes(who) || who === "hijack");
    return { seed, confusion, abuses, responders, intruders, findings: watch.findings.map(({ rule }) => rule), keystrokes };
  } finally {
    await trial.end();
    await watch?.collector.stop();
    await watch?.investigation.end("the trial is over");
    await c2.stop();
    await range.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Watch {
  investigation: Investigation;
  collector: Collector;
  seen: Map<number, Seen[]>;
  findings: { rule: string; at: number; exposes: readonly string[] }[];
  seenOf(truth: Truth): Seen | undefined;
  /** entity_id of the login that came from where the workload says that it came from. */
  loginOf(record: TrialRecord, who: string): string | undefined;
}

async function open(range: Range, folder: string): Promise<Watch> {
  const seen: Watch["seen"] = new Map();
  const byId = new Map<string, Seen>();
  const findings: Watch["findings"] = [];
  const note = ({ event, process, stakeout, ...rest }: StakeoutEvent) => {
    if (event.action === "finding.create" && stakeout.finding)
      findings.push({ rule: stakeout.finding.rule, at: Date.now(), exposes: stakeout.finding.exposes ?? [] });
    if (!process) return;
    let one = byId.get(process.entity_id);
    if (!one) {
      one = { id: process.entity_id, at: Date.parse(process.start ?? rest["@timestamp"]), leader: undefined, events: 0 };
      byId.set(one.id, one);
      const pid = process.pid ?? 0;
      seen.set(pid, [...(seen.get(pid) ?? []), one]);
    }
    if (process.entry_leader) one.leader = process.entry_leader;
    one.events += 1;
  };
  const investigation = await Investigation.open({
    folder: await createSession(folder, { label: "trial", address: range.host.address, target: "trial" }, Date.now()),
    enricher: new Enricher(undefined, undefined),
    analyst: "trial",
    connection: {},
    version: "trial",
    now: () => performance.timeOrigin + performance.now(),
    prepareResponse: () => Promise.reject(new Error("a trial plans nothing")),
    askFileInfo: () => {},
    isOurs: () => false,
    onEvent: (_line, event) => note(event),
  });
  const collector = await startCollector(sshRunner(range), { onObservations: (batch) => investigation.observe(batch) });
  await until(() => investigation.state.sensors.size > 0, "the first snapshot");
  return {
    investigation,
    collector,
    seen,
    findings,
    seenOf: ({ pid, at }) => (seen.get(pid) ?? []).find((one) => Math.abs(one.at / 1000 - at) < 3),
    loginOf: (record, who) => {
      const [ip, port] = (record.from.get(who) ?? "").split(" ");
      const login = [...investigation.state.logins.values()].find(({ source }) => source?.ip === ip && source?.port === Number(port));
      return login?.id;
    },
  };
}

/** Waits until the last of the work has been told, or it is clear that it will not be. */
async function settled(watch: Watch, { truths }: TrialRecord): Promise<void> {
  await until(() => truths.every((truth) => watch.seenOf(truth) !== undefined), "everything to be seen", PATIENCE_S).catch(() => {});
}

/** As two analysts would: each login of theirs, by `t` and Enter. Gives the keystrokes for one login. */
function tagResponders({ investigation, loginOf }: Watch, record: TrialRecord): number {
  for (const id of new Set(RESPONDERS.map((who) => loginOf(record, who))))
    if (id !== undefined) investigation.tag({ login: id }, "responder", "one of us", "trial");
  return 2;
}

function hiddenOf(watch: Watch, record: TrialRecord, is: (who: string) => boolean): { events: number; hidden: number } {
  const found = { events: 0, hidden: 0 };
  const counted = new Set<string>();
  for (const truth of record.truths) {
    const seen = is(truth.who) ? watch.seenOf(truth) : undefined;
    if (!seen || counted.has(seen.id)) continue;
    counted.add(seen.id);
    found.events += seen.events;
    // of a login that ran thousands, those in between are folded into its row, and are where that is
    const { processes, logins } = watch.investigation.state;
    const { standing } = processes.get(seen.id) ?? logins.get(seen.leader?.entity_id ?? "") ?? { standing: "unknown" as const };
    if (isHidden(standing)) found.hidden += seen.events;
  }
  return found;
}

/** Every abuse in its turn; after each the analyst has looked and tags the responders anew, but after the last. */
async function abuse(range: Range, trial: Trial, watch: Watch, seed: number): Promise<Raised[]> {
  const { investigation } = watch;
  const began = Date.now(); // the host's clock is ours
  const stage = await setStage(range, trial);
  const [host, { logins }] = [range.addresses, investigation.state];
  // those who worked before have left: who comes from there now is on the stage
  const tag = (addresses: readonly string[], verdict: "responder" | "intruder") => {
    for (const { id, source, end, ours } of logins.values())
      if (end === undefined && !ours && source && addresses.includes(source.ip))
        investigation.tag({ login: id }, verdict, "known", "trial");
  };
  try {
    await until(() => stagedLogins(investigation.state, range, began) >= 4, "the logins of those on the stage");
    tag([host.intruder], "intruder");
    const abuses = abusesOn(stage);
    const raised: Raised[] = [];
    for (const one of abuses) {
      tag(host.responders, "responder");
      raised.push(await see(one, watch));
    }
    // hijacked: what he types into the responder's tmux runs below the responder's login
    stage.intruder.type(`perl /opt/trial/work.pl hijack ${seed + 77} 3 >/run/trial/hijack\n`);
    await until(async () => (await onHost(range, "cat /run/trial/hijack 2>/dev/null")).includes("E hijack"), "the hijacked work to end");
    return raised;
  } finally {
    await stage.close();
  }
}

/** A login of the work before may linger: it is not one of them. */
const stagedLogins = ({ logins }: State, { addresses }: Range, since: number) =>
  [...logins.values()].filter(
    ({ start, ours, source }) => start >= since && !ours && source && [...addresses.responders, addresses.intruder].includes(source.ip),
  ).length;

async function see({ name, rule, exposes, run }: Abuse, watch: Watch): Promise<Raised> {
  const from = watch.findings.length;
  const at = await run();
  // the host's clock is ours: nothing is found before it is done
  const found = () => watch.findings.slice(from).find((one) => one.rule === rule && one.at >= at);
  await until(() => found() !== undefined, name, PATIENCE_S).catch(() => {});
  const finding = found();
  const { processes, logins } = watch.investigation.state;
  const shown = (id: string) => !isHidden((processes.get(id) ?? logins.get(id))?.standing ?? "unknown");
  const back = finding !== undefined && (!exposes || (finding.exposes.length > 0 && finding.exposes.every(shown)));
  return { name, rule, after: finding && finding.at - at, back };
}
