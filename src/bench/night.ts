import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { StakeoutEvent } from "#model/event";
import { startFlood } from "#range/load";
import { exited, startBound, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { inPty } from "#testing/pty";
import { keepAwake } from "./awake.ts";
import { type Figure, figure, quantile } from "./figure.ts";
import { costOf, sshdOf } from "./host-cost.ts";

const MAIN = join(import.meta.dirname, "main.js");
const RATE = 200;
const LOAD_SECONDS = 5;
const RUNS = 5;
const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * The main job's figures: how soon the screen is there, how soon an exec is on it, how fast the cut is, and what we cost the host.
 * Runs on hosts in namespaces; the one for unmapped pids has its sshd in the machine's own pid namespace.
 */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  const sessions = await mkdtemp(join(tmpdir(), "stakeout-bench-"));
  try {
    const say = (line: string) => process.stderr.write(`stakeout: ${line}\n`);
    const range = await startRange({ say });
    try {
      await screens(range, sessions, report);
      await cut(range, sessions, report);
      for (const figure of await cost(range, sessions, "mapped", 10)) report(figure);
    } finally {
      await range.stop();
    }
    const plain = await startRange({ say, pidNamespace: false });
    try {
      for (const figure of await cost(plain, sessions, "unmapped", 4)) report(figure);
    } finally {
      await plain.stop();
    }
  } finally {
    await rm(sessions, { recursive: true, force: true });
  }
}

const consoleArgv = (range: Range, sessions: string, ...command: string[]) =>
  range.inNetns(range.netns.analyst, [
    process.execPath,
    MAIN,
    ...command,
    "--config",
    range.sshConfig,
    "--analyst",
    "bench",
    "--sessions",
    sessions,
  ]);

/** Ends a console; one that does not end is killed, and the benchmark fails instead of waiting for it. */
async function quit(console_: ReturnType<typeof inPty>): Promise<void> {
  console_.press("q");
  const timer = setTimeout(() => console_.kill("SIGKILL"), 30_000);
  const code = await console_.exited;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the console ended with exit code ${code} after 'q'`);
}

/** From the start of the program to the first screen with the host's processes, then from an exec to its row. */
async function screens(range: Range, sessions: string, report: (figure: Figure) => void): Promise<void> {
  const idle = await range.onHost(["sh", "-c", "for i in $(seq 160); do setsid sleep 100000 </dev/null >/dev/null 2>&1 & done; echo ok"]);
  if (!idle.stdout.includes("ok")) throw new Error(`the host could not be filled with processes: ${idle.stderr}`);
  const first: number[] = [];
  const painted: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = monotonicMs();
    const console_ = inPty(consoleArgv(range, sessions, "devbox", "--no-card"), 160, 50);
    await console_.screen.until(/tracefs\+proc[\s\S]*sshd/, 30_000);
    first.push(monotonicMs() - started);
    if (i === 4) painted.push(...(await execsToScreen(range, console_)));
    await quit(console_);
  }
  const ssh = await times(5, () => run(range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, "devbox", "true"])));
  report(
    figure({
      name: "connect-to-first-screen",
      value: quantile(first, 0.5),
      unit: "ms",
      bar: 1000,
      n: first.length,
      p: "p50",
      peer: { name: "ssh devbox true", value: Math.round(quantile(ssh, 0.5)) },
    }),
  );
  report(figure({ name: "exec-to-painted", value: quantile(painted, 0.5), unit: "ms", bar: 60, n: painted.length, p: "p50" }));
}

/** Programs with a mark in their arguments, started on the host; the time until the mark comes out of the console's terminal. */
async function execsToScreen(range: Range, console_: ReturnType<typeof inPty>): Promise<number[]> {
  const seen = new Map<string, number>();
  let tail = "";
  console_.onOutput((data) => {
    tail = (tail + data).slice(-20_000);
    for (const [mark] of tail.matchAll(/mark-\d{4}/g)) if (!seen.has(mark)) seen.set(mark, monotonicMs());
  });
  // One login that runs a program each 150 ms and says the monotonic clock just before each. A program lives until its input ends, 20 ms later:
  // of one that ends at once the arguments, and the mark in them, can be gone before they are read, and what is asked here is how late a row is.
  const script =
    '$| = 1; use Time::HiRes qw(clock_gettime sleep); for (1 .. 40) { my $m = sprintf "mark-%04d", $_; pipe my $in, my $out; my $p = fork; ' +
    'if (!$p) { close $out; open STDIN, "<&", $in; syswrite STDOUT, sprintf("%s %.6f\\n", $m, clock_gettime(1) * 1000); exec "/bin/cat", "-", $m } ' +
    "close $in; sleep 0.02; close $out; sleep 0.13 } 1 while wait > 0;";
  const argv = range.inNetns(range.netns.intruder, [
    ..."ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i".split(" "),
    range.keys.intruder,
    `root@${range.host.address}`,
    "perl -",
  ]);
  const child = spawn(argv[0] as string, argv.slice(1), { stdio: ["pipe", "pipe", "ignore"] }); // cat says that there is no such file
  child.stdin.end(script);
  const truth = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [mark, at] = line.split(" ");
    truth.set(mark as string, Number(at));
  }
  await until("the last program on the screen", () => seen.has([...truth.keys()].at(-1) as string)).catch(() => {});
  return [...truth].map(([mark, at]) => (seen.get(mark) ?? Number.POSITIVE_INFINITY) - at);
}

/** Enter to the last hostile packet at the C2, under 1,000 UDP and 1,000 TCP packets a second. */
async function cut(range: Range, sessions: string, report: (figure: Figure) => void): Promise<void> {
  const last: number[] = [];
  const console_ = inPty(consoleArgv(range, sessions, "devbox", "--no-card"), 160, 50);
  await console_.screen.until(/tracefs\+proc/, 30_000);
  for (let i = 0; i < 5; i++) {
    const flood = await startFlood(range);
    await until("the flood at the C2", async () => (await flood.received()).udpPackets > 200);
    console_.press("I");
    await console_.screen.until(/Enter +isolates the host/, 30_000);
    const enter = monotonicMs();
    console_.press("enter");
    await console_.screen.until(/closes this/, 30_000); // the header tells the result earlier; until then Escape closes nothing
    const got = await flood.received();
    last.push(Math.max(Number(got.udp ?? 0n), Number(got.tcp ?? 0n)) / 1e6 - enter);
    console_.press("escape");
    await until("the dialog to close", () => !console_.screen.text().includes("closes this"));
    console_.press("I");
    await console_.screen.until(/Enter +releases the host/, 30_000);
    console_.press("enter");
    await console_.screen.until(/not isolated[\s\S]*closes this/, 30_000);
    console_.press("escape");
    await until("the dialog to close", () => !console_.screen.text().includes("closes this"));
    await flood.stop();
  }
  await quit(console_);
  report(
    figure({
      name: "isolate-enter-to-last-packet",
      value: Math.max(...last),
      unit: "ms",
      bar: 50,
      n: last.length,
      p: "max",
      peer: await rawNft(range),
    }),
  );
}

/** The same cut by hand: `nft -f -` down an ssh connection that is open already. */
async function rawNft(range: Range): Promise<{ name: string; value: number | null }> {
  const rules =
    "table inet peer { chain o { type filter hook output priority -400; policy drop; oif lo accept; tcp sport 22 accept; }; chain i { type filter hook prerouting priority -400; policy drop; iif lo accept; tcp dport 22 accept; }; }";
  const last: number[] = [];
  for (let i = 0; i < 5; i++) {
    const flood = await startFlood(range);
    await until("the flood at the C2", async () => (await flood.received()).udpPackets > 200);
    const argv = range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, "devbox", "sh"]);
    const child = spawn(argv[0] as string, argv.slice(1), { stdio: ["pipe", "pipe", "ignore"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.write("echo ready\n");
    await lines.next();
    const enter = monotonicMs();
    child.stdin.write(`nft -f - <<'E' && echo done\n${rules}\nE\n`);
    await lines.next();
    await new Promise((done) => setTimeout(done, 300));
    const got = await flood.received();
    last.push(Math.max(Number(got.udp ?? 0n), Number(got.tcp ?? 0n)) / 1e6 - enter);
    child.stdin.end("nft delete table inet peer\n");
    await new Promise((done) => child.once("exit", done));
    await flood.stop();
  }
  return { name: "nft -f - over an open ssh", value: Math.round(Math.max(...last) * 100) / 100 };
}

/** Share of a core that our login with its collector takes at 200 execs a second; what it wrote and holds in memory. */
async function cost(range: Range, sessions: string, pids: "mapped" | "unmapped", bar: number): Promise<Figure[]> {
  const argv = consoleArgv(range, sessions, "record", "devbox", "--ndjson");
  const child = spawn(argv[0] as string, argv.slice(1), { stdio: ["ignore", "pipe", "ignore"] });
  let port = 0;
  let complete = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (complete && port > 0) return;
    const event = JSON.parse(line) as StakeoutEvent;
    if (event.event.action === "login.start" && event.stakeout["ours"]) port = event.source?.port ?? 0;
    if (event.event.action === "baseline.complete") complete = true;
  });
  await until("the collector's first snapshot", () => complete && port > 0);
  const sshd = await sshdOf(range, port);
  await new Promise((done) => setTimeout(done, 2000)); // the snapshot's own cost is not the question
  const shares: number[] = [];
  const letSleep = keepAwake();
  let after = costOf(sshd);
  try {
    for (let run = 0; run < RUNS; run++) {
      const before = costOf(sshd);
      const started = performance.now();
      await staticExecs(range);
      const seconds = (performance.now() - started) / 1000;
      after = costOf(sshd);
      shares.push((100 * (after.cpuSeconds - before.cpuSeconds)) / seconds);
    }
  } finally {
    await letSleep();
  }
  child.kill("SIGINT");
  await new Promise((done) => child.once("exit", done));
  const cpu = figure({
    name: `host-cpu-at-200-execs-${pids}`,
    value: Math.min(...shares), // what else runs on this machine can only add to it
    unit: "% of a core",
    bar,
    n: RUNS * RATE * LOAD_SECONDS,
    p: `min of ${RUNS} runs`,
  });
  const written = figure({
    name: `host-bytes-written-${pids}`,
    value: after.bytesWritten,
    unit: "B",
    bar: 0,
    n: after.processes,
    p: "sum",
  });
  return [cpu, written];
}

/** 200 times a second a static program with four arguments that ends at once, from a small static shell: the load, not its starter, is measured. */
async function staticExecs(range: Range): Promise<void> {
  const loop = 'while read -r n; do /bin/busybox true "load-$n" --flag "two words" & done; wait';
  const child = startBound(["nsenter", "-t", String(range.hostPid1), "-a", "/bin/busybox", "sh", "-c", loop], ["pipe", "ignore", "ignore"]);
  const ended = exited(child);
  const started = performance.now();
  for (let n = 0; n < RATE * LOAD_SECONDS; n++) {
    child.stdin?.write(`${n}\n`);
    const left = started + ((n + 1) * 1000) / RATE - performance.now();
    if (left > 0) await new Promise((done) => setTimeout(done, left));
  }
  child.stdin?.end();
  if ((await ended) !== 0) throw new Error("the exec load on the host failed");
}

async function times(n: number, work: () => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < n; i++) {
    const started = monotonicMs();
    await work();
    taken.push(monotonicMs() - started);
  }
  return taken;
}

const run = (argv: readonly string[]) =>
  new Promise<void>((done, fail) => {
    const child = spawn(argv[0] as string, argv.slice(1), { stdio: "ignore" });
    child.once("error", fail);
    child.once("exit", () => done());
  });
