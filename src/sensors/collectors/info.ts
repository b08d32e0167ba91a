/**
 * Collector, part 6: facts and sha256 of (of sha1 and md5, too, where they are asked for) of one file at a time, in a forked child so that capture goes on meanwhile. Between them the child
 * says to which package files belong (owners.ts).
 *
 * A running process's file is opened through /proc/PID/exe, which works after it was deleted. A path that a suspect
 * host names may be a fifo, a device or a link to one: only regular files are opened, never through a link, never blocking.
 */
export const INFO = String.raw`
my (@asked, $answer, $answerer, $got, $gave_up);
sub ask { if (@asked >= 256) { $out .= join("\t", 'I', $_[1], ('') x 8, 'too many requests are waiting') . "\n" } else { push @asked, [@_] } }
sub next_answer {
  return if $answerer;
  if (@asked) {
    my ($p, $path, $also) = @{shift @asked};
    apart(sub {
      my $line = eval { file_info($p, unesc($path), $also) };
      if (!defined $line) { my $why = $@; chomp $why; $line = join "\t", ('') x 8, esc($why || 'failed') }
      "I\t$path\t$line\n";
    }, sub { join("\t", 'I', $path, ('') x 8, $_[0]) . "\n" });
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
# asleep
# The digests of a file, read once, parted by 0x1f, and why there are none ('-' where this host cannot compute any): its sha256, then what $also asks for (m: MD5, s: SHA-1).
sub digest_of {
  my ($f, $also, $each) = @_;
  my ($b, $n, @to) = ('', 0);
  local $SIG{PIPE} = 'IGNORE';
  for my $kind (256, $also =~ /s/ ? 1 : (), $also =~ /m/ ? 5 : ()) {
    my ($name, $digits) = $kind == 256 ? ('sha256', 64) : $kind == 1 ? ('sha1', 40) : ('md5', 32);
    if (eval { $kind == 5 ? require Digest::MD5 : require Digest::SHA; 1 }) {
      my $d = $kind == 5 ? Digest::MD5->new : Digest::SHA->new($kind);
      push @to, [sub { $d->add($_[0]) }, sub { $d->hexdigest }];
    }
    elsif (my ($tool) = grep { -x } "/usr/bin/$name" . 'sum', "/bin/$name" . 'sum') {
      # perl's own descriptors close at an exec, those of the digests before this one too
      pipe(my $r, my $w) or die "$!\n";
      my $child = open(my $h, '-|') // die "$!\n";
      if (!$child) { open STDIN, '<&', $r; exec { $tool } $tool; kill 'KILL', $$ }
      close $r;
      push @to, [sub { my $at = 0; while ($at < length $_[0]) { $at += syswrite($w, $_[0], 65536, $at) || last } },
        sub { close $w; my ($x) = (<$h> // '') =~ /^\\?([0-9a-f]{$digits}) /; $x // () }];
    }
    elsif ($kind == 256) { return ('-', 'no sha256 on this host: neither Digest::SHA nor sha256sum') }
  }
  while (sysread $f, $b, 262144) { $_->[0]->($b) for @to; $each->($b) if $each; return ('', 'it grew beyond 64 MB while it was read: not hashed') if ($n += length $b) > 64 << 20 }
  my @is = map { $_->[1]->() } @to;
  return ('', 'sha256sum failed') unless @is && length $is[0] == 64;
  (join("\x1f", @is), '');
}
sub file_info {
  my ($p, $path, $also) = @_;
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
  my ($head, $sha, $why, $rust) = ('', '', '', 0);
  sysread $f, $head, 4;
  my $is = $head eq "\x7fELF" ? eval { elf_facts($f, $s[7]) } // '' : '';
  sysseek $f, 0, 0;
  if ($s[7] > 64 << 20) { $why = 'larger than 64 MB: not hashed' }
  else { ($sha, $why) = digest_of($f, $also, sub { $rust ||= length $is && index($_[0], '/rustc/') >= 0 }) }
  $is .= "\x1fmade=rust" if $rust;
  join "\t", @s[7, 2, 4], $ns, $s[1], $sha // '', $head eq "\x7fELF" ? 1 : 0, $is, $why, $path =~ m{^/memfd:} ? '' : mount_of($f, $p);
}
sub mount_id { (slurp('/proc/self/fdinfo/' . fileno $_[0], 256) // '') =~ /^mnt_id:\s*(\d+)/m ? $1 : undef }
# The mount that an open file lies on, by the id that the kernel gives (proc(5), fdinfo): '=' and its line of mountinfo up to the source where
# it is our root's, '+' and the line elsewhere; '!' where a process runs from a mount that is in no list any more; '' where nobody can say.
sub mount_of {
  my ($f, $p) = @_;
  sysopen(my $r, '/', 0x200000) or return '';   # O_PATH
  my ($id, $root) = (mount_id($f), mount_id($r));
  return '' unless defined $id && defined $root;
  for my $of ('self', $p || ()) { # a process can have mounts of its own
    my $list = whole("/proc/$of/mountinfo", 4 << 20);
    return '' unless length $list && length $list < 4 << 20;
    return ($id == $root ? '=' : '+') . esc($1) if $list =~ /^($id \d+ [^\n]{1,12000}? - \S+ \S*)/m;
  }
  $p && readlink("/proc/$p/exe") ? '!' : '';
}
`;
