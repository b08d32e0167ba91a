/**
 * Collector: are we still shown what happens? Every few seconds a program and a connection of our own, which must come back by the way
 * of everything else, and a look at every setting of our trace instances, which root on the host can change in silence.
 * The program is /bin/true; the connection goes to a port of ours that nobody listens at, so nothing leaves the host and no service sees it.
 *
 * Of files too, without a write to a disk: where a folder that we watch is in memory (tmpfs), a file without a name is opened in it and
 * closed with nothing in it (O_TMPFILE, open(2)), which nobody can list and which is gone at once. It proves the group, its queue and that folder's
 * mark; the marks of all others are counted in the kernel's own list of them (proc(5), fdinfo), which root could empty through a copy of
 * our descriptor, and the folders that we watch by name must be those that still lie there: a mount over one would leave us looking at
 * what is below it. Of openings (hands.ts): our own memory is opened, which disturbs nobody, else a log that all programs read.
 */
export const GUARD = String.raw`
my ($EACH, $canary_at, $canary_sent, $canary_lost, $lost, $looked, @reap) = (5e9, 0, 0, 0, 0, 0);
my ($TRUE) = grep { -x } '/bin/true', '/usr/bin/true';
my $untested = '';
sub settings_of { # every file whose content decides what we are shown
  my @files;
  for my $i (values %inst) {
    my $d = $i->{dir};
    push @files, map { "$d/$_" } qw(tracing_on trace_clock set_event_pid set_event_notrace_pid tracing_cpumask);
    push @files, grep { -e } map { "$d/$_" } qw(buffer_percent buffer_size_kb options/overwrite);   # whether it wakes us in time, and what it keeps
    push @files, map { my $e = $_; map { "$d/events/$e/$_" } qw(enable filter trigger) } @{$i->{on} || []};
  }
  push @files, grep { -e } '/sys/kernel/debug/kprobes/enabled' if $by_old;
  @files;
}
sub guard_begin { $stolen = ''; %setting = (); $canary = 0; return unless tracing(); for (settings_of()) { $setting{$_} = slurp($_, 4096) // '' } }
my ($in_memory, $marks_at, $files_at, $lacking, $renewed, $renewed_at, %elsewhere, %seen_root) = ('', 0, 0, 0, 0, 0);
my $TMPFILE = $ARCH eq 'aarch64' ? 0x404000 : 0x410000;
# The folders in which a test costs no disk: tmpfs and ramfs, by statfs(2).
sub tests_at {
  return () unless $KNOWN;
  grep { my ($d, $fs) = ($_, "\0" x 128); $watched{$d} && $watched{$d}[1] ne 'polling' && syscall($NR{statfs}, $d, $fs) == 0
    && (unpack('Q', $fs) & 0xffffffff) =~ /^(?:16914836|2240043254)\z/ } map { $_->[0] } @roots;
}
sub files_guarded {
  my %by = map { $watched{$_}[1] => 1 } tests_at();
  my @not = grep { my $way = $_; !$by{$way} && grep { $_->[1] eq $way } values %watched } 'fanotify', 'inotify';
  return if keys %by && !@not;
  push @standing, 'that new files are still shown to us is not proven by a test' . (keys %by ? " where @not tells of them" : '')
    . ': none of ' . (keys %by ? 'those' : 'the') . ' folders is in memory, and elsewhere it would write to the disk';
}
sub whole_mask { my ($m) = @_; ($m & 0x308) == 0x308 && ($m & $RENAMED || ($m & 0xc0) == 0xc0) }
# How many folders the kernel says that it watches for us; -1 where somebody has set that any be passed over.
sub marks {
  my $n = 0;
  for my $fd (grep { defined } $fan, $ino) {
    for (split /\n/, whole("/proc/self/fdinfo/$fd", 4 << 20)) {
      $n++ if /^fanotify ino:\S+ sdev:\S+ mflags:\S+ mask:([0-9a-f]+) ignored_mask:0 / && whole_mask(hex $1) || /^inotify wd:/;
      return -1 if /^fanotify .* ignored_mask:(?!0 |0\z)/;
    }
  }
  $n;
}
sub marks_look {
  my ($now) = @_;
  my $want = keys %dir_of;
  if (!$want || marks() >= $want) { $lacking = 0; return }
  return if ++$lacking < 2;   # a folder that goes takes its mark with it, and its event may still be on the way
  folder_died($_) for grep { length $watched{$_}[2] && !-d $_ } keys %watched;
  my $have = marks();
  $want = keys %dir_of;
  $lacking = 0;
  return if $have >= $want;
  marks_renew();
  return if ++$renewed > 3 && $now < $renewed_at + 60e9;   # who fights us need not fill the log
  $renewed_at = $now;
  problem('somebody had the kernel watch ' . ($have < 0 ? 'less in our folders' : "$have of our $want folders") . ' for new files: all are watched anew; what came meanwhile was not seen', 't');
}
sub roots_look {
  for (@roots) {
    my ($dir, $kind) = @$_;
    my @s = lstat $dir;
    my $is = @s && -d _ ? "$s[0]:$s[1]" : '';
    my $w = $watched{$dir};
    $seen_root{"$dir $w->[3]"} = 1 if $w;
    if (!length $is || $w && $w->[3] eq $is) { delete $elsewhere{$dir}; next }
    if (!$w) { watch($dir, $kind, 1); next }   # it came later
    next if ($elsewhere{$dir} // '') ne $is && ($elsewhere{$dir} = $is);   # the event of a change may be on the way
    delete $elsewhere{$dir};
    folder_died($_) for grep { $_ eq $dir || index($_, "$dir/") == 0 } keys %watched;
    watch($dir, $kind, $kind eq 'tmp' && !$seen_root{"$dir $is"});
    problem("another folder lies at $dir than the one that we watched (one was put or mounted there): it is watched from now on, what happens in the other is not seen");
  }
}
sub guard_files {
  my ($now) = @_;
  if ($now >= $marks_at) { marks_look($now); roots_look(); $marks_at = $now + ($lacking || %elsewhere ? 1e9 : $EACH) }
  return if $now < $files_at;
  $files_at = $now + $EACH;
  my @in = tests_at();
  if (@in) {
    my ($dir) = grep { $_ gt $in_memory } sort @in;
    $in_memory = $dir //= (sort @in)[0];   # one after the other
    if (sysopen(my $f, $dir, $TMPFILE | 1, 0600)) {
      my $path = "$dir/#" . (stat $f)[1];
      $out .= join("\t", 'Y', $now, 'f', 0, $path) . "\n";
      close $f;
    }
  }
  if (defined $eye && defined $eye_test) {
    $eye_asked = 1;
    my $at = boot();
    my $f;
    if (sysopen($f, $eye_test, $NONBLOCK | $NOATIME) || sysopen($f, $eye_test, $NONBLOCK)) { $out .= join("\t", 'Y', $at, 'o', 0, esc($eye_test)) . "\n" }
    else { $eye_asked = 0; undef $eye_test }
  }
}
sub guard {
  my ($now) = @_;
  guard_files($now);
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
  return fall('tampered', "somebody $stolen the buffer in which the kernel keeps for us what happened") if length $stolen;
  if ($awaits && length(my $why = audit_guard($now))) { return fall($why =~ /^auditing/ ? 'degraded' : 'tampered', $why) }
  if ($canary && $now > $canary_sent + 1e9) {
    my $held = canary_waits($now);
    if ($canary && $now > $canary_sent + 5e9) {
      $canary = 0;
      return fall('tampered', $held || 'a program of ours was not shown to us within 5 s') if $lost == $canary_lost;   # else it went with the rest
    }
  }
  return if $now < $canary_at || $tier eq 'poll';
  $canary_at = $now + $EACH;
  ($TRUE) = grep { -x } '/bin/true', '/usr/bin/true' if !$canary;   # it may have been taken away
  untested('there is no /bin/true that may be run') if !$TRUE;
  if (!$canary && $TRUE) {
    my $child = fork;
    untested("no process can be started: $!") if !defined $child;
    if (defined $child && !$child) { close STDOUT; exec {$TRUE} 'true', 'stakeout-canary'; kill 'KILL', $$ }
    if ($child) { ($canary, $tested, $canary_sent, $canary_lost, $untested) = ($child, $child, $now, $lost, ''); push @reap, $child; $out .= join("\t", 'Y', $now, 'p', $child, $TRUE) . "\n" }
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
# asleep
# Once for each reason until it is another: nothing accuses anybody, and nothing is proven.
sub untested {
  return if $untested eq $_[0];
  $untested = $_[0];
  problem("that programs are still shown to us cannot be tested: $_[0]");
}
# On a host that has no time a program of ours has not begun within seconds, and nobody can have shown it: its time begins when it does, and the
# console hears that it waits. Gives why where somebody stopped it.
sub canary_waits {
  my ($now) = @_;
  if (waitpid($canary, 1) != 0) { # WNOHANG
    if (!-x $TRUE) { $canary = 0; $canary_at = $now }   # nor was it run
    return '';
  }
  my ($name, $state) = (slurp("/proc/$canary/stat", 2048) // '') =~ /\A\d+ \((.*)\) (\S)/s or return '';
  return '' if $name eq 'true';
  if ($state =~ /[tT]/) {
    kill 'KILL', $canary if $now > $canary_sent + 5e9;
    return 'somebody stopped a program of ours that was to be shown to us';
  }
  $canary_sent = $now;
  $out .= join("\t", 'Y', $now, 'p', $canary, $TRUE) . "\n";
  '';
}
sub marks_renew {
  if (defined $fan) { syscall($NR{fanotify_mark}, $fan, 0x80 | $_, 0, -100, 0) for 0, 0x10, 0x100 }   # flush: inodes, mounts, filesystems
  for my $d (keys %watched) {
    my ($p, $w) = ($d, $watched{$d});
    if ($w->[1] eq 'polling') { }
    elsif ($w->[1] eq 'fanotify') { fan_mark($p) }
    else {
      my $wd = ino_mark($p);
      delete $dir_of{$w->[2]};
      if ($wd >= 0) { $w->[2] = "i$wd"; $dir_of{"i$wd"} = $d }
    }
  }
}
`;
