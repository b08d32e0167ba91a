import { randomBytes } from "node:crypto";
import { canonical } from "../addresses.ts";
import { ResponseRefused } from "../refused.ts";
import { type Shell, ShellLost } from "../shell.ts";
import type { HostFacts } from "./host-facts.ts";
import { parseFacts, parseRoutes } from "./parse.ts";
import { collectScript, routesScript } from "./script.ts";

/**
 * Reads what a plan needs. Changes nothing by itself, but reading a ruleset can make the kernel load modules: these are named
 * in `modulesLoaded`. `partners` are further addresses whose routes are wanted.
 */
export async function collectFacts(shell: Shell, partners: readonly string[] = []): Promise<HostFacts> {
  const nonce = randomBytes(16).toString("hex");
  const facts = parseFacts(await ask(shell, collectScript(nonce)), nonce);
  // only what is an address reaches the script; the planner says so of what is not
  const wanted = [facts.ours?.client.ip ?? "", ...partners, ...(facts.isolation?.allowed ?? [])];
  const peers = [...new Set(wanted.map(canonical).filter((ip) => ip !== undefined))];
  const from = facts.ours?.server.ip;
  const reply = await ask(shell, routesScript(nonce, peers, from));
  return { ...facts, routes: parseRoutes(reply, nonce, peers) };
}

/** More than this is no answer: rulesets of a few megabytes exist (Kubernetes). */
const ANSWER_LIMIT = 16 << 20;

/** Some sixty small programs: a second on most hosts, a minute on one that has no time. Each that can hang has a limit of its own. */
const PATIENCE_MS = 120_000;

async function ask(shell: Shell, script: string): Promise<string> {
  try {
    const reply = await shell.run(script, PATIENCE_MS, ANSWER_LIMIT);
    if (!reply.cut) return reply.output;
  } catch (error) {
    if (!(error instanceof ShellLost)) throw error;
    throw new ResponseRefused(`The host did not tell what a plan needs. ${error.message}`, "Try again; a tool on the host may be hanging.");
  }
  throw new ResponseRefused(
    `The host answered with more than ${ANSWER_LIMIT >> 20} MiB.`,
    "Look at what it runs: such an answer is an attack.",
  );
}
