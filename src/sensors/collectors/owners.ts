/**
 * Collector: which package a file belongs to, and whether it is what the host's own list says (root on the host can edit that list).
 *
 * dpkg: `info/PACKAGE.list` (a path a line), `.md5sums` (deb-md5sums(5)), `status` (deb-control(5)) and `diversions` (dpkg-divert(1), three
 * lines each); rpm's database: rpm.ts.
 * A batch is one pass over the lists, in a child of low priority, and all passes together may take 0.15 % of a core after the first 2 s, which refill.
 */
export const OWNERS = String.raw`
my (@whose, $owed_at, $owed, $whose_next, $whose_began);
($owed_at, $owed, $whose_next) = (0, -2e9, 0);
my ($MOST_WHOSE, $MOST_LISTS, $INFOS) = (128, 64 << 20, '/var/lib/dpkg/info');
sub owner_line { join("\t", 'w', @_) . "\n" }   # path file manager package version state sha256 stamp why
sub owner_failed { my ($path, $why) = @_; owner_line($path, ('') x 4, '?', '', '', esc($why)) }
sub ask_owner { if (@whose >= 512) { $out .= owner_failed($_[2], 'too many requests are waiting') } else { push @whose, [@_] } }
sub owners_due { # at most once a second, and never once we owe more than we may take
  return 0 if !@whose;
  my $now = boot();
  return 0 if $now < $whose_next;
  $owed -= ($now - $owed_at) * 0.0015 if $owed_at;
  $owed = -2e9 if $owed < -2e9;
  $owed_at = $now;
  return 0 if $owed >= 0;
  $whose_next = $now + 1e9;
  my (undef, undef, $u, $s) = times;
  $whose_began = $u + $s;
  1;
}
sub owners_done { my (undef, undef, $u, $s) = times; $owed += ($u + $s - $whose_began) * 1e9; undef $whose_began }
# asleep
sub other_names { my $f = $_[0]; $f =~ m{^/usr(/(?:s?bin|lib\w*)/.*)}s ? ($f, $1) : $f =~ m{^/(?:s?bin|lib\w*)/}s ? ($f, "/usr$f") : $f }   # before and after the merge of /usr
sub list_of { my $t = slurp($_[0], 65536) // return ''; length $t < 65536 && $KNOWN ? $t : whole($_[0], 8 << 20) }
sub owner_file { # [file, stamp] of what a path leads to
  my ($p, $path) = @_;
  die "not a path\n" unless $path =~ m{^/};
  sysopen(my $h, $path, 0x200000) or die "$!\n";   # O_PATH: whatever it is, nothing is opened
  my @s = stat $h;
  -f _ or die "not a regular file\n";
  my $file = readlink('/proc/self/fd/' . fileno $h) // die "$!\n";
  if ($p && defined(my $l = readlink "/proc/$p/exe")) {
    die "what runs was replaced or deleted since it began\n" if $l eq "$file (deleted)";
    my @e = $l eq $file ? stat "/proc/$p/exe" : ();
    die "what runs is not the file at this path: it has another root, such as a container's\n" if @e && "@e[0, 1]" ne "@s[0, 1]";
  }
  my $raw = "\0" x 256;
  my $ns = $KNOWN && syscall($NR{fstat}, fileno $h, $raw) == 0 ? join('.', unpack '@104 q @112 q', $raw) : $s[10];
  [$file, join '.', @s[0, 1, 7], $ns];
}
sub digests { # of a file, read once: its md5, and all of digest_of, md5 where it was asked for
  my ($file, $stamp, $also) = @_;
  my $at = eval { owner_file(0, $file) };
  die "it changed while we looked\n" unless $at && $at->[1] eq $stamp;
  my $flags = $NONBLOCK | ($KNOWN ? $NOFOLLOW : 0);
  my $f;
  sysopen($f, $file, $flags | $NOATIME) or sysopen($f, $file, $flags) or die "$!\n";
  my @s = stat $f; -f _ or die "not a regular file\n";
  die "larger than 64 MB: not hashed\n" if $s[7] > 64 << 20;
  my ($is, $why) = digest_of($f, $also . 'm');
  die "$why\n" if length $why;
  my @is = split /\x1f/, $is;
  my $md5 = length $is[-1] == 32 ? pop @is : die "no md5 on this host\n";
  ($md5, $is[0], join "\x1f", @is, $also =~ /m/ ? $md5 : ());
}
sub packaging { # a package is being unpacked just now: file and list need not agree
  my @i = map { (stat)[1] // () } '/var/lib/dpkg/lock', '/var/lib/rpm/.rpm.lock', '/usr/lib/sysimage/rpm/.rpm.lock' or return 0;
  my $i = join '|', @i;
  whole('/proc/locks', 1 << 20) =~ / WRITE \d+ \w+:\w+:(?:$i) /;   # proc_locks(5)
}
sub owners {
  my ($told, @look) = ('');
  my $late = boot() + 40e9;
  my $dpkg = -d $INFOS && -s '/var/lib/dpkg/status';
  my $rpm = $dpkg ? undef : rpm_at();
  for (@_) {
    my ($p, $stamp, $path, $also) = @$_;
    my $at = eval { owner_file($p, unesc($path)) };
    if (!$at) { my $why = $@; chomp $why; $told .= owner_failed($path, $why); next }
    if ($at->[1] eq $stamp) { $told .= owner_line($path, ('') x 4, '=', '', $stamp, ''); next }
    if ($rpm && $at->[0] =~ /[\0-\x1f\x7f]/) { $told .= owner_failed($path, 'rpm is not asked about a name that holds a control character'); next }
    push @look, [$path, @$at, $also];
  }
  return $told unless @look;
  my @files = map { $_->[1] } @look;
  my ($of, $why) = $dpkg ? dpkg_owners(@files) : $rpm ? rpm_owners($rpm, @files) : ({}, 'no package database that we can read: neither dpkg nor rpm');
  for (@look) {
    my ($path, $file, $stamp, $also) = @$_;
    my $o = $of->{$file};
    if (!$o && $why) { $told .= owner_failed($path, $why); next }
    if (boot() > $late) { $told .= owner_failed($path, 'no time was left for it: it is looked at when it runs again'); next }
    my ($md5, $sha, $all) = eval { digests($file, $stamp, $also) };
    my $said = $sha ? '' : $@; chomp $said;
    my $state = !$o ? 'n' : !$sha || !$o->[2] ? 'u' : grep({ $_ eq $md5 || $_ eq $sha } @{$o->[2]}) ? 's' : 'd';
    ($state, $said) = rpm_says($state, $said, $file, $o) if $o && $rpm;
    if ($state eq 'd' && packaging()) { $told .= owner_failed($path, 'packages are being installed at this moment'); next }
    $told .= owner_line($path, esc($file), $dpkg ? 'dpkg' : 'rpm', $o ? @$o[0, 1] : ('', ''), $state, $all // '', $stamp, esc($said));
  }
  $told;
}
sub dpkg_owners { # file => [package, version, digests], and why what is missing is not known
  my (%names, %by, %real, %has, $more);
  my @d = split /\n/, whole('/var/lib/dpkg/diversions', 1 << 20);
  while (my ($from, $to, $by) = splice @d, 0, 3) { $by{$from} = $by // ':'; $real{$to} = $from if defined $to }
  for my $file (@_) {
    for my $name (other_names($file)) {
      my $from = $real{$name};
      # [file, the one package that may own it, the one that may not]
      push @{$names{$from // $name}}, defined $from ? [$file, undef, $by{$from}] : [$file, $by{$name}, undef];
    }
  }
  my @names = keys %names;
  my $left = $MOST_LISTS;
  opendir(my $l, $INFOS) or return ({}, "dpkg's lists cannot be read: $!");
  for my $list (sort readdir $l) {
    next unless $list =~ /^([a-z0-9][\w.+:-]{0,199})\.list\z/;
    my $package = $1;
    lstat "$INFOS/$list"; next unless -f _;
    my $text = list_of("$INFOS/$list");
    if (($left -= length $text) < 0) { $more = 'the lists of packages are larger than we read'; last }
    my @found = @names < 16 ? grep { index($text, "\n$_\n") >= 0 } @names : grep { exists $names{$_} } split /\n/, $text;
    for my $name (@found) {
      my $bare = $package =~ s/:.*//r;
      for (@{$names{$name}}) { my ($file, $only, $not) = @$_; push @{$has{$file}}, [$package, $name] unless defined $only && $only ne $bare || defined $not && $not eq $bare }
    }
  }
  my $status = %has ? whole('/var/lib/dpkg/status', 32 << 20) : '';
  my (%of, %sums);
  for my $file (keys %has) {
    my ($first, @digests);
    for (@{$has{$file}}) {
      my ($package, $name) = @$_;
      $first //= $package;
      my $sums = $sums{$package} //= do { lstat "$INFOS/$package.md5sums"; -f _ ? "\n" . list_of("$INFOS/$package.md5sums") : '' };
      my $at = index $sums, '  ' . substr($name, 1) . "\n";
      push @digests, substr $sums, $at - 32, 32 if $at > 32 && substr($sums, $at - 33, 33) =~ /^\n[0-9a-f]{32}\z/;
    }
    my ($bare, $arch) = split /:/, $first;
    my $version = '';
    for (my $at = 0; ($at = index $status, "Package: $bare\n", $at) >= 0; $at++) {
      next if $at && substr($status, $at - 1, 1) ne "\n";
      my $end = index $status, "\n\n", $at;
      my $about = substr $status, $at, $end < 0 ? 65536 : $end - $at;
      next if defined $arch && $about !~ /^Architecture: \Q$arch\E$/m;
      ($version) = $about =~ /^Version: ([\w.+:~-]{1,200})$/m; last;
    }
    $of{$file} = [$bare, $version // '', @digests ? \@digests : undef];
  }
  (\%of, $more);
}
`;
