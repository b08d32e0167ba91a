import { execLoad } from "#range/load";
import { exited, startBound } from "#range/machine";
import type { Range } from "#range/range";
import { until } from "../sensors/testing/watched.ts";
import { keepAwake } from "./awake.ts";
import { COUNT, monotonic, percent, RATE } from "./capture-watch.ts";
import { type Figure, figure } from "./figure.ts";
import { costOf } from "./host-cost.ts";

/** A program of Debian's that watches for execs on the host itself, and says of each its pid. */
interface ExecPeer {
  name: string;
  argv: readonly string[];
  /** Namespaces of the host that it runs in, as nsenter(1) names them. */
  namespaces: readonly string[];
  /** It watches now. */
  ready: RegExp;
  /** The pid of each exec that it tells of. */
  execs: RegExp;
}

/** The packages that they are in. */
export const PEER_PACKAGES = ["forkstat", "bpftrace"];

const PEERS: readonly ExecPeer[] = [
  {
    name: "forkstat",
    argv: ["forkstat", "-l", "-e", "exec"],
    namespaces: ["-m"], // the kernel's process connector answers in the machine's own network alone
    ready: /Event/,
    execs: /^\S+\s+exec\s+(\d+)/gm,
  },
  {
    name: "execsnoop.bt",
    argv: ["bpftrace", "/usr/sbin/execsnoop.bt"],
    namespaces: ["-m", "-n"], // no pid namespace, for which nsenter would start another process
    ready: /TIME.*PID/,
    execs: /^\d+\s+(\d+)\s/gm,
  },
];

/** What others see of the programs that we are measured by, and what they cost: each alone, told and not judged. */
export async function execPeers(range: Range, report: (figure: Figure) => void): Promise<void> {
  for (const peer of PEERS) {
    const told = await beside(range, peer).catch((error: Error) => {
      process.stderr.write(`stakeout: ${peer.name} was not measured: ${error.message}\n`);
      return { seen: Number.NaN, cost: Number.NaN };
    });
    const shown = { bar: null, n: COUNT, p: "sum", unit: "%" };
    report(figure({ ...shown, name: `peer-execs-instant-200-${peer.name}`, value: told.seen, better: "higher" }));
    report(figure({ ...shown, name: `peer-host-cpu-200-execs-${peer.name}`, value: told.cost, unit: "% of a core" }));
  }
}

async function beside(range: Range, { argv, namespaces, ready, execs }: ExecPeer): Promise<{ seen: number; cost: number }> {
  const child = startBound(
    ["nsenter", "-t", String(range.hostPid1), ...namespaces, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...argv],
    ["ignore", "pipe", "pipe"],
  );
  const awake = keepAwake();
  const ended = exited(child);
  let [said, gone] = ["", false];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
    });
  ended.then(() => {
    gone = true;
  });
  try {
    await until(() => gone || ready.test(said), "it to begin");
    if (gone) throw new Error(`it ended at once: ${said.trim()}`);
    const pid = child.pid as number;
    const [before, began] = [costOf(pid).cpuSeconds, monotonic()];
    const executed = await execLoad(range, { perSecond: RATE, count: COUNT });
    const cost = percent(costOf(pid).cpuSeconds - before, monotonic() - began);
    const seen = () => {
      const pids = new Set([...said.matchAll(execs)].map(([, pid]) => Number(pid)));
      return percent(executed.filter(({ pid }) => pids.has(pid)).length, COUNT);
    };
    await until(() => seen() === 100, "the last of them", 3).catch(() => {}); // what it says late is not held against it
    return { seen: seen(), cost };
  } finally {
    await awake();
    child.kill("SIGKILL");
    await ended;
  }
}
