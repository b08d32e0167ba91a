import { decodeHostBytes, type HostString } from "#model/host-string";
import type { Response } from "#model/response";
import type { IsolationPlan } from "../plan.ts";
import { type Shell, ShellLost } from "../shell.ts";
import { type DeadMan, parseDeadMan } from "./dead-man.ts";
import { NOT_ISOLATED, SURVIVE, sampleScript, standDownScript } from "./script.ts";
import { judgeCut, type Step } from "./verify.ts";

/** Opens a way in that is not our own channel (a second connection, through the rules) and says whether it worked. */
export type ProbeAccess = () => Promise<{ ok: boolean; milliseconds: number; error?: string }>;

export interface Execution {
  verified: { access: boolean; cut: boolean };
  steps: Step[];
  /** Of a release: what was held against how it was. */
  compared?: NonNullable<Response["compared"]>;
  /** The host's process that undoes the isolation when no console beats any more. */
  lease?: DeadMan;
  /** Files that were written to the host's disk. */
  onDisk?: string[];
  /** It is done and proven, but for this. */
  lacks?: string;
  error?: string;
}

/** Runs a plan over a shell that is open already, then proves access and the cut. Never throws for what the host does. */
export async function executeIsolation(
  plan: IsolationPlan,
  shell: Shell,
  probeAccess: ProbeAccess,
  onStep: (step: Step) => void,
): Promise<Execution> {
  const steps: Step[] = [];
  const note = (step: Step) => {
    steps.push(step);
    onStep(step);
  };
  const failed = (error: string, access = false): Execution => ({ verified: { access, cut: false }, steps, error });
  const reverts = revertsOf(plan);

  const entered = await enter(plan, shell);
  for (const step of entered.steps) note(step);
  const find = (name: string) => entered.steps.find((step) => step.name === name);
  if (!find("armed")?.ok) {
    if (entered.lost) return failed(`${entered.lost} Whether the host is isolated is not known. If it is: ${reverts}`);
    return failed("No dead man could be armed, so nothing was cut.");
  }
  if (!entered.lost && !find("cut")?.ok) {
    return failed(`${tool(plan)} refused the transaction: nothing of it was applied. ${hint(find("cut")?.said ?? "")}`.trim(), true);
  }

  const [way, evidence] = await Promise.all([
    probe(probeAccess, plan.deadManSeconds * 800),
    entered.lost ? undefined : look(plan, shell, find("sockets")),
  ]);
  note(way);
  for (const step of evidence?.steps ?? []) note(step);
  const answers = evidence !== undefined && shell.alive;
  note({ name: "our channel answers", ok: answers, milliseconds: entered.milliseconds });
  if (!way.ok || !answers) {
    const why = way.ok ? "our own channel was lost" : `no second way in could be opened (${way.said ?? "no reason given"})`;
    return failed(`Access is not proven: ${why}. ${reverts}`, false);
  }
  const lease = parseDeadMan(find("lease")?.said ?? "");
  const stood = await standDown(plan, shell, entered.man, lease);
  note(stood.step);
  const errors = [evidence.error, stood.error].filter((e) => e !== undefined);
  const cut = evidence.cut && stood.error === undefined;
  if (plan.keeps === "reverts" && !lease)
    errors.push("The host would not revert if we vanished: the process for it did not start. It stays isolated.");
  const proven = { verified: { access: true, cut }, steps, ...(lease ? { lease } : {}) };
  if (errors.length > 0) return { ...proven, error: errors.join(" ") };
  if (find("earlier")?.ok === false)
    return { ...proven, lacks: "The host is isolated, but files of an earlier isolation could not be taken from its disk: see the steps." };
  if (!plan.boot) return proven;
  const { step, lacks } = await survive(shell);
  note(step);
  return { ...proven, ...(lacks === undefined ? { onDisk: [plan.boot.unit.path, plan.boot.rules.path] } : { lacks }) };
}

interface Entered {
  steps: Step[];
  man?: DeadMan;
  milliseconds: number;
  lost?: string;
}

/** Sends the plan's script and reads its steps as they come: each is timed by its arrival here. */
async function enter(plan: IsolationPlan, shell: Shell): Promise<Entered> {
  let lost: string | undefined;
  const reply = await shell.run(plan.script, 20_000).catch((error: unknown) => {
    if (!(error instanceof ShellLost)) throw error;
    lost = error.message;
    return error.reply;
  });
  const steps: Step[] = [];
  let words: string[] = [];
  let last = 0;
  const mark = new RegExp(`^@${plan.nonce} (armed|cut|earlier|sockets|guard|lease) (\\d{1,3})$`);
  const marks = reply.lines.map(({ text }) => mark.exec(text));
  // a tool that root has replaced is told the nonce and can print what we print; it does so before its step is over, and we after it
  const whole = new Map(marks.map((match, i) => [match?.[1], i]));
  for (const [i, { text, at }] of reply.lines.entries()) {
    const match = marks[i];
    if (!match || whole.get(match[1]) !== i) {
      if (text !== "") words.push(text);
      continue;
    }
    const name = match[1] as string;
    const destroyed = `${words.length} ${words.length === 1 ? "socket" : "sockets"} destroyed`;
    const refused = name === "sockets" && words.some((line) => /not supported|denied|permitted|usage:/i.test(line));
    const said = name === "sockets" && !refused ? destroyed : words.join("\n").slice(0, 2000);
    steps.push({ name, ok: match[2] === "0" && !refused, milliseconds: at - last, ...(said === "" ? {} : { said: host(said) }) });
    last = at;
    words = [];
  }
  const man = parseDeadMan(steps.find((step) => step.name === "armed")?.said ?? "");
  return { steps, milliseconds: reply.milliseconds, ...(man ? { man } : {}), ...(lost === undefined ? {} : { lost }) };
}

/** A way in that answers only when the dead man is about to act is none: it has four fifths of his time. */
async function probe(probeAccess: ProbeAccess, limitMs: number): Promise<Step> {
  const started = performance.now();
  const name = "a second way in";
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Awaited<ReturnType<ProbeAccess>>>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, milliseconds: limitMs, error: `no answer within ${limitMs} ms` }), limitMs);
  });
  try {
    const way = await Promise.race([probeAccess(), late]);
    return { name, ok: way.ok, milliseconds: way.milliseconds, ...(way.error === undefined ? {} : { said: way.error as HostString }) };
  } catch (error) {
    return { name, ok: false, milliseconds: performance.now() - started, said: String(error) as HostString };
  } finally {
    clearTimeout(timer);
  }
}

async function look(plan: IsolationPlan, shell: Shell, sockets: Step | undefined) {
  try {
    const reply = await shell.run(sampleScript(plan), 30_000);
    return judgeCut(plan, reply.output, reply.milliseconds, sockets?.ok === true);
  } catch {
    return undefined;
  }
}

/** Stands the dead man down; `error` where he may still act, or has acted. */
async function standDown(plan: IsolationPlan, shell: Shell, man?: DeadMan, lease?: DeadMan): Promise<{ step: Step; error?: string }> {
  const name = "dead man stood down";
  const error = `The dead man could not be stood down. ${revertsOf(plan)}`;
  if (!man) return { step: { name, ok: false, milliseconds: 0, said: "it did not say who it is" as HostString }, error };
  try {
    const { code, milliseconds, output } = await shell.run(standDownScript(man, plan, lease), 15_000);
    const step = {
      name,
      ok: code === 0 || code === NOT_ISOLATED,
      milliseconds,
      ...(output.trim() === "" ? {} : { said: host(output.slice(0, 500)) }),
    };
    if (code === NOT_ISOLATED) return { step, error: "The host is not isolated: our rules are gone, or were never there." };
    return code === 0 ? { step } : { step, error };
  } catch (reason) {
    return { step: { name, ok: false, milliseconds: 0, said: String(reason) as HostString }, error };
  }
}

/** The sum of what its parts may take on a host that hangs. */
export const SURVIVE_MS = 400_000;

/** Makes a proven isolation last through a reboot: the function came with the plan's script, and runs in the same shell. */
async function survive(shell: Shell): Promise<{ step: Step; lacks?: string }> {
  const name = "stands through a reboot";
  try {
    const { code, milliseconds, output } = await shell.run(SURVIVE, SURVIVE_MS);
    const said = host(output.trim().slice(0, 500) || "the host gave no reason");
    const step = { name, ok: code === 0, milliseconds, said };
    return code === 0 ? { step } : { step, lacks: `The host is isolated, but it would not survive a reboot: ${said}.` };
  } catch (reason) {
    const said = String(reason) as HostString;
    const lacks = "The host is isolated, but whether it would survive a reboot is not known: our channel was lost while that was written.";
    return { step: { name, ok: false, milliseconds: 0, said }, lacks };
  }
}

function revertsOf(plan: IsolationPlan): string {
  return `The dead man on the host reverts ${plan.deadManSeconds} s after it was armed.`;
}

function tool(plan: IsolationPlan): string {
  return plan.method.split(" ")[0] as string;
}

function hint(said: string): string {
  if (/File exists/.test(said)) return "Another console has isolated this host since the plan was made: look again.";
  if (/No such file/.test(said)) return "An interface or a table of the plan is gone from the host: plan again.";
  return "";
}

function host(latin1: string): HostString {
  return decodeHostBytes(Buffer.from(latin1, "latin1"));
}

/** The part of a {@link Response} that an execution fills. */
export function outcome(execution: Execution): Pick<Response, "verified" | "steps" | "error" | "compared" | "on_disk"> {
  const { verified, steps, compared, onDisk, error = execution.lacks } = execution;
  return {
    verified,
    steps,
    ...(compared ? { compared } : {}),
    ...(onDisk ? { on_disk: onDisk } : {}),
    ...(error === undefined ? {} : { error }),
  };
}
