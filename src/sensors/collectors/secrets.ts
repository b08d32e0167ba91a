/**
 * Collector: which secrets lie on the host. Told are path, kind, owner and mode, of a private key its public half (so that the console can
 * give the fingerprint that a server's log has) and its cipher, of known_hosts and ssh_config the names in it. No content of a secret leaves the host.
 *
 * An OpenSSH private key carries its public half in the clear (PROTOCOL.key of OpenSSH): magic, cipher, kdf, its options, a count, the blob.
 */
export const SECRETS = String.raw`
my @HOME_SECRETS = (
  ['cloud', '.aws/credentials'], ['cloud', '.azure/msal_token_cache.json'], ['cloud', '.config/gcloud/credentials.db'],
  ['cloud', '.config/gcloud/application_default_credentials.json'], ['cloud', '.kube/config'], ['cloud', '.terraform.d/credentials.tfrc.json'],
  ['token', '.docker/config.json'], ['token', '.git-credentials'], ['token', '.netrc'], ['token', '.npmrc'], ['token', '.pypirc'],
  ['token', '.vault-token'], ['token', '.config/gh/hosts.yml'], ['password', '.pgpass'], ['password', '.my.cnf'],
  ['hosts', '.ssh/known_hosts'], ['hosts', '.ssh/config'], ['history', '.bash_history'], ['history', '.zsh_history']);
my @HOST_SECRETS = (
  ['password', '/etc/shadow'], ['password', '/etc/shadow-'], ['password', '/etc/gshadow'], ['key', '/etc/krb5.keytab'],
  ['password', '/etc/mysql/debian.cnf'], ['password', '/etc/ppp/chap-secrets'], ['password', '/etc/ipsec.secrets'], ['cloud', '/etc/kubernetes/admin.conf'],
  ['hosts', '/etc/ssh/ssh_known_hosts'],
  ['log', '/var/log/auth.log'], ['log', '/var/log/secure'], ['log', '/var/log/syslog'], ['log', '/var/log/messages'], ['log', '/var/log/wtmp'],
  ['log', '/var/log/btmp'], ['log', '/var/log/lastlog'], ['log', '/var/log/audit/audit.log'], ['log', '/run/utmp'], ['log', '/var/run/utmp']);
my ($secrets, %secret_at) = (0);
sub secrets_begin {
  my %homes = map { $_ => 1 } '/root';
  if (opendir(my $d, '/home')) { $homes{"/home/$_"} = 1 for grep { !/^\./ } readdir $d }
  for (split /\n/, whole('/etc/passwd', 1 << 20)) { my @f = split /:/; $homes{$f[5]} = 1 if @f > 6 && $f[5] =~ m{^/(?:root|home|var/lib|srv|opt)/?} && $f[6] !~ /nologin|false/ }
  my $n = 0;
  for my $home (sort keys %homes) {
    next if -l $home || !-d _;
    if ($n++ >= 256) { problem('more than 256 homes: secrets in the others are not listed'); last }
    secret($_->[0], "$home/$_->[1]") for @HOME_SECRETS;
    if (opendir(my $d, "$home/.ssh")) { my $m = 0; for (sort readdir $d) { last if $m++ > 64; secret('key', "$home/.ssh/$_") if private_like($_) } }
    if (opendir(my $d, "$home/.gnupg/private-keys-v1.d")) { my $m = 0; for (sort readdir $d) { last if $m++ > 64; secret('key', "$home/.gnupg/private-keys-v1.d/$_") if /\.key\z/ } }
  }
  if (opendir(my $d, '/etc/ssh')) { for (sort readdir $d) { secret('hostkey', "/etc/ssh/$_") if /_key\z/ } }
  secret(@$_) for @HOST_SECRETS;
}
sub private_like { $_[0] !~ /^\.|\.pub\z|^(?:known_hosts|authorized_keys|config|environment|rc)/ }
# A file that came or changed where secrets are: looked at once its writer is done with it.
sub secret_changed {
  my ($path) = @_;
  my $kind = $secret_at{$path};
  if (!defined $kind && $path =~ m{/\.ssh/([^/]+)\z}) { $kind = $1 eq 'known_hosts' || $1 eq 'config' ? 'hosts' : private_like($1) ? 'key' : undef }
  push @secret_later, [$kind, $path] if defined $kind && @secret_later < 256;
}
sub secret_of { my ($kind, $path) = @_; $secrets-- if defined delete $secret_at{$path}; secret($kind, $path) }   # one that is written again counts once
sub secret {
  my ($kind, $path) = @_;
  lstat $path or return;
  return unless -f _;
  my (undef, undef, $mode, undef, $uid, $gid, undef, $size) = stat _;
  return if exists $secret_at{$path};
  if ($secrets >= 4000) { problem('more than 4000 secrets: the others are not listed') if $secrets++ == 4000; return }
  my ($blob, $cipher, $hosts) = ('', '', '');
  if ($kind eq 'key' || $kind eq 'hostkey') {
    my $text = secret_text($path, 65536);
    my $pem = $text =~ /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(.*?)-----END/s ? $1 : undef;
    return if $path =~ m{/\.ssh/} && !defined $pem;
    ($blob, $cipher) = public_half($pem) if defined $pem && $text =~ /BEGIN OPENSSH/;
    if (!length $blob) { ($blob) = secret_text("$path.pub", 16384) =~ /^\S+ ([A-Za-z0-9+\/=]+)/; $blob = defined $blob ? unpack 'H*', from64($blob) : '' }
    $cipher = 'encrypted' if defined $pem && $text =~ /ENCRYPTED/;
  }
  elsif ($kind eq 'hosts') {
    my (%n, $hashed);
    # any account can fill these files: no pattern may try a line's blanks anew at each of them, and a line has only so many names
    for (split /\n/, secret_text($path, 1 << 20)) {
      last if keys %n > 512;
      if ($path =~ /config\z/) { next unless /^\s*host(?:name)?[\s=]+(\S.{0,2047})/i; $n{$_} = 1 for grep { !/[*?!]/ } split ' ', $1 }
      elsif (/^\|1\|/) { $hashed++ }
      elsif (/^(?:\@\S+\s+)?([^#\s]{1,2048})/) { $n{$_} = 1 for split /,/, $1 }
    }
    $n{"($hashed hashed names)"} = 1 if $hashed;
    $hosts = join "\x1f", map { esc(substr $_, 0, 255) } sort keys %n;
  }
  $secrets++; $secret_at{$path} = $kind;
  # what everybody reads all the time, and is no secret of the host's, is what we open to test ourselves where our own memory cannot be
  if (eye_on($path) && !defined $eye_test && $path =~ m{^(?:/var)?/run/utmp\z|^/var/log/(?:wtmp|lastlog)\z}) { $eye_test = $path }
  $out .= join("\t", '=', esc($path), $kind, $uid, $gid, $mode & 07777, $size, $blob, esc($cipher), $hosts) . "\n";
}
sub secret_text {
  my ($path, $max) = @_;
  my $f;
  sysopen($f, $path, $NONBLOCK | ($KNOWN ? $NOFOLLOW : 0) | $NOATIME) or sysopen($f, $path, $NONBLOCK | ($KNOWN ? $NOFOLLOW : 0)) or return '';
  my $text = '';
  while (length $text < $max) { last unless sysread $f, $text, 65536, length $text }
  $text;
}
sub from64 { my $t = $_[0]; $t =~ tr{A-Za-z0-9+/}{}cd; $t =~ tr{A-Za-z0-9+/}{ -_}; my $bytes = ''; $bytes .= unpack 'u', chr(32 + int(length($1) * 3 / 4)) . $1 while $t =~ /(.{1,60})/gs; $bytes }
sub public_half { # hexadecimal of the public blob, and the cipher
  my $raw = from64($_[0]);
  return ('', '') unless $raw =~ s/^openssh-key-v1\0//;
  my $at = 0;
  my $next = sub { return '' if $at + 4 > length $raw; my $n = unpack 'N', substr $raw, $at, 4; return '' if $n > 16384 || $at + 4 + $n > length $raw; my $s = substr $raw, $at + 4, $n; $at += 4 + $n; $s };
  my $cipher = $next->(); $next->(); $next->();
  $at += 4;
  my $blob = $next->();
  (unpack('H*', $blob), substr $cipher, 0, 64);
}
`;
