import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostRunner, RemoteProcess } from "#host/runner";
import type { Range } from "#range/range";

export interface RangeHost {
  runner: HostRunner;
  /** A new ssh connection, with a login of its own. */
  probeAccess(): Promise<{ ok: boolean; milliseconds: number; error?: string }>;
  /** Runs a command over a new ssh connection from `netns`. */
  login(netns: string, keyFile: string, user: string, command: string): Promise<{ code: number | null; stdout: string }>;
  /** The console vanishes: its connection is killed, nothing is said to the host. */
  vanish(): void;
}

export interface RangeHostOptions {
  /** Before the others in the host's PATH. */
  path?: string;
  /** The host's IPv6 address is used. */
  v6?: boolean;
  /** Another address of the host, where a test has given it one. Its key is taken as it comes. */
  address?: string;
  /** Where the analyst sits; by default beside the host. */
  netns?: string;
  user?: string;
  sudo?: boolean;
}

/** The analyst's side of a range: one ssh connection that carries every channel, as the console has it. */
export async function connectRange(range: Range, options: RangeHostOptions = {}): Promise<RangeHost> {
  const folder = mkdtempSync(join(tmpdir(), "stakeout-mux-"));
  const socket = join(folder, "s");
  const user = options.user ?? "root";
  const address = options.address ?? (options.v6 ? range.host.address6 : range.host.address);
  const ssh = (netns: string, keyFile: string, as: string, ...more: string[]) => {
    const files = [
      "-o",
      `UserKnownHostsFile=${range.knownHosts}`,
      "-o",
      "GlobalKnownHostsFile=/dev/null",
      "-o",
      "IdentitiesOnly=yes",
      "-o",
      `HostKeyAlias=${range.host.address}`,
    ];
    const how = ["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=3"];
    const [program = "", ...argv] = range.inNetns(netns, [
      "ssh",
      "-F",
      "none",
      ...files,
      ...how,
      "-i",
      keyFile,
      ...more,
      `${as}@${address}`,
    ]);
    return { program, argv };
  };
  const netns = options.netns ?? range.netns.analyst;
  const mine = (...more: string[]) => ssh(netns, range.keyFile, user, ...more);
  const master = mine("-M", "-N", "-S", socket);
  const console_ = spawn(master.program, master.argv, { stdio: "ignore" });
  const clients = new Set<ChildProcess>();
  await mastered(console_, () => {
    const check = mine("-S", socket, "-O", "check");
    return run(spawn(check.program, check.argv, { stdio: ["ignore", "pipe", "ignore"] }));
  });

  const open = async (argv: readonly string[]): Promise<RemoteProcess> => {
    const path = `${options.path ? `${options.path}:` : ""}/usr/sbin:/usr/bin:/sbin:/bin`;
    const quoted = argv.map((a) => `'${a.replaceAll("'", "'\\''")}'`).join(" ");
    const command = `exec ${options.sudo ? "sudo -n " : ""}env -i PATH=${path} LC_ALL=C ${quoted}`;
    const { program, argv: words } = mine("-S", socket, "-o", "ControlMaster=no");
    const child = spawn(program, [...words, command], { stdio: "pipe" });
    clients.add(child);
    const exit = new Promise<{ code: number | null; signal?: string }>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, ...(signal ? { signal } : {}) }));
    });
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exit, close: () => child.kill("SIGKILL") };
  };
  const login: RangeHost["login"] = (netns, keyFile, as, command) => {
    const { program, argv } = ssh(netns, keyFile, as, "-S", "none");
    return run(spawn(program, [...argv, command], { stdio: ["ignore", "pipe", "ignore"] }));
  };
  return {
    runner: { open },
    login,
    async probeAccess() {
      const started = performance.now();
      const { code } = await login(netns, range.keyFile, user, "exit 0");
      return { ok: code === 0, milliseconds: performance.now() - started, ...(code === 0 ? {} : { error: `ssh ended with ${code}` }) };
    },
    vanish() {
      console_.kill("SIGKILL");
      for (const client of clients) client.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function mastered(console_: ChildProcess, check: () => Promise<{ code: number | null }>): Promise<void> {
  while (console_.exitCode === null) {
    if ((await check()).code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The analyst's ssh ended with ${console_.exitCode} before it was connected.`);
}

function run(child: ChildProcess): Promise<{ code: number | null; stdout: string }> {
  let stdout = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout })));
}
