/**
 * Collector: what the host's rpm says of files (rpm(8), "PACKAGE QUERY OPTIONS"; the tags are rpm's own, `rpm --querytags`).
 *
 * It is asked by its absolute path, as nobody, within a time: first for the packages of all files, then once for each package's list, since
 * a package of a thousand files would else be told for each of its programs. What rpm says of a file goes between marks that are new for each
 * question: no name in a database, and no sentence of rpm's about a name, can take itself for one. A record whose digest or signature is
 * not right is passed over by rpm; whoever altered it must not make "no package" of it.
 */
export const RPM = String.raw`
# asleep
sub rpm_owners { # file => [package, version, digests, what its package expects, its mode there], and why what is missing is not known
  my ($rpm, @files) = @_;
  my $m = unpack 'H*', slurp('/dev/urandom', 8) // '';
  my $self = eval { owner_file(0, $rpm)->[0] } // $rpm;
  my ($text, $errors, $cut) = said(1 << 20, 20, $rpm, '-qf', '--qf', "$m+%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}$m-", '--', $self, @files);
  my %label = map { /^\+([\w.+:~^-]{1,500})\z/ ? ($1 => 1) : () } split /$m/, $text;
  for my $digests (%label ? ('FILEDIGESTS', 'FILEMD5S') : ()) { # the older word for rpm before 4.6
    my $of_each = join "\t", map { "%{$_}" } $digests, qw(FILEMODES FILEFLAGS FILEVERIFYFLAGS FILESTATES);
    ($text, my $more, my $short) = said(8 << 20, 20, $rpm, '-q', '--qf', "$m+%{NAME}\t%{VERSION}-%{RELEASE}" . "[$m=%{FILENAMES}$m:$of_each]$m-", '--', sort keys %label);
    $errors .= $more; $cut ||= $short;
    last if index($text, $m) >= 0;
  }
  my $of = rpm_read($m, $text, $self, @files);
  return ($of, "rpm gave $cut") if $cut;
  # one that does not know itself has the database of another place, or may not read it: then nobody owning a file says nothing
  my ($first) = $errors =~ /^((?:error|warning): [^\n]{1,200})/m;
  return ({}, "rpm does not know itself: its database is not readable, or not this host's" . (defined $first ? " ($first)" : '')) unless $of->{$self};
  my $altered = () = $errors =~ /^error: \w+: skipping h# /mg;
  ($of, $altered ? "rpm passed over records of its database that were altered ($altered times): whose it is cannot be said" : undef);
}
sub rpm_read {
  my ($m, $text, @files) = @_;
  my (%by, %of, %folder, $package, $version, $path);
  push @{$by{(m{([^/]*)\z})[0]}}, $_ for @files;
  for (split /$m/, $text) {
    if (/^\+([\w.+-]{1,200})\t([\w.+:~^-]{1,200})\z/) { ($package, $version) = ($1, $2) }
    elsif (/^-/) { undef $package }   # what follows is rpm's own words
    elsif (/^=(.*)\z/s) { $path = $1 }
    elsif (defined $package && /^:([0-9a-f]*)\t(-?\d+)\t(-?\d+)\t(-?\d+)\t(\S*)\z/) {
      my ($digest, $mode, $flags, $verify, $state) = ($1, $2, $3, $4, $5);
      next if $state =~ /^[1-4]\z/;   # replaced by another package's, not installed, on a shared disk, of the other architecture
      my ($in, $name) = $path =~ m{^(/|/.*/)([^/]+)\z}s or next;
      for my $file (@{$by{$name} || []}) {
        # its folder may be a link, as /bin is
        next unless $path eq $file || ($folder{$in} //= folder_of($in)) eq substr $file, 0, length($file) - length $name;
        my $o = $of{$file} //= [$package, $version, undef, '', undef];
        next if $flags & 64;   # %ghost: none of it is in the package
        $o->[4] = ($o->[4] // 0) | $mode;
        $o->[3] = 'changed, as its package expects of it' if $flags & 1 || !($verify & 1);   # %config, or none of the digest's business
        if (($mode & 0170000) != 0100000) { $o->[2] //= []; $o->[3] = '' }
        elsif (length $digest == 32 || length $digest == 64) { push @{$o->[2]}, $digest }
        elsif (length $digest) { $o->[3] = 'the digest in its package is of a kind that we do not compute' }
      }
    }
  }
  \%of;
}
sub folder_of { # with a slash at its end
  sysopen(my $h, $_[0], 0x200000) or return '';   # O_PATH
  my $at = readlink('/proc/self/fd/' . fileno $h) // return '';
  $at eq '/' ? $at : "$at/";
}
sub rpm_says { # the state of a file that a package has, and words for it, with what rpm alone knows
  my ($state, $said, $file, $o) = @_;
  my (undef, undef, $digests, $expects, $mode) = @$o;
  my $set = defined $mode ? ((stat $file)[2] // 0) & 06000 & ~$mode : 0;
  return ('d', ($set & 04000 ? 'set-user-ID' : 'set-group-ID') . ', and not so in its package') if $set;
  return ('d', 'its package has a link or a folder in its place') if $state eq 'd' && !@$digests;
  length $expects && ($state eq 'd' || $state eq 'u' && !length $said) ? ('u', $expects) : ($state, $said);
}
`;
