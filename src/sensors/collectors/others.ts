/**
 * Collector: UDP, raw and packet sockets, of whose states the kernel tells nobody. /proc/net/{udp,raw}{,6} and packet every other second, each
 * new one with its owner, who is looked for among the newest processes and within a bound: a busy resolver must not make us walk /proc.
 *
 * Whoever sends by UDP needs a route, once for a connect(2) and once for each sendto(2): fib:fib_table_lookup and fib6:fib6_table_lookup
 * (include/trace/events/fib.h, fib6.h; Linux 4.4) tell it with both ends, in the sender's own task. Answers to who asked look the same.
 * A host that sends so much that we would be a burden is not followed for a minute, and that is said.
 */
export const OTHERS = String.raw`
my (%other, $others_at, $others_primed);
($others_at, $others_primed) = (0, 0);
my ($MOST_PAGED, $udp_again) = (2 << 20, 0);
my @ROUTES = (['d', 'fib/fib_table_lookup'], ['6', 'fib6/fib6_table_lookup']);
sub udp_begin { # a softirq's lookup (0x10; 0x08 hard irq) is of what came in
  $udp = grep { enable('l', $_->[1], $_->[0], 'proto==17 && !(common_flags & 24)', qw(common_flags common_pid sport dport src dst)) } @ROUTES;
}
sub udp_switch { for my $f (map { "$inst{l}{dir}/events/$_->[1]/enable" } @ROUTES) { put($f, $_[0]); $setting{$f} = slurp($f, 64) // '' if defined $setting{$f} } }
sub udp_weigh {
  my ($now) = @_;
  my $was = $paged;
  $paged = 0;
  return if !$udp || !tracing();
  if ($udp_again) { if ($now >= $udp_again) { $udp_again = 0; udp_switch(1) } }
  elsif ($was > $MOST_PAGED) { $udp_again = $now + 60e9; udp_switch(0); problem('UDP is not followed for a minute: so much happens on the host that we would be a burden') }
}
sub others_blind {
  $udp ? 'UDP is seen when a socket is connected or sends, not what only arrives; raw and packet sockets are looked at every other second'
    : 'UDP, raw and packet sockets are looked at every other second: shorter ones, such as most DNS questions, are missed';
}
my @told_datagram = ('', 0);
sub others_now {
  my %now;
  for my $t ('udp', 'raw') {
    for my $r (sockets($t)) { my ($kind, undef, @f) = @$r; $now{"$kind $f[5]"} = [@f[0 .. 4], $f[5]] if $f[5] }
  }
  for (split /\n/, whole('/proc/self/net/packet', 1 << 20)) { # sk RefCnt Type Proto Iface R Rmem User Inode
    my @f = split ' ';
    $now{"packet $f[8]"} = ['00000000', 0, '00000000', 0, $f[7], $f[8]] if @f > 8 && $f[8] =~ /^\d+\z/ && $f[8];
  }
  \%now;
}
sub owners_of { # inode => pid
  my (%want, %of) = map { $_ => 1 } @_;
  my $left = 4000;
  for my $p (sort { $b <=> $a } numeric('/proc')) {
    opendir(my $d, "/proc/$p/fd") or next;
    for (readdir $d) {
      last if $left-- < 0;
      my $l = readlink "/proc/$p/fd/$_";
      $of{$1} = $p if defined $l && $l =~ /^socket:\[(\d+)/ && delete $want{$1};
    }
    last if $left < 0 || !%want;
  }
  \%of;
}
sub others {
  my ($now) = @_;
  return if $now < $others_at;
  $others_at = $now + 2e9;
  my $is = others_now();
  # the UDP sockets of the first look are the snapshot's to tell
  my @new = grep { !$other{$_} && (/^udp/ ? $others_primed : 1) } keys %$is;
  my $of = @new ? owners_of(map { $is->{$_}[5] } @new) : {};
  for (sort @new) { my ($kind, $inode) = split ' '; my @s = @{$is->{$_}}; $out .= join("\t", 'J', $now, '+', $kind, $inode, @s[0 .. 4], $of->{$inode} || '') . "\n" }
  for (grep { !$is->{$_} } keys %other) { my ($kind, $inode) = split ' '; my @s = @{$other{$_}}; $out .= join("\t", 'J', $now, '-', $kind, $inode, @s[0 .. 4], '') . "\n" }
  %other = %$is; $others_primed = 1;
}
# asleep
sub datagram { # where pids are mapped; one lookup in each table, one for each address that was not known yet
  my ($ts, undef, undef, $by, $sport, $dport, $s, $d) = @{$_[0]};
  my $pg = $tg{$by} // $by;
  my $p = $ns{$pg};
  if (!$p) { if ($kin{$pg}) { hold($pg, $_[0]) } else { $outside++ } return }
  ($s, $d) = map { unpack 'H*', $_ } $s, $d;
  return if !$dport || $told_datagram[0] eq "$p $d $dport" && $ts - $told_datagram[1] < 1e9;
  @told_datagram = ("$p $d $dport", $ts);
  $out .= join("\t", 'O', $ts, $p, $s, $sport, $d, $dport) . "\n";
}
`;
