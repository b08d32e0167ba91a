/**
 * Collector, part 4: events in time order, made into records, where pids need mapping. (Where not, the console does it: raw.ts.)
 *
 * Inside, everything is in the kernel's own (global) pids. In a container or a namespaced host `%ns` maps them, learned from what a clone returns to its parent (sys_exit_clone and
 * kin) and, for what was there before, from sched_wait_task, which the kernel emits with the target's global pid when we read
 * /proc/PID/task/TID/syscall. A task that belongs to no process we know waits, then counts as outside.
 */
export const LINEAGE = String.raw`
my (%ns, %rev, %kin, %wait, %nest, %tg, %threads, %lead, %pend, %sk, $skid, $G, @probes, %mine, $newest, $asked_at, $suspect);
($skid, $newest, $asked_at, $suspect) = (0, 0, 0, 0);
sub who_am_i {
  my $dir = $inst{l}{dir};
  my ($id) = format_of($dir, 'ftrace/print');
  $decode[$id] = ['m', '@4 l'] if $id;
  put("$dir/tracing_on", '1'); put("$dir/trace_marker", "self\n"); put("$dir/tracing_on", '0');
  my @ev;
  for my $cpu (numeric_cpus($dir)) {
    sysopen(my $f, "$dir/per_cpu/cpu$cpu/trace_pipe_raw", $NONBLOCK) or next;
    local $inst{l}{fd} = [$f]; drain('l', \@ev);
  }
  my ($m) = grep { $_->[1] eq 'm' } @ev or return 0;
  $decode[$id] = undef;
  $G = $m->[2]; $mapped = $G != $$;
  if ($mapped) { $ns{$G} = $$; $rev{$$} = $G }
  1;
}
sub lineage_reset {
  (%wait, %kin, %nest, %tg, %threads, %lead, %pend, %sk, @probes) = ();
  (%ns, %rev) = ();
  if ($mapped) { $ns{$G} = $$; $rev{$$} = $G }
}
sub numeric_cpus { opendir(my $d, "$_[0]/per_cpu") or return (); map { /^cpu(\d+)\z/ ? $1 : () } readdir $d }
# Threads that were here before: what they fork belongs to their process, and their end is not a process's.
sub threads_before {
  for my $p (numeric('/proc')) {
    next if ((stat "/proc/$p/task")[3] || 0) == 3;   # its links: two, and one for each thread (proc_task_getattr in fs/proc/base.c)
    for (numeric("/proc/$p/task")) { if ($_ != $p && !$tg{$_}) { $tg{$_} = $p; $threads{$p}++ } }
  }
}
my @LETTER = qw(O E S R O O T C O O L O R);
my %address;
# asleep
sub map_enable {
  enable('l', 'sched/sched_wait_task', 'w', '', qw(common_pid pid)) or push @blind, 'processes that were here before cannot be mapped: no sched_wait_task event';
  my $n = 0;
  for (qw(clone clone3 fork vfork)) { $n += enable('l', "syscalls/sys_exit_$_", 'r', 'ret>0', qw(common_pid ret)) }
  push @blind, 'new processes are mapped late, by a scan each second: no system call events in this kernel' unless $n;
  enable('l', 'syscalls/sys_enter_unshare', 'u', 'unshare_flags&0x20000000', 'common_pid');
  enable('l', 'syscalls/sys_enter_setns', 'u', 'flags==0||flags&0x20000000', 'common_pid');
  push @blind, 'the host is a container or namespace: kernel events are mapped to its pids, its neighbours\' are counted and dropped';
  push @blind, 'what is brought in from outside (docker exec, nsenter) is known once it is found asleep: what it does before counts as a neighbour\'s';
}
# The newest pid of our own namespace (/proc/loadavg, last field): if no clone told us of it, somebody came in from outside.
sub newcomer { my ($last) = (slurp('/proc/loadavg', 64) // '') =~ /(\d+)\s*\z/; $last && $last != $newest ? $last : 0 }
sub scan { # asks the kernel for the global pid of every process that is not known yet
  my $n = 0;
  my $last = newcomer();
  for my $p (numeric('/proc')) {
    next if $rev{$p};
    for my $t ($p, grep { $_ != $p } numeric("/proc/$p/task")) { push @probes, [boot(), $p, $t]; slurp("/proc/$p/task/$t/syscall", 256); $n++ }
  }
  $newest = $last if $last;
  $n;
}
sub probed { # a sched_wait_task event answers the last probe that began before it
  my ($ts, $g) = @_;
  my $i = $#probes;
  $i-- while $i >= 0 && $probes[$i][0] > $ts;
  return if $i < 0;
  my (undef, $p, $t) = @{$probes[$i]};
  return if $ns{$g} && $p == $t && $ns{$g} == $p;   # one read makes two events
  if ($p == $t) { set_ns($g, $p) } elsif (my $lead = $rev{$p}) { $tg{$g} = $lead; $threads{$lead}++; flush_held($g) }
}
sub set_ns { my ($g, $n) = @_; $ns{$g} = $n; $rev{$n} = $g; delete $kin{$g}; flush_held($g) }
sub flush_held { my $q = delete $pend{$_[0]} or return; handle($_) for @$q }
sub hold {
  my ($g, $e) = @_;
  push @{$pend{$g}}, $e;
  return if $kin{$g} || $e->[0] < $asked_at;
  $asked_at = boot() + 100_000_000;
  my $last = newcomer();
  if ($suspect && $newest < $suspect) { $suspect = 0; scan() } else { $suspect = $last }   # still unexplained after a while
}
sub expire {
  my $old = boot() - $HOLD * 1e9;
  for my $g (keys %pend) {
    my $q = $pend{$g};
    next if $q->[-1][0] > $old && $q->[0][0] > $old;
    my @late = grep { $_->[0] <= $old } @$q;
    if ($kin{$g}) { $unmapped += @late } else { $outside += @late }
    my @rest = grep { $_->[0] > $old } @$q;
    if (@rest) { $pend{$g} = \@rest } else { delete $pend{$g} }
  }
  @probes = () if @probes && $probes[-1][0] < $old;
  %sk = () if keys %sk > 65536;
  for (keys %mine) { delete $mine{$_} if $mine{$_} < $old - 600e9 || keys %mine > 65536 }
}
sub handle {
  my ($e) = @_;
  my ($ts, $c) = @$e;
  if ($c eq 'e') {
    $execs++;
    my (undef, undef, $g, $old, $file) = @$e;
    my $p = $ns{$g} or return hold($g, $e);
    $canary = 0 if $p == $canary;
    my $k = $refill && kept($g, $old, $ts);
    if ($old != $g) { delete $tg{$old}; delete $lead{$g}; delete $threads{$g} }   # a thread exec'd and took over the pid
    $out .= "E\t$ts\t$p\t" . esc($file) . "\t" . facts($p, grab($p, whole_args($k)), $ts, $file, $k) . "\n";
    mux_ran() if mux_like($file);
    peer($p, $ts) if index($file, 'sshd') >= 0 ? sshd_like($file) : index($file, 'dropbear') >= 0 && sshd_like($file);
  }
  elsif ($c eq 'n') {
    my (undef, undef, $by, $new, $flags) = @$e;
    my $pg = $tg{$by} // $by;
    return hold($pg, $e) unless $ns{$pg} || $kin{$pg};
    if ($flags & 0x10000) { $tg{$new} = $pg; $threads{$pg}++; flush_held($new) if $pend{$new}; return }   # CLONE_THREAD
    delete $tg{$new}; delete $threads{$new}; delete $lead{$new}; delete $ns{$new}; $kin{$new} = 1;
    $nest{$new} = 1 if $flags & 0x20000000 || $nest{$pg};   # CLONE_NEWPID: below, a clone returns pids of the inner namespace
    $wait{$by} = $new unless $nest{$pg};
    unshift @{$pend{$new}}, [$ts, 'f', $pg, $new];
  }
  elsif ($c eq 'x') {
    my (undef, undef, $g, $dead) = @$e;
    if (defined(my $lead = $tg{$g})) {
      delete $tg{$g};
      my $left = --$threads{$lead};
      $g = $lead;
      return unless length $dead ? $dead : $left <= 0 && $lead{$lead};
    }
    elsif (!$ns{$g}) { return hold($g, $e) }
    elsif (length $dead ? !$dead : ($threads{$g} || 0) > 0) { $lead{$g} = 1; return }   # threads live on: one of them may exec
    my $p = delete $ns{$g} or return hold($g, $e);
    delete $rev{$p} if ($rev{$p} || 0) == $g;
    delete $nest{$g};
    delete $threads{$g}; delete $lead{$g}; delete $cred{$p}; delete $sshd{$p}; delete $peered{$p};
    $out .= "X\t$ts\t$p\n";
  }
  elsif ($c eq 's') { socket_event($e) }
  elsif ($c eq 'd' || $c eq '6') { datagram($e) }
  elsif ($c eq 'r') {
    my (undef, undef, $by, $n) = @$e;
    my $new = delete $wait{$by};
    $newest = $n if $ns{$tg{$by} // $by};
    if (defined $new) { set_ns($new, $n) if $kin{$new} }
    else { my $pg = $tg{$by} // $by; hold($pg, $e) unless $ns{$pg} || $kin{$pg} }
  }
  elsif ($c eq 'f') { started($ts, $e->[2], $e->[3]) }
  elsif ($c eq 'w') { if ($e->[2] == $G) { probed($ts, $e->[3]) } else { touched($ts, 't', $e->[2], $e->[3], '') } }
  elsif ($c eq 'g') { touched($ts, 's', $e->[2], $e->[4], $e->[3]) }
  elsif ($c eq 'u') { my $pg = $tg{$e->[2]} // $e->[2]; $nest{$pg} = 1 if $ns{$pg} }
}
# One process laid hands on another: both must be ours, else it is a neighbour's affair.
sub touched {
  my ($ts, $how, $by, $on, $signal) = @_;
  my ($b, $p) = ($ns{$tg{$by} // $by}, $ns{$tg{$on} // $on});
  $out .= join("\t", 'M', $ts, $how, $b, $p, $signal) . "\n" if $b && $p && $b != $p && $b != $$;
}
sub started {
  my ($ts, $pg, $new) = @_;
  my ($pp, $p) = ($ns{$pg} // 0, $ns{$new});
  $out .= "F\t$ts\t$pp\t$p\n";
  if ($sshd{$pp} && !$peered{$pp}) { peer($p, $ts) }   # the listener's child has the new connection
}
sub socket_event {
  my ($e) = @_;
  my ($ts, undef, $flags, $by, $sk, $from, $to, $family, $sport, $dport, $s4, $d4, $s6, $d6) = @$e;
  my ($s, $d) = $family == 2 ? (unpack('H*', $s4), unpack('H*', $d4)) : (unpack('H*', $s6), unpack('H*', $d6));
  my ($p, $known) = ('', $sk{$sk});
  # 0x08 hard irq, 0x10 soft irq: there the pid is whoever was interrupted. The kernel's word counts for a connect, and in a task.
  if (!($flags & 0x18) && ($to == 2 || $to == 10)) {
    my $pg = $tg{$by} // $by;
    $p = $ns{$pg} or return hold($pg, $e);
    $known = $sk{$sk} = [$p, ++$skid];
  }
  elsif ($known) { $p = $known->[0] }
  elsif (!ours($s, $d, $sport, $dport)) { $outside++; return }
  elsif ($to == 1) { $known = $sk{$sk} = ['', ++$skid] }
  $mine{"$d $dport $s $sport"} = $ts if $to == 1 && $p && ($s eq $d || $s =~ /7f......\z/);   # its other end on loopback is ours too
  $out .= join("\t", 'S', $ts, $p, $LETTER[$from] || 'O', $LETTER[$to] || 'O', $s, $sport, $d, $dport, $known ? $known->[1] : '') . "\n";
  delete $sk{$sk} if $to == 7;
}
# Is a TCP event that no process of ours began one of ours? The tracepoint names no namespace: our own addresses decide.
sub read_addresses {
  %address = ();
  my $last = '';
  for (split /\n/, whole('/proc/self/net/fib_trie', 1 << 20)) {
    if (/(\d+\.\d+\.\d+\.\d+)$/) { $last = $1 } elsif (m{/32 host LOCAL}) { $address{unpack 'H*', pack 'C4', split /\./, $last} = 1 if $last !~ /^127\./ }
  }
  for (split /\n/, whole('/proc/self/net/if_inet6', 1 << 20)) { $address{$1} = 1 if /^([0-9a-f]{32})/ && $1 !~ /^0{31}1$/ }
}
sub ours { my ($s, $d, $sport, $dport) = @_; $s =~ s/^0{20}f{4}//; $address{$s} || exists $mine{"$_[0] $sport $d $dport"} }
`;
