/**
 * Collector: unix sockets that have a name, with who holds them, once for each time that the console asks (unix(7), proc(5): /proc/net/unix).
 * In the child that answers (info.ts), and bounded. The kernel writes a socket's path there as it is: a newline in it could forge a row, but no
 * descriptor: a row that nobody holds is told as one. Who is connected to whom only the module unix_diag would tell, and we load none.
 */
export const UNIX = String.raw`
my $unix_asked = 0;
# asleep
my ($MOST_ROWS, $MOST_PATHS) = (20000, 1000);
sub unix_end { join("\t", 'e', map { $_ // '' } @_) . "\n" }   # unnamed, left out, why
sub unix_sockets {
  my (%at, %is, $rows, $unnamed, $more);
  ($rows, $unnamed, $more) = (0, 0, 0);
  my $table = whole('/proc/self/net/unix', 8 << 20);
  return unix_end(0, 0, esc("/proc/net/unix cannot be read: $!")) unless length $table;
  for (split /\n/, $table) { # Num RefCount Protocol Flags Type St Inode Path
    my ($flags, $type, $state, $inode, $path) = /^[0-9a-f]{16}: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{2}) +(\d{1,19})(?: (.+))?\z/s or next;
    if (!defined $path) { $unnamed++; next }
    if (++$rows > $MOST_ROWS || !$is{"$type $path"} && keys %is >= $MOST_PATHS) { $more++; next }
    my $s = $is{"$type $path"} //= { type => $type, path => $path, listens => 0, connected => 0, by => {} };
    if (hex($flags) & 0x10000) { $s->{listens} = 1 } elsif ($state eq '03') { $s->{connected}++ }   # SO_ACCEPTCON; SS_CONNECTED
    $at{$inode} = $s;
  }
  my ($left, $why) = (60000);
  for my $p (numeric('/proc')) {
    opendir(my $d, "/proc/$p/fd") or next;
    for (readdir $d) {
      if (--$left < 0) { $why = 'only the first 60000 descriptors were looked at: owners are missing'; last }
      my $l = readlink "/proc/$p/fd/$_" // next;
      $l =~ /^socket:\[(\d+)/ or next;
      my $s = $at{$1} or next;
      $s->{by}{$p} = 1 if keys %{$s->{by}} < 16;
    }
    last if $left < 0;
  }
  my $told = '';
  for (sort keys %is) { my $s = $is{$_}; $told .= join("\t", 'k', hex $s->{type}, $s->{listens}, $s->{connected}, esc(substr $s->{path}, 0, 256), join ',', sort { $a <=> $b } keys %{$s->{by}}) . "\n" }
  $told . unix_end($unnamed, $more, $why);
}
`;
