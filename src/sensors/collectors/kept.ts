/**
 * Collector: arguments that the kernel itself keeps at the exec, so that nothing depends on our being quick.
 *
 * A record is [time on the boot clock, argc or -1, flags, uid or -1, arguments divided by NUL]. Flags: 1 the list is cut, 2 the
 * full record vanished (a record that does not fit a trace page is dropped and no counter says so) and its twin is what we have.
 * Records wait here by the id under which their source knows the process until the exec's own event is read.
 *
 * Of a source whose records come after the exec's event (auditing) what was told of the exec waits for them, and with it all that is
 * told after it, so that nothing changes its place; a record that has not come in half a second comes no more.
 */
export const KEPT = `
my (%kept, $refill, $by_old, $close);
my ($awaits, $awaitsfd, @later, $wire, $unheard, $tested, $auloss, $auheld);   # $awaits reads such a source
($wire, $unheard, $tested, $auloss, $auheld) = ('', 0, 0, 0, 0);
$close = 0;   # ns that may lie between a record and its exec; 0: a record is made when the exec begins, and it can take its time
# asleep
sub later { my ($p, $ts, $file, $make) = @_; push @later, [$out, $p, $ts, $file, $make, boot() + 500_000_000]; $out = '' }
sub settle {
  my $now = boot();
  $awaits->() if $awaits;
  while (@later) {
    my ($before, $p, $ts, $file, $make, $until) = @{$later[0]};
    my $k = audit_told($p, $ts, $file);
    last if !$k && $awaits && $now < $until && @later < 4096;
    shift @later;
    $unheard = $k ? 0 : $unheard + 1 if $p == $tested && $awaits;
    $wire .= $before . $make->($k);
  }
  return if @later;
  $wire .= $out; $out = '';
}
sub keep { my ($id, $k) = @_; my $l = $kept{$id} ||= []; shift @$l if @$l > 63; push @$l, $k }
# What the kernel kept of the exec of $p (before it, thread $old) at $ts, or undef.
sub kept {
  my ($p, $old, $ts) = @_;
  my $id = $by_old ? $old : $p;
  my $best;
  $refill->() if $by_old;
  for (1, 2) {
    if (my $l = $kept{$id}) {
      if ($close) { # the nearest: a program that runs another in its own place leaves two within a millisecond
        my ($n, $least) = (-1, $close);
        for (0 .. $#$l) { my $d = abs $ts - $l->[$_][0]; ($n, $least) = ($_, $d) if $d <= $least }
        if ($n >= 0) { $best = $l->[$n]; splice @$l, 0, $n + 1 }
      }
      else { $best = shift @$l while @$l && $l->[0][0] <= $ts }
      delete $kept{$id} unless @$l;
    }
    last if $best || $by_old;
    $refill->();
  }
  $best;
}
# Failed calls, neighbours' and events that were lost leave records that nobody asks for.
sub kept_expire {
  my $old = boot() - 10_000_000_000;
  for my $id (keys %kept) { my $l = $kept{$id}; shift @$l while @$l && $l->[0][0] < $old; delete $kept{$id} unless @$l }
}
`;
