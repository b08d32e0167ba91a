import { argvOnHost } from "#range/load";
import { exited, runLocal, startBound } from "#range/machine";
import type { Range } from "#range/range";

/** Something that looks on the host as others do, until it is asked what it has seen. */
interface Peer {
  seen(): Promise<Set<number>>;
}

/** A program on the host that prints numbers, one a line, until it is stopped by the end of its input. */
function numbers(range: Range, script: string): Peer {
  const child = startBound(argvOnHost(range, ["perl", "-e", script]), ["pipe", "pipe", "ignore"]);
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString("latin1");
  });
  return {
    async seen() {
      child.stdin?.end();
      await exited(child);
      return new Set(said.split("\n").filter(Boolean).map(Number));
    },
  };
}

const UNTIL_INPUT_ENDS = `my $in = ''; vec($in, 0, 1) = 1; $| = 1; sub over { my $r = $in; select($r, undef, undef, $_[0]) > 0 }`;

/** The pids of a /proc that is read every 100 ms, as pspy reads it where it has no other way. */
export const scanPeer = (range: Range): Peer =>
  numbers(
    range,
    `${UNTIL_INPUT_ENDS} my %s; do { opendir my $d, '/proc'; for (readdir $d) { print "$_\\n" if !/\\D/ && !$s{$_}++ } } until over(0.1);`,
  );

/** The local ports that ss shows once a second. */
export const connectionPeer = (range: Range): Peer =>
  numbers(
    range,
    `${UNTIL_INPUT_ENDS} do { my $t = \`ss -tnH\`; print "$1\\n" while $t =~ /^\\S+\\s+\\d+\\s+\\d+\\s+127\\.0\\.0\\.1:(\\d+)/mg } until over(1);`,
  );

/** Connects to itself at a rate, 1 ms each; says its pid, its port, and the local port of each. */
const CONNECT = `
use strict; use Socket; use Time::HiRes qw(sleep time);
my ($rate, $count) = @ARGV;
socket my $l, PF_INET, SOCK_STREAM, 0; bind $l, sockaddr_in(0, INADDR_LOOPBACK); listen $l, 1024;
my ($port) = sockaddr_in getsockname $l;
my $child = fork; defined $child or die;
if (!$child) { for (1 .. $count) { accept my $c, $l or last; my $x; sysread $c, $x, 1 } exit 0 }
print "$$ $port\\n";
my $next = time;
for (1 .. $count) {
  socket my $s, PF_INET, SOCK_STREAM, 0; connect $s, sockaddr_in($port, INADDR_LOOPBACK) or die "connect: $!";
  my ($mine) = sockaddr_in getsockname $s; print "$mine\\n";
  sleep 0.001; close $s;
  $next += 1 / $rate; my $left = $next - time; sleep $left if $left > 0;
}
waitpid $child, 0;
`;

export interface Connected {
  pid: number;
  /** Where they went. */
  port: number;
  /** From where each came. */
  ports: number[];
}

/** \`count\` connections of a millisecond on the host, \`rate\` a second; resolves when the last is closed. */
export async function connections(range: Range, rate: number, count: number): Promise<Connected> {
  const { stdout } = await runLocal(argvOnHost(range, ["perl", "-e", CONNECT, String(rate), String(count)]));
  const [head = "", ...ports] = stdout.toString().trim().split("\n");
  const [pid, port] = head.split(" ").map(Number);
  if (pid === undefined || port === undefined || ports.length !== count)
    throw new Error(`the connections could not be made: ${ports.length} of ${count}`);
  return { pid, port, ports: ports.map(Number) };
}
