import type { HostRunner } from "#host/runner";
import { printable } from "#model/host-string";
import { sampleScript } from "./enter/script.ts";
import { judgeCut, TRIED } from "./enter/verify.ts";
import { planOf } from "./made-by.ts";
import type { IsolationPlan } from "./plan.ts";
import { detectIsolation } from "./prepare.ts";
import { Shell } from "./shell.ts";

/** The answer to 'is it really cut?', for somebody who does not know what a packet is. */
export interface CutAnswer {
  cut: boolean;
  /** Sentences, the answer first. */
  words: string[];
}

const ALONE =
  "That is the word of the host's own tools: a message of ours that the cut should stop could not be tried here, and tools can be replaced.";

/** The same where this console did not make the isolation: only the host's own word can be had, not a plan to hold it against. */
export async function isSomethingCut(runner: HostRunner, now: () => Date = () => new Date()): Promise<CutAnswer> {
  const at = `${now().toISOString().slice(0, 19).replace("T", " ")} UTC`;
  try {
    const { ours, others, onDisk } = await detectIsolation(runner);
    const next = onDisk.length > 0 ? ["By files on its disk it would be isolated at its next boot: a release takes them away."] : [];
    if (!ours && others.length === 0)
      return { cut: false, words: [`No. We looked at ${at}: nothing on the host cuts it off from the network.`, ...next] };
    const made = ours
      ? [
          `Not for certain (${at}): the host shows the rules of an isolation that ${ours.analyst ?? "somebody"} made (${planOf(ours)}), and lets in ${ours.allowed.join(", ") || "nobody that we know"}.`,
          "This console did not make it, so it cannot hold it against its plan: the console that did can, or isolate anew from here.",
        ]
      : [`Not by us (${at}).`];
    return { cut: false, words: [...made, ...others] };
  } catch (error) {
    return { cut: false, words: [`It is not known: the host did not answer (${(error as Error).message})`] };
  }
}

/** Looks at the host anew, and says what it saw and what it cannot see. Never throws for what the host does. */
export async function isItCut(runner: HostRunner, plan: IsolationPlan, now: () => Date = () => new Date()): Promise<CutAnswer> {
  const at = `${now().toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const unseen = [
    ...plan.leaks.map((leak) => `This way of cutting cannot stop ${leak}.`),
    "Whoever has all rights on the host can take the cut off again; we watch for that while we are connected. Only a block in your own network is out of his reach.",
  ];
  let shell: Shell | undefined;
  try {
    shell = await Shell.open(runner);
    const reply = await shell.run(sampleScript(plan), 30_000);
    const { cut, steps, error } = judgeCut(plan, reply.output, reply.milliseconds, true);
    const counted = /dropped: out (\d+), in (\d+)/.exec(printable(steps[0]?.said ?? ""));
    if (!cut) return { cut, words: [`No, not for certain (${at}). ${error ?? ""}`.trim(), ...unseen] };
    const tried = counted
      ? `While we looked, ${counted[1]} ${counted[1] === "1" ? "message" : "messages"} that programs on the host tried to send to others, and ${counted[2]} that others sent to it, were thrown away; none was let through.`
      : "This way of cutting does not count what it stops.";
    const alone = steps.find(({ name }) => name === TRIED)?.ok === false;
    const who = [...plan.allowed, ...plan.servers.map((s) => `${s.ip} (port ${s.port})`)].join(", ");
    return {
      cut,
      words: [
        `Yes. We looked at ${at}: the host talks to nobody but ${who}.`,
        tried,
        "No connection to anybody else is open.",
        ...(alone ? [ALONE] : []),
        ...unseen,
      ],
    };
  } catch (error) {
    return { cut: false, words: [`It is not known: the host did not answer (${(error as Error).message})`, ...unseen] };
  } finally {
    shell?.close();
  }
}
