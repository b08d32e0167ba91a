/**
 * Collector, part 2: what /proc says of a process, the first snapshot, sockets and the peers of sshd. Formats: proc(5).
 *
 * An exec costs nine system calls: cmdline, stat, the owner of its folder, exe and cwd. `status` and `loginuid` are dear
 * and are read only where they can have changed: another owner, another session id, or a parent that is not known.
 */
export const FACTS = String.raw`
my (%cred, %sshd, %peered, %shim, $SNAP);
# What perishes with the process, read first and as it is: an exec of 1 ms leaves no time for more. It is looked at later.
# Its arguments are not needed ($_[1]) where the kernel kept them whole.
sub grab {
  my $d = "/proc/$_[0]";
  my ($cl, $st, $fd, $n);
  if ($_[1]) { }
  elsif (!$KNOWN) { $cl = slurp("$d/cmdline", 16384) }
  elsif (($fd = syscall $NROPEN, -100, my $path = "$d/cmdline", 0x80000) >= 0) {
    $n = syscall $NRREAD, $fd, $RB, 16384; syscall $NRCLOSE, $fd;
    $cl = substr $RB, 0, $n if $n >= 0;
  }
  my $exe = readlink "$d/exe";
  my $denied = !defined $exe && $!{EACCES};
  if (!$KNOWN) { $st = slurp("$d/stat", 1024) }
  elsif (($fd = syscall $NROPEN, -100, my $path = "$d/stat", 0x80000) >= 0) {
    $n = syscall $NRREAD, $fd, $RB, 1024; syscall $NRCLOSE, $fd;
    $st = substr $RB, 0, $n if $n > 0;
  }
  [$cl, $exe, $denied, $st, scalar(readlink "$d/cwd"), (lstat $d)[4]];
}
# ppid start session tty uid euid loginuid comm exe flags cwd args unseen argc: the fourteen fields of P and E.
# $ts: time of the exec that we look at, 0 for a snapshot; $file: what it executed; $k: what the kernel kept of it.
sub whole_args { $_[0] && defined $_[0][4] && !($_[0][2] & 1) }
sub gone {
  my ($k, $known) = @_;
  my $s = defined $known ? '' : 's';
  $known //= "\t\t\t";
  return $known . "\t" x 9 . $s . "auxc\t" unless $k && defined $k->[4];
  my ($args, $flags) = (esc($k->[4]), ($k->[2] & 1 ? 'c' : '') . ($k->[2] & 2 ? 'v' : ''));
  $args =~ tr/\0/\x1f/;
  my ($uid, $u) = $k->[3] < 0 ? ('', 'u') : ($k->[3], '');
  join("\t", $known, $uid, ('') x 4, $flags, '', "=$args", $s . $u . 'xc', '') . ($k->[1] < 0 ? '' : $k->[1]);
}
sub credentials { # [owner and session with which a child inherits them, uid euid loginuid]; the first is empty where they could not be read
  my ($p, $e, $sid) = @_;
  my ($u, $status) = ('', slurp("/proc/$p/status", 4096) // '');
  eye_leader($p) if $p == $sid;
  ($u, $e) = ($1, $2) if $status =~ /\nUid:\t(\d+)\t(\d+)/;
  my $l = slurp("/proc/$p/loginuid", 16) // '';
  $e //= '';
  return ['', "\t$e\t$l"] unless length $u;
  $cred{$p} = [$u == $e ? "$e $sid" : 'none', "$u\t$e\t$l"];
}
sub facts {
  my ($p, $raw, $ts, $file, $k) = @_;
  my ($cl, $exe, $denied, $st, $cwd, $e) = @$raw;
  my $un = $denied ? 'X' : '';
  my $open = defined $st ? index($st, '(') : -1;
  return $ts ? gone($k) : undef if $open < 0;
  my $end = rindex($st, ') ');
  my $comm = substr($st, $open + 1, $end - $open - 1);
  my ($state, $pp, $sid, $tty, $threads, $start) = (split ' ', substr($st, $end + 2), 21)[0, 1, 3, 4, 17, 19];
  return undef if !$ts && $threads < 2 && $state =~ /[ZX]/;
  my $flags = '';
  if (defined $exe && substr($exe, -10) eq ' (deleted)') { $flags = 'd'; substr($exe, -10) = '' }
  if ($ts) {
    return gone($k) if $start > $ts / (1e9 / $hz) + 2;   # the pid was given to another process since
    # comm is the base name of what was executed; another comm and another executable mean that it has exec'd again
    my $base = substr $file, rindex($file, '/') + 1;
    if ($comm ne substr($base, 0, 15) && index($file, '/dev/fd/') != 0 && (!defined $exe || substr($exe, rindex($exe, '/') + 1) ne $base)) {
      return gone($k, "$pp\t$start\t$sid\t$tty");
    }
  }
  environ_of($p, $ts || $SNAP, $sid);
  $shim{$p} = 1 if defined $exe && $exe =~ m{/(?:containerd-shim[^/]*|conmon|lxc-start)\z};
  container_of($p, cgroup($p)) if !$ts || $pp == 1 || $shim{$pp};
  my $who = $cred{$p} || $cred{$pp};
  if ($who && defined $e && $who->[0] eq "$e $sid") { $cred{$p} = $who } else { $who = credentials($p, $e, $sid) }
  $un .= 'u' unless length $who->[0];
  my ($args, $argc) = ('', '');
  if (whole_args($k)) { $args = esc($k->[4]); $args =~ tr/\0/\x1f/; $flags .= 'v' if $k->[2] & 2 }
  elsif ($state eq 'Z' || !defined $cl) { $un .= 'a' if $ts || !defined $cl }
  elsif (length $cl || ($ts && defined $exe)) {
    $flags .= 'c' if length $cl == 16384;
    # one NUL ends the last argument; a row of them is what a program left that wrote its title over its arguments
    if ($ts && substr($cl, -3) ne "\0\0\0") { chop $cl if substr($cl, -1) eq "\0" } else { $cl =~ s/\0+\z// }
    $args = $cl =~ tr/\n\t\\\x1f// ? esc($cl) : $cl;
    $args =~ tr/\0/\x1f/;
  }
  else { $args = undef; $un .= 'a' if $ts }
  if ($k && ($k->[2] & 1) && index($un, 'a') >= 0 && defined $k->[4]) { # a part is more than nothing
    $un =~ s/a//; $args = esc($k->[4]); $args =~ tr/\0/\x1f/; $flags .= 'c';
  }
  if ($k && index($flags, 'c') >= 0) { $argc = $k->[1] if $k->[1] >= 0; $flags .= 'v' if $k->[2] & 2 }
  $un .= 'x' if $ts && !defined $exe && !$un;
  $un .= $un =~ /X/ ? 'C' : 'c' if !defined $cwd && ($ts || $un =~ /X/);
  $args = defined $args && index($un, 'a') < 0 ? "=$args" : '';
  $_ = defined $_ ? $_ : '' for $exe, $cwd;
  my $text = "$comm\t$exe\t$flags\t$cwd";
  # three tabs and nothing else of the wire format's own bytes: no field needs escaping
  $text = join "\t", esc($comm), esc($exe), $flags, esc($cwd) if ($text =~ tr/\n\t\\\x1f//) != 3;
  "$pp\t$start\t$sid\t$tty\t$who->[1]\t$text\t$args\t$un\t$argc";
}
# The unit or container that a process is in (cgroups(7): the unified hierarchy, else systemd's own). A child is in its parent's, but for
# what a service manager or a container's runtime has put elsewhere: only theirs are looked at, and those of the first snapshot.
sub cgroup {
  my ($p) = @_;
  my $g = slurp("/proc/$p/cgroup", 4096) // return undef;
  my $at;
  # the unified hierarchy: alone on most hosts, last where there are others; index() is many times as fast as a pattern
  my $i = substr($g, 0, 3) eq '0::' ? 3 : index($g, "\n0::") + 4;
  my $end = $i > 3 || substr($g, 0, 3) eq '0::' ? index $g, "\n", $i : -1;
  $at = substr $g, $i, $end - $i if $end > $i;
  if (!defined $at || $at eq '/') { $at = $g =~ /^\d+:name=systemd:(\/.+)$/m ? $1 : undef }
  $out .= "g\t$p\t" . esc($at) . "\n" if defined $at;
  $at;
}
sub sshd_like { $_[0] =~ m{(?:^|/)(?:sshd|sshd-session|dropbear)\z} }
# Connected TCP sockets that a process holds, as [inode, local, port, remote, port], of its own network namespace.
sub peers_of {
  my ($p) = @_;
  my %inode;
  opendir(my $d, "/proc/$p/fd") or return ();
  my $n = 0;
  for (readdir $d) { last if $n++ > 256; my $l = readlink "/proc/$p/fd/$_"; $inode{$1} = 1 if defined $l && $l =~ /^socket:\[(\d+)/ }
  return () unless %inode;
  my @found;
  for my $file ("/proc/$p/net/tcp", "/proc/$p/net/tcp6") {
    for (split /\n/, whole($file, 8 << 20)) {
      my @f = split ' ';
      push @found, [$f[9], map { my ($a, $q) = split /:/; (hexaddr($a), hex $q) } @f[1, 2]] if @f > 9 && $f[3] ne '0A' && $inode{$f[9]};
    }
  }
  @found;
}
sub peer { # tells once where the connection of a per-connection sshd comes from; a listener has none
  my ($p, $ts) = @_;
  $sshd{$p} = 1;
  return if $peered{$p};
  my ($f) = peers_of($p) or return;
  $peered{$p} = 1;
  $out .= join("\t", 'L', $ts, $p, @$f[1 .. 4]) . "\n";
}
my %STATE = ('01' => 'E', '02' => 'S', '03' => 'R', '06' => 'T', '07' => 'C', '0A' => 'L');
sub sockets { # every row of /proc/net/{tcp,udp}{,6} as [transport, state, local, port, remote, port, uid, inode]
  my @rows;
  for my $t (@_) { for my $six ('', '6') {
    for (split /\n/, whole("/proc/self/net/$t$six", 8 << 20)) {
      my @f = split ' ';
      next unless @f > 9 && $f[1] =~ /^[0-9A-F]+:/;
      push @rows, [$t, $t eq 'udp' && $f[3] eq '07' ? 'O' : $STATE{$f[3]} || 'O', (map { my ($a, $q) = split /:/; (hexaddr($a), hex $q) } @f[1, 2]), @f[7, 9]];
    }
  } }
  @rows;
}
# The first snapshot, in slices, so that live events are read between them. Returns 1 when it has ended.
my (@snap, %snapfd, @snaprows, %snapssh, $fds, $nproc, $unowned);
sub numeric { opendir(my $d, $_[0]) or return (); grep { !/\D/ } readdir $d }
sub snapshot_begin { # $anew: after a change of tier, for who came and went between
  my ($anew) = @_;
  $SNAP = boot(); @snap = sort { $a <=> $b } numeric('/proc'); $fds = $nproc = 0;
  return if $anew;
  for (split /\n/, whole('/etc/passwd', 1 << 20)) { my @f = split /:/; $out .= "U\t$f[2]\t" . esc($f[0]) . "\n" if @f > 2 && $f[2] =~ /^\d+\z/ }
  @snaprows = grep { $_->[1] =~ /[ELO]/ } sockets('tcp', 'udp');
  for (@snaprows) { $snapfd{$_->[7]} = 0 if $_->[7] }
  $unowned = keys %snapfd;
}
sub snapshot_slice {
  my ($until, $n) = (boot() + 15_000_000, 0);
  while (@snap) {
    my $p = shift @snap;
    my $f = facts($p, grab($p), 0) // next;
    $nproc++;
    $out .= "P\t$p\t$f\n";
    if (index($f, 'sshd') >= 0 || index($f, 'dropbear') >= 0) {
      my ($pp, $comm) = (split /\t/, $f, 9)[0, 7];
      $snapssh{$p} = $pp if sshd_like($comm);
    }
    # until each socket has an owner: on most hosts the servers, which are old, have them all
    if ($unowned && $fds < 60000 && opendir(my $d, "/proc/$p/fd")) {
      for (readdir $d) {
        next if /^\./;
        $fds++;
        my $l = readlink "/proc/$p/fd/$_";
        if (defined $l && substr($l, 0, 8) eq 'socket:[' && exists $snapfd{$l = substr $l, 8, -1} && !$snapfd{$l}) { $snapfd{$l} = $p; $unowned-- }
      }
    }
    return 0 if !(++$n & 7) && boot() > $until;
  }
  # a connection that parent and child both hold (privilege separation) is told for the parent
  my %has;
  for my $p (keys %snapssh) { $sshd{$p} = 1; my ($f) = peers_of($p) or next; $has{$p} = $f }
  for my $p (keys %has) {
    $peered{$p} = 1;
    my $above = $has{$snapssh{$p}};
    $out .= join("\t", 'L', $SNAP, $p, @{$has{$p}}[1 .. 4]) . "\n" unless $above && $above->[0] eq $has{$p}[0];
  }
  $out .= join("\t", 'K', @$_[0 .. 6], $snapfd{$_->[7]} || '') . "\n" for @snaprows;
  problem("socket owners: only the first $fds descriptors were looked at") if $fds >= 60000;
  $out .= join("\t", 'N', $nproc, int((boot() - $SNAP) / 1e6)) . "\n";
  (%snapfd, @snaprows, %snapssh) = ();
  1;
}
`;
