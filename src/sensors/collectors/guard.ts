/**
 * Collector: are we still shown what happens? Every few seconds a program and a connection of our own, which must come back by the way
 * of everything else, and a look at every setting of our trace instances, which root on the host can change in silence.
 * The program is /bin/true; the connection goes to a port of ours that nobody listens at, so nothing leaves the host and no service sees it.
 */
export const GUARD = String.raw`
my ($EACH, $canary_at, $canary_sent, $looked, @reap) = (5e9, 0, 0, 0);
my ($TRUE) = grep { -x } '/bin/true', '/usr/bin/true';
sub settings_of { # every file whose content decides what we are shown
  my @files;
  for my $i (values %inst) {
    my $d = $i->{dir};
    push @files, map { "$d/$_" } qw(tracing_on trace_clock set_event_pid set_event_notrace_pid tracing_cpumask);
    push @files, map { my $e = $_; map { "$d/events/$e/$_" } qw(enable filter trigger) } @{$i->{on} || []};
  }
  push @files, grep { -e } '/sys/kernel/debug/kprobes/enabled' if $by_old;
  @files;
}
sub guard_begin { %setting = (); $canary = 0; return unless tracing(); for (settings_of()) { $setting{$_} = slurp($_, 4096) // '' } }
sub guard {
  my ($now) = @_;
  if (tracing() && $now >= $looked) {
    $looked = $now + 2e9;
    for (sort keys %setting) {
      my $is = slurp($_, 4096);
      next if defined $is && $is eq $setting{$_};
      my ($file) = m{([^/]+/[^/]+/[^/]+)\z};
      my ($was, $now_is) = map { my $t = $_ // 'gone'; $t =~ s/\s+\z//; $t =~ s/\n.*//s; length $t ? substr($t, 0, 80) : 'empty' } $setting{$_}, $is;
      return fall('tampered', "somebody changed $file of our tracing: it was $was, it is $now_is");
    }
  }
  if ($canary && $now > $canary_sent + 5e9) {
    $canary = 0;
    return fall('tampered', 'a program of ours was not shown to us within 5 s');
  }
  return if $now < $canary_at || $tier eq 'poll';
  $canary_at = $now + $EACH;
  if (!$canary && $TRUE) {
    my $child = fork;
    if (defined $child && !$child) { close STDOUT; exec {$TRUE} 'true', 'stakeout-canary'; kill 'KILL', $$ }
    if ($child) { ($canary, $canary_sent) = ($child, $now); push @reap, $child; $out .= join("\t", 'Y', $now, 'p', $child, $TRUE) . "\n" }
  }
  @reap = grep { waitpid($_, 1) == 0 } @reap;   # WNOHANG
  return unless tracing() && $SOCKETS && socket my $here, 2, 1, 0;
  bind $here, pack 'SnC4x8', 2, 0, 127, 0, 0, 1 or return;
  my (undef, $port) = unpack 'Sn', getsockname $here;
  socket my $there, 2, 1, 0 or return;
  fcntl $there, 4, fcntl($there, 3, 0) | $NONBLOCK;
  $out .= join("\t", 'Y', $now, 'n', $port, '') . "\n";
  connect $there, pack 'SnC4x8', 2, $port, 127, 0, 0, 1;
}
`;
