/**
 * Collector: what the host's files call a container, once for each, and its processes' pids inside. No daemon is asked. Docker:
 * `containers/ID/config.v2.json`; podman: `overlay-containers/containers.json` of root's storage. Only the strings for name and image are taken:
 * these files hold the container's environment as well, and that stays where it is. Pid inside: NSpid of /proc/PID/status (proc(5)).
 */
export const CONTAINERS = String.raw`
my %container;
sub container_of { # a process was put into this cgroup
  my ($p, $at) = @_;
  return unless defined $at && $at =~ m{.*(?:/|[a-z]-)([0-9a-f]{64})(?:\.scope)?(?:/|\z)|/lxc(?:\.payload)?\.};
  my $id = $1;
  my ($inside) = (slurp("/proc/$p/status", 4096) // '') =~ /^NSpid:\s+\d+[\d\s]*?\s(\d+)$/m;
  $out .= "v\t$p\t$inside\n" if defined $inside;
  return if !defined $id || $container{$id};
  if (keys %container >= 4096) { problem('more than 4096 containers: the names of the others are not looked up') if keys %container == 4096; $container{more} = 1; return }
  $container{$id} = 1;
  my ($name, $image) = docker_names($id);
  ($name, $image) = podman_names($id) unless defined $name || defined $image;
  return unless defined $name || defined $image;
  $out .= join("\t", 'c', $id, map { esc(substr $_ // '', 0, 512) } $name, $image) . "\n";
}
# asleep
sub json_text { # a JSON string (RFC 8259, 7) without its quotes, as bytes
  my ($t) = @_;
  my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
  $t =~ s{\\(?:u([0-9a-fA-F]{4})|(.))}{ if (defined $1) { my $c = chr hex $1; utf8::encode($c); $c } else { $plain{$2} // $2 } }gse;
  $t;
}
sub json_strings { # calls back with the path ("Config/Image", "0/names/0") and the text of each string that is a value; bounded
  my ($t, $see) = @_;
  my (@at, $key, $n);   # each: [its name in what holds it, the next index or undef for an object]
  my $next = sub { my $in = $at[-1]; !$in ? '' : defined $in->[1] ? $in->[1]++ : $key // '' };
  while ($t =~ /\G[\s,:]*(?:([{\[])|([}\]])|"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|([^\s"{}\[\],:]+))/gcs) {
    last if ++$n > 200000 || @at > 64;
    if (defined $1) { push @at, [$next->(), $1 eq '[' ? 0 : undef] }
    elsif (defined $2) { pop @at }
    elsif (defined $4) { $key = json_text($3) }
    else { my ($string, $here) = ($3, $next->()); $see->(join('/', (map { $_->[0] } @at[1 .. $#at]), $here), json_text($string)) if defined $string }
  }
}
sub state_file { my ($path, $most) = @_; lstat $path; -f _ && -s _ <= $most ? whole($path, $most) : '' }
sub docker_names {
  my ($id) = @_;
  my ($name, $image);
  json_strings(state_file("/var/lib/docker/containers/$id/config.v2.json", 1 << 20), sub {
    if ($_[0] eq 'Name') { ($name = $_[1]) =~ s{^/}{} } elsif ($_[0] eq 'Config/Image') { $image = $_[1] }
  });
  ($name, $image);
}
sub podman_names {
  my ($id) = @_;
  my %of;
  json_strings(state_file('/var/lib/containers/storage/overlay-containers/containers.json', 4 << 20), sub {
    my ($n, $what) = $_[0] =~ m{^(\d+)/(id|names/0|metadata)\z} or return;
    $of{$n}{$what} = $_[1];
  });
  my ($one) = grep { ($_->{id} // '') eq $id } values %of or return;
  my $image;
  json_strings($one->{metadata} // '', sub { $image = $_[1] if $_[0] eq 'image-name' });
  ($one->{'names/0'}, $image);
}
`;
