import { createInterface } from "node:readline";
import { exited, startBound } from "./machine.ts";
import type { Range } from "./range.ts";

const UDP_PORT = 5353;
const TCP_PORT = 4444;

/** Runs on the host: UDP and TCP data to the C2 at a fixed rate each, on an absolute schedule. Ends with its standard input. */
const FLOOD = `
use strict; use IO::Socket::INET; use IO::Select; use Time::HiRes qw(time sleep);
my ($address, $rate) = @ARGV;
my $udp = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $address, PeerPort => ${UDP_PORT}) or die "udp: $!";
my $tcp = IO::Socket::INET->new(Proto => 'tcp', PeerAddr => $address, PeerPort => ${TCP_PORT}) or die "tcp: $!";
$tcp->blocking(0); setsockopt($tcp, 6, 1, 1); # TCP_NODELAY: a packet each
$SIG{PIPE} = 'IGNORE';
my $alive = IO::Select->new(\\*STDIN);
my $next = time;
while (!$alive->can_read(0)) {
  send $udp, 'beacon', 0; # errors are what isolation looks like from here: go on
  syswrite $tcp, "data\\n";
  $next += 1 / $rate;
  my $left = $next - time;
  if ($left > 0) { sleep $left } else { $next = time }
}
`;

/** Runs at the C2: remembers when the last packet of each kind came (CLOCK_MONOTONIC) and says it for each line of its input. */
const RECEIVER = `
const last = { udp: null, tcp: null, udpPackets: 0, tcpBytes: 0 };
const now = () => process.hrtime.bigint().toString();
const udp = require("node:dgram").createSocket("udp4");
udp.on("message", () => { last.udp = now(); last.udpPackets++; });
const tcp = require("node:net").createServer((socket) => {
  socket.on("data", (data) => { last.tcp = now(); last.tcpBytes += data.length; });
  socket.on("error", () => {});
});
udp.bind(${UDP_PORT}, () => tcp.listen(${TCP_PORT}, () => process.stdout.write("ready\\n")));
process.stdin.on("data", () => process.stdout.write(JSON.stringify(last) + "\\n"));
process.stdin.on("end", () => process.exit(0));
`;

export interface FloodReport {
  /** Nanoseconds of CLOCK_MONOTONIC (`process.hrtime.bigint()`) when the last one came; undefined when none has. */
  udp?: bigint;
  tcp?: bigint;
  udpPackets: number;
  tcpBytes: number;
}
export interface Flood {
  /** What the C2 has received until now. */
  received(): Promise<FloodReport>;
  stop(): Promise<void>;
}

/** A program on the host that sends `perSecond` (1,000) UDP packets and as many small TCP segments to the C2, whatever happens. */
export async function startFlood(range: Range, { perSecond = 1000 }: { perSecond?: number } = {}): Promise<Flood> {
  const receiver = startBound(range.inNetns(range.netns.c2, [process.execPath, "-e", RECEIVER]), ["pipe", "pipe", "ignore"]);
  const receiverEnded = exited(receiver);
  const lines = createInterface({ input: receiver.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const line = async () => {
    const next = await lines.next();
    if (next.done) throw new Error("the flood's receiver in the C2's network ended");
    return next.value;
  };
  await line();
  const sender = startBound(argvOnHost(range, ["perl", "-e", FLOOD, range.c2.address, String(perSecond)]), ["pipe", "ignore", "ignore"]);
  const senderEnded = exited(sender);
  let asking: Promise<unknown> = Promise.resolve();
  return {
    received() {
      const answer = asking.then(async () => {
        receiver.stdin?.write("?\n");
        const told = JSON.parse(await line()) as { udp: string | null; tcp: string | null; udpPackets: number; tcpBytes: number };
        const { udp, tcp, udpPackets, tcpBytes } = told;
        return { ...(udp ? { udp: BigInt(udp) } : {}), ...(tcp ? { tcp: BigInt(tcp) } : {}), udpPackets, tcpBytes };
      });
      asking = answer.catch(() => {});
      return answer;
    },
    async stop() {
      sender.stdin?.end();
      receiver.stdin?.end();
      await Promise.all([senderEnded, receiverEnded]);
    },
  };
}

/** Runs on the host: starts programs at a rate; says pid, boot clock and monotonic clock of each just before its exec. */
const EXECS = `
use strict; use Time::HiRes qw(clock_gettime time sleep); use POSIX ':sys_wait_h';
my ($rate, $count, $life, $after) = @ARGV; $| = 1;
sleep $after / 1000 if $after > 0;
my $next = time;
for my $index (0 .. $count - 1) {
  my $pid = fork; defined $pid or die "fork: $!";
  if (!$pid) {
    my @argv = $life > 0 ? ('/bin/sleep', $life / 1000) : ('/bin/true', "load-$index", '--flag', 'two words');
    # 7 is CLOCK_BOOTTIME, 1 CLOCK_MONOTONIC (linux/time.h); one write, so that lines never mix
    syswrite STDOUT, sprintf("%d %d %.9f %.9f\\n", $index, $$, clock_gettime(7), clock_gettime(1));
    exec { $argv[0] } @argv; POSIX::_exit(127);
  }
  1 while waitpid(-1, WNOHANG) > 0;
  $next += 1 / $rate;
  my $left = $next - time;
  sleep $left if $left > 0;
}
1 while waitpid(-1, 0) > 0;
`;

/** One program that was started on the host: ground truth for what a sensor must have seen. */
export interface Executed {
  index: number;
  /** As the host shows it. */
  pid: number;
  /** Seconds on CLOCK_BOOTTIME and CLOCK_MONOTONIC, just before the exec. */
  boot: number;
  monotonic: number;
  args: string[];
}

/**
 * Starts `count` programs on the host, `perSecond` each second: `/bin/true load-N --flag "two words"`, or `/bin/sleep` when
 * `lifeMs` is above 0. It waits for `afterMs` first: what is brought into a namespace from outside, as this is, becomes known to a collector
 * in there only when it is found asleep. Resolves when the last one has ended.
 */
export async function execLoad(
  range: Range,
  load: { perSecond: number; count: number; lifeMs?: number; afterMs?: number },
): Promise<Executed[]> {
  const { perSecond, count, lifeMs = 0, afterMs = 0 } = load;
  const argv = argvOnHost(range, ["perl", "-e", EXECS, String(perSecond), String(count), String(lifeMs), String(afterMs)]);
  const child = startBound(argv, ["ignore", "pipe", "ignore"]);
  const executed: Executed[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const [index, pid, boot, monotonic] = line.split(" ").map(Number) as [number, number, number, number];
    const args = lifeMs > 0 ? ["/bin/sleep", String(lifeMs / 1000)] : ["/bin/true", `load-${index}`, "--flag", "two words"];
    executed.push({ index, pid, boot, monotonic, args });
  });
  const code = await exited(child);
  if (code !== 0 || executed.length !== count)
    throw new Error(`the exec load on the host started ${executed.length} of ${count} programs (exit ${code})`);
  return executed.sort((a, b) => a.index - b.index);
}

/** `argv` inside all namespaces of the host. */
export const argvOnHost = (range: Range, argv: readonly string[]) => [
  "nsenter",
  "-t",
  String(range.hostPid1),
  "-a",
  "env",
  "-i",
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  ...argv,
];
