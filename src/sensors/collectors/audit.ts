/**
 * Collector, the `audit` tier: what the kernel's own auditing says of each exec, beside lineage from the trace or the process connector.
 *
 * Rules of ours on execve and execveat, and the multicast group of readers (AUDIT_NLGRP_READLOG), so that an auditd that runs keeps its
 * place. A record comes when the exec has returned and so after the exec's own event: output waits for it (kept.ts). Records of one exec
 * share a serial and end with EOE; they go to the console as they are, which parses them (audit-records.ts). Types: linux/audit.h.
 */
export const AUDIT = String.raw`
my ($audit, $aukey, $aurules, %auopen, @auopen, $aufirst, $aulast, $augap, $auown, $aulooked) = (undef, '', 0);
my $MOST_AUDIT = 48 << 10;   # bytes of the records of one exec
my %AUEXEC = map { my ($arch, @n) = @$_; map { (sprintf('%x %d', $arch, $_) => 1) } @n } @AUDIT_RULES;
sub audit_probe {
  return 'not root' if $> != 0;
  return "perl for $ARCH is not one whose system calls we know" unless $KNOWN;
  my ($why, $is) = audit_status();
  return $why if length $why;
  return 'auditing is locked as it is until the next reboot (enabled is 2)' if $is->{enabled} == 2;
  return 'the host is set to panic when an audit record is lost (failure is 2): more records are no risk to take' if $is->{failure} == 2;
  ($why, my @rules) = audit_ask(1013, '');
  return $why if length $why;
  return 'a rule of the host (never,task) keeps every program out of auditing' if grep { my ($list, $does) = unpack 'LL', $_; $list == 1 && !$does } @rules;
  length trace_probe() ? connector_probe() : '';
}
sub audit_begin {
  my $why = audit_probe(); return $why if length $why;
  $why = length trace_probe() ? 'not traced' : trace_begin();   # first: with rules the kernel notes each of the thousand files of a trace instance
  if (length $why) { trace_end(); $why = connector_begin(); return $why if length $why }
  my ($no, $is) = audit_status();
  return $no if length $no;
  ($no, my @rules) = audit_ask(1013, '');
  my ($else) = map { (audit_key($_) // '') =~ /([0d])\z/ } @rules;   # on because of another console: it is off when both have gone
  my $was = !$is->{enabled} ? ($is->{pid} ? 'd' : '0') : $else // '1';
  socket($audit, 16, 3, 9) or return "no auditing in this kernel: $!";
  setsockopt($audit, 1, 33, pack 'i', 8 << 20) or setsockopt($audit, 1, 8, pack 'i', 1 << 20);   # SO_RCVBUFFORCE, SO_RCVBUF
  bind($audit, pack 'SSLL', 16, 0, 0, 1) or return "may not read audit records: $!";
  fcntl $audit, 4, fcntl($audit, 3, 0) | $NONBLOCK;
  $aukey = "$NAME.$was";
  syswrite $pipe, "a$was" if $pipe;
  for (@AUDIT_RULES) { ($no) = audit_ask(1011, audit_rule($aukey, @$_)); return "auditing takes no rule of ours: $no" if length $no; $aurules++ }   # AUDIT_ADD_RULE
  if (!$is->{enabled}) { ($no) = audit_switch(1); return "auditing cannot be switched on: $no" if length $no }
  # with audit=1 and nobody to write them down the kernel counts records as lost that we have had
  $auown = !$is->{pid} && (slurp('/proc/cmdline', 4096) // '') =~ /\baudit=(?:1|on)\b/;
  (%auopen, @auopen, %kept) = ();
  ($aufirst, $aulast, $augap, $unheard, $aulooked, $auloss) = ($is->{lost}, undef, 0, 0, 0, 0);
  my $child = fork;
  if (defined $child && !$child) { close STDOUT; exec {$TRUE} 'true', 'stakeout-audit' if $TRUE; kill 'KILL', $$ }
  my ($bits, $until) = ('', boot() + 5e9);
  vec($bits, fileno $audit, 1) = 1;
  while ($child && !$kept{$child} && boot() < $until) { select my $r = $bits, undef, undef, 0.1; audit_read() }
  if ($child) { waitpid $child, 0; return 'auditing tells nothing of a program that we ran' unless $kept{$child} }
  problem('auditing ' . ($is->{enabled} ? 'is on: two rules' : 'was off: it is on now, and two rules') . " with the key $aukey, until the end");
  push @blind, 'a program that was there before auditing was first switched on and runs another in its own place has no record: its arguments are read from /proc' unless $is->{enabled};
  push @blind, "the host's own audit rules leave some programs out: their arguments are read from /proc" if grep { my ($list, $does) = unpack 'LL', $_; $list == 5 || $list == 4 && !$does } @rules;
  push @blind, "the host keeps no more than $is->{rate} audit records a second" if $is->{rate};
  ($awaits, $awaitsfd) = (\&audit_read, fileno $audit);
  '';
}
sub audit_end {
  audit_read() if $awaits;
  undef $awaits; undef $awaitsfd;
  $auheld += $auloss; $auloss = 0;
  close $audit if $audit; undef $audit;
  if (length $aukey) {
    my $n = audit_undo($aukey);
    my ($why, $is) = audit_status();
    problem("our audit rules ($aukey) could not be taken away, since auditing was locked: they go with the next reboot") if $n < $aurules && $is && $is->{enabled} == 2;
    ($aukey, $aurules) = ('', 0);
    syswrite $pipe, 'e' if $pipe;
  }
  trace_end(); connector_end();
}
sub audit_read {
  my $to_boot = nanos(0) - boot();
  for (1 .. 512) {
    my $from = recv $audit, my $m, 16384, 0;
    if (!defined $from) { last unless $!{ENOBUFS}; $augap = 1; next }
    next if length $m < 20 || length $from < 12 || unpack '@4 L', $from;
    my ($type, $text) = (unpack('@4 S', $m), substr $m, 16);
    next unless $type >= 1300 && $type < 1400 && $text =~ s/^audit\((\d{1,11})\.(\d{3}):(\d{1,19})\): ?//;
    my ($ts, $n) = ($1 * 1_000_000_000 + $2 * 1_000_000 - $to_boot, $3);
    if ($augap) { $auloss += $n - $aulast - 1 if defined $aulast && $n > $aulast + 1; $augap = 0 }
    $aulast = $n;
    if ($type == 1300) { # SYSCALL
      next unless $text =~ /^arch=([0-9a-f]+) syscall=(\d+) (?:per=[0-9a-f]+ )?success=yes / && $AUEXEC{"$1 $2"};   # a rule of the host can ask for failures too
      my ($p) = $text =~ / pid=(\d{1,7}) / or next;
      my ($comm) = $text =~ / comm=("[^"]*"|[0-9A-F]*) /;
      $comm = !defined $comm ? undef : $comm =~ /^"(.*)"/ ? $1 : pack 'H*', $comm;
      $auopen{$n} = [$ts, $p, $comm, 0, length $text, "1300 $text"];
      push @auopen, $n;
      while (@auopen > 256) { delete $auopen{shift @auopen} }
      next;
    }
    my $e = $auopen{$n} or next;
    if ($type == 1320) { # EOE
      delete $auopen{$n};
      shift @auopen while @auopen && !$auopen{$auopen[0]};
      my ($ts, $p, $comm, $cut, undef, @texts) = @$e;
      keep($p, [$ts, -1, 4 | $cut, -1, join("\0", map { tr/\0\n//dr } @texts), $comm]);
    }
    elsif ($type == 1309 || $type == 1307 || $type == 1302 && $text =~ /^item=0 /) { # EXECVE, CWD, PATH of what was asked for
      if (($e->[4] += length $text) > $MOST_AUDIT) { $e->[3] = 1 } else { push @$e, "$type $text" }
    }
  }
}
# What auditing has told of the exec of $p at $ts: its time is that of the call, by a clock that ticks every few milliseconds.
sub audit_told {
  my ($p, $ts, $file) = @_;
  my $l = $kept{$p} or return undef;
  my $name = defined $file && index($file, '/dev/fd/') != 0 ? substr substr($file, rindex($file, '/') + 1), 0, 15 : undef;
  for my $n (0 .. $#$l) {
    my ($at, $comm) = @{$l->[$n]}[0, 5];
    next if $at > $ts + 5_000_000 || $at < $ts - 2_000_000_000 || defined $name && defined $comm && $comm ne $name;
    my $found = $l->[$n];
    splice @$l, 0, $n + 1;
    delete $kept{$p} unless @$l;
    return $found;
  }
  undef;
}
sub audit_guard { # whether somebody has laid hands on it: '' or what
  my ($now) = @_;
  return '' if $now < $aulooked;
  $aulooked = $now + 5e9;   # each question makes the kernel start a thread, which is seen as one
  my ($why, $is) = audit_status();
  return $why if length $why;
  return 'somebody switched auditing off' if $is->{enabled} == 0;
  ($why, my @rules) = audit_ask(1013, '');
  return $why if length $why;
  return 'somebody took our audit rules away' if $aurules != grep { (audit_key($_) // '') eq $aukey } @rules;
  $auloss = $is->{lost} - $aufirst if !$auown && $is->{lost} - $aufirst > $auloss;
  $unheard > 1 ? 'two programs of ours had no audit record: somebody keeps them out' : '';
}
`;
