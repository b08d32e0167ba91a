/**
 * In the place of the collector's main part: one look at what the host remembers (LOOK_BACK) or at how it is set up (INVENTORY).
 * Read-only: no file is opened for writing, access times stay where the host allows it, nothing is followed through a link, every
 * read has a bound, and it runs at the lowest priority. What it reads goes to the console as it is: there it is parsed.
 *
 * Lines of tab-divided fields: `Z offset now root` (seconds), `F kind path size mtime mode uid from n` with n bytes behind it,
 * `M kind path why target` for what could not be read, `G path size mtime ctime mode uid` for a file that changed, `V category name
 * detail` for a thing of the set-up, `E` at the end.
 */
export const LOOK = String.raw`
setpriority(0, 0, 19);
binmode STDOUT;
my ($left, $stats, $late) = (5 << 20, 40000, boot() + 8_000_000_000);   # bytes, lstats, and when to give up
sub tell_line { print join("\t", @_), "\n" }
sub absent { my ($kind, $path, $why, $to) = @_; tell_line('M', $kind, esc($path), esc($why), esc($to // '')) }
sub opened { # a regular file, never through a link, never blocking; undef and why not
  my ($path) = @_;
  lstat $path or return (undef, "$!");
  return (undef, 'link', readlink $path) if -l _;
  return (undef, 'not a regular file') unless -f _;
  my $flags = $NONBLOCK | ($KNOWN ? $NOFOLLOW : 0);
  my $f;
  sysopen($f, $path, $flags | $NOATIME) or sysopen($f, $path, $flags) or return (undef, "$!");
  my @s = stat $f;
  -f _ ? ($f, @s) : (undef, 'not a regular file');
}
sub text_of { # its first bytes, for what is looked through here
  my ($f) = opened($_[0]); return '' unless $f;
  my ($text, $most) = ('', $_[1] || 262144);
  while (length $text < $most) { last unless sysread $f, $text, $most - length $text, length $text }
  $text;
}
sub ship { # the end of a file
  my ($kind, $path, $most, $from) = @_;
  my ($f, @s) = opened($path);
  if (!$f) { absent($kind, $path, @s); return 0 }
  my $n = $s[7] < $most ? $s[7] : $most;
  if (defined $from) { $n = $from < $s[7] ? ($s[7] - $from < $most ? $s[7] - $from : $most) : 0 } else { $from = $s[7] - $n }
  if ($n > $left) { $from += $n - $left; $n = $left }
  sysseek $f, $from, 0;
  my $bytes = '';
  while (length $bytes < $n) { last unless sysread $f, $bytes, $n - length $bytes, length $bytes }
  $left -= length $bytes;
  tell_line('F', $kind, esc($path), @s[7, 9], $s[2], $s[4], $from, length $bytes);
  print $bytes;
  1;
}
my @accounts = map { my @f = split /:/, $_, -1; @f >= 7 && $f[2] =~ /^\d{1,10}\z/ ? [@f] : () } split /\n/, text_of('/etc/passwd', 1 << 20);
sub can_enter { $_[0][6] !~ m{/(?:nologin|false|sync|shutdown|halt)\z} }
my @people = grep { can_enter($_) && $_->[5] =~ m{^/.} } @accounts;
splice @people, 200 if @people > 200;
my @now = localtime; my @utc = gmtime;
my $days = $now[7] - $utc[7]; $days = $days > 1 ? -1 : $days < -1 ? 1 : $days;
tell_line('Z', $days * 86400 + ($now[2] - $utc[2]) * 3600 + ($now[1] - $utc[1]) * 60, time, $> == 0 ? 1 : 0, $ARCH);
`;

/** What the host remembers of the time before we came. */
export const LOOK_BACK = String.raw`
ship('passwd', '/etc/passwd', 262144);
ship('utmp', '/run/utmp', 65536) or ship('utmp', '/var/run/utmp', 65536);
ship('wtmp', '/var/log/wtmp', 786432); ship('wtmp', '/var/log/wtmp.1', 262144) if -e '/var/log/wtmp.1';
ship('btmp', '/var/log/btmp', 393216);
if (my ($f, @s) = opened('/var/log/lastlog')) { # one record an account, by its number: sparse, so only theirs are read
  my $size = $ARCH eq 'aarch64' ? 296 : 292;
  if ($f) { for (@people) {
    my $raw = '';
    next if $_->[2] * $size + $size > $s[7];
    sysseek $f, $_->[2] * $size, 0; sysread $f, $raw, $size;
    next unless $raw =~ /[^\0]/;
    tell_line('F', 'lastlog', esc($_->[0]), $s[7], $s[9], $s[2], $s[4], $_->[2] * $size, length $raw); print $raw;
  } }
}
my $logs = 0;
for (qw(/var/log/auth.log /var/log/secure)) { next unless -e $_ || -l $_; $logs += ship('auth', $_, 1 << 20); ship('auth', "$_.1", 524288) if -e "$_.1" }
if (!$logs) { for (qw(/var/log/syslog /var/log/messages)) { next unless -e $_; $logs += ship('auth', $_, 1 << 20) } }
if (!$logs) {
  my ($text) = said(1 << 20, 6, '/usr/bin/journalctl', '-q', '--no-pager', '--utc', '-o', 'short-iso', '-n', '5000', '-t', 'sshd', '-t', 'sshd-session', '-t', 'sudo', '-t', 'su', '-t', 'useradd', '-t', 'usermod', '-t', 'passwd', '-t', 'CRON', '-t', 'login');
  if (length $text) { $text = substr $text, 0, 1 << 20; tell_line('F', 'auth', 'journal', length $text, time, 0, 0, 0, length $text); print $text }
  else { absent('auth', '/var/log/auth.log', 'neither auth.log nor secure, syslog, messages or a journal could be read') }
}
for (qw(/var/log/dpkg.log /var/log/dnf.rpm.log /var/log/yum.log /var/log/pacman.log /var/log/apk.log)) { ship('package', $_, 262144) if -e $_ }
for (@people) {
  my $home = $_->[5];
  for my $name (qw(.bash_history .zsh_history .ash_history .sh_history .history .python_history .mysql_history .psql_history)) {
    ship('shell', "$home/$name", 4096) if -l "$home/$name" || -e _;
  }
}
my $week = time - 7 * 86400;
my %past;
sub changed {
  my ($dir, $depth) = @_;
  return if $past{$dir}++ || -l $dir || boot() > $late;
  opendir(my $d, $dir) or return;
  for (sort readdir $d) {
    next if /^\.\.?\z/;
    return if --$stats < 0;
    my @s = lstat "$dir/$_" or next;
    if (-d _) { changed("$dir/$_", $depth - 1) if $depth > 1; next }
    next unless $s[9] > $week || $s[10] > $week;
    next if -l _ && $s[9] <= $week;
    tell_line('G', esc("$dir/$_"), @s[7, 9, 10, 2, 4]);
  }
}
changed(@$_) for ['/tmp', 3], ['/var/tmp', 3], ['/dev/shm', 3], ['/root', 3], ['/etc', 4], ['/var/spool/cron', 3], ['/home', 4], ['/usr/local', 4], ['/opt', 3], ['/var/www', 4], ['/srv', 3],
  ['/usr/bin', 1], ['/usr/sbin', 1], ['/bin', 1], ['/sbin', 1], ['/boot', 1], ['/usr/lib/systemd/system', 1], ['/lib/systemd/system', 1], ["/lib/$ARCH-linux-gnu/security", 1], ["/usr/lib/$ARCH-linux-gnu/security", 1], ['/usr/lib64/security', 1];
if (!-s '/var/lib/dpkg/status' && (my $rpm = rpm_at())) { # when each package was installed, by rpm itself: its managers' logs can be gone
  my ($text, undef, $cut) = said(1 << 20, 6, $rpm, '-qa', '--qf', '%{INSTALLTIME}\t%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n');
  if (length $text) { tell_line('F', 'package', 'rpm', length $text, time, 0, 0, 0, length $text); print $text }
  absent('package', "rpm's database", $cut ? "rpm gave $cut" : 'rpm says nothing') if $cut || !length $text;
}
absent('changed', '/', $stats < 0 ? 'more than 40000 entries: the rest was not looked at' : 'it took longer than 8 s: the rest was not looked at') if $stats < 0 || boot() > $late;
`;

/** How the host is set up now: what a change of it would show. */
export const INVENTORY = String.raw`
my $items = 6000;
sub item { tell_line('V', $_[0], esc(substr $_[1], 0, 1024), esc(substr $_[2] // '', 0, 2048)) if $items-- > 0 }
my %secret = map { my @f = split /:/, $_, 3; @f > 1 ? ($f[0], $f[1] eq '' ? 'no password needed' : $f[1] =~ /^[!*]/ ? 'no password' : 'with a password') : () } split /\n/, text_of('/etc/shadow', 1 << 20);
for (@accounts) { item('user', $_->[0], join ', ', "uid $_->[2]", $_->[6], $_->[5], $secret{$_->[0]} // ()) if can_enter($_) || $_->[2] == 0 }
for (split /\n/, text_of('/etc/group', 1 << 20)) { my @f = split /:/; if (@f > 3 && $f[0] =~ /^(?:sudo|wheel|admin|root|docker|lxd|shadow|disk)\z/) { item('sudoer', "group $f[0]: $_", '/etc/group') for split /,/, $f[3] } }
sub trimmed { $_[0] =~ /^\s*(\S(?:.*\S)?)/s ? $1 : '' }   # any account can fill some of these files: a line of blanks must not be tried anew at each of them
sub entries { my ($dir) = @_; return () if -l $dir; opendir(my $d, $dir) or return (); my @l = sort grep { !/^\.\.?\z/ } readdir $d; splice @l, 500 if @l > 500; @l }
for my $file ('/etc/sudoers', map { "/etc/sudoers.d/$_" } grep { !/[.~]/ } entries('/etc/sudoers.d')) {
  my $text = text_of($file); $text =~ s/\\\n/ /g;
  for (map { trimmed($_) } split /\n/, $text) { item('sudoer', $_, $file) if length && (!/^#/ || /^#include/) }
}
for (@people) {
  for my $name (qw(authorized_keys authorized_keys2)) {
    for my $line (map { trimmed($_) } split /\n/, text_of("$_->[5]/.ssh/$name")) { item('key', "$_->[0]", $line) if length $line && $line !~ /^#/ }
  }
}
for my $file ('/etc/crontab', '/etc/anacrontab', map({ "/etc/cron.d/$_" } entries('/etc/cron.d')), map({ "/var/spool/cron/crontabs/$_" } entries('/var/spool/cron/crontabs')), map { "/var/spool/cron/$_" } grep { $_ !~ /^(?:crontabs|atjobs|atspool|tabs)\z/ } entries('/var/spool/cron')) {
  for (map { trimmed($_) } split /\n/, text_of($file)) { item('cron', $file, $_) if length && !/^#/ }
}
for my $dir (map { "/etc/cron.$_" } qw(hourly daily weekly monthly)) { item('cron', "$dir/$_", 'script') for grep { !/^\./ } entries($dir) }
item('cron', "/var/spool/cron/atjobs/$_", 'at job') for grep { !/^\./ } entries('/var/spool/cron/atjobs');
for (split /\n/, whole('/proc/modules', 1 << 20)) { my ($name, $size) = split ' '; item('module', $name, '') }
if (-d '/run/systemd/system') {
  my ($list) = said(1 << 20, 6, '/usr/bin/systemctl', 'list-units', '--type=service,timer,socket', '--state=running,waiting,listening,exited', '--no-legend', '--plain', '--no-pager', '--full');
  for (split /\n/, $list) { my ($unit, undef, undef, $sub, $what) = split ' ', $_, 5; item('service', $unit, $what) if defined $sub }
}
for my $dir ('/etc/systemd/system', '/run/systemd/transient', '/usr/local/lib/systemd/system') { item('service', "$dir/$_", 'unit file') for grep { /\.(?:service|timer|socket|path)\z/ } entries($dir) }
for (split /\n/, text_of('/etc/inittab')) { item('service', $_, '/etc/inittab') if length && !/^#/ }
item('service', "/etc/init.d/$_", 'init script') for grep { !/^(?:\.|README|skeleton)/ } entries('/etc/init.d');
item('service', '/etc/rc.local', 'init script') if -x '/etc/rc.local';
my (%owner, $seen);
my @rows = sockets('tcp', 'udp');
my %wanted = map { $_->[7] => 1 } grep { $_->[1] =~ /[LEO]/ } @rows;
for my $p (numeric('/proc')) {
  last if ($seen // 0) > 60000 || boot() > $late;
  opendir(my $d, "/proc/$p/fd") or next;
  for (readdir $d) { $seen++; my $l = readlink "/proc/$p/fd/$_"; $owner{$1} //= $p if defined $l && $l =~ /^socket:\[(\d+)/ && $wanted{$1} }
}
my %named;
sub owner_of {
  my $p = $owner{$_[0]};
  return '' unless defined $p;
  my $who = $named{$p} //= readlink("/proc/$p/exe") // '';
  $who =~ s/ \(deleted\)\z//;
  $who;
}
# listeners first: a busy server's connections must not leave them out. A UDP port of the ephemeral range waits for an answer, not for callers.
for (@rows) {
  my ($t, $state, $la, $lp, undef, $rp, undef, $inode) = @$_;
  item('listener', "$t $la $lp", owner_of($inode)) if $t eq 'tcp' ? $state eq 'L' : $rp == 0 && $lp < 32768;
}
my $connections = 0;
for (@rows) {
  my ($t, $state, $la, $lp, $ra, $rp, undef, $inode) = @$_;
  item('connection', "$t $la $lp $ra $rp", owner_of($inode)) if $state eq 'E' && $connections++ < 1000;
}
`;
export const LOOK_END = `
tell_line('E');
1;
`;
/** What can be known of logins beside their sockets: `who(sshd, first process)` for each, then the end of the log. */
export const LOGINS = String.raw`
sub who {
  my ($sshd, $first) = @_;
  my ($uid, $session) = map { my $t = slurp("/proc/$first/$_", 16) // ''; $t =~ /^(\d+)/ ? $1 : -1 } 'loginuid', 'sessionid';
  my $env = "\0" . (slurp("/proc/$first/environ", 65536) // '');
  my ($connection) = $env =~ /\0SSH_CONNECTION=([^\0]{0,200})/;
  my ($file) = $env =~ m{\0SSH_USER_AUTH=(/[^\0]{0,200})};
  tell_line('L', $sshd, $uid, $session, esc($connection // ''), defined $file ? esc(substr text_of($file, 16384), 0, 16384) : '');
}
`;
export const LOGINS_END = `
my $logs = 0;
for (qw(/var/log/auth.log /var/log/secure /var/log/syslog /var/log/messages)) { $logs ||= ship('auth', $_, 131072) if -e $_ }
if (!$logs) { my ($text) = said(131072, 6, '/usr/bin/journalctl', '-q', '--no-pager', '--utc', '-o', 'short-iso', '-n', '300', '-t', 'sshd', '-t', 'sshd-session'); if (length $text) { tell_line('F', 'auth', 'journal', length $text, time, 0, 0, 0, length $text); print $text } }
`;
