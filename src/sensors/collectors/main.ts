/**
 * Collector, part 7: hello, the loop, the requests of the console, and the end.
 *
 * The end comes with the end of standard input, five seconds without a heartbeat, a signal, a closed output or `q`. Should
 * perl itself be killed, a forked watcher that holds the other end of a pipe removes the instances.
 */
export const MAIN = String.raw`
my ($done, $heard, $in, $flushed, $backlog, $clocked, $blocked, $slowed) = ('', boot(), '', 0, 4 << 20, 0, 0, 0);
sub end { $done ||= $_[0] }
$SIG{PIPE} = 'IGNORE'; for my $s (qw(HUP INT TERM)) { $SIG{$s} = sub { end("it was sent SIG$s") } }
for my $fh (\*STDIN, \*STDOUT) { my $f = fcntl $fh, 3, 0; fcntl $fh, 4, $f | $NONBLOCK }
sub flush {
  $flushed = boot(); $blocked = 0;
  my $text = $awaits || @later || length $wire ? \$wire : \$out;
  settle() if $text == \$wire;
  while (length $$text) {
    my $n = syswrite STDOUT, $$text;
    if (!defined $n) { $blocked = 1; end('its output was closed') unless $!{EAGAIN} || $!{EINTR}; return }
    substr($$text, 0, $n) = '';
  }
}
sub unsent { length($out) + length($wire) + @later }
sub listen_console {
  my $n = sysread STDIN, $in, 65536, length $in;
  return end('its input ended') if defined $n && $n == 0;
  return unless $n;
  $heard = boot();
  while ($in =~ s/^([^\n]*)\n//) {
    my $line = $1;
    if ($line =~ /^h(?: (\d+))?\z/) { $HEARTBEAT = !$1 || $1 < 5 ? 5 : $1 > 60 ? 60 : $1 }
    elsif ($line eq 'q') { end('q') }
    elsif ($line =~ /^i([ms]*) (\d+) (.+)/) { ask($2, $3, $1); next_answer() }
    elsif ($line eq 'u') { $unix_asked = 1; next_answer() }
    elsif ($line =~ /^w([ms]*) (\d+) (\S+) (.+)/) { ask_owner($2, $3, $4, $1) }
  }
  end('it was sent a request without an end') if length $in > 65536;
}
sub watcher { # a child that costs nothing: it sleeps until our end of the pipe closes
  pipe(my $r, my $w) or return;
  my $child = fork;
  if (defined $child && !$child) {
    $SIG{$_} = 'IGNORE' for qw(HUP INT TERM PIPE);
    close $w; close STDIN; close STDOUT; close STDERR;
    syscall($NR{setsid}) if $KNOWN;
    my $end = '';
    while (sysread $r, $end, 16, length $end) { }
    for my $i ('x', 'l', 'a') { my $d = "$T/instances/$NAME.$i"; for (1 .. 100) { last if !-d $d || rmdir $d; select undef, undef, undef, 0.05 } }
    probes_remove($NAME =~ tr/./_/r) if defined &sweep_probes;
    audit_undo("$NAME.$1") if $end =~ /a([01d])[^ae]*\z/;
    if ($end =~ /m/) { my $d = $T; syscall($NR{umount2}, $d, 0) }
    kill 'KILL', $$;
  }
  close $r; $w;
}
sub hello {
  my $p = $$; my $sshd = 0;
  for (1 .. 32) {
    my $s = slurp("/proc/$p/stat", 2048) // last;
    my ($comm) = $s =~ /\((.*)\) /s; my ($pp) = $s =~ /.*\) \S (\d+)/s;
    if (sshd_like($comm)) { $sshd = $p; last }
    $p = $pp or last;
  }
  if (open(my $f, '<', '/proc/self/auxv')) { my $raw = ''; sysread $f, $raw, 4096; my %a = unpack 'Q*', $raw; $hz = $a{17} if $KNOWN && $a{17} }
  my $one = sub { my $t = slurp($_[0], 512) // ''; chomp $t; esc($t) };
  my $n = () = (whole('/proc/stat', 1 << 20) =~ /^cpu\d/mg);
  $out .= join("\t", 'H', $one->('/proc/sys/kernel/random/boot_id'), $one->('/etc/machine-id'), $one->('/proc/sys/kernel/hostname'),
    $one->('/proc/sys/kernel/osrelease'), $ARCH, $n, $hz, $mapped ? 'mapped' : 'init', $$, $sshd, $>, $tier, $bytes || 0, join "\x1f", map { esc($_) } @blind, @standing) . "\n";
  say_clock();
}
sub round { # events of every CPU, in time order; what is younger than the start of this round waits for the next
  my ($held) = @_;
  my $until = boot();
  my $new = -@$held;
  if ($raw) {
    forward('x', $held);
    forward('l', $held);
    # what was younger than the last round is the console's once it hears of a later one
    $out .= "R\t$until\n" if $fresh || $told;
    $told = $new = $fresh; $fresh = 0;
  }
  else { drain('x', $held); drain('l', $held); $new += @$held }
  pass_on($held, $until);
  $new;
}
sub pass_on { # in time order
  my ($held, $until) = @_;
  @$held = sort { $a->[0] <=> $b->[0] } @$held if @$held > 1;
  while (@$held && $held->[0][0] <= $until) { my $e = shift @$held; $raw ? look_at_sshd($e) : handle($e) }
}
sub tick {
  my ($u, $s) = times;
  my ($rss) = (slurp('/proc/self/status', 4096) // '') =~ /VmRSS:\s+(\d+)/;
  $lost = (tracing() ? count_lost() : $cnlost || 0) + $auloss + $auheld;
  $out .= join("\t", 'T', boot(), $lost, $outside, $unmapped, int(($u + $s) * 1000), $rss || 0, unsent()) . "\n";
  %wrote = (); $names = 0;
  poll_folder($_) for keys %mtime;
  hands_tick(boot());
}
# Of the programs that we run on, perl and its libraries, most was needed to compile this text: those pages leave our memory, and come back
# from the page cache where they are called again. Only a file's own, of which nothing was ever written to (r-xp or r--p, and nothing of it is
# anonymous or swapped, proc(5)): what the loader relocated would be lost.
sub give_back {
  return unless $KNOWN;
  for (split /^(?=[0-9a-f]+-)/m, whole('/proc/self/smaps', 1 << 20)) {
    syscall($NR{madvise}, hex $1, hex($2) - hex $1, 4)   # MADV_DONTNEED
      if /^Anonymous: +0 kB/m && /^Swap: +0 kB/m && /\A([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]/;
  }
}
sub slow { # what is due once a second
  my ($now) = @_;
  # A host that stood still (a machine that was paused, a core that others had) is owed the time in which it could not have heard anybody, and
  # no more: whoever stops us again and again would never hear of it.
  if ($slowed && $now > $slowed + 2e9) { for ($heard, $canary_sent) { $_ += $now - $slowed - 1e9; $_ = $now if $_ > $now } }
  $canary_sent = $now if length($out) + length($wire) > $backlog;   # then nothing is read
  $slowed = $now;
  if ($now - $heard > $HEARTBEAT * 1e9) { listen_console() } # it may lie there, and only we were late
  if ($now - $heard > $HEARTBEAT * 1e9) { end("nothing was heard of the console for $HEARTBEAT s"); return }
  tick();
  if ($now >= $clocked) { $clocked = $now + 10_000_000_000; say_clock(); read_addresses() if $mapped }
  if (!tracing()) { poll_sockets() if $cnfd; sweep_pids() if $cnfd }
  elsif ($mapped) { scan(); expire() }
  else { sweep_pids() }
  kept_expire() if $refill || $awaits;
  spared_said($now) if $spared && $now >= $spared_at;
  udp_weigh($now);
  others($now);
  diag($now);
  guard($now);
  next_answer() if @whose;
  climb_back($now);
}
# An exec wakes us at once. Lineage is drained with it where pids need mapping or it is told at once, else at most once in $gap ns:
# while $busy we sleep with a time limit and do not listen to it, so that a fork and an exit cost no wake of their own.
sub live {
  my (@held, $snapped, $tick, $drained, $busy, $polled, $rest);
  $heard = boot();   # what set a tier up may have taken longer than a heartbeat
  ($tick, $drained, $polled) = ($heard, 0, 0);
  my $poll = $tier eq 'poll';
  my $untraced = !tracing();
  my $at_once = !$untraced && $raw && @{$inst{l}{fd}} <= 8;
  my $calm = $at_once ? $AT_ONCE : $SOON;
  my $eager = $at_once;
  $gap = $calm;
  my ($base, $exec) = ('', $untraced ? '' : $inst{x}{bits});
  vec($base, $_, 1) = 1 for 0, grep { defined } $fan, $ino, $eye, $cnfd, $awaitsfd;
  my $urgent = $base | $exec;
  my $all = $untraced ? $base : $urgent | $inst{l}{bits};
  until ($done || $again) {
    my $now = boot();
    if ($now >= $tick) { $tick = $now + 1_000_000_000; slow($now); $busy = 1; last if $done || $again }
    if (!$snapped) { $snapped = snapshot_slice(); $busy = 1; if ($snapped) { secrets_begin() if !keys %secret_at; give_back() } }
    elsif ($poll && $now >= $polled) { $polled = $now + 250_000_000; poll_again() }
    my $stuck = length($out) + length($wire) > $backlog;   # a console that does not read: the kernel's buffers fill, and count what they lose
    my $due = $flushed + $gap;
    mux_look($now) if $now >= $mux_at && ($now < $mux_until || %mux);
    my $next = $tick;
    $next = $mux_at if $mux_at > $now && $mux_at < $next && $now < $mux_until;
    if ($untraced) { $next = $polled if $poll && $polled < $next } elsif ($busy && $drained + $gap < $next) { $next = $drained + $gap }
    my $win;
    if (unsent()) { if ($stuck || $blocked) { $win = "\2" } elsif ($due < $next) { $next = $due } }
    my $rin = $stuck ? "\1" : $busy ? $urgent : $all;
    vec($rin, fileno $answer, 1) = 1 if $answer && !$stuck;
    my $wait = $next > $now && $snapped ? ($next - $now) / 1e9 : 0;
    my ($mask, $n, $w, $woken, $other) = $rin;
    while (1) { # the hot path: wake, read the exec's page, read the process, sleep again
      ($n, $wait) = select $rin = $mask, $w = $win, undef, $wait;   # Linux says what is left of the time, our own work not counted
      $woken = $n > 0 && ($other = $rin & $exec) =~ tr/\0//c;
      last unless $woken && $busy && !$mapped && !$stuck;
      ($alone, $crowd) = (0, 0);
      forward('x', \@held, $rin);
      # of a brisk host what waits goes with an exec that was read anyway: a wake of its own would cost more than the send
      if ($alone && !$crowd && ($eager || $at_once && $alone >= $flushed + $RIDE)) {
        at_once(\@held); flush(); last if $blocked;
        ($drained, $due) = ($flushed, $flushed + $gap);
        $wait = $rest if !$eager && ($rest = ($due < $tick ? $gap : $tick - $flushed) / 1e9) > $wait;
      }
      ($other = $rin & $base) =~ tr/\0//c and last;
      last if ($wait -= 0.0002) <= 0;
    }
    if ($n > 0) {
      listen_console() if vec($rin, 0, 1);
      if (!$stuck) {
        read_fanotify() if defined $fan && vec($rin, $fan, 1);
        read_inotify() if defined $ino && vec($rin, $ino, 1);
        read_eye() if defined $eye && vec($rin, $eye, 1);
        read_answer() if $answer && vec($rin, fileno $answer, 1);
        connector_read() if defined $cnfd && vec($rin, $cnfd, 1);
      }
    }
    $now = boot() + 300_000;   # a wake that came a little early is the one that was asked for
    if ($now >= $weighed + 100_000_000) {
      my $rate = $execs * 1e9 / ($now - $weighed);
      $gap = $rate > $STORM ? $BATCH : $rate > $CALM ? $BRISK : $calm;
      ($eager, $execs, $weighed) = ($at_once && $gap == $calm, 0, $now);
    }
    if (!$untraced && !$stuck && ($now >= $drained + $gap || $woken && ($mapped || !$busy))) { $busy = round(\@held) || @held; $drained = $now }
    flush() if unsent() && ($now >= $due || $blocked || length $out > 32768);
  }
  if (!$raw) { handle($_) for @held }
}
my $ok = eval {
  $NAME = instance_name();
  audit_swept();
  $pipe = watcher() if $> == 0;
  push @standing, climb(0);
  $top = $rung;
  files_begin();
  diag_begin();
  hello();
  settle_in();
  snapshot_begin();
  while (!$done) { $again = 0; live() }
  1;
};
my $error = $@;
problem("the collector stopped: $error", 1) if !$ok;
syswrite STDERR, $done if length $done > 1;   # for the record of a console that is there after all
waitpid($_, 1) == 0 and kill 'KILL', $_ for @reap;   # WNOHANG; one that was held
$LADDER[$rung][3]->();
flush();
kill 'KILL', $answerer if $answerer;
1;
`;
