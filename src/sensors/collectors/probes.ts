/**
 * Collector: arguments by a probe on execve, read from the caller's memory before the kernel lets go of it.
 *
 * A kprobe on the system call (registers of the call: x86 di is the pt_regs, with si at 0x68 and di at 0x70; arm64 x0, with x0 at 0),
 * or an eprobe on its tracepoint. Up to 24 arguments, each with its pointer: a string that is not there ends the list if its pointer
 * is NULL and is one that could not be read (a page that is not in memory) if not. A record over a page of about 4 KB is dropped
 * without a word, so a twin of fixed size holds the first 64 bytes of six. Syntax: Documentation/trace/kprobetrace.rst, eprobetrace.rst.
 */
export const PROBES = String.raw`
my ($MOST, $TWIN, $group) = (24, 6, '');
my @argdecode;
sub sweep_probes {
  my ($ns) = @_;
  my $names = sub { opendir(my $d, $_[0]) or return (); grep { /^$PREFIX[._]/ } readdir $d };
  my @instances = map { tr/./_/r } $names->("$T/instances");
  for my $g ($names->("$T/events")) {
    my (undef, $s, $p, $start) = split /_/, $g;
    next unless $s eq ($ns // '') ? stat_of($p) ne $start : !grep { index($_, $g) == 0 } @instances;
    probes_remove($g);
    problem("removed the probes $g that a dead console left") unless -d "$T/events/$g";
  }
}
# asleep
sub probe_file { my ($f) = grep { -e "$T/$_" } 'dynamic_events', 'kprobe_events'; $f }
sub kprobe_probe { my $why = trace_probe(); length $why ? $why : (-e "$T/kprobe_events" ? '' : 'no kprobes in this kernel') }
sub eprobe_probe {
  my $why = trace_probe(); return $why if length $why;
  return 'no system call events in this kernel' unless -e "$T/events/syscalls/sys_enter_execve";
  whole("$T/README", 65536) =~ /^\s+e\[?:?\[?.*<attached-group>/m ? '' : 'no event probes in this kernel';
}
sub define_probe { # name, what it hangs on, where the pointers to the strings lie, the twin too or not
  my ($name, $on, $argv, $twin) = @_;
  my $kind = $on =~ /\./ ? 'e' : 'p';
  my $text = "$kind:$group/$name $on" . join '', map { my $at = "+" . 8 * $_ . "($argv)"; " p$_=$at:x64 a$_=+0($at):ustring" } 0 .. $MOST - 1;
  $text .= ' p' . $MOST . '=+' . 8 * $MOST . "($argv):x64";
  open(my $f, '>>', "$T/" . probe_file()) or return 0;
  defined syswrite $f, "$text\n" or return 0;
  return 1 unless $twin;
  $text = "$kind:$group/$name" . "x $on" . join '', map { " x$_=+0(+" . 8 * $_ . "($argv)):x8[64]" } 0 .. $TWIN - 1;
  defined syswrite $f, "$text\n";
  1;
}
sub probes_setup {
  my ($kind, $kb) = @_;
  ($group = $NAME) =~ tr/./_/;
  push @keepers, \&probes_end;
  my $why = make('a', $kb);
  return $why if length $why;
  my ($call, $argv, $at) = $ARCH eq 'x86_64' ? ('__x64_sys_', '+0x68(%di)', '+0x60(%di)') : ('__arm64_sys_', '+8(%x0)', '+16(%x0)');
  my @on = $kind eq 'kprobe' ? ([$call . 'execve', $argv], [$call . 'execveat', $at])
    : (['syscalls.sys_enter_execve', '$argv'], ['syscalls.sys_enter_execveat', '$argv']);
  define_probe('ex', @{$on[0]}, 1) or return "this kernel takes no $kind on execve: $!";
  define_probe('at', @{$on[1]}, 0) or push @blind, 'arguments of execveat are read from /proc only';
  for my $name (qw(ex exx at)) {
    my ($id, $f) = format_of($T, "$group/$name") or next;
    my $n = $name eq 'exx' ? $TWIN : $MOST;
    $argdecode[$id] = [$name, $name eq 'exx' ? [map { $f->{"x$_"}[0] } 0 .. $n - 1] : [map { [$f->{"p$_"}[0], $f->{"a$_"}[0]] } 0 .. $n - 1], $f->{"p$n"}[0]];
    $decode[$id] = ['a'];
    return "this kernel does not enable our probe: $!" unless put("$inst{a}{dir}/events/$group/$name/enable", '1');
    push @{$inst{a}{on}}, "$group/$name";
  }
  ($refill, $by_old, $close) = (\&probes_drain, 1, 0);
  '';
}
sub probes_remove { my ($g) = @_; for (qw(at exx ex)) { next unless -d "$T/events/$g/$_"; open(my $f, '>>', "$T/" . probe_file()) or return; syswrite $f, "-:$g/$_\n" } }
sub probes_end {
  return unless length $group;
  probes_remove($group);
  (@argdecode, %kept) = (); $group = ''; undef $refill;
}
sub probes_drain { drain('a', []) }
sub probed_exec { # time, event id, its bytes
  my ($ts, $id, $e) = @_;
  my ($name, $at, $next) = @{$argdecode[$id] || return};
  my ($tid, $flags, @args) = (unpack('@4 l', $e), 0);
  my $last = $kept{$tid} && $kept{$tid}[-1];
  if ($name eq 'exx') {
    @args = map { unpack 'Z64', substr $e, $_, 64 } @$at;
    pop @args while @args && $args[-1] eq '';
    # a machine can stand still between the two; a call that failed has its twin already, and the next one's tells of that one alone
    return $last->[5] = 1 if $last && !($last->[2] & 2) && !$last->[5] && $ts - $last->[0] < 1_000_000_000 && one_call($last->[4], @args);
    return keep($tid, [$ts, -1, 3, -1, join "\0", @args]);
  }
  for (@$at) {
    my ($p) = unpack 'Q', substr $e, $_->[0], 8;
    last unless $p;
    my $loc = unpack 'L', substr $e, $_->[1], 4;
    my $len = $loc >> 16;
    if (!$len) { $flags = 1; last }
    push @args, substr $e, $loc & 0xffff, $len - 1;
  }
  $flags = 1 if @args == $MOST && unpack 'Q', substr $e, $next, 8;
  my $list = @args ? join("\0", @args) : undef;
  my $twin = $last && $last->[2] & 2 && $ts - $last->[0] < 1_000_000 && one_call($list, split /\0/, $last->[4]);   # which came first
  pop @{$kept{$tid}} if $twin;
  keep($tid, [$ts, $flags ? -1 : scalar @args, $flags, -1, $list, $twin]);
}
# Whether a full record's arguments begin as those of a twin do.
sub one_call {
  my ($full, @twin) = @_;
  my @full = defined $full ? split /\0/, $full, -1 : ();
  for (0 .. $#twin) { return '' if length $twin[$_] && defined $full[$_] && substr($full[$_], 0, 64) ne $twin[$_] }
  1;
}
`;
