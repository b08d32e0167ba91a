/**
 * Collector: what TCP connections have carried, and how far away their other end is. The kernel's socket monitor (sock_diag(7), the source of
 * `ss -i`; linux/inet_diag.h, linux/tcp.h: tcpi_rtt, tcpi_bytes_acked and _received, Linux 4.1) is asked every 5 s for what is established.
 * Where it is a module that nobody has loaded we do not ask: the question would load it. A connection is told when it has carried twice
 * as much as the last time, or a megabyte more.
 */
export const DIAG = String.raw`
my ($diag_at, $diag_seq, %carried) = (0, 0);
my ($MOST_SOCKETS, $MOST_CARRIED) = (5000, 200);
sub diag_begin {
  return unless $KNOWN;
  my ($release) = (slurp('/proc/sys/kernel/osrelease', 64) // '') =~ /^(\S+)/;
  my $there = -d '/sys/module/tcp_diag' || !-d "/lib/modules/$release" || index(whole("/lib/modules/$release/modules.builtin", 1 << 20), '/tcp_diag.ko') >= 0;
  if ($there) { $diag_at = 1 } else { push @standing, 'what connections carry is not counted: the module tcp_diag is not loaded, and we load none' }
}
sub diag_ask {
  my ($d, $family, $rows) = @_;
  send $d, pack('LSSLL CCCC L x48', 72, 20, 0x301, ++$diag_seq, 0, $family, 6, 2, 0, 1 << 1), 0 or return;   # SOCK_DIAG_BY_FAMILY, dump, tcp_info, ESTABLISHED
  for (1 .. 256) {
    my $bits = ''; vec($bits, fileno $d, 1) = 1;
    select $bits, undef, undef, 0.2 or return;
    defined recv $d, my $m, 65536, 0 or return;
    for (my $at = 0; $at + 16 <= length $m; ) {
      my ($len, $type) = unpack "\@$at L S", $m;
      return if $type == 3 || $type == 2 || $len < 16 || $at + $len > length $m;   # done, or an error
      push @$rows, substr $m, $at + 16, $len - 16 if $len >= 88;
      return if @$rows >= $MOST_SOCKETS;
      $at += $len + 3 & ~3;
    }
  }
}
sub diag {
  my ($now) = @_;
  return if !$diag_at || $now < $diag_at;
  $diag_at = $now + 5e9;
  my (@rows, %is);
  for my $family (2, 10) {
    socket my $d, 16, 3, 4 or return;   # AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG
    diag_ask($d, $family, \@rows);
  }
  my $told = 0;
  for my $m (@rows) {
    my ($family, $sport, $dport) = unpack 'C x3 n n', $m;
    my $wide = $family == 2 ? 4 : 16;
    my ($s, $d) = (unpack('H*', substr $m, 8, $wide), unpack('H*', substr $m, 24, $wide));
    for (my $at = 72; $at + 4 <= length $m; ) {
      my ($len, $type) = unpack "\@$at S S", $m;
      last if $len < 4;
      if ($type == 2 && $len >= 4 + 136) {
        my ($rtt, $sent, $got) = unpack '@' . ($at + 4 + 68) . ' L x48 Q Q', $m;
        my ($key, $all) = ("$s $sport $d $dport", $sent + $got);
        my $was = $carried{$key} || 0;
        $is{$key} = $was;
        if ($all && $told < $MOST_CARRIED && ($all >= 2 * $was || $all >= $was + 1048576)) {
          $is{$key} = $all; $told++;
          $out .= join("\t", '%', $now, $s, $sport, $d, $dport, $sent, $got, $rtt) . "\n";
        }
      }
      $at += $len + 3 & ~3;
    }
  }
  %carried = %is;
}
`;
