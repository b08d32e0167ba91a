import { randomBytes } from "node:crypto";
import { type HostRunner, runScript } from "#host/runner";
import { decodeHostBytes, type HostString } from "#model/host-string";
import type { BlockTarget, ProcessRef } from "#model/measure";
import type { Response } from "#model/response";
import type { Step } from "../isolation/enter/verify.ts";
import { collectFacts } from "../isolation/facts/collect.ts";
import type { HostFacts, LiveConnection } from "../isolation/facts/host-facts.ts";
import { ResponseRefused } from "../isolation/refused.ts";
import { Shell } from "../isolation/shell.ts";
import { type SignalKind, sha256, signalScript } from "../process/signal.ts";
import { applyBlock, type BlockPlan, type BlockSubject, planBlock } from "./block.ts";

/** A measure that is less than an isolation, planned: nothing was changed on the host yet. */
export interface PreparedMeasure {
  plan: Omit<Response, "id">;
  /** Connections that are open now and would be stopped. */
  dies: LiveConnection[];
  /** Addresses whose logins are let through. */
  allowed: string[];
  notes: string[];
  run(onStep: (step: Step) => void): Promise<{ ok: boolean; error?: string }>;
}

/** Plans a block; its table is its own, so that it is taken back alone. Rejects with {@link ResponseRefused}. */
export async function prepareBlock(
  runner: HostRunner,
  target: BlockTarget,
  words: HostString,
  analysts: readonly string[],
): Promise<PreparedMeasure> {
  const shell = await Shell.open(runner);
  let facts: HostFacts;
  let subject: BlockSubject;
  try {
    facts = await collectFacts(shell);
    subject = target.kind === "cgroup" ? { kind: "cgroup", path: await cgroupOf(shell, target) } : target;
  } finally {
    shell.close();
  }
  const plan = planBlock(facts, subject, analysts, randomBytes(6).toString("hex"));
  if (plan instanceof ResponseRefused) throw plan;
  const { ours } = facts;
  const allowed = [...new Set([...(ours ? [ours.client.ip] : []), ...analysts])];
  const login = (c: LiveConnection) => c.local.port === ours?.server.port && allowed.includes(c.remote.ip);
  const stopped = (c: LiveConnection) =>
    target.kind === "address" && c.remote.ip === target.ip && (target.port === undefined || c.remote.port === target.port) && !login(c);
  return {
    plan: { kind: "block", method: "nft", plan: plan.script, plan_sha256: plan.sha256, undo: plan.undo, leaks: plan.leaks, target: words },
    dies: facts.connections.filter(stopped),
    allowed,
    notes:
      target.kind === "address"
        ? ["It is dropped without a word: a program that sends there waits and tries again."]
        : [`Which connections are its own is not looked up: it stops ${plan.what}.`],
    run: (onStep) => applied(runner, plan, false, onStep),
  };
}

/** The control group (v2) of a process that is still the one that was named, without its leading slash. */
async function cgroupOf(shell: Shell, { pid, startTicks }: { pid: number; startTicks: number }): Promise<string> {
  const script = `read -r stat <"/proc/${pid}/stat" && set -- \${stat##*) } && echo "\${20}"; while read -r line; do case $line in 0::/?*) echo "\${line#0::/}";; esac; done <"/proc/${pid}/cgroup"`;
  const { output } = await shell.run(script, 10_000);
  const [start = "", path] = output.trim().split("\n");
  if (Math.abs(Number(start) - startTicks) > 1 || start === "")
    throw new ResponseRefused("The process is not running any more.", "Choose another.");
  if (path === undefined)
    throw new ResponseRefused(
      "The process is in no control group of its own (cgroup v2).",
      "Block what its account sends, or the far end, instead.",
    );
  return path;
}

async function applied(
  runner: HostRunner,
  plan: Pick<BlockPlan, "script" | "undo" | "nonce">,
  undo: boolean,
  onStep: (step: Step) => void,
) {
  const { ok, said, milliseconds } = await applyBlock(runner, plan, undo);
  const name = undo ? "the host's nft lists the block no more" : "the host's nft lists the block";
  onStep({ name, ok, milliseconds, ...(said === "" ? {} : { said: decodeHostBytes(Buffer.from(said, "latin1")) }) });
  return ok ? { ok } : { ok, error: undo ? "The block could not be taken back." : "The host did not take the block." };
}

const WORDS: Record<SignalKind, { what: string; leaks: string[]; notes: string[] }> = {
  suspend: {
    what: "suspended",
    leaks: ["root can let them go on, and their parent can notice", "connections stay open, the far end waits"],
    notes: ["They keep their memory, files and sockets: it can be taken back."],
  },
  resume: { what: "going on", leaks: [], notes: ["They go on with what they did."] },
  kill: {
    what: "ended",
    leaks: ["whatever starts them (a timer, a cron entry, a supervisor) can start them again"],
    notes: ["It cannot be taken back: memory and deleted files of them are lost. Suspend keeps both."],
  },
};

/** Plans to suspend, resume or end processes. */
export function prepareSignal(runner: HostRunner, kind: SignalKind, processes: readonly ProcessRef[], words: HostString): PreparedMeasure {
  const { leaks, notes } = WORDS[kind];
  const script = signalScript(kind, processes);
  return {
    plan: {
      kind,
      method: "signal",
      plan: script,
      plan_sha256: sha256(script),
      leaks,
      target: words,
      ...(kind === "suspend" ? { undo: signalScript("resume", processes) } : {}),
    },
    dies: [],
    allowed: [],
    notes: [...processes.slice(0, 40).map(({ pid, name }) => `${pid} ${name ?? "name not seen"}`), ...notes],
    run: (onStep) => signalled(runner, kind, script, processes.length, onStep),
  };
}

async function signalled(runner: HostRunner, kind: SignalKind, script: string, wanted: number, onStep: (step: Step) => void) {
  const began = performance.now();
  const { stdout } = await runScript(runner, script, { timeoutMs: 30_000, limitBytes: 1 << 16 });
  const lines = stdout.toString("latin1").split("\n");
  const count = (word: string) => lines.filter((line) => new RegExp(`^\\d+ ${word}$`).test(line)).length;
  const [done, gone, refused] = [count("done"), count("gone"), count("refused")];
  const { what } = WORDS[kind];
  const ok = done > 0 && refused === 0;
  const said = `${gone} were gone already, ${refused} would not` as HostString;
  onStep({
    name: `${done} of ${wanted} processes ${what}`,
    ok,
    milliseconds: performance.now() - began,
    ...(done < wanted ? { said } : {}),
  });
  if (ok) return { ok };
  return { ok, error: refused > 0 ? `${refused} of ${wanted} processes would not be ${what}.` : "None of them was there any more." };
}

/** Plans to take back what an earlier response did, by that response's own undo. */
export function prepareUndo(runner: HostRunner, of: { id: string; undo: string }, words: HostString): PreparedMeasure {
  const nonce = /stakeout_block_([0-9a-f]{12})\b/.exec(of.undo)?.[1];
  const common = { plan: of.undo, plan_sha256: sha256(of.undo), target: words, undoes: of.id };
  const base = { dies: [], allowed: [] };
  if (nonce !== undefined)
    return {
      ...base,
      plan: { ...common, kind: "unblock", method: "nft" },
      notes: ["What was blocked passes again at once."],
      run: (onStep) => applied(runner, { script: "", undo: of.undo, nonce }, true, onStep),
    };
  const wanted = of.undo.match(/\d+:\d+/g)?.length ?? 0;
  return {
    ...base,
    plan: { ...common, kind: "resume", method: "signal" },
    notes: WORDS.resume.notes,
    run: (onStep) => signalled(runner, "resume", of.undo, wanted, onStep),
  };
}
