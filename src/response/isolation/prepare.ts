import { randomBytes, randomUUID } from "node:crypto";
import type { HostRunner } from "#host/runner";
import { printable } from "#model/host-string";
import type { Keeps } from "#model/measure";
import type { Response } from "#model/response";
import { networkBlock } from "./block.ts";
import { bootObstacle } from "./boot/obstacle.ts";
import { mayBreak } from "./breaks.ts";
import type { DeadMan } from "./enter/dead-man.ts";
import { type Execution, executeIsolation, outcome, type ProbeAccess } from "./enter/execute.ts";
import type { Step } from "./enter/verify.ts";
import { collectFacts } from "./facts/collect.ts";
import type { ExistingIsolation, HostFacts, LiveConnection, NetworkState } from "./facts/host-facts.ts";
import { foreignIsolation } from "./foreign.ts";
import type { Server } from "./methods/method.ts";
import { METHODS } from "./methods/methods.ts";
import { PREAMBLE } from "./methods/shell-words.ts";
import { obstacle } from "./obstacles.ts";
import { type IsolationPlan, planIsolation, WITHOUT_BOOT } from "./plan.ts";
import { IsolatedMeanwhile, ResponseRefused } from "./refused.ts";
import { type Rehearsal, rehearse } from "./rehearse.ts";
import { executeRelease, planRelease, type ReleasePlan } from "./release.ts";
import { Shell } from "./shell.ts";

export interface PrepareOptions {
  analyst: string;
  session: string;
  /** Further addresses that stay allowed, as the host sees them. */
  partners?: readonly string[];
  /** Servers that the host may still reach: an imaging server, an EDR's. */
  servers?: readonly Server[];
  /** What becomes of it when the console vanishes once it was proven; it stays where nothing is said. */
  keeps?: Keeps;
  /** How long a host that reverts waits without having heard from us; 60 unless said otherwise. */
  leaseSeconds?: number;
  /** The method by name, instead of the best that the host takes. */
  method?: string;
  /** For a release: the state of the network before the isolation ({@link HostFacts.state} of its plan), to be held against. */
  before?: NetworkState;
  /** 60 unless said otherwise. */
  deadManSeconds?: number;
  /** Left out: release where the host is isolated, else isolate. */
  want?: "isolate" | "release";
  now?: () => Date;
}

export type Outcome = Response & {
  ok: boolean;
  durationNs: number;
  /** The host's process that undoes it when no console beats any more. */
  lease?: DeadMan;
};

/** Ready to run: what the dialog shows is exactly what `execute` runs. */
export interface Prepared {
  kind: "isolate" | "release";
  plan: Response;
  preview: {
    dies: LiveConnection[];
    survives: LiveConnection[];
    allowed: string[];
    notes: string[];
    /** What the cut may break, and the block to ask the customer's network for: sentences and lines for the customer. */
    breaks: string[];
    networkBlock: string[];
    /** Of an isolation: why it could not stand through a reboot, the end of a sentence; left out where it could. */
    noBoot?: string;
  };
  facts: HostFacts;
  /** For the watch that keeps it, once it has been carried out. */
  isolation?: IsolationPlan;
  /** Runs it once. What the host does wrong stands in the outcome, never in an exception. */
  execute(options: { probeAccess: ProbeAccess; onStep?: (step: Step) => void }): Promise<Outcome>;
  /** The rules on live traffic for some seconds, counting alone; left out where only nft could, and something else is planned. */
  rehearse?(seconds: number): Promise<Rehearsal>;
  /** Closes the shell that was opened for it. */
  dispose(): void;
}

/**
 * Collects the facts, plans, lets the host's own nft check the plan, and opens the shell, so that Enter costs one round trip.
 * Changes nothing on the host. Rejects with {@link ResponseRefused} where it cannot be done safely.
 */
export async function prepareIsolation(runner: HostRunner, options: PrepareOptions): Promise<Prepared> {
  const shell = await openReady(runner);
  try {
    const facts = await collectFacts(shell, [...(options.partners ?? []), ...(options.servers ?? []).map((s) => s.ip)]);
    const want = options.want ?? (facts.isolation ? "release" : "isolate");
    if (want === "release") return prepared(runner, shell, facts, orThrow(planRelease(facts, mark(), options.before)));
    return prepared(runner, shell, facts, await firstAccepted(shell, facts, options));
  } catch (error) {
    shell.close();
    throw error;
  }
}

/** A shell whose commands go before the intruder's load: its own priority is raised, where the host allows it (renice(1)). */
async function openReady(runner: HostRunner): Promise<Shell> {
  const shell = await Shell.open(runner);
  await shell.run("renice -n -15 -p $$", 10_000);
  return shell;
}

/** What isolates the host as it is: one of ours, by its own comment, and rules of others, in words. Asked by a console that has just connected. */
export async function detectIsolation(
  runner: HostRunner,
): Promise<{ ours?: ExistingIsolation; others: string[]; onDisk: HostFacts["onDisk"] }> {
  const shell = await Shell.open(runner);
  try {
    const facts = await collectFacts(shell);
    return { ...(facts.isolation ? { ours: facts.isolation } : {}), others: foreignIsolation(facts), onDisk: facts.onDisk };
  } finally {
    shell.close();
  }
}

/** The best method whose rules the host's kernel takes in a dry run. */
async function firstAccepted(shell: Shell, facts: HostFacts, options: PrepareOptions): Promise<IsolationPlan> {
  const since = `${(options.now?.() ?? new Date()).toISOString().slice(0, 19)}Z`;
  const { analyst, session, partners = [], servers = [], deadManSeconds = 60, keeps = "stays" } = options;
  const lease = options.leaseSeconds === undefined ? {} : { leaseSeconds: options.leaseSeconds };
  const through = keeps === "boot" ? bootObstacle(facts) : undefined;
  if (through !== undefined) throw new ResponseRefused(`It could not stand through a reboot: ${through}.`, WITHOUT_BOOT);
  const refusals: string[] = [];
  const methods = METHODS.filter((method) => options.method === undefined || method.id === options.method);
  for (const method of methods) {
    const obstacleFirst = obstacle(facts, { partners, servers, deadManSeconds });
    if (obstacleFirst) throw obstacleFirst;
    const plan = planIsolation(
      facts,
      { analyst, session, partners, servers, deadManSeconds, keeps, ...lease, nonce: mark(), since },
      method,
    );
    if (plan instanceof ResponseRefused) {
      refusals.push(`${method.id}: ${plan.reason}`);
      continue;
    }
    const check = await shell.run(`${PREAMBLE}\n${plan.check}\n`, 15_000);
    if (check.code === 0) {
      const better = refusals.filter((refusal) => !/has no (?:ip6?tables|nft)/.test(refusal));
      if (better.length > 0) plan.notes.unshift(`Better methods were refused by the host: ${better.join("; ")}.`);
      return plan;
    }
    if (/File exists/.test(check.output)) {
      const found = (await collectFacts(shell)).isolation;
      if (found && found.nonce !== facts.isolation?.nonce) throw new IsolatedMeanwhile(found);
    }
    const said = check.code === 124 || check.code === 137 ? "it hangs" : printable(check.output.trim().slice(0, 300));
    refusals.push(`${method.id}: ${said === "" ? `exit code ${check.code}` : said}`);
  }
  throw new ResponseRefused(
    `The host refuses every way to isolate it (${refusals.join("; ")}).`,
    "Look at its kernel, nft and iptables; until then, ask the customer's network team for the block.",
  );
}

function prepared(runner: HostRunner, first: Shell, facts: HostFacts, plan: IsolationPlan | ReleasePlan): Prepared {
  let shell = first;
  let used = false;
  const base: Response = {
    id: randomUUID(),
    kind: plan.kind,
    method: plan.method,
    plan: plan.script,
    plan_sha256: plan.sha256,
    ...(plan.kind === "isolate" ? { leaks: plan.leaks, undo: plan.undo, keeps: plan.keeps } : {}),
    ...(facts.modulesLoaded.length > 0 ? { modules_loaded: facts.modulesLoaded.map((name) => printable(name)) } : {}),
  };
  const nft = facts.nft?.path;
  const preview =
    plan.kind === "isolate"
      ? {
          dies: plan.dies,
          survives: plan.survives,
          allowed: plan.allowed,
          notes: [...foreignIsolation(facts), ...plan.notes],
          breaks: mayBreak(facts, plan.allowed),
          networkBlock: networkBlock(plan),
          ...noBoot(bootObstacle(facts, plan.method)),
        }
      : { dies: [], survives: facts.connections, allowed: plan.isolation?.allowed ?? [], notes: plan.notes, breaks: [], networkBlock: [] };
  return {
    kind: plan.kind,
    plan: base,
    preview,
    facts,
    ...(plan.kind === "isolate" ? { isolation: plan } : {}),
    ...(plan.kind === "isolate" && nft !== undefined && plan.method.startsWith("nft ")
      ? { rehearse: (seconds: number) => rehearse(runner, plan, nft, seconds) }
      : {}),
    async execute({ probeAccess, onStep = () => {} }) {
      if (used) throw new Error("This plan has been run already: prepare a new one.");
      used = true;
      const started = performance.now();
      let execution: Execution;
      try {
        // the dialog may have stood open for long: a shell that died meanwhile is opened anew
        if (!shell.alive) shell = await openReady(runner);
        execution =
          plan.kind === "isolate" ? await executeIsolation(plan, shell, probeAccess, onStep) : await executeRelease(plan, shell, onStep);
        const other = await quicker(shell, plan, execution, facts.isolation?.nonce);
        if (other) execution = { ...execution, error: other.message };
      } catch (error) {
        execution = {
          verified: { access: false, cut: false },
          steps: [],
          error: `No shell could be opened on the host: ${String(error)}. Nothing was run.`,
        };
      }
      const durationNs = Math.round((performance.now() - started) * 1e6);
      const { lease, error } = execution;
      return { ...base, ...outcome(execution), ok: error === undefined, durationNs, ...(lease ? { lease } : {}) };
    },
    dispose: () => shell.close(),
  };
}

/** Who isolated the host between this plan and its Enter: the cut was refused because his tables stand. `before`: whom the plan would have replaced. */
async function quicker(
  shell: Shell,
  plan: IsolationPlan | ReleasePlan,
  { steps }: Execution,
  before: string | undefined,
): Promise<IsolatedMeanwhile | undefined> {
  const refused = steps.some(({ name, ok, said }) => name === "cut" && !ok && /File exists/.test(said ?? ""));
  if (plan.kind !== "isolate" || !refused || !shell.alive) return undefined;
  const found = (await collectFacts(shell).catch(() => undefined))?.isolation;
  if (found?.nonce !== undefined && found.nonce === before) return undefined;
  return found && found.nonce !== plan.nonce ? new IsolatedMeanwhile(found) : undefined;
}

const noBoot = (why: string | undefined) => (why === undefined ? {} : { noBoot: why });

function orThrow<T>(plan: T | ResponseRefused): T {
  if (plan instanceof ResponseRefused) throw plan;
  return plan;
}

function mark(): string {
  return randomBytes(6).toString("hex");
}
