/**
 * Collector, part 3: private tracefs instances and their binary ring buffer pages.
 *
 * Two instances: `x` holds execs alone and wakes us at once, since argv must be read before the process is gone; `l` (lineage:
 * forks, exits, sockets) is drained on the way and otherwise at most every few milliseconds. Pages are read raw
 * (per_cpu/cpuN/trace_pipe_raw), so a newline in a file name forges nothing. Layout: events/header_page, events/header_event,
 * each event's `format`, and kernel/trace/ring_buffer.c for the meaning of type_len.
 */
export const TRACE = String.raw`
my $T = '/sys/kernel/tracing';
my ($PREFIX, $mounted, %inst, @decode, $PAGE, $DATA, $bytes) = ('stakeout', 0);
my @keepers;   # what takes back what a tier set up to keep arguments
my ($NAME, $SOCKETS);   # what our instances are called; whether the kernel tells of TCP
my $stolen = '';   # what somebody else has to do with the events that are kept for us
my ($udp, $paged) = (0, 0);   # whether UDP is followed; bytes of lineage since the last second
sub stat_of { my $s = slurp("/proc/$_[0]/stat", 2048) // return ''; (split ' ', substr($s, rindex($s, ') ') + 2), 21)[19] }
# stakeout.<pid namespace>.<pid>.<start ticks>.<random>.<which>: enough to tell a dead owner from a live one
sub instance_name {
  my ($ns) = (readlink('/proc/self/ns/pid') // '') =~ /(\d+)/;
  join '.', $PREFIX, $ns || 0, $$, stat_of($$) || 0, sprintf '%06x', int rand 1 << 24;
}
sub find_tracefs {
  for ('/sys/kernel/tracing', '/sys/kernel/debug/tracing') { if (-d "$_/events/sched") { $T = $_; return 1 } }
  return 0 unless $KNOWN && $> == 0 && -d '/sys/kernel/tracing';
  my ($src, $dir, $type) = ('nodev', '/sys/kernel/tracing', 'tracefs');
  return 0 if syscall($NR{mount}, $src, $dir, $type, 14, 0) != 0;   # MS_NOSUID | MS_NODEV | MS_NOEXEC
  $mounted = 1; $T = $dir;
  problem('tracefs was not mounted: mounted at /sys/kernel/tracing, unmounted at the end');
  -d "$T/events/sched";
}
# Instances of consoles that died: an owner of our own pid namespace that is gone, or any that nobody has open for 30 s
# (the kernel refuses to remove one that is open, so a live console of another namespace is safe).
sub sweep {
  my ($ns) = (readlink('/proc/self/ns/pid') // '') =~ /(\d+)/;
  opendir(my $d, "$T/instances") or return;
  for my $n (grep { /^$PREFIX\.\d+\.\d+\.\d+\.[0-9a-f]+\.[xla]\z/ } readdir $d) {
    my (undef, $s, $p, $start) = split /\./, $n;
    my $dead = $s eq ($ns // '') ? stat_of($p) ne $start : time - ((stat "$T/instances/$n")[9] // time) > 30;
    problem("removed the trace instance $n that a dead console left") if $dead && rmdir "$T/instances/$n";
  }
  sweep_probes($ns) if defined &sweep_probes;
}
sub format_of {
  my ($dir, $event) = @_;
  my $text = whole("$dir/events/$event/format", 65536);
  my ($id) = $text =~ /^ID:\s*(\d+)/m or return ();
  my %f;
  while ($text =~ /field:([^;]*?)(\w+)(?:\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);\s*signed:(\d)/g) { $f{$2} = [$3, $4, $5, $1] }
  ($id, \%f);
}
my %CODE = (1 => 'c', 2 => 's', 4 => 'l', 8 => 'q');
# Turns an event on: $code names it in what drain() returns, then come the fields in this order. A field that this kernel lacks is undef.
sub enable {
  my ($i, $event, $code, $filter, @fields) = @_;
  my $dir = $inst{$i}{dir};
  my ($id, $f) = format_of($dir, $event) or return 0;
  return 0 if $f->{common_type}[0] != 0 || $f->{common_type}[1] != 2;
  my ($t, @at) = ('');
  for (@fields) {
    my $x = $f->{$_};
    if (!$x) { $t .= '@0 A0 '; push @at, ''; next }
    push @at, "$x->[0]:$x->[1]";
    my $c = /^(?:[sd]addr|src\z|dst\z)/ ? "a$x->[1]" : $CODE{$x->[1]}; $c = uc $c unless $x->[2] || $c =~ /^a/;
    $t .= '@' . $x->[0] . " $c ";
  }
  $decode[$id] = [$code, $t, @at];
  return 0 if length $filter && !put("$dir/events/$event/filter", $filter);
  push @{$inst{$i}{on}}, $event;
  put("$dir/events/$event/enable", '1');
}
sub make {
  my ($i, $kb) = @_;
  my $dir = "$T/instances/$NAME.$i";
  mkdir($dir, 0700) or return "cannot make a trace instance: $!";
  $inst{$i} = { dir => $dir, fd => [] };
  put("$dir/tracing_on", '0');
  put("$dir/trace_clock", 'boot') or return 'this kernel has no boot trace clock';
  put("$dir/buffer_size_kb", $kb); put("$dir/options/overwrite", '0'); put("$dir/buffer_percent", '0');
  my $head = whole("$dir/events/header_page", 4096);
  return 'the trace page format is not one we know' unless $head =~ /timestamp;\s*offset:0;\s*size:8/ && $head =~ /commit;\s*offset:8;\s*size:8/
    && $head =~ /data;\s*offset:(\d+);\s*size:(\d+)/;
  ($DATA, $PAGE) = ($1, $1 + $2);
  $bytes += 1024 * ((slurp("$dir/buffer_total_size_kb", 32) // 0) =~ /^(\d+)/)[0];
  '';
}
sub open_pipes {
  for my $i (keys %inst) {
    my $dir = $inst{$i}{dir};
    $inst{$i}{cpus} = [sort { $a <=> $b } map { /^cpu(\d+)\z/ ? $1 : () } do { opendir(my $d, "$dir/per_cpu"); readdir $d }];
    for (@{$inst{$i}{cpus}}) { sysopen(my $f, "$dir/per_cpu/cpu$_/trace_pipe_raw", $NONBLOCK) or return "cannot read the trace: $!"; push @{$inst{$i}{fd}}, $f }
    my $bits = ''; vec($bits, fileno $_, 1) = 1 for @{$inst{$i}{fd}};
    $inst{$i}{bits} = $bits;
  }
  put("$_->{dir}/tracing_on", '1') or return 'cannot switch tracing on' for values %inst;
  '';
}
# What an instance holds, as [timestamp, code, fields...].
sub drain {
  my ($i, $ev) = @_;
  my ($pg, $at, $taken) = ('', 0);
  for my $fh (@{$inst{$i}{fd}}) {
    my $pages = 64;
    $taken = 0;
    while ($pages-- && sysread $fh, $pg, $PAGE) { $paged += unpack('x8 L', $pg) & 0xfffff if $i eq 'l'; $taken += page($pg, $ev) }
    $inst{$i}{taken}[$inst{$i}{cpus}[$at++] // 0] += $taken;
  }
}
sub page { # gives how many events there were: who asks may be asked for others meanwhile
  my ($pg, $ev) = @_;
  my ($ts, $commit) = unpack 'QQ', $pg;
  my ($p, $end, $taken) = ($DATA, $DATA + ($commit & 0xfffff), 0);
  while ($p + 4 <= $end) {
    my ($h, $id) = unpack 'LS', substr $pg, $p, 6;
    my $tl = $h & 31; $p += 4;
    my $len = $tl * 4;
    my $b = $p;
    if ($tl > 28) {
      last if $tl == 29 && !($h >> 5);
      my $x = unpack 'L', substr $pg, $p, 4;
      if ($tl == 29) { $p += $x } elsif ($tl == 30) { $ts += ($x << 27) + ($h >> 5); $p += 4 }
      else { $ts = ($ts & (31 << 59)) | (($x << 27) + ($h >> 5)); $p += 4 }
      next;
    }
    $ts += $h >> 5;
    if (!$tl) { ($len, $id) = unpack 'LS', substr $pg, $p, 6; $b = $p + 4; $p += $len; $len -= 4 } else { $p += $len }
    last if $p > $end;
    $taken++;
    my $d = $decode[$id] or next;
    if ($d->[0] eq 'a') { probed_exec($ts, $id, substr $pg, $b, $len) }
    elsif ($d->[0] eq 'e') {
      my ($loc, $pid, $old) = unpack $d->[1], substr $pg, $b, $len;
      my $file = substr $pg, $b + ($loc & 0xffff), ($loc >> 16) - 1;
      push @$ev, [$ts, 'e', $pid, $old, $file];
    }
    else { push @$ev, [$ts, $d->[0], unpack $d->[1], substr $pg, $b, $len] }
  }
  $taken;
}
my $rotate = 0;
sub count_lost { # the kernel's own count; on many CPUs a part of the files in each turn
  my $lost = 0;
  for my $of (keys %inst) {
    my $i = $inst{$of};
    my $whole = !$raw || $of ne 'l';   # the console counts those
    my @cpus = @{$i->{cpus}};
    my $n = @cpus > 8 ? 8 : @cpus;
    for (0 .. $n - 1) {
      my $c = $cpus[($rotate + $_) % @cpus];
      my $s = slurp("$i->{dir}/per_cpu/cpu$c/stats", 1024) // next;
      my $sum = 0; $sum += $1 while $s =~ /^(?:overrun|dropped events): (\d+)/mg;
      $i->{lost}[$c] = $sum;
      # what others read of it, or took out: nobody else has to do with it
      my ($read) = $s =~ /^read events: (\d+)/m or next;
      my $others = $read - ($whole ? $i->{taken}[$c] // 0 : 0);
      my $had = $i->{others}[$c] // $others;
      $stolen ||= $others < $had ? 'emptied' : 'reads from' if $whole ? $others != $had : $others < $had;
      $i->{others}[$c] = $others;
    }
    $lost += $_ // 0 for @{$i->{lost} || []};
  }
  $rotate += 8;
  $lost;
}
# Whether tracing can work, looked at without changing anything.
sub trace_probe {
  return 'not root' if $> != 0;
  return "perl for $ARCH is not one whose system calls we know" unless $KNOWN;
  for ('/sys/kernel/tracing', '/sys/kernel/debug/tracing') {
    next unless -d "$_/events/sched";
    $T = $_;
    return -d "$_/events/sched/sched_process_exec" && -d "$_/instances" ? '' : 'no sched_process_exec event or no trace instances';
  }
  return 'kernel lockdown (confidentiality)' if (slurp('/sys/kernel/security/lockdown', 128) // '') =~ /\[confidentiality\]/;
  (slurp('/proc/filesystems', 65536) // '') =~ /\ttracefs$/m ? '' : 'no tracefs';
}
# '' when tracing, else why not. $kept: sets up the source of arguments, if the tier has one.
sub trace_begin {
  my ($kept) = @_;
  return 'not root' if $> != 0;
  return "perl for $ARCH is not one whose system calls we know" unless $KNOWN;
  return 'no tracefs' unless find_tracefs();
  syswrite $pipe, 'm' if $mounted && $pipe;
  $bytes = 0;
  sweep();
  my $n = () = (whole('/proc/stat', 1 << 20) =~ /^cpu\d/mg);
  my $kb = $n > 8 ? 128 : int(1024 / ($n || 1));
  my $why = make('x', $kb) || make('l', $n > 12 ? 256 : int(3072 / ($n || 1)));
  return $why if $why;
  who_am_i() or return 'cannot tell our own pid from the trace marker';
  if ($kept) { $why = $kept->($kb); return $why if length $why }   # before the exec event: what it keeps is there when the exec is told
  enable('x', 'sched/sched_process_exec', 'e', '', qw(filename pid old_pid)) or return 'no sched_process_exec event';
  enable('l', 'sched/sched_process_exit', 'x', '', qw(pid group_dead)) or return 'no sched_process_exit event';
  enable('l', 'task/task_newtask', 'n', '', qw(common_pid pid clone_flags)) or return 'no task_newtask event';
  enable('l', 'sock/inet_sock_set_state', 's', 'protocol==6 && (newstate==2||newstate==1||newstate==7||newstate==10)',
    qw(common_flags common_pid skaddr oldstate newstate family sport dport saddr daddr saddr_v6 daddr_v6))
    and $SOCKETS = 1 or push @blind, 'no TCP state events in this kernel: connections are not seen live';
  udp_begin();
  # signals that a program sends (SI_USER and kin), those that end, stop or wake; the kernel's own are not among them
  enable('l', 'signal/signal_generate', 'g', 'code<=0&&(sig==1||sig==2||sig==3||sig==6||sig==9||sig==15||sig==18||sig==19||sig==20)', qw(common_pid sig pid))
    or push @blind, 'who sends signals to whom is not seen: no signal_generate event';
  # the kernel waits for a task to stand still when its tracer reads or writes it
  $mapped or enable('l', 'sched/sched_wait_task', 't', "common_pid!=$$", qw(common_pid pid)) or push @blind, 'who traces whom (ptrace) is not seen: no sched_wait_task event';
  map_enable() if $mapped;
  open_pipes();
}
sub trace_end {
  for my $i (values %inst) { put("$i->{dir}/tracing_on", '0'); close $_ for @{$i->{fd}}; $i->{fd} = [] }
  for my $i (values %inst) { for (1 .. 50) { last if rmdir $i->{dir} or !-d $i->{dir}; select undef, undef, undef, 0.02 } }
  (%inst, @decode) = ();
  ($SOCKETS, $udp, $mapped) = (0, 0, 0);
  (pop @keepers)->() while @keepers;   # once the instances are gone, for a probe that is on cannot be taken away
  if ($mounted) { my $dir = $T; syscall($NR{umount2}, $dir, 0); $mounted = 0 }
}
`;
