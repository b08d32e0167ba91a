import { createHash } from "node:crypto";
import type { HostRunner } from "#host/runner";
import { canonical, family } from "../isolation/addresses.ts";
import type { HostFacts } from "../isolation/facts/host-facts.ts";
import { sections } from "../isolation/facts/parse.ts";
import { PREAMBLE } from "../isolation/methods/shell-words.ts";
import { ResponseRefused } from "../isolation/refused.ts";
import { Shell } from "../isolation/shell.ts";

/** Less than an isolation: one far end, or what one account or one group of processes sends. */
export type BlockSubject =
  | { kind: "address"; ip: string; port?: number }
  | { kind: "user"; uid: number }
  /** A path of the cgroup v2 hierarchy without its leading slash: of a login, `user.slice/user-1000.slice/session-3.scope`. */
  | { kind: "cgroup"; path: string };

export interface BlockPlan {
  kind: "block";
  /** In words: what is stopped. */
  what: string;
  script: string;
  sha256: string;
  undo: string;
  nonce: string;
  /** What it does not stop, a sentence each. */
  leaks: string[];
}

const NAME = /^[0-9a-f]{12}$/;
const LEVELS = /^[\w.@:-]+(?:\/[\w.@:-]+)*$/;

/**
 * A table of its own for each block, so that each is taken back alone. What belongs to the analysts' logins is let through before
 * anything is dropped: no block can lock an analyst out. Pure.
 */
export function planBlock(
  facts: HostFacts,
  subject: BlockSubject,
  analysts: readonly string[],
  nonce: string,
): BlockPlan | ResponseRefused {
  const refuse = (reason: string, remedy: string) => new ResponseRefused(reason, remedy);
  if (!facts.root) return refuse("A block needs root on the host.", "Connect as root.");
  if (!facts.nft || facts.ruleset === undefined) return refuse("The host has no nft that can be used.", "Isolate the host instead.");
  if (!facts.ours) return refuse("The host does not show which connection carries this console.", "Connect by ssh to the host's own sshd.");
  if (!NAME.test(nonce)) throw new Error("A block's mark is 12 hexadecimal digits.");
  const allowed = [...new Set([facts.ours.client.ip, ...analysts.map(canonical).filter((ip) => ip !== undefined)])];
  const matched = match(subject, allowed);
  if (matched instanceof ResponseRefused) return matched;
  const table = `inet stakeout_block_${nonce}`;
  const { port } = facts.ours.server;
  const logins = (way: "in" | "out") =>
    allowed.map((ip) => {
      const kind = family(ip) === 4 ? "ip" : "ip6";
      return way === "in" ? `    ${kind} saddr ${ip} tcp dport ${port} accept\n` : `    ${kind} daddr ${ip} tcp sport ${port} accept\n`;
    });
  const chain = (name: string, hook: string, way: "in" | "out", rules: readonly string[]) =>
    rules.length === 0
      ? ""
      : `  chain ${name} {\n    type filter hook ${hook} priority -401; policy accept;\n${logins(way).join("")}${rules.map((rule) => `    ${rule} counter name "dropped" drop\n`).join("")}  }\n`;
  const rules = `create table ${table}\ntable ${table} {\n  counter dropped { }\n${chain("outgoing", "output", "out", matched.out)}${chain("forwarded", "forward", "out", matched.forward)}${chain("incoming", "prerouting", "in", matched.in)}}\n`;
  const nft = facts.nft.path;
  const script = `${PREAMBLE}\n${nft} -f - <<'${nonce}'\n${rules}${nonce}\n`;
  return {
    kind: "block",
    what: matched.what,
    script,
    sha256: createHash("sha256").update(script).digest("hex"),
    undo: undoOfBlock(nonce, nft),
    nonce,
    leaks: ["raw frames (AF_PACKET): a block is of IP alone", ...matched.leaks],
  };
}

interface Matched {
  what: string;
  in: string[];
  out: string[];
  forward: string[];
  leaks: string[];
}

function match(subject: BlockSubject, allowed: readonly string[]): Matched | ResponseRefused {
  if (subject.kind === "address") {
    const ip = canonical(subject.ip);
    if (ip === undefined) return new ResponseRefused(`'${subject.ip}' is not an address.`, "Give it by number.");
    const { port } = subject;
    if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65_535))
      return new ResponseRefused("There is no such port.", "Give 1 to 65535.");
    const kind = family(ip) === 4 ? "ip" : "ip6";
    const to = `${kind} daddr ${ip}${port === undefined ? "" : ` meta l4proto { tcp, udp } th dport ${port}`}`;
    const from = `${kind} saddr ${ip}${port === undefined ? "" : ` meta l4proto { tcp, udp } th sport ${port}`}`;
    const ours = allowed.includes(ip) ? ["this is an analyst's address: his logins go on, all else of it is dropped"] : [];
    return {
      what: `everything to and from ${ip}${port === undefined ? "" : `, port ${port}`}`,
      in: [from],
      out: [to],
      forward: [to, from],
      leaks: ["the intruder's other addresses: a C2 mostly has several", ...ours],
    };
  }
  const leaks = ["what other processes do for it (a resolver, a daemon that it talks to)", "what comes in is heard; it cannot be answered"];
  if (subject.kind === "user") {
    if (!Number.isInteger(subject.uid) || subject.uid < 0 || subject.uid > 0xff_ff_ff_fe)
      return new ResponseRefused("There is no such account.", "Give its number.");
    const root = subject.uid === 0 ? ["root can become another account and send as that"] : [];
    return {
      what: `what account ${subject.uid} sends`,
      in: [],
      out: [`oif != "lo" meta skuid ${subject.uid}`],
      forward: [],
      leaks: [...leaks, ...root],
    };
  }
  if (subject.path.length > 500 || !LEVELS.test(subject.path))
    return new ResponseRefused("The path of this control group cannot be written into a rule.", "Stop its processes instead.");
  const level = subject.path.split("/").length;
  return {
    what: `what the processes of ${subject.path} send`,
    in: [],
    out: [`oif != "lo" socket cgroupv2 level ${level} "${subject.path}"`],
    forward: [],
    leaks: [...leaks, "root can move a process to another control group"],
  };
}

/** Takes away the block with this mark, whoever made it. */
export const undoOfBlock = (nonce: string, nft = "nft"): string => `${PREAMBLE}; ${nft} delete table inet stakeout_block_${nonce}`;

/** Runs a block, or its undo, and says whether the host now shows it so. */
export async function applyBlock(
  runner: HostRunner,
  plan: Pick<BlockPlan, "script" | "undo" | "nonce">,
  undo = false,
): Promise<{ ok: boolean; said: string; milliseconds: number }> {
  const shell = await Shell.open(runner);
  try {
    const run = undo ? plan.undo : plan.script.trimEnd(); // both set PATH
    const s = (name: string) => `printf '\\n${plan.nonce} %s\\n' ${name}`;
    const { output, milliseconds } = await shell.run(
      `${s("said")}; { ${run}\n} 2>&1; ${s("tables")}; nft list tables; ${s("end")}`,
      15_000,
    );
    const section = sections(output, plan.nonce);
    const there = (section.get("tables") ?? "").split("\n").includes(`table inet stakeout_block_${plan.nonce}`);
    return { ok: there !== undo, said: (section.get("said") ?? "").trim().slice(0, 500), milliseconds };
  } finally {
    shell.close();
  }
}
