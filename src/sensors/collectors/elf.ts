/**
 * Collector: what the head of a program says of it, elf(5): whether it needs an interpreter or other libraries, whether its names were taken
 * away, what made it, and how random its bytes are. Every number in it is the file's own word: reads are bounded, and a header that lies costs
 * nothing but the facts.
 */
export const ELF = String.raw`
# asleep
sub bytes_at { my ($f, $at, $n) = @_; my $b = ''; return '' if $at < 0 || $at > 1 << 40 || $n > 65536; sysseek($f, $at, 0) or return ''; sysread $f, $b, $n; $b }
# As name=value, parted by 0x1f; '' for what is no ELF file of this byte order.
sub elf_facts {
  my ($f, $size) = @_;
  my $h = bytes_at($f, 0, 64);
  return '' if length $h < 52 || substr($h, 0, 4) ne "\x7fELF" || substr($h, 5, 1) ne "\1";
  my $wide = substr($h, 4, 1) eq "\2";
  return '' if $wide && length $h < 64;
  my ($type) = unpack '@16 S', $h;
  my ($pat, $sat, $psize, $pn, $ssize, $sn, $names) = $wide ? unpack('@32 Q Q @54 S S S S S', $h) : unpack('@28 L L @42 S S S S S', $h);
  my @is = ('bits=' . ($wide ? 64 : 32), "type=$type");
  my ($interp, $dynamic, $id) = ('', 0, '');
  if ($psize >= ($wide ? 56 : 32) && $pn <= 512) {
    my $table = bytes_at($f, $pat, $psize * $pn);
    for my $i (0 .. $pn - 1) {
      my $p = substr $table, $i * $psize, $psize;
      last if length $p < $psize;
      my ($kind, $at, $n) = $wide ? unpack('L @8 Q @32 Q', $p) : unpack('L L @16 L', $p);
      if ($kind == 3 && $n && $n <= 4096) { ($interp) = unpack 'Z*', bytes_at($f, $at, $n) }
      elsif ($kind == 2) { $dynamic = 1 }
      elsif ($kind == 4 && $n <= 65536 && !length $id) { $id = build_id(bytes_at($f, $at, $n)) }
    }
  }
  push @is, 'interpreter=' . $interp if length $interp;
  push @is, 'dynamic=1' if $dynamic;
  push @is, "id=$id" if length $id;
  my ($symbols, $go, $sections) = (0, 0, 0);
  if ($sat && $ssize >= ($wide ? 64 : 40) && $sn && $sn <= 1024) {
    my $table = bytes_at($f, $sat, $ssize * $sn);
    $sections = length $table >= $ssize * $sn;
    my $at = sub { my $s = substr $table, $_[0] * $ssize, $ssize; length $s < $ssize ? () : $wide ? unpack('L L @24 Q Q', $s) : unpack('L L @16 L L', $s) };
    my (undef, undef, $nat, $nn) = $sections && $names < $sn ? $at->($names) : ();
    my $text = defined $nat ? bytes_at($f, $nat, $nn < 65536 ? $nn : 65536) : '';
    for my $i (0 .. $sn - 1) { my (undef, $kind) = $at->($i); $symbols = 1 if defined $kind && $kind == 2 }
    $go = $text =~ /\0\.(?:gopclntab|go\.buildinfo|note\.go\.buildid)\0/;
  }
  push @is, 'sections=1' if $sections;
  push @is, 'symbols=1' if $symbols;
  push @is, 'made=go' if $go;
  push @is, 'packer=upx' if index(bytes_at($f, 0, 4096), 'UPX!') >= 0;
  # 16 samples of 4 KB over the file: bits for each byte, in hundredths
  my (@count, $n);
  $n = 0;
  for my $i (0 .. 15) { my $b = bytes_at($f, int($size * $i / 16), 4096); $count[$_]++ for unpack 'C*', $b; $n += length $b; last if $size < 65536 && $i * 4096 > $size }
  my $bits = 0;
  for (@count) { next unless $_; my $part = $_ / $n; $bits -= $part * log($part) / log(2) }
  push @is, 'entropy=' . int(100 * $bits + 0.5) if $n >= 4096;
  join "\x1f", map { esc($_) } @is;
}
# The note whose owner is GNU and whose type is NT_GNU_BUILD_ID.
sub build_id {
  my ($notes) = @_;
  my $at = 0;
  while ($at + 12 <= length $notes) {
    my ($nn, $dn, $type) = unpack 'LLL', substr $notes, $at, 12;
    return '' if $nn > 256 || $dn > 4096;
    my $name = substr $notes, $at + 12, $nn;
    my $data = $at + 12 + ($nn + 3 & ~3);
    return unpack 'H*', substr $notes, $data, $dn if $type == 3 && $name eq "GNU\0" && $dn >= 8 && $dn <= 64 && $data + $dn <= length $notes;
    $at = $data + ($dn + 3 & ~3);
  }
  '';
}
`;
