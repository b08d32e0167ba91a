import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeKey } from "../../host/testing/real-sshd.ts";
import { listAnalysts } from "../analysts.ts";
import type { Mounted } from "../client.ts";
import { type Attempt, openPairServer, type PairOptions, type PairServer } from "../server.ts";
import type { PairTerminal } from "../terminal.ts";

/** Why there is no real ssh client to test with; undefined when there is one. CI must have one. */
export const NO_SSH = spawnSync("ssh", ["-V"]).error ? "no ssh on this machine" : undefined;
if (NO_SSH && process.env["CI"]) throw new Error("CI must have an OpenSSH client: the pair server is tested with it");

/** A screen that a test looks at: it says its size, shows what was typed, ends on q. */
export interface ToyScreen {
  name: string;
  terminal: PairTerminal;
  typed: string;
  sizes: string[];
  ended: boolean;
  /** Ends as a view that throws. */
  fail(error: Error): void;
}

export interface Pair {
  server: PairServer;
  folder: string;
  attempts: Attempt[];
  screens: ToyScreen[];
  /** Arguments of ssh that joins with the key of that name, in a session of its own: no configuration, no agent of the machine's. */
  ssh(key: string, ...rest: string[]): string[];
  stop(): Promise<void>;
}

/** A server with the keys `jm` and `kim` in its list, and `eve` beside it who is not. */
export async function openPair(options: Partial<PairOptions> = {}, types: Record<string, string> = {}): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), "stakeout-pair-"));
  for (const name of ["jm", "kim", "eve"]) makeKey(folder, name, { type: types[name] ?? "ed25519" });
  const listed = ["jm", "kim"].map((name) => ({ from: name, text: readFileSync(join(folder, `${name}.pub`), "utf8") }));
  const attempts: Attempt[] = [];
  const screens: ToyScreen[] = [];
  const server = await openPairServer({
    hostKeyFile: join(folder, "host_key"),
    analysts: listAnalysts(listed).analysts,
    mount: (terminal, analyst) => mountToy(terminal, analyst.name, screens),
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  return {
    server,
    folder,
    attempts,
    screens,
    ssh: (key, ...rest) => [
      "ssh",
      ...["-F", "none", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", `UserKnownHostsFile=${join(folder, "known")}`],
      ...["-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
      ...["-i", join(folder, key), "-p", String(server.port)],
      ...rest,
      "somebody@127.0.0.1",
    ],
    stop: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mountToy(terminal: PairTerminal, name: string, screens: ToyScreen[]): Mounted {
  const { stdin, stdout } = terminal;
  const over = Promise.withResolvers<void>();
  const screen: ToyScreen = { name, terminal, typed: "", sizes: [], ended: false, fail: (error) => over.reject(error) };
  screens.push(screen);
  const paint = () => {
    screen.sizes.push(`${stdout.columns}x${stdout.rows}`);
    stdout.write(`\x1b[2J\x1b[H${name} sees ${stdout.columns}x${stdout.rows} on ${terminal.env.TERM}; typed ${screen.typed.slice(-20)}`);
  };
  const unmount = () => {
    if (screen.ended) return;
    screen.ended = true;
    stdin.off("data", take);
    stdout.write("\x1b[?1049l");
    over.resolve();
  };
  const take = (chunk: Buffer) => {
    screen.typed += chunk.toString();
    if (screen.typed.endsWith("q")) unmount();
    else paint();
  };
  stdout.write("\x1b[?1049h");
  stdin.on("data", take);
  stdout.on("resize", paint);
  stdout.on("close", unmount);
  paint();
  return { unmount, waitUntilExit: () => over.promise };
}

/** What ssh-keygen -l says of a key file. */
export const fingerprintBySsh = (file: string): string => execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
