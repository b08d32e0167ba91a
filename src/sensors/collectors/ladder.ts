/**
 * Collector: which tier runs. `@LADDER` (best first, as the console's cards say) holds an id, a probe that changes nothing, what
 * begins the tier and what ends it; each gives '' or says why not. A tier that fails in flight ends, the best that still works takes
 * its place, the processes are listed again so that what came and went between is told, and later we climb back.
 */
export const LADDER = String.raw`
my (@LADDER, $rung, $top, $again, @falls, $climb_at, $patience);
($rung, $top, $again, $climb_at, $patience) = (0, 0, 0, 0, 10e9);
sub tracing { defined $inst{x} }
sub climb { # takes the first tier from $from on that works; gives what the others said
  my ($from) = @_;
  my @why;
  for my $n ($from .. $#LADDER) {
    my ($id, $probe, $begin, $end) = @{$LADDER[$n]};
    @blind = ();
    my $why = $probe->() || $begin->();
    if (!length $why) { ($rung, $tier) = ($n, $id); push @blind, others_blind(); last }
    $end->();
    push @why, "$id: $why";
  }
  my (%of, @order);
  for (@why) { my ($id, $what) = split /: /, $_, 2; push @order, $what unless $of{$what}; push @{$of{$what}}, $id }
  map { join(', ', @{$of{$_}}) . " cannot work here: $_" } @order;
}
sub settle_in { # what a tracing tier needs once it runs, and what the others must not have
  $raw = 0;
  lineage_reset();
  guard_begin();
  return unless tracing();
  if ($mapped) { read_addresses(); my @held; for (1 .. 3) { scan(); round(\@held) } handle($_) for @held }
  else { threads_before(); raw_begin() }
}
sub climb_back {
  my ($now) = @_;
  return if !$climb_at || $now < $climb_at;
  $climb_at = $now + $patience;
  for my $n (0 .. $rung - 1) { return change_tier('recovered', 'a better tier works again', 0) if !length $LADDER[$n][1]->() }
}
# asleep
# Another tier from here on. $how: 'tampered' by somebody, 'degraded' by a failure, 'recovered' by climbing back.
sub change_tier {
  my ($how, $reason, $from) = @_;
  my $was = $tier;
  if ($raw) { forward($_, [], undef) for 'x', 'l'; $out .= "R\t" . boot() . "\n" }
  $LADDER[$rung][3]->();
  my @why = climb($from);
  settle_in();
  $reason .= $tier eq $was ? '; it was set up anew' : "; $tier in the place of $was";
  $reason .= " ($_)" for grep { $how ne 'recovered' } @why;
  $out .= join("\t", 'Z', boot(), $tier, $how, esc($reason), $bytes || 0, join "\x1f", map { esc($_) } @blind, @standing) . "\n";
  snapshot_begin(1);
  $again = 1;
  ($climb_at, $patience) = $rung > $top ? (boot() + $patience, $patience < 600e9 ? 2 * $patience : 600e9) : (0, 10e9);
}
# A tier that was tampered with is set up anew; the third time within a minute it gives way to the next.
sub fall {
  my ($how, $reason) = @_;
  my $now = boot();
  @falls = grep { $_ > $now - 60e9 } @falls;
  push @falls, $now;
  my $from = @falls < 3 || $rung == $#LADDER ? $rung : $rung + 1;
  @falls = () if $from > $rung;
  change_tier($how, $reason, $from);
}
`;
