/**
 * Collector, the quiet tier: the kernel's process connector (connector/cn_proc.h, linux/cn_proc.h), a netlink socket and nothing else.
 *
 * It tells forks, execs and exits with process and thread ids; what was executed and with what arguments is read in /proc. Its clock
 * stops in suspend, ours does not: the difference is taken at each message. Each processor counts its messages, so a gap is a loss.
 */
export const CONNECTOR = String.raw`
my ($cn, $cnfd, %cnseq, $cnlost);
# asleep
sub connector_probe {
  return "perl for $ARCH is not one whose system calls we know" unless $KNOWN;
  socket(my $s, 16, 2, 11) or return "no process connector: $!";   # AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR
  bind($s, pack 'SSLL', 16, 0, 0, 1) or return "may not listen to the process connector: $!";
  (slurp("/proc/$$/net/connector", 4096) // '') =~ /cn_proc/ ? '' : 'no process connector in this network namespace';
}
sub connector_begin {
  my $why = connector_probe(); return $why if length $why;
  socket($cn, 16, 2, 11) or return "no process connector: $!";
  setsockopt($cn, 1, 33, pack 'i', 4 << 20) or setsockopt($cn, 1, 8, pack 'i', 1 << 20);   # SO_RCVBUFFORCE, SO_RCVBUF
  bind($cn, pack 'SSLL', 16, 0, 0, 1) or return "may not listen to the process connector: $!";
  connector_say(1) or return "the process connector takes no order: $!";
  fcntl $cn, 4, fcntl($cn, 3, 0) | $NONBLOCK;
  # the kernel answers an order; without the right, or outside the first namespaces, it is silent or says an error
  my ($bits, $ok) = ('', 0);
  vec($bits, fileno $cn, 1) = 1;
  my $child = fork;
  if (defined $child && !$child) { kill 'KILL', $$ }
  waitpid $child, 0 if $child;
  for (1 .. 20) { select my $r = $bits, undef, undef, 0.05 or next; defined recv $cn, my $m, 8192, 0 or next; $ok = unpack('@36 L', $m) == 1; last if $ok }
  if (!$ok) { connector_end(); return 'the process connector is silent here' }
  ($cnfd, $cnlost) = (fileno $cn, 0); %cnseq = ();
  '';
}
sub connector_say { my $m = pack 'LLLLSSL', 1, 1, 0, 0, 4, 0, $_[0]; defined send $cn, pack('LSSLL', 16 + length $m, 3, 0, 0, $$) . $m, 0 }   # PROC_CN_MCAST_LISTEN 1, _IGNORE 2
sub with_records { my ($told, $k) = @_; my $text = $k && esc($k->[4]); $k && length("$told$text") < 150_000 ? "a\t$told\t$k->[2]\t$text\n" : "E\t$told\n" }
sub connector_end { return unless $cn; connector_say(2); close $cn; undef $cn; undef $cnfd }
sub connector_read {
  my $after = boot() - nanos(1);
  for (1 .. 256) {
    my $m;
    if (!defined recv $cn, $m, 8192, 0) { last unless $!{ENOBUFS}; next }
    next if length $m < 68;
    my ($seq, $what, $cpu, $ts, $pid, $tgid, $child, $group) = unpack '@24 L @36 L L Q L L L L', $m;
    next unless unpack('@16 L', $m) == 1 && $what;
    if (defined $cnseq{$cpu} && $seq > $cnseq{$cpu} + 1) { $cnlost += $seq - $cnseq{$cpu} - 1 }
    $cnseq{$cpu} = $seq;
    $ts += $after;
    if ($what == 1) { # fork: parent thread, parent, child thread, child
      next if $child != $group;
      delete $cred{$group}; delete $peered{$group};
      $out .= "F\t$ts\t$tgid\t$group\n";
      peer($group, $ts) if $sshd{$tgid};
    }
    elsif ($what == 2) {
      $execs++;
      $canary = 0 if $tgid == $canary;
      my $raw = grab($tgid);
      my $exe = $raw->[1] // '';
      $exe =~ s/ \(deleted\)\z//;
      my $told = "$ts\t$tgid\t" . esc($exe) . "\t" . facts($tgid, $raw, $ts, $exe);
      if ($awaits) { later($tgid, $ts, undef, sub { with_records($told, $_[0]) }) } else { $out .= "E\t$told\n" }
      peer($tgid, $ts) if sshd_like($exe);
      mux_ran() if mux_like($exe);
    }
    elsif ($what == 0x100) { $out .= "M\t$ts\tt\t$group\t$tgid\t\n" if $group && $group != $tgid }   # ptrace: process, its thread group, tracer, its thread group
    elsif ($what == 0x80000000 && $pid == $tgid) { $out .= "X\t$ts\t$tgid\n"; delete $cred{$tgid}; delete $sshd{$tgid}; delete $peered{$tgid} }
  }
}
`;
