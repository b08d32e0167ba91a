/**
 * Collector: a small eBPF program on the exec tracepoint, which copies the arguments from the new process's stack into a queue.
 *
 * At sched_process_exec the kernel has just laid the new stack: argc, the pointers, the strings (System V ABI, "Process
 * Initialization"), so the user's stack pointer leads to them and every page is there. Nothing is patched, and the kernel takes the
 * program and its maps away when their descriptors close, however we end. Numbers: linux/bpf.h, linux/perf_event.h.
 * A record: time, uid and gid, pid, argc, length of the first part and of the last argument, the first 2 KB, the last argument.
 */
export const BPF = String.raw`
my ($FIRST, $LAST) = (2048, 4096);
my ($pop, $qbuf, @bpf_fds) = (undef, "\0" x (32 + $FIRST + $LAST));
sub bpf_probe {
  my $why = trace_probe();
  return $why if length $why;
  return 'no type information in this kernel (/sys/kernel/btf/vmlinux)' unless -e '/sys/kernel/btf/vmlinux';
  my ($major, $minor) = (slurp('/proc/sys/kernel/osrelease', 64) // '') =~ /^(\d+)\.(\d+)/ or return 'no kernel version';
  return "kernel $major.$minor is older than 5.15" if $major * 1000 + $minor < 5015;
  (slurp('/sys/kernel/security/lockdown', 128) // '') =~ /\[confidentiality\]/ ? 'kernel lockdown (confidentiality)' : '';
}
sub bpf_call { my ($cmd, $attr) = @_; $attr .= "\0" x (128 - length $attr); syscall($NR{bpf}, $cmd, $attr, 128) }
sub bpf_setup {
  push @keepers, \&bpf_end;
  my $size = length $qbuf;
  my $slots = 512;
  my $license = "GPL\0";
  my $scratch = bpf_call(0, pack 'L5', 6, 4, $size, 1, 0);            # BPF_MAP_CREATE: one record a processor
  my $queue = $scratch < 0 ? -1 : bpf_call(0, pack 'L5', 22, 0, $size, $slots, 0);
  @bpf_fds = grep { $_ >= 0 } $scratch, $queue;
  return "this kernel gives no BPF map: $!" if $queue < 0;
  my $code = elsewhere(sub { bpf_program($scratch, $queue) }) // return "no child could be made: $!";
  my $program = bpf_call(5, pack('LLPP', 5, length($code) / 8, $code, $license) . "\0" x 24 . "stakeout\0");
  return "this kernel takes no BPF program: $!" if $program < 0;
  push @bpf_fds, $program;
  my ($id) = format_of($T, 'sched/sched_process_exec') or return 'no sched_process_exec event';
  my $event = pack('LLQQ', 2, 112, $id, 1) . "\0" x 88;               # PERF_TYPE_TRACEPOINT
  my $perf = syscall($NR{perf_event_open}, $event, -1, 0, -1, 8);
  return "this kernel gives no perf event: $!" if $perf < 0;
  push @bpf_fds, $perf;
  return "this kernel attaches no BPF program: $!" if syscall($NR{ioctl}, $perf, 0x40042408, $program) < 0 || syscall($NR{ioctl}, $perf, 0x2400, 0) < 0;
  $pop = pack('LxxxxQPQ', $queue, 0, $qbuf, 0);
  $bytes += $size * ($slots + 1);
  ($refill, $by_old, $close) = (\&bpf_pop, 0, 10_000_000);   # a virtual CPU can be taken away between the two
  '';
}
sub bpf_end { syscall($NRCLOSE, $_) for reverse @bpf_fds; (@bpf_fds, %kept) = (); undef $refill }
sub bpf_pop {
  my $n = 1024;
  while ($n-- && syscall($NR{bpf}, 21, $pop, 32) == 0) {              # BPF_MAP_LOOKUP_AND_DELETE_ELEM
    my ($ts, $uid, undef, $p, $argc, $first, $last) = unpack 'QLLLLll', $qbuf;
    if ($first < 0 || $last < 0) { keep($p, [$ts, $argc, 1, $uid, undef]); next }
    my $cut = $first > $FIRST || $last == $LAST;
    $last ||= 1; # of an empty string kernels before 6.15 give 0, the NUL not counted (strncpy_from_user_nofault)
    my $args = $first > $FIRST ? substr($qbuf, 32, $FIRST) : substr($qbuf, 32, $first) . substr($qbuf, 32 + $FIRST, $last - 1);
    keep($p, [$ts, $argc, $cut ? 1 : 0, $uid, $args]);
  }
}
# asleep
sub bpf_program {
  my ($scratch, $queue) = @_;
  my ($op, @code) = sub { pack 'CCsl', $_[0], $_[1] | $_[2] << 4, $_[3], $_[4] };
  my (%label, @jump);
  my $i = sub { push @code, $op->(@_, (0) x (5 - @_)) };
  my $call = sub { $i->(0x85, 0, 0, 0, $_[0]) };
  my $map = sub { $i->(0x18, 1, 1, 0, $_[0]); $i->(0) };
  my $jump = sub { push @jump, [scalar @code, pop]; push @code, [@_] };   # op, register, value
  my $at = sub { $label{$_[0]} = @code };
  my ($sp, $word32) = $ARCH eq 'x86_64' ? (152, sub { $i->(0x79, 8, 0, 136); $jump->(0x55, 8, 0x23, 'wide') }) # cs is that of 32-bit code
    : (248, sub { $i->(0x79, 8, 0, 264); $i->(0x57, 8, 0, 0, 0x10); $jump->(0x15, 8, 0, 'wide') });           # pstate: AArch32
  $call->(158); $i->(0xbf, 1, 0); $call->(175);                       # the registers that the process will start with
  $i->(0x79, 6, 0, $sp); $i->(0xb7, 9, 0, 0, 8); $word32->(); $i->(0xb7, 9, 0, 0, 4); $at->('wide');
  $i->(0x7a, 10, 0, -8, 0); $map->($scratch); $i->(0xbf, 2, 10); $i->(0x07, 2, 0, 0, -8); $call->(1);
  $jump->(0x15, 0, 0, 'out'); $i->(0xbf, 7, 0);
  $call->(125); $i->(0x7b, 7, 0, 0); $call->(15); $i->(0x7b, 7, 0, 8);
  $call->(14); $i->(0x77, 0, 0, 0, 32); $i->(0x63, 7, 0, 16);
  $i->(0x62, 7, 0, $_, $_ == 20 ? 0 : -1) for 20, 24, 28;
  my $word = sub { # a word of the stack, at r3, into our slot
    my ($slot) = @_;
    $i->(0x7a, 10, 0, $slot, 0); $i->(0xbf, 1, 10); $i->(0x07, 1, 0, 0, $slot); $i->(0xbf, 2, 9); $call->(112); $jump->(0x55, 0, 0, 'push');
  };
  $i->(0xbf, 3, 6); $word->(-16); $i->(0x79, 8, 10, -16); $i->(0x63, 7, 8, 20);
  $jump->(0x15, 8, 0, 'push'); $jump->(0x25, 8, 0xfffff, 'push');
  $i->(0xbf, 3, 6); $i->(0x0f, 3, 9); $word->(-24);                   # argv[0]
  $i->(0xbf, 3, 9); $i->(0x2f, 3, 8); $i->(0x0f, 3, 6); $word->(-32); # the last one
  $i->(0x79, 8, 10, -32); $i->(0x79, 3, 10, -24); $i->(0xbf, 2, 8); $i->(0x1f, 2, 3);
  $i->(0xbf, 1, 7); $i->(0x07, 1, 0, 0, 32);
  $jump->(0x25, 2, $FIRST, 'long');
  $i->(0x63, 7, 2, 24); $call->(112); $jump->(0x55, 0, 0, 'torn'); $jump->(0x05, 0, 0, 'last');
  $at->('long'); $i->(0x62, 7, 0, 24, $FIRST + 1); $i->(0xb7, 2, 0, 0, $FIRST); $call->(112); $jump->(0x55, 0, 0, 'torn');
  $at->('last'); $i->(0xbf, 1, 7); $i->(0x07, 1, 0, 0, 32 + $FIRST); $i->(0xb7, 2, 0, 0, $LAST); $i->(0xbf, 3, 8); $call->(114); $i->(0x63, 7, 0, 28); $jump->(0x05, 0, 0, 'push');
  $at->('torn'); $i->(0x62, 7, 0, 24, -1);
  $at->('push'); $map->($queue); $i->(0xbf, 2, 7); $i->(0xb7, 3, 0, 0, 2); $call->(87); # BPF_EXIST: the oldest gives way
  $at->('out'); $i->(0xb7, 0); $i->(0x95);
  for (@jump) { my ($n, $to) = @$_; my ($o, $r, $value) = @{$code[$n]}; $code[$n] = $op->($o, $r, 0, $label{$to} - $n - 1, $value) }
  join '', @code;
}
`;
