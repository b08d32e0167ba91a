/**
 * Collector, the tier of last resort: /proc compared with itself four times a second, and /proc/net/tcp once a second.
 */
export const POLL = String.raw`
my (%seen, %conn, $turn, $primed, $primed_sockets);
$turn = 0;
# asleep
# Where another account's link cannot be read: an exec names a process after its file (comm, proc(5)), as most do in their first argument;
# a process that only calls itself something else does not change that.
sub named_by_exec {
  my ($p, $comm) = @_;
  my ($first) = split /\0/, slurp("/proc/$p/cmdline", 4096) // '';
  defined $first && substr($first, rindex($first, '/') + 1, 15) eq $comm;
}
sub poll_again {
  my %now;
  for my $p (numeric('/proc')) {
    my $st = slurp("/proc/$p/stat", 2048) // next;
    my ($state, $pp, $start) = (split ' ', substr($st, rindex($st, ') ') + 2), 21)[0, 1, 19];
    next if $state =~ /[ZX]/;
    my $exe = readlink("/proc/$p/exe") // '';
    my $comm = substr $st, index($st, '(') + 1, rindex($st, ') ') - index($st, '(') - 1;
    $now{$p} = [$start, $exe, $comm];
    my $old = $seen{$p};
    next if $old && $old->[0] == $start && (length $exe ? $old->[1] eq $exe : $old->[2] eq $comm || !named_by_exec($p, $comm));
    next unless $primed;
    my $ts = boot();
    if (!$old || $old->[0] != $start) {
      $out .= "X\t$ts\t$p\n" if $old;
      $ts = int($start * (1e9 / $hz));
      $out .= "F\t$ts\t$pp\t$p\n";
    }
    my $file = length $exe ? $exe =~ s/ \(deleted\)\z//r : $comm;
    my $f = facts($p, grab($p), 0) // next;
    $out .= "E\t$ts\t$p\t" . esc($file) . "\t$f\n";
    peer($p, $ts) if sshd_like($comm);
    mux_ran() if mux_like($file);
  }
  for (keys %seen) { next if $now{$_}; delete $cred{$_}; delete $sshd{$_}; delete $peered{$_}; $out .= join("\t", 'X', boot(), $_) . "\n" }
  %seen = %now; $primed = 1;
  poll_sockets() unless $turn++ % 4;
}
sub poll_begin { (%seen, %conn) = (); $turn = $primed = $primed_sockets = 0; '' }
# TCP connections where the kernel does not tell of them; $primed_sockets: what was there before is the snapshot's to tell.
sub poll_sockets {
  my %open;
  for (sockets('tcp')) { my ($t, $state, @a) = @$_; $open{join "\t", @a[0 .. 3]} = $state if $state =~ /[ESL]/ }
  if ($primed_sockets) {
    for (keys %open) { my $was = $conn{$_} // 'C'; $out .= join("\t", 'S', boot(), '', $was, $open{$_}, $_, '') . "\n" if $was ne $open{$_} }
    for (keys %conn) { $out .= join("\t", 'S', boot(), '', $conn{$_}, 'C', $_, '') . "\n" unless $open{$_} }
  }
  %conn = %open; $primed_sockets = 1;
}
`;
