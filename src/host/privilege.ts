import type { AskPassword } from "./authenticate.ts";
import type { ConnectionMade, Typed } from "./made.ts";
import { type HostRunner, runScript } from "./runner.ts";
import { openBySudo, SudoError } from "./sudo.ts";

/** How commands are run on the host: as root, or as the account that logged in. */
export interface Door {
  runner: HostRunner;
  privilege: ConnectionMade["privilege"];
  typed: Typed[];
  /** What the analyst should know about it. */
  notes: string[];
}

const TRIES = 3; // as sudo's own passwd_tries

/**
 * The way to root, tried once: the account is root; or sudo lets it without a password; or with one that the analyst types, who has
 * been warned. Where none works, commands run as the account, and a note says why.
 */
export async function findDoor(
  runner: HostRunner,
  { user, host, ask, sudo, timeoutMs }: { user: string; host: string; ask: AskPassword | undefined; sudo: boolean; timeoutMs: number },
): Promise<Door> {
  const plain: Door = { runner, privilege: "none", typed: [], notes: [] };
  if (user === "root" || (await isRoot(runner))) return { ...plain, privilege: "root" };
  const without = "so most short-lived processes are missed, and the host cannot be isolated.";
  if (!sudo) return { ...plain, notes: [`${user} is not root, and sudo is not to be used, ${without}`] };
  const reason = (error: SudoError) => `${user} is not root, and ${error.message}, ${without} ${error.hint}`;
  const limits = { timeoutMs: 2 * timeoutMs }; // a host whose name service hangs makes sudo wait (sudoers(5), fqdn)
  const failure = await attempt(runner, limits);
  if (failure === undefined) return { ...plain, runner: { open: (argv) => openBySudo(runner, argv, limits) }, privilege: "sudo" };
  if (failure.why !== "password needed" || ask === undefined) return { ...plain, notes: [reason(failure)] };
  const typed: Typed[] = [];
  let last = failure;
  for (let tries = 0; tries < TRIES; tries++) {
    const password = await ask({ user, host, echo: false, for: "sudo" });
    if (password === undefined || /[\n\0]/.test(password)) break;
    if (typed.length === 0) typed.push({ user, host, for: "sudo" });
    const how = { ...limits, password };
    const wrong = await attempt(runner, how);
    if (wrong === undefined)
      return { runner: { open: (argv) => openBySudo(runner, argv, how) }, privilege: "sudo with a password", typed, notes: [] };
    last = wrong;
    if (wrong.why !== "password wrong") break;
  }
  return { ...plain, typed, notes: [reason(last)] };
}

async function isRoot(runner: HostRunner): Promise<boolean> {
  const { stdout } = await runScript(runner, "id -u\n");
  return stdout.toString().trim() === "0";
}

/** Whether sudo runs a command: undefined, or why not. */
async function attempt(runner: HostRunner, how: Parameters<typeof openBySudo>[2]): Promise<SudoError | undefined> {
  try {
    const process = await openBySudo(runner, ["/bin/true"], how);
    process.stdout.resume();
    process.stderr.resume();
    await process.exit;
    return undefined;
  } catch (error) {
    if (error instanceof SudoError) return error;
    throw error;
  }
}
