/**
 * Collector: whose hands are where. Who opens secrets, logs, another's terminal, the trace and a process's memory, told by a fanotify(7)
 * group of its own with the opener's pid; which terminals a tmux or screen server holds; what matters of an exec's environment; and which
 * secrets there are to take (paths, owners, public halves of keys: never contents).
 *
 * Marks are on inodes, so a relative path, a link or a mount of the folder elsewhere opens nothing unseen. A filesystem whose files have no
 * handle (devpts, proc, tracefs before Linux 6.7) refuses the mark: that is said. Those of /proc/PID are evictable (6.0), so that nothing
 * of a dead process stays in the kernel for us, and are set anew now and then.
 */
export const HANDS = String.raw`
my ($eye, $eye_test, $eye_asked, %eye_dir, %glance, $glances, @eyeless, %environ, $environs, $mux_until, $mux_at, %mux, %held_tty, %leader, $leaders_at, @secret_later);
($glances, $mux_until, $mux_at, $leaders_at, $environs) = (0, 0, 0, 0, 0);
my ($OPEN, $ONDIR, $ONCHILD, $EVICTABLE) = (0x20, 0x40000000, 0x08000000, 0x200);
sub eye_on { # folder: its own openings and those of what lies in it; file: its openings alone
  my ($path, $flags) = @_;
  return 0 unless defined $eye;
  my $folder = -d $path;
  my $parent = $folder ? $path : $path =~ s{/[^/]*\z}{}r;
  $parent = '/' unless length $parent;
  my $h = $folder || !$eye_dir{" $parent"} ? handle_of($parent) : '';
  return 0 unless defined $h;
  my $p = $path;
  syscall($NR{fanotify_mark}, $eye, 0x1 | ($folder ? 0x8 : 0) | ($flags || 0), $folder ? $OPEN | $ONDIR | $ONCHILD : $OPEN, -100, $p) == 0 or return 0;
  if (length $h) { $eye_dir{$h} = $parent; $eye_dir{" $parent"} = $h }
  1;
}
sub eye_off { my $h = delete $eye_dir{" $_[0]"}; delete $eye_dir{$h} if defined $h }   # a folder that is gone: another may take its name
sub eye_begin {
  my $why = $> != 0 ? 'not root' : !$KNOWN ? 'unknown system calls' : '';
  if (!length $why) { $eye = syscall($NR{fanotify_init}, 0x3 | 0xc00, 0x80000); if ($eye < 0) { undef $eye; $why = "fanotify: $!" } }
  if (length $why) {
    push @standing, "who opens secrets, logs, another's terminal or a process's memory is not seen ($why)";
    return;
  }
  my %of = ("another's terminal" => '/dev/pts', 'the trace' => $T);
  for (sort keys %of) { push @eyeless, $_ unless !-d $of{$_} || eye_on($of{$_}) }
  eye_on("$T/instances");
  push @eyeless, "a process's memory" unless eye_on($eye_test = "/proc/$$/mem");   # stays marked: by opening it we test ourselves
  undef $eye_test if @eyeless && $eyeless[-1] eq "a process's memory";
  push @standing, 'who opens ' . join(' or ', @eyeless) . ' is not seen: this kernel gives such files no handle (6.7 does)' if @eyeless;
  push @standing, 'connections to sockets of ssh agents, tmux and screen, and process_vm_readv and _writev, are no events: seen are the folders, environments and terminals';
}
# A session's first process: whose memory and environment are worth taking.
sub eye_leader {
  my ($p) = @_;
  return if !defined $eye || keys %leader > 2048;
  $leader{$p} = 1;
  eye_off("/proc/$p");
  eye_on("/proc/$p/$_", $EVICTABLE) for qw(mem environ);
}
sub eye_folder { eye_on($_[0]) if $_[0] =~ m{^/tmp/(?:ssh|tmux)-[^/]+\z|^/run/screen/S-[^/]+\z|^/run/sudo/ts\z} }
sub read_eye {
  my $n = syscall($NRREAD, $eye, $FB, 65536);
  my ($at, $ts) = (0, boot());
  while ($at + 24 <= $n) {
    my ($len, undef, undef, $meta, $mask, undef, $pid) = unpack 'LCCSQll', substr $FB, $at, 24;
    last if $len < 24;
    my ($i, $end) = ($at + $meta, $at + $len);
    problem('who opened what was lost for a moment: the kernel queue was full', 'f') if $mask & $OVERFLOW;
    while ($i + 20 <= $end) {
      my ($type, undef, $size) = unpack 'CCS', substr $FB, $i, 4;
      last if $size < 4;
      if ($type == 2 && $pid > 0 && ($pid != $$ || $eye_asked) && $pid != ($answerer || 0)) {
        my $hb = unpack 'L', substr $FB, $i + 12, 4;
        my $dir = $eye_dir{substr $FB, $i + 4, 16 + $hb};
        my ($name) = unpack 'Z*', substr $FB, $i + 20 + $hb, $size - 20 - $hb;
        if (!defined $dir) { }
        elsif ($pid != $$) { glanced($ts, $pid, $name eq '.' ? $dir : $dir eq '/' ? "/$name" : "$dir/$name") }
        elsif ("/$name" eq substr $eye_test, rindex $eye_test, '/') { $eye_asked = 0; $out .= join("\t", 'V', $ts, $$, 'o', esc($eye_test)) . "\n" }
      }
      $i += $size;
    }
    $at += $len;
  }
}
sub glanced {
  my ($ts, $p, $path) = @_;
  return if $path eq '/dev/pts/ptmx' || $path eq '/dev/pts' || $glance{"$p $path"}++;
  if ($glances++ >= 500) { problem('more than 500 openings of what we watch within a second: the others are not told') if $glances == 501; return }
  $out .= join("\t", 'V', $ts, $p, 'o', esc($path)) . "\n";
}
my ($environ_sid, $environ_raw) = (0, '');   # what was looked at last
my @VARIABLES = qw(PATH LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH BASH_ENV PROMPT_COMMAND SSH_AUTH_SOCK HISTFILE HISTSIZE HISTFILESIZE GCONV_PATH
  PYTHONSTARTUP PERL5OPT NODE_OPTIONS);
sub min { $_[0] < $_[1] ? $_[0] : $_[1] }
# Variables that change what a program is, whose agent it asks, or what is kept of its commands; told where they change within a session ($_[2]).
sub environ_of {
  my ($p, $ts, $sid) = @_;
  my $raw = slurp("/proc/$p/environ", 32768) // return;
  return unless length $raw;
  return if $sid == $environ_sid && $raw eq $environ_raw;   # what a shell starts has its environment, nearly always
  ($environ_sid, $environ_raw) = ($sid, $raw);
  # index() is ten times as fast as a pattern here, and this is done for every exec
  my $is = '';
  $raw = "\0$raw\0";
  for (@VARIABLES) { my $i = index $raw, "\0$_="; $is .= "\x1f" . esc(substr $raw, $i + 1, min(1024, index($raw, "\0", $i + 1) - $i - 1)) if $i >= 0 }
  substr($is, 0, 1) = '' if length $is;
  return if ($environ{$sid} // "\0") eq $is;
  ($environs, %environ) = (0) if ($environs += 64 + length $is) > 1 << 20;   # bytes: how large they are, any account decides
  $environ{$sid} = $is;
  $out .= join("\t", 'A', $ts, $p, $is) . "\n";
}
my %MUX = map { ($_, 1) } qw(tmux screen SCREEN tmate zellij dtach abduco);
sub mux_like { $MUX{substr $_[0], 1 + rindex $_[0], '/'} }
sub mux_ran { my $now = boot(); $mux_until = $now + 3e9; $mux_at = 0 }
sub hands_tick {
  my ($now) = @_;
  (%glance, $glances) = ();
  $glances = 0;
  watch('/run/sudo/ts', '') if !$watched{'/run/sudo/ts'} && -d '/run/sudo/ts';
  secret_of(@$_) for splice @secret_later;
  return if $now < $leaders_at;
  $leaders_at = $now + 30e9;
  my @leaders = keys %leader;
  %leader = ();
  for (@leaders) { if (-d "/proc/$_") { eye_leader($_) } else { eye_off("/proc/$_") } }
}
# asleep
sub mux_look { # the terminals that servers of tmux and its kin hold: a client hands over its own
  my ($now) = @_;
  $mux_at = $now + ($now < $mux_until ? 100_000_000 : 1e9);
  if ($now < $mux_until) {
    my @inodes;
    for (split /\n/, whole('/proc/self/net/unix', 1 << 20)) { # Num RefCount Protocol Flags Type St Inode Path; 00010000 listens
      last if @inodes >= 256;
      my @f = split ' ', $_, 8;
      push @inodes, $f[6] if @f == 8 && $f[3] eq '00010000' && !defined $mux{$f[6]} && $f[7] =~ m{/tmux-\d+/|/screen/|[/.](?:tmate|zellij|dtach|abduco)};
    }
    if (@inodes && keys %mux < 1024) { my $of = owners_of(@inodes); $mux{$_} = $of->{$_} for grep { $of->{$_} } @inodes }
  }
  my %servers = map { $_ => 1 } values %mux;
  my $n = 0;
  for my $p (sort { $a <=> $b } keys %servers) { # any account can hold such sockets: so many servers, and of each so many descriptors
    last if $n++ >= 64;
    opendir(my $d, "/proc/$p/fd") or do { delete $held_tty{$p}; delete @mux{grep { $mux{$_} == $p } keys %mux}; next };
    my ($left, %now) = (256);
    while (defined(my $fd = readdir $d)) {
      last if $left-- < 0;
      my $l = readlink("/proc/$p/fd/$fd") // '';
      $now{$l} = 1 if $l =~ m{^/dev/pts/\d+\z};
    }
    for (keys %now) { $out .= join("\t", 'V', $now, $p, 'h', $_) . "\n" unless $held_tty{$p}{$_} }
    $held_tty{$p} = \%now;
  }
}
`;
