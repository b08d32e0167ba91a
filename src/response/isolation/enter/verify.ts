import { decodeHostBytes, type HostString } from "#model/host-string";
import type { Response } from "#model/response";
import { fromProcNet } from "../addresses.ts";
import { judgeDatagram } from "../datagram.ts";
import type { LiveConnection } from "../facts/host-facts.ts";
import { sections } from "../facts/parse.ts";
import type { Counts } from "../methods/method.ts";
import { methodOf } from "../methods/methods.ts";
import { describeConnection, type IsolationPlan, survivor } from "../plan.ts";

export type Step = NonNullable<Response["steps"]>[number];

/** The step that a datagram of ours is: ok where the kernel refused it. */
export const TRIED = "a datagram to nobody";

export interface CutEvidence {
  cut: boolean;
  steps: Step[];
  error?: string;
}

/**
 * Whether the cut holds, from the answer of `sampleScript`: our rules stand in the kernel as planned and unchanged between the two looks,
 * so that whatever left is either to the analysts or counted as dropped; and no established connection to anybody else is left.
 * `destroyed` says that the kernel could destroy sockets; where it cannot, a cut socket stays 'established' with nothing flowing.
 */
export function judgeCut(plan: IsolationPlan, output: string, milliseconds: number, destroyed: boolean): CutEvidence {
  const section = sections(output, plan.nonce);
  const get = (name: string) => section.get(name) ?? "";
  const method = methodOf(plan.method);
  const at = (look: 1 | 2) => method.judge(plan, (name) => get(`${name}${look}`));
  const [first, second] = [at(1), at(2)];
  const wrong = [...new Set([...first.wrong, ...second.wrong])];
  // iptables lists everybody's rules: another console's that come or go are none of ours
  const ours = (name: string, text: string) =>
    /^v[46]/.test(name) ? text.split("\n").filter((line) => line.includes(plan.nonce)) : [text];
  const listing = (look: 1 | 2) =>
    [...section]
      .filter(([name]) => name.endsWith(String(look)) && !name.startsWith("wire"))
      .flatMap(([name, text]) => ours(name, still(text)));
  if (listing(1).join("") !== listing(2).join("")) wrong.push("our rules were changed during the test");
  const datagram = judgeDatagram(plan, get("datagram"));
  if (datagram.left !== undefined) wrong.push(datagram.left);
  if (!section.has("end")) wrong.push("the host's answer was cut short");
  const sent = wire(get("wire2"), plan) - wire(get("wire1"), plan);
  const figures =
    first.counts && second.counts
      ? passage(first.counts, second.counts, plan.devices.length > 0 ? sent : undefined)
      : "this method counts nothing";
  const open = established(get("established"), plan);
  const rules = {
    name: "rules in the kernel",
    ok: wrong.length === 0,
    milliseconds,
    said: said(wrong.length === 0 ? figures : wrong.join("; ")),
  };
  const tried = { name: TRIED, ok: datagram.refused, milliseconds, said: said(datagram.said) };
  const rest = open.length === 0 ? "none" : open.slice(0, 20).map(describeConnection).join(", ");
  const sockets = { name: "established to others", ok: open.length === 0, milliseconds, said: said(rest) };
  const cut = wrong.length === 0 && (open.length === 0 || !destroyed);
  const error = wrong.length > 0 ? `The cut is not proven: ${wrong.join("; ")}.` : `Still established: ${rest}.`;
  return { cut, steps: [rules, tried, sockets], ...(cut ? {} : { error }) };
}

/** What went out and what did not between the two looks, in words. */
function passage(first: Counts, second: Counts, sent: number | undefined): string {
  const delta = (name: keyof Counts) => second[name] - first[name];
  const passed = delta("analysts") + delta("neighbours") + delta("servers");
  return (
    `to the analysts ${delta("analysts")}, to neighbours on the wire ${delta("neighbours")}, ` +
    `${delta("servers") > 0 ? `to the servers let through ${delta("servers")}, ` : ""}to others 0; ` +
    `dropped: out ${delta("droppedOut")}, in ${delta("droppedIn")}` +
    (sent === undefined ? "" : `; the interfaces sent ${sent}, we let through ${passed} (a driver may cut one packet into several)`)
  );
}

/** A listing without what changes by itself. */
function still(listed: string): string {
  return listed
    .replace(/packets \d+ bytes \d+/g, "")
    .replace(/^\[\d+:\d+\]/gm, "")
    .replace(/^(?:# (?:Generated|Completed)|:).*$/gm, "");
}

/** Packets that the hooked interfaces have sent, by the kernel's own statistics. */
function wire(text: string, plan: IsolationPlan): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    const [name = "", packets] = line.split(" ");
    if (plan.devices.includes(name)) sum += Number(packets) || 0;
  }
  return sum;
}

function established(text: string, plan: IsolationPlan): LiveConnection[] {
  const stays = survivor(plan);
  const found = text.split("\n").map((line) => {
    const [local, remote] = line.split(" ").map((end) => fromProcNet(end));
    return local && remote ? { transport: "tcp" as const, state: "ESTAB", local, remote } : undefined;
  });
  return found.filter((c) => c !== undefined).filter((c) => !stays(c));
}

function said(text: string): HostString {
  return decodeHostBytes(Buffer.from(text, "latin1"));
}
