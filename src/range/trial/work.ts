/**
 * The work of a labelled trial, as a perl program on the host: it runs what people, builds and package managers run, in shapes that a
 * lineage can get lost in, and writes down what it did itself. That record is the truth: nothing that watches has part in it.
 *
 * Arguments: who, seed, seconds, and an address and port to call (or none). Lines on standard output: `L who SSH_CONNECTION`, then for each
 * program `T who pid shape time`, told by the process itself before it becomes that program, and `E who programs` at the end.
 */
export const WORK = String.raw`use strict; use POSIX qw(setsid _exit);
my ($who, $seed, $seconds, $ip, $port) = @ARGV;
srand $seed; $| = 1; my ($n, $until) = (0, time + $seconds);
my $record = \*STDOUT;
sub told { syswrite $record, join(' ', @_) . "\n" }
told('L', $who, $ENV{SSH_CONNECTION} // 'none');
my @plain = (['/usr/bin/id'], ['/bin/ls', '/tmp'], ['/bin/ps', 'aux'], ['/bin/cat', '/etc/hostname'], ['/usr/bin/find', '/etc/cron.d'], ['/bin/true'],
  ['/bin/ss', '-tn'], ['/usr/bin/dpkg', '-l', 'perl-base'], ['/usr/bin/perl', '-e', '1'], ['/bin/sleep', '0.05'], ['/bin/tar', '--version'], ['/usr/bin/stat', '/']);
sub run { # in a child: says its own pid, then becomes a program whose output nobody needs
  my ($shape, @command) = @_;
  told('T', $who, $$, $shape, time);
  open STDIN, '<', '/dev/null'; open STDERR, '>', '/dev/null';
  open my $null, '>', '/dev/null'; POSIX::dup2(fileno $null, 1);
  exec {$command[0]} @command; _exit(127);
}
sub child { my ($do) = @_; my $p = fork; return if !defined $p; if (!$p) { $do->(); _exit(0) } $n++; $p }
my @tail;
while (time < $until) {
  my @c = @{$plain[rand @plain]};
  my $shape = int rand 8;
  if ($shape <= 2) { child(sub { run('plain', @c) }) }
  elsif ($shape == 3) { child(sub { run('pipe', @{$plain[rand @plain]}) }) for 1 .. 3 }
  elsif ($shape == 4) { child(sub { my $p = fork; _exit(0) if $p; setsid(); run('daemon', @c) }) }
  elsif ($shape == 5) { child(sub { setsid(); my $p = fork; _exit(0) if $p; my $q = fork; _exit(0) if $q; run('double', '/bin/sleep', 0.1 + rand 0.3) }) }
  elsif ($shape == 6) { child(sub { $SIG{HUP} = 'IGNORE'; run('nohup', '/bin/sh', '-c', 'sleep 0.1; exec id') }) }
  elsif (defined $ip) {
    child(sub { told('T', $who, $$, 'call', time); socket my $s, 2, 1, 0; my $f = fcntl $s, 4, 2048; connect $s, pack 'SnC4x8', 2, $port, split /\./, $ip; select undef, undef, undef, 0.1 });
  }
  else { child(sub { told('T', $who, $$, 'fork', time); select undef, undef, undef, 0.05 }) }
  select undef, undef, undef, 0.02 + rand 0.25;
  while (waitpid(-1, 1) > 0) { }
}
select undef, undef, undef, 0.6;
while (waitpid(-1, 1) > 0) { }
told('E', $who, $n);
`;

/** One process of the trial, as it said itself. */
export interface Truth {
  who: string;
  pid: number;
  shape: string;
  /** Seconds since the epoch, when it began. */
  at: number;
}
export interface TrialRecord {
  truths: Truth[];
  /** Where each person's connection came from, "address port", by name. */
  from: Map<string, string>;
  /** Who came to the end of his work. */
  ended: Set<string>;
}

/** What the workloads wrote, of all of them together; lines that are none of theirs are passed over. */
export function readRecord(text: string): TrialRecord {
  const record: TrialRecord = { truths: [], from: new Map(), ended: new Set() };
  for (const line of text.split(/\r?\n/)) {
    const [, kind, who = "", first = "", second = "", third = ""] = /^([LTE]) (\S+) (\S+)(?: (\S+))?(?: (\d+))?/.exec(line) ?? [];
    if (kind === "L" && second !== "") record.from.set(who, `${first} ${second}`);
    else if (kind === "T") record.truths.push({ who, pid: Number(first), shape: second, at: Number(third) });
    else if (kind === "E") record.ended.add(who);
  }
  return record;
}
