/**
 * Collector, part 6: facts and sha256 of one file at a time, in a forked child so that capture goes on meanwhile. Between them the child
 * says to which package files belong (owners.ts).
 *
 * A running process's file is opened through /proc/PID/exe, which works after it was deleted. A path that a suspect
 * host names may be a fifo, a device or a link to one: only regular files are opened, never through a link, never blocking.
 */
export const INFO = String.raw`
my (@asked, $answer, $answerer, $got, $gave_up);
sub ask { if (@asked >= 256) { $out .= join("\t", 'I', $_[1], ('') x 7, 'too many requests are waiting') . "\n" } else { push @asked, [@_] } }
sub next_answer {
  return if $answerer;
  if (@asked) {
    my ($p, $path) = @{shift @asked};
    apart(sub {
      my $line = eval { file_info($p, unesc($path)) };
      if (!defined $line) { my $why = $@; chomp $why; $line = join "\t", ('') x 7, esc($why || 'failed') }
      "I\t$path\t$line\n";
    }, sub { join("\t", 'I', $path, ('') x 7, $_[0]) . "\n" });
  }
  elsif ($unix_asked) {
    $unix_asked = 0;
    apart(sub { unix_sockets() }, sub { unix_end(0, 0, $_[0]) });
  }
  elsif (owners_due()) {
    my @batch = splice @whose, 0, $MOST_WHOSE;
    apart(sub { owners(@batch) }, sub { join '', map { owner_failed($_->[2], $_[0]) } @batch });
  }
}
sub apart { # what a child of low priority says; the second gives what is told instead when it cannot say it
  my ($work, $otherwise) = @_;
  my $w;
  my $child = pipe($answer, $w) ? fork : undef;
  if (!defined $child) { close $w if $w; undef $answer; $out .= $otherwise->('cannot fork'); return }
  if (!$child) { # no end block, no handler, and none of the parent's descriptors that matter
    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM PIPE ALRM);
    alarm 60; setpriority(0, 0, 10);
    close STDOUT; close $answer; close $pipe if $pipe;
    for my $i (values %inst) { close $_ for @{$i->{fd}} }
    my $said = eval { $work->() } // "";
    while (length $said) { my $n = syswrite $w, $said; last unless $n; substr($said, 0, $n) = '' }
    kill 'KILL', $$;
  }
  close $w;
  ($answerer, $got, $gave_up) = ($child, '', $otherwise);
}
sub read_answer {
  my $n = sysread $answer, $got, 65536, length $got;
  return if $n;
  waitpid $answerer, 0;
  owners_done() if defined $whose_began;
  $out .= $got =~ /\n\z/ ? $got : $gave_up->('gave up after 60 s');
  close $answer; undef $answer; undef $answerer;
  next_answer();
}
sub file_info {
  my ($p, $path) = @_;
  my $link = $p ? readlink("/proc/$p/exe") // '' : '';
  my $f;
  if (length $link && ($link eq $path || $link eq "$path (deleted)")) { sysopen($f, "/proc/$p/exe", $NONBLOCK | $NOATIME) or sysopen($f, "/proc/$p/exe", $NONBLOCK) or die "$!\n" }
  else {
    lstat $path or die "$!\n"; -f _ or die "not a regular file\n";
    my $flags = $NONBLOCK | ($KNOWN ? $NOFOLLOW : 0);
    sysopen($f, $path, $flags | $NOATIME) or sysopen($f, $path, $flags) or die "$!\n";
  }
  my @s = stat $f; -f _ or die "not a regular file\n";
  my $raw = "\0" x 256;
  my $ns = $KNOWN && syscall($NR{fstat}, fileno $f, $raw) == 0 ? unpack('@88 q', $raw) * 1000000000 + unpack('@96 q', $raw) : $s[9] * 1000000000;
  my ($head, $sha, $why) = ('', '', '');
  sysread $f, $head, 4; sysseek $f, 0, 0;
  if ($s[7] > 64 << 20) { $why = 'larger than 64 MB: not hashed' }
  elsif (eval { require Digest::SHA; 1 }) {
    my ($d, $b, $n) = (Digest::SHA->new(256), '', 0);
    while (sysread $f, $b, 262144) { $d->add($b); last if ($n += length $b) > 64 << 20 }
    $sha = $d->hexdigest;
  }
  else {
    open STDIN, '<&', $f; open(my $h, '-|', 'sha256sum') or die "no sha256 on this host: neither Digest::SHA nor sha256sum\n";
    ($sha) = (<$h> // '') =~ /^([0-9a-f]{64})/; $why = 'sha256sum failed' unless $sha;
  }
  join "\t", @s[7, 2, 4], $ns, $s[1], $sha // '', $head eq "\x7fELF" ? 1 : 0, $why;
}
`;
