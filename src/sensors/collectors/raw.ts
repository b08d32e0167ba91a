/**
 * Collector, where pids need no mapping: pages of the trace and what /proc says of an exec go to the console as they were read.
 *
 * Parsing them here was half of the collector's cost, so the console does it (lineage-pages.ts). What stays is what only the
 * host can do: to read what perishes, to read credentials that cannot be inherited, and to look at the sockets of an sshd.
 * Frames: `B` a page's used bytes, `Q` an exec's perishables, in the order of the pages' execs; `R` ends a round.
 *
 * A load that starts one program over and over as fast as it can would pay for our reading of each (an eighth of its time): of one name
 * some 200 a second are read, and of the others what the kernel's own event holds is told, with what it kept of their arguments.
 */
export const RAW = String.raw`
my ($NRSTAT, $OWNER, $SB) = ($NR{newfstatat}, $ARCH eq 'aarch64' ? 'x24 L' : 'x28 L', "\0" x 256);   # struct stat of the kernel, st_uid
my ($XID, $XT, $sweep, $fresh, $told) = (0, '', 4096, 0, 0);
my ($OFTEN, $SAVED_UP, %often, $spared, $spared_name, $spared_at) = (5_000_000, 1_000_000_000);   # ns that a reading takes of a name's share, and how many may be saved up
($spared, $spared_name, $spared_at) = (0, '', 0);
my ($alone, $crowd);   # when the newest exec was that had its page to itself; whether another page held more than one
sub raw_begin {
  for my $id (grep { $decode[$_] && $decode[$_][0] ne 'a' } 0 .. $#decode) {
    my ($code, undef, @at) = @{$decode[$id]};
    $out .= join("\t", 'D', $code, $id, $DATA, @at) . "\n";
    if ($code eq 'e') { $XID = $id; $XT = "Q Q \@$DATA L S" . join '', map { my ($o) = /^(\d+)/; ' @' . ($DATA + 4 + $o) . ' l' } @at[1, 2, 0] }
  }
  $raw = 1;
  for my $t (keys %tg) { $out .= "G\t$t\t$tg{$t}\n" }
}
# Whether a program of this name has had its share of readings at $_[1]: each name has its own, so that a flood of one hides no other.
sub often {
  my $until = $often{$_[0]} // 0;
  if ($until > $_[1] + $SAVED_UP) { $spared++; $spared_name = $_[0]; return 1 }
  %often = () if keys %often > 1024;
  $often{$_[0]} = ($until > $_[1] ? $until : $_[1]) + $OFTEN;
  0;
}
# What perishes with the process ($_[0], before it thread $_[1], at $_[2], of name $_[3]), in order of haste, and whose it is: an exec of 1 ms
# leaves no time for more. What the kernel kept of it goes first into the last text: argc, uid, flags, arguments.
sub perishables {
  $canary = 0 if $_[0] == $canary;
  my $d = "/proc/$_[0]";
  my ($cl, $st, $who, $kept, $fd, $n) = ('', '', '', '');
  my $k = $refill && &kept;
  $kept = pack('llC', @$k[1, 3, 2]) . $k->[4] if $k && defined $k->[4];
  if (often($_[3], $_[2])) { my $q = pack('LS6', $_[0], 0, 2, 0, 0, 0, length $kept) . "\0\0$kept"; return 'Q' . length($q) . "\n$q" }
  if (!($k && whole_args($k)) && ($fd = syscall $NROPEN, -100, my $c = "$d/cmdline", 0x80000) >= 0) {
    $n = syscall $NRREAD, $fd, $RB, 16384; syscall $NRCLOSE, $fd;
    $cl = substr $RB, 0, $n if $n > 0;
  }
  my $exe = readlink("$d/exe") // ($! == 13 || $! == 1 ? "\0" : '');
  if (($fd = syscall $NROPEN, -100, my $s = "$d/stat", 0x80000) >= 0) {
    $n = syscall $NRREAD, $fd, $RB, 288; syscall $NRCLOSE, $fd;
    $st = substr $RB, 0, $n if $n > 0;
  }
  my $cwd = readlink("$d/cwd") // '';
  # of some 280 bytes the console needs the name, the state, and four numbers; the rest is what sshd would toil to compress
  my ($name, $pp, $place, $sid, $start) = $st =~ /\A\d+ (.*\) \S (\d+)) \S+ ((\d+) \S+) (?:\S+ ){14}(\d+)/s;
  $st = defined $start ? "$name $place $start" : '';
  if (defined $start && syscall($NRSTAT, -100, $d, $SB, 0x100) == 0) {   # the folder: of a file root would be told where a program may not be read
    my $e = unpack $OWNER, $SB;
    my $old = $cred{$_[0]} || $cred{$pp};
    $who = $old && $old->[0] eq "$e $sid" ? ($cred{$_[0]} = $old)->[1] : credentials($_[0], $e, $sid)->[1];
    environ_of($_[0], $_[2], $sid);
    mux_ran() if mux_like($exe);
  }
  my $q = pack('LS6', $_[0], length $cl, length $exe, length $st, length $cwd, length $who, length $kept) . "$cl$exe$st$cwd$who$kept";
  'Q' . length($q) . "\n$q";
}
# One instance's pages. A page that names an sshd is looked at here too, for the peer that only we can read.
sub forward {
  my ($i, $ev, $ready) = @_;
  my ($pg, $ts, $n, $h, $id, $pid, $old, $file, $taken);
  my $at = -1;
  for my $fh (@{$inst{$i}{fd}}) {
    $at++;
    next if defined $ready && !vec($ready, fileno $fh, 1);
    my $pages = defined $ready ? 1 : 64;
    $taken = 0;
    while ($pages-- && sysread $fh, $pg, $PAGE) {
      $fresh++;
      ($ts, $n, $h, $id, $pid, $old, $file) = unpack $XT, $pg;
      my $q;
      if ($id == $XID && !$awaits && $n == 4 + 4 * ($h & 31)) { # one exec, as nearly always
        $ts += $h >> 5;
        $q = perishables($pid, $old, $ts, substr $pg, $DATA + 4 + ($file & 0xffff), ($file >> 16 & 0xffff) - 1);
        $execs++; $taken++;
        $alone = $ts if $ts > $alone;
      }
      elsif ($i eq 'x') { $crowd = 1 }
      substr($pg, $n = $DATA + ($n & 0xfffff)) = '';
      $paged += $n if $i eq 'l';
      if ($i eq 'x' && !$q || index($pg, 'sshd') >= 0 || index($pg, 'dropbear') >= 0) {
        my $events = page($pg, \my @new);
        $taken += $events if !$q;   # else it was counted
        if ($i eq 'x' && $awaits) {
          $out .= "B$n\n$pg";
          for (@new) { my $q = perishables($_->[2], $_->[3], $_->[0], $_->[4]); later($_->[2], $_->[0], $_->[4], sub { with_kept($q, $_[0]) }) }
          push @$ev, @new; $execs += @new;
          next;
        }
        if ($i eq 'x' && !$q) { $q = join '', map { perishables($_->[2], $_->[3], $_->[0], $_->[4]) } @new; $execs += @new }
        push @$ev, @new;
      }
      $q //= '';
      $out .= "B$n\n$pg$q";
    }
    $inst{$i}{taken}[$inst{$i}{cpus}[$at]] += $taken;
  }
}
# An exec that was just read is told before anything else, with the lineage up to it. It was alone on its page and select has looked at
# the other CPUs since, so there is no older one that was not read.
sub at_once {
  my ($held) = @_;
  forward('l', $held);
  $out .= "R\t$alone\n";
  ($told, $fresh) = (1, 0);   # what is younger is the console's with the next round
  pass_on($held, $alone);
}
# After the console was told of a fork or an exec: where the connection of an sshd comes from.
sub look_at_sshd {
  my ($e) = @_;
  my ($ts, $c, $by, $new, $flags) = @$e;   # of an exec: pid, old pid, file
  if ($c eq 'e') { peer($by, $ts) if sshd_like($flags) }
  elsif ($c eq 'n') {
    return if $flags & 0x10000;   # CLONE_THREAD
    delete $sshd{$new}; delete $peered{$new};
    peer($new, $ts) if $sshd{$by} && !$peered{$by};   # the listener's child has the new connection
  }
  elsif ($c eq 'x') { delete $sshd{$by}; delete $peered{$by} }
}
# Exits are not read here: what is kept by pid is swept when it has grown.
sub sweep_pids {
  return if keys %cred < $sweep;
  my %alive = map { $_ => 1 } numeric('/proc');
  for my $h (\%cred, \%sshd, \%peered) { delete @$h{grep { !$alive{$_} } keys %$h} }
  $sweep = 4096 + 2 * keys %cred;
}
# asleep
sub spared_said {
  problem("$spared_name is run over and over, hundreds of times a second: of $spared such programs /proc was not read, their name and parent alone are known and what the kernel kept of their arguments", 'p');
  ($spared, $spared_at) = (0, $_[0] + 60e9);
}
# Perishables with what was kept of them and came later.
sub with_kept {
  my ($q, $k) = @_;
  return $q unless $k;
  $q =~ s/^Q\d+\n//;
  my $kept = pack('llC', @$k[1, 3, 2]) . $k->[4];
  substr($q, 14, 2) = pack 'S', length $kept;
  'Q' . length($q . $kept) . "\n$q$kept";
}
`;
