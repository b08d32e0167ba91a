/**
 * Collector: the kernel's auditing as it is asked and changed (linux/audit.h, kernel/audit.c), by a netlink socket and no program.
 *
 * Every collector has this part, since each takes away what a dead console left. A rule of ours carries our name as its key, and behind it
 * what is to become of auditing when the last of ours has gone: `0` it was off, `d` it was off although an auditd runs, `1` it was on.
 */
export const AUDIT_RULES = String.raw`
my @AUDIT_RULES = $ARCH eq 'aarch64' ? ([0xc00000b7, 221, 281], [0x40000028, 11, 387]) : ([0xc000003e, 59, 322], [0x40000003, 11, 358]);   # AUDIT_ARCH_*, execve, execveat
sub audit_swept { $out .= elsewhere(sub { $out = ''; audit_sweep(); $out }) // '' if $> == 0 && $KNOWN }
# asleep
sub audit_ask { # a request and its data; gives why not, and the answers
  my ($type, $data) = @_;
  my ($change, @got) = $type != 1000 && $type != 1013;   # AUDIT_GET, AUDIT_LIST_RULES
  socket(my $s, 16, 3, 9) or return "no auditing in this kernel: $!";   # AF_NETLINK, SOCK_RAW, NETLINK_AUDIT
  my $m = pack('LSSLL', 16 + length $data, $type, $change ? 5 : 1, 1, 0) . $data;   # NLM_F_REQUEST, NLM_F_ACK
  defined send $s, $m, 0, pack 'SSLL', 16, 0, 0, 0 or return "auditing cannot be asked: $!";
  my $bits = '';
  vec($bits, fileno $s, 1) = 1;
  while (select my $r = $bits, undef, undef, 5) {
    my $from = recv $s, my $said, 16384, 0;
    defined $from or return "auditing does not answer: $!";
    next if length $said < 16 || length $from < 12 || unpack '@4 L', $from;   # the kernel's port is 0
    my $is = unpack '@4 S', $said;
    if ($is == 2) { # NLMSG_ERROR, 0 for done
      my $e = -unpack '@16 l', $said;
      if ($e) { $! = $e; return $e == 1 || $e == 111 ? 'auditing is ruled outside of this container, or without us having the right' : "auditing refuses: $!" }
      return '' if $change;
    }
    return '', @got if $is == 3;   # NLMSG_DONE
    push @got, substr $said, 16 if $is == $type;
    return '', @got if $type == 1000 && @got;
  }
  'auditing does not answer';
}
sub audit_status { # struct audit_status
  my ($why, $raw) = audit_ask(1000, '');
  return $why if length $why;
  my %is; @is{qw(enabled failure pid rate limit lost)} = unpack '@4 L6', $raw . "\0" x 32;
  return '', \%is;
}
sub audit_switch { audit_ask(1001, pack 'L10', 1, $_[0], (0) x 8) }   # AUDIT_SET, AUDIT_STATUS_ENABLED
# struct audit_rule_data: always,exit; arch, success=1, key; the calls as bits
sub audit_rule {
  my ($key, $arch, @calls) = @_;
  my @mask = (0) x 64;
  $mask[$_ >> 5] |= 1 << ($_ & 31) for @calls;
  my @no = (0) x 61;
  pack('L3 L64 L64 L64 L64 L', 4, 2, 3, @mask, 11, 104, 210, @no, $arch, 1, length $key, @no, (0x40000000) x 3, @no, length $key) . $key;
}
sub audit_key { # the key of a rule, if it is one of a console of ours
  my ($raw) = @_;
  return undef if length $raw < 1040 || unpack('@8 L', $raw) != 3 || join(' ', unpack '@268 L3', $raw) ne '11 104 210';
  substr($raw, 1040) =~ /^($PREFIX\.\d+\.\d+\.\d+\.[0-9a-f]+\.[01d])\0*\z/ ? $1 : undef;
}
sub audit_undo { # takes the rules of a key away, and lets auditing be as it was once no console needs it; gives how many there were
  my ($key) = @_;
  my ($why, @rules) = audit_ask(1013, '');
  my ($ours, $others) = (0, 0);
  for (@rules) {
    my $is = audit_key($_) // next;
    if ($is ne $key) { $others++; next }
    ($why) = audit_ask(1012, $_);   # AUDIT_DEL_RULE
    $ours++ unless length $why;
  }
  my ($off) = $key =~ /([0d])\z/;
  return $ours if $others || !defined $off;
  my ($no, $is) = audit_status();
  audit_switch(0) if $is && $is->{enabled} == 1 && ($off eq 'd' || !$is->{pid});   # an auditd that came since needs it
  $ours;
}
sub audit_sweep { # auditing is the first pid namespace's, so a pid in a key is one of ours
  my ($why, @rules) = audit_ask(1013, '');
  my %keys = map { my $k = audit_key($_); defined $k ? ($k => 1) : () } @rules;
  for my $k (sort keys %keys) {
    my (undef, undef, $p, $start) = split /\./, $k;
    problem("removed the audit rules $k that a dead console left") if stat_of($p) ne $start && audit_undo($k);
  }
}
`;
