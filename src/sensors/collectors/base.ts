/**
 * Collector, part 1: the machine's numbers, clocks, output and bounded reads.
 *
 * The collector's perl uses no module (but Digest::SHA in a child, where the host has it). Numbers of system calls: Linux
 * `arch/x86/entry/syscalls/syscall_64.tbl` and `scripts/syscall.tbl` (arm64). No backtick and no `${` may stand in these
 * texts, since they are template literals.
 */
export const BASE = String.raw`
use strict;
undef $::c;   # this text: it was compiled, and is a hundred kilobytes
# What this perl was built for is in its ELF header (elf(5): e_ident[4] is the class, 2 for 64 bits; e_machine); Config would be 0.4 MB.
my ($ELF, $CLASS, $MACHINE) = ('', 0, 0);
if (open(my $f, '<', '/proc/self/exe')) { binmode $f; ($CLASS, $MACHINE) = unpack 'x4 C x13 S', $ELF if (sysread($f, $ELF, 20) || 0) == 20 }
my $ARCH = { 62 => 'x86_64', 183 => 'aarch64', 3 => 'i386', 40 => 'arm', 243 => 'riscv64', 21 => 'ppc64', 22 => 's390x' }->{$MACHINE} || "machine-$MACHINE";
my @NAMES = qw(read close openat clock_gettime fanotify_init fanotify_mark name_to_handle_at inotify_init1 inotify_add_watch statfs fstat mount umount2 setsid newfstatat bpf perf_event_open ioctl madvise);
my %NR; @NR{@NAMES} = $ARCH eq 'x86_64' ? (0, 3, 257, 228, 300, 301, 303, 294, 254, 137, 5, 165, 166, 112, 262, 321, 298, 16, 28)
  : $ARCH eq 'aarch64' ? (63, 57, 56, 113, 262, 263, 264, 26, 27, 43, 80, 40, 39, 157, 79, 280, 241, 29, 233) : ();
my $KNOWN = defined $NR{read} && $CLASS == 2 && length(pack 'j', 0) == 8 && pack('S', 1) eq "\1\0";
my $NOFOLLOW = $ARCH eq 'aarch64' ? 0x8000 : 0x20000;
my ($NONBLOCK, $NOATIME) = (0x800, 0x40000);
my ($HEARTBEAT, $HOLD) = (5, 1.5);   # s of silence = console gone; s that unknown pids wait
# ns between two outputs, by how many execs a second there are. A calm host's (up to $CALM) are told at once where few CPUs have to be asked
# for their lineage (raw.ts), and what else there is waits so long; else all of it does, a shorter time. A busy host's are told in batches:
# an output costs the host 0.1 to 0.3 ms of a core, sshd's half and cold caches included.
my ($AT_ONCE, $SOON, $RIDE, $BRISK, $BATCH, $CALM, $STORM) = (20_000_000, 3_000_000, 7_000_000, 12_000_000, 50_000_000, 80, 400);
my ($gap, $execs, $weighed) = ($BATCH, 0, 0);
my %setting;      # of our trace instances, as we left them
my $canary = 0;   # pid of a program of ours that the sensor has not shown us yet
my $raw = 0;      # whether the console parses what the kernel shows
my (@blind, @standing, $out, $mapped, $tier, $hz, $outside, $unmapped, $pipe);
($out, $mapped, $tier, $hz, $outside, $unmapped) = ('', 0, 'tracefs+proc', 100, 0, 0);
my ($NRREAD, $NRCLOSE, $NROPEN, $NRCLOCK) = @NR{qw(read close openat clock_gettime)};
my ($RB, $TB) = ('', "\0" x 16);
vec($RB, 65535, 8) = 0;   # "x" would leave a second one in what was compiled

# One bounded read of one file, through three bare system calls: half the price of perl's own file handles.
sub slurp {
  my ($path, $max) = @_;
  if ($KNOWN) {
    my $fd = syscall($NROPEN, -100, $path, 0x80000);
    return undef if $fd < 0;
    my $n = syscall($NRREAD, $fd, $RB, $max);
    syscall($NRCLOSE, $fd);
    return $n < 0 ? undef : substr($RB, 0, $n);
  }
  open(my $f, '<', $path) or return undef;
  my $text = '';
  return defined sysread($f, $text, $max) ? $text : undef;
}
# A whole file whose reads come in pieces (/proc/net, /etc/passwd), up to a bound.
sub whole {
  my ($path, $max) = @_;
  open(my $f, '<', $path) or return '';
  my $text = '';
  while (length($text) < $max) { last unless sysread($f, $text, 65536, length $text) }
  $text;
}
# What a program says on both its outputs, each bounded, within a time, and why it was cut short. It gets no input, no environment of ours and
# no terminal; rpm is run as nobody, so that it cannot write to its database. What it started in its group ends with it.
sub said {
  my ($most, $seconds, @argv) = @_;
  my ($text, $errors, $why) = ('', '', '');
  pipe(my $e, my $ew) or return ('', '', "$!");
  my $child = open(my $o, '-|') // return ('', '', "$!");
  if (!$child) {
    setpgrp 0, 0; open STDIN, '<', '/dev/null'; open STDERR, '>&', $ew;
    %ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL => 'C');
    if ($argv[0] =~ m{/rpm\z} && $> == 0) { $( = 65534; $) = '65534 65534'; $< = $> = 65534; kill 'KILL', $$ if $> != 65534 }
    exec { $argv[0] } @argv; kill 'KILL', $$;
  }
  close $ew;
  my ($late, %open) = (boot() + $seconds * 1e9, (o => [$o, \$text, $most], e => [$e, \$errors, 65536]));
  while ($open{o}) {
    my ($bits, $left) = ('', ($late - boot()) / 1e9);
    vec($bits, fileno $_->[0], 1) = 1 for values %open;
    if ($left <= 0 || !select $bits, undef, undef, $left) { $why = "no answer within $seconds s"; last }
    for (keys %open) {
      my ($h, $is, $max) = @{$open{$_}};
      next unless vec($bits, fileno $h, 1);
      if (!sysread $h, my $some, 65536) { delete $open{$_} }
      elsif (length $$is < $max) { $$is .= $some }
      elsif ($_ eq 'o') { $why = 'more than we read'; delete $open{o} }
    }
  }
  kill 'KILL', -$child, $child; close $o;
  ($text, $errors, $why);
}
sub rpm_at { (grep { -x } '/usr/bin/rpm', '/bin/rpm')[0] }
sub nanos {
  if ($KNOWN) { syscall($NRCLOCK, $_[0], $TB); my ($s, $n) = unpack 'qq', $TB; return $s * 1000000000 + $n }
  return time * 1000000000 if $_[0] == 0;
  my ($s, $f) = slurp('/proc/uptime', 64) =~ /^(\d+)\.(\d\d)/;
  $s * 1000000000 + $f * 10000000;
}
sub boot { nanos(7) }
sub put { my ($path, $text) = @_; open(my $f, '>', $path) or return 0; defined syswrite($f, $text) ? 1 : 0 }
# Newline, tab, backslash and 0x1f are the wire format's own; everything else goes raw.
sub esc { my $s = $_[0]; return '' unless defined $s; $s =~ s/([\n\t\\\x1f])/sprintf '\\x%02x', ord $1/ge if $s =~ tr/\n\t\\\x1f//; $s }
sub unesc { my $s = $_[0]; $s =~ s/\\x([0-9a-f]{2})/chr hex $1/ge; $s }
# What a sub gives in a child, or undef: what sleeps is compiled there, and its memory goes with the child.
sub elsewhere {
  my $child = open(my $h, '-|') // return undef;
  if (!$child) { syswrite STDOUT, $_[0]->(); kill 'KILL', $$ }
  local $/;
  my $said = <$h>;
  close $h;
  $said;
}
sub say_clock { $out .= join("\t", 'C', boot(), nanos(0)) . "\n" }
sub problem { $out .= "!\t" . ($_[1] || 0) . "\t" . esc($_[0]) . "\n" }
sub hexaddr { unpack 'H*', pack 'L*', map { hex } unpack '(A8)*', $_[0] }   # /proc/net prints native 32-bit words
`;
