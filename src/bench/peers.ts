import { mkdir, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { exited, runLocal, startBound } from "#range/machine";
import { quantile } from "./figure.ts";
import { Watched, wait } from "./watched.ts";

const EXECS_PER_SECOND = 200;
const KEYS = 30;

export interface Peer {
  name: string;
  keyMs: number | null;
  /** Percent of a core. */
  cpu: number | null;
  kilobytes: number | null;
}

/** Sleeping processes and programs that start and end, in a pid namespace of their own with its own /proc: the peers see nothing else. */
const LOAD = `
use Time::HiRes qw(sleep);
my ($processes, $rate, $peer) = @ARGV;
for (1 .. $processes) { my $p = fork // last; if (!$p) { close STDIN; exec 'sleep', '100000' } }
if (my $p = fork) { while (1) { my $q = fork; if (defined $q && !$q) { exec 'true' } sleep(1 / $rate); 1 while waitpid(-1, 1) > 0 } }
exec '/bin/sh', '-c', $peer;
`;

/**
 * htop and btop in the same terminal, beside as many processes: what others cost that look at a host. Their packages are unpacked into
 * the cache, never installed. A peer that cannot be had is left out of what it is compared with: its values are null.
 */
export async function measurePeers(say: (line: string) => void, processes: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of ["htop", "btop"]) {
    const found = await fetchPeer(name).catch((error: Error) => {
      say(`${name} is not measured: ${error.message}`);
      return undefined;
    });
    peers.push(found ? await measure(name, found, processes) : { name, keyMs: null, cpu: null, kilobytes: null });
  }
  return peers;
}

/** Unpacks the Debian package and the libraries that it brings; gives the folder. */
async function fetchPeer(name: string): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "peers", name);
  const root = join(folder, "root");
  await mkdir(root, { recursive: true });
  if ((await runLocal(["test", "-x", join(root, "usr/bin", name)])).code === 0) return root;
  const packages = name === "htop" ? ["htop", "libnl-3-200", "libnl-genl-3-200", "libncursesw6", "libtinfo6"] : [name];
  const got = await runLocal(["sh", "-c", 'cd "$0" && apt-get download "$@"', folder, ...packages]);
  if (got.code !== 0) throw new Error(`apt-get download ${packages.join(" ")} failed: ${got.stderr.trim().slice(-200)}`);
  for (const file of (await readdir(folder)).filter((file) => file.endsWith(".deb")))
    await runLocal(["dpkg-deb", "-x", join(folder, file), root]);
  return root;
}

async function measure(name: string, root: string, processes: number): Promise<Peer> {
  const library = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu"];
  const command = `HOME=/nonexistent LD_LIBRARY_PATH=${library.map((path) => join(root, path)).join(":")} exec ${join(root, "usr/bin", name)}${name === "btop" ? " --utf-force" : ""}`;
  const unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const watched = new Watched([...unshare, "perl", "-e", LOAD, String(processes), String(EXECS_PER_SECOND), command]);
  try {
    await watched.console.screen.until(/CPU|cpu/i, 60_000);
    await wait(5000);
    const pid = await childNamed(name, watched.console.pid);
    const cost = await costOf(watched, pid, 6000);
    const keys: number[] = [];
    for (let i = 0; i < KEYS; i++) {
      const before = watched.bytes;
      keys.push(await watched.answer(i % 2 ? "up" : "down", () => watched.bytes > before));
      await wait(150 + ((i * 37) % 90));
    }
    const label = `${name} beside ${processes} processes and ${EXECS_PER_SECOND} execs/s`;
    const round = (value: number) => (Number.isFinite(value) ? Math.round(value * 10) / 10 : null);
    return { name: label, keyMs: round(quantile(keys, 0.95)), cpu: round(cost.cpu), kilobytes: round(cost.bytes / 1000) };
  } catch {
    return { name, keyMs: null, cpu: null, kilobytes: null };
  } finally {
    watched.console.kill("SIGKILL");
    await Promise.race([watched.console.exited, wait(5000)]);
  }
}

/** The peer's pid as this machine sees it: below `root`. */
async function childNamed(name: string, root: number): Promise<number> {
  const child = startBound(["pgrep", "-x", name], ["ignore", "pipe", "ignore"]);
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await exited(child);
  const parentOf = async (pid: number) => Number((await runLocal(["ps", "-o", "ppid=", "-p", String(pid)])).stdout);
  for (const pid of text.split("\n").filter(Boolean).map(Number))
    for (let above = pid, depth = 0; above > 1 && depth < 6; depth++, above = await parentOf(above)) if (above === root) return pid;
  throw new Error(`${name} did not start`);
}

async function costOf(watched: Watched, pid: number, ms: number): Promise<{ cpu: number; bytes: number }> {
  const ticks = async () => {
    const stat = (await runLocal(["cat", `/proc/${pid}/stat`])).stdout;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const [cpu, bytes, at] = [await ticks(), watched.bytes, performance.now()];
  await wait(ms);
  const seconds = (performance.now() - at) / 1000;
  return { cpu: (100 * ((await ticks()) - cpu)) / seconds, bytes: (watched.bytes - bytes) / seconds };
}
