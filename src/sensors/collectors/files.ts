/**
 * Collector, part 5: new files in the folders where intruders leave them.
 *
 * fanotify(7) with FAN_REPORT_DFID_NAME names the writer's pid (already in our pid namespace) and the entry; it never asks for
 * permission events, so nothing on the host ever waits for us. Where it or the filesystem refuses: inotify(7), without pid;
 * where that refuses: the folder's mtime each second. The three share the numbers of the event bits.
 */
export const FILES = String.raw`
my ($CREATE, $MOVED, $GONE, $WRITTEN, $DELETED, $OVERFLOW, $RENAMED) = (0x100, 0x80, 0x40, 0x8, 0x200, 0x4000, 0x10000000);
my ($fan, $ino, %dir_of, %watched, %mtime, %wrote, $watches, @roots, %named, %left_out);
$watches = 0;
my %refused;
my ($NAMES, $names) = (4096, 0);   # that are told within a second of what lay in new folders; any account can rename one without end
sub handle_of { # a folder as fanotify will name it: fsid, type and handle
  my ($dir) = @_;
  my $fs = "\0" x 128;
  return undef if syscall($NR{statfs}, $dir, $fs) != 0;
  for my $flags (0x200, 0) { # AT_HANDLE_FID (6.5): a handle for naming only, which overlayfs gives too
    my ($h, $m) = (pack('Ll', 128, 0) . "\0" x 128, "\0" x 8);
    next if syscall($NR{name_to_handle_at}, -100, $dir, $h, $m, $flags) != 0;
    my ($n, $type) = unpack 'Ll', $h;
    return substr($fs, 56, 8) . pack('Ll', $n, $type) . substr($h, 8, $n);
  }
  undef;
}
# FAN_RENAME (5.17) tells both ends of a move at once, as far as we watch them; before it, each end is told by itself.
sub fan_mark {
  my ($d) = @_;
  for ($RENAMED, $MOVED | $GONE) {
    return 1 if syscall($NR{fanotify_mark}, $fan, 0x1 | 0x8 | 0x4, $CREATE | $_ | $WRITTEN | $DELETED | 0x48000000, -100, $d) == 0;
    return 0 if $! != 22; # EINVAL
  }
  0;
}
sub ino_mark { my ($d) = @_; syscall($NR{inotify_add_watch}, $ino, $d, $CREATE | $MOVED | $GONE | $WRITTEN | $DELETED | 0x01000000) }
# $kind: 'tmp' watches new folders below too, 'home' its .ssh, 'homes' every new home; of 'log' what is written is not told
sub watch {
  my ($dir, $kind, $fresh) = @_;
  return if $watched{$dir} || -l $dir || !-d _;
  my $is = join ':', (lstat _)[0, 1];
  # any account can make folders in /tmp: they take no other's place, and those that we watch by name have theirs
  my $most = $kind eq 'tmp' ? 256 : 512;
  if ($watches >= $most && !$named{$dir}) { problem("more than $most folders" . ($kind eq 'tmp' ? ' in /tmp and its like' : '') . ': files in the others are not seen') if !$left_out{$most}++; return }
  my $d = $dir;
  my $h;
  if (defined $fan && defined($h = handle_of($dir)) && fan_mark($d)) {
    $dir_of{$h} = $dir; $watched{$dir} = [$kind, 'fanotify', $h, $is];
  }
  elsif (defined $ino && (my $wd = ino_mark($d)) >= 0) {
    $dir_of{"i$wd"} = $dir; $watched{$dir} = [$kind, 'inotify', "i$wd", $is];
  }
  else { $watched{$dir} = [$kind, 'polling', '', $is]; $mtime{$dir} = [0, undef]; poll_folder($dir, 1) }
  $watches++;
  eye_folder($dir);
  push @{$refused{$watched{$dir}[1]}}, $dir;
  return unless $fresh || $kind;
  my $n = 0;
  return if $fresh && $names > $NAMES;
  opendir(my $l, $dir) or return;
  for (readdir $l) {
    next if /^\.\.?\z/;
    last if $n++ > 4096;
    if ($fresh && ++$names > $NAMES) { problem("more than $NAMES names in new folders within a second: those of the others are not told, and what comes in folders below them is not seen", 'f'); last }
    if (!-l "$dir/$_" && -d _) { folder_born($dir, $_, $fresh) }
    elsif ($fresh) { file_event($CREATE, "$dir/$_", '') }   # written before the watch stood
  }
}
sub root { push @roots, [@_]; $named{$_[0]} = 1; watch(@_) }   # one of those that we watch by name, whatever folder that is just now
sub folder_born {
  my ($dir, $name, $fresh) = @_;
  my $kind = $watched{$dir}[0];
  if ($kind eq 'tmp') { watch("$dir/$name", 'tmp', $fresh) }
  elsif ($kind eq 'homes') { watch("$dir/$name", 'home', $fresh) }
  elsif ($kind eq 'home' && $name eq '.ssh') { watch("$dir/$name", '', $fresh) }
}
sub folder_died { my $w = delete $watched{$_[0]} or return; delete $dir_of{$w->[2]} if length $w->[2]; delete $mtime{$_[0]}; $watches--; eye_off($_[0]) }
sub folder_left { my ($dir) = @_; for (grep { $_ eq $dir || index($_, "$dir/") == 0 } keys %watched) { folder_died($_) } }
my @CHANGES = ([$CREATE, 'c'], [$MOVED, 'm'], [$WRITTEN, 'w'], [$GONE, 'o'], [$DELETED, 'd']);
# A file that never had a name (O_TMPFILE, open(2)) is called '#' and its inode by the kernel (d_mark_tmpfile, fs/dcache.c). Whether it was
# made executable can be seen only while its writer still holds it.
sub nameless {
  my ($path, $p) = @_;
  return '' if $path !~ m{/#\d+\z} || defined((lstat $path)[0]);
  opendir(my $l, '/proc/' . ($p || 0) . '/fd') or return 'n';
  my $n = 0;
  while (defined(my $fd = readdir $l)) {
    last if $n++ > 64;
    my $at = "/proc/$p/fd/$fd";
    return 'x' if (readlink($at) // '') eq "$path (deleted)" && ((stat $at)[2] // 0) & 0111;
  }
  'n';
}
sub file_event {
  my ($mask, $path, $p, $from) = @_;
  my $ts = boot();
  # one more name of a file that has another: whoever gives it wrote none of it
  $mask ^= $CREATE | $MOVED if ($mask & ($CREATE | $MOVED)) == $CREATE && ((lstat $path)[3] // 1) > 1 && -f _;
  secret_changed($path) if $mask & ($MOVED | $WRITTEN);
  for (@CHANGES) {
    next unless $mask & $_->[0];
    next if $_->[1] eq 'w' && $wrote{$path}++;   # once a second for each file
    my $change = $_->[1] eq 'w' && nameless($path, $p) || $_->[1];
    $out .= join("\t", 'W', $ts, $change, esc($path), $p || '', defined $from ? esc($from) : ()) . "\n";
  }
}
# It was moved from one folder and name to another; undefined is what we do not watch.
sub moved {
  my ($mask, $from, $to, $p) = @_;
  if ($mask & 0x40000000) {
    folder_left("$from->[0]/$from->[1]") if $from;
    folder_born(@$to, 1) if $to;
  }
  elsif ($to) { file_event($MOVED, "$to->[0]/$to->[1]", $p, $from && "$from->[0]/$from->[1]") }
  elsif ($from) { file_event($GONE, "$from->[0]/$from->[1]", $p) }
}
sub entry {
  my ($mask, $dir, $name, $p) = @_;
  return unless defined $dir;
  $mask &= ~$WRITTEN if $watched{$dir} && $watched{$dir}[0] eq 'log';
  if ($mask & 0x40000000) { # a folder
    if ($mask & ($CREATE | $MOVED)) { folder_born($dir, $name, 1) } elsif ($mask & $DELETED) { folder_died("$dir/$name") }
    folder_left("$dir/$name") if $mask & $GONE;
    return;
  }
  file_event($mask, "$dir/$name", $p);
}
my $FB = '';
vec($FB, 65535, 8) = 0;
sub read_fanotify {
  my $n = syscall($NRREAD, $fan, $FB, 65536);
  my $at = 0;
  while ($at + 24 <= $n) {
    my ($len, $version, undef, $meta, $mask, $fd, $pid) = unpack 'LCCSQll', substr $FB, $at, 24;
    last if $len < 24;
    my ($i, $end) = ($at + $meta, $at + $len);
    my %end;
    problem('file events were lost: the kernel queue was full', 'f') if $mask & $OVERFLOW;
    while ($i + 20 <= $end) {
      my ($type, undef, $size) = unpack 'CCS', substr $FB, $i, 4;
      last if $size < 4;
      if ($type == 2 || $type == 10 || $type == 12) { # (old, new) folder and name
        my $hb = unpack 'L', substr $FB, $i + 12, 4;
        my ($name) = unpack 'Z*', substr $FB, $i + 20 + $hb, $size - 20 - $hb;
        my $dir = $dir_of{substr $FB, $i + 4, 16 + $hb};
        if ($type != 2) { $end{$type} = [$dir, $name] if defined $dir }
        elsif ($name ne '.') { entry($mask, $dir, $name, $pid) }
      }
      $i += $size;
    }
    moved($mask, $end{10}, $end{12}, $pid) if %end;
    $at += $len;
  }
}
sub files_begin {
  if ($KNOWN) {
    $fan = syscall($NR{fanotify_init}, 0x3 | 0xc00, 0x80000);   # CLOEXEC, NONBLOCK, FAN_REPORT_DFID_NAME
    undef $fan if $fan < 0;
    $ino = syscall($NR{inotify_init1}, 0x80800);
    undef $ino if $ino < 0;
  }
  root($_, 'tmp') for qw(/tmp /dev/shm /var/tmp);
  eye_begin();
  root('/root', 'home'); root('/home', 'homes');
  root($_, '') for qw(/etc /etc/profile.d /run/screen /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly
    /var/spool/cron/crontabs /var/spool/cron /var/spool/cron/atjobs /var/spool/at /etc/sudoers.d /etc/systemd/system);
  root($_, 'log') for qw(/var/log /var/mail /var/spool/mail);
  my $some = sub { my $l = $refused{$_[0]} or return ''; my $n = @$l; join(' ', @$l[0 .. ($n > 6 ? 5 : $n - 1)]) . ($n > 6 ? ' and ' . ($n - 6) . ' more' : '') };
  my ($i, $p) = map { $some->($_) } 'inotify', 'polling';
  push @standing, "new files are seen without the process that wrote them (inotify) in $i" if $i;
  push @standing, "new files are seen by polling each second, short-lived ones are missed, in $p" if $p;
  %refused = ();
  files_guarded();
}
# asleep
sub read_inotify {
  my $n = syscall($NRREAD, $ino, $FB, 65536);
  my $at = 0;
  my @left; # the end of a move that was left, until what comes next shows whether it is the other one
  while ($at + 16 <= $n) {
    my ($wd, $mask, $cookie, $len) = unpack 'lLLL', substr $FB, $at, 16;
    problem('file events were lost: the kernel queue was full', 'f') if $mask & $OVERFLOW;
    my ($dir, $name) = ($dir_of{"i$wd"}, unpack 'Z*', substr $FB, $at + 16, $len);
    $at += 16 + $len;
    my ($other, $was, $is) = splice @left;
    if ($other && $mask & $MOVED && $other == $cookie) { moved($mask, $was, defined $dir ? [$dir, $name] : undef, ''); next }
    moved($is, $was, undef, '') if $other;
    if ($mask & $GONE && defined $dir) { @left = ($cookie, [$dir, $name], $mask) }
    elsif ($len) { entry($mask, $dir, $name, '') }
  }
  moved($left[2], $left[1], undef, '') if @left;
}
sub poll_folder {
  my ($dir, $first) = @_;
  my $m = $mtime{$dir};
  my $at = (lstat $dir)[10] // return folder_died($dir);   # of its change: that of its content its owner can set back
  return if $at == $m->[0] && $at < time - 2;
  $m->[0] = $at;
  opendir(my $l, $dir) or return;
  my %now = map { $_ => 1 } grep { !/^\.\.?\z/ } readdir $l;
  if (!$first) {
    for (keys %now) { next if $m->[1]{$_}; entry($CREATE | (!-l "$dir/$_" && -d _ ? 0x40000000 : 0), $dir, $_, '') }
    for (keys %{$m->[1]}) { file_event($DELETED, "$dir/$_", '') unless $now{$_} }
  }
  $m->[1] = \%now;
}
`;
