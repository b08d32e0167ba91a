import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A file of the suspect host; `mode` defaults to 0644, its folder's to 0755. All belong to root until the host starts. */
interface HostFile {
  path: string;
  text: string;
  mode?: number;
}

export interface HostFacts {
  name: string;
  /** What it is made of. */
  system: "debian" | "busybox";
  machineId: string;
  /** What its name server answers: names and IPv4 or IPv6 addresses. */
  names: readonly (readonly [name: string, address: string])[];
  /** Lines for root's authorized_keys. */
  rootKeys: string;
  /** The line for the two plainer accounts. */
  analystKey: string;
  hostKey: { private: string; public: string };
  developerKey: { private: string; public: string };
}

/** Lays the files of the host under `folder`; the host's start copies them over its root file system. */
export function layHostFiles(folder: string, facts: HostFacts): void {
  for (const { path, text, mode } of [...system(facts), ...accounts(facts), ...office()]) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, text);
    chmodSync(file, mode ?? 0o644);
  }
  for (const path of ["root/.ssh", "root", "home/dev/.ssh", "home/ops/.ssh", "home/reader/.ssh"]) chmodSync(join(folder, path), 0o700);
  for (const path of ["home/dev", "home/ops", "home/reader"]) chmodSync(join(folder, path), 0o755);
}

/** What a host of busybox and dropbear runs (-F: in the foreground, -E: it says what it does on its standard error). */
const SMALL = [
  "::respawn:/usr/sbin/dropbear -F -E -r /etc/dropbear/key -p 22",
  "::respawn:/bin/httpd -f -p 8080 -h /srv/www",
  "::respawn:/bin/crond -f",
];

function system(facts: HostFacts): HostFile[] {
  return [
    { path: "etc/hostname", text: `${facts.name}\n` },
    { path: "etc/machine-id", text: `${facts.machineId}\n` },
    {
      path: "etc/hosts",
      text: "127.0.0.1\tlocalhost\n::1\tlocalhost\n", // its own name is the name server's to tell, as in an office with DHCP
    },
    { path: "etc/resolv.conf", text: "search corp.example\nnameserver 127.0.0.1\n" },
    { path: "opt/intranet/names.txt", text: facts.names.map(([name, address]) => `${name} ${address}\n`).join("") },
    { path: "etc/ssh/ssh_host_ed25519_key", text: facts.hostKey.private, mode: 0o600 },
    { path: "etc/ssh/ssh_host_ed25519_key.pub", text: facts.hostKey.public },
    {
      path: "etc/ssh/sshd_config",
      text: [
        "Port 22",
        "HostKey /etc/ssh/ssh_host_ed25519_key",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "UsePAM no", // there is no systemd-logind here for PAM to talk to
        "UseDNS no", // a login must not wait for a name
        "MaxStartups 100",
        "MaxSessions 50",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
        "",
      ].join("\n"),
    },
    { path: "etc/default/locale", text: "LANG=C.UTF-8\n" },
    { path: "etc/sudoers.d/ops", text: "ops ALL=(ALL) NOPASSWD: ALL\n", mode: 0o440 },
    // busybox's init, format of its own inittab: id::action:process
    {
      path: "etc/inittab",
      text: [
        "::respawn:/bin/busybox syslogd -n -O /var/log/syslog",
        ...(facts.system === "busybox"
          ? SMALL
          : [
              "::respawn:/usr/sbin/sshd -D",
              "::respawn:/usr/sbin/cron -f",
              "::respawn:/usr/bin/perl /opt/intranet/httpd.pl 8080 /srv/www",
              "::respawn:/usr/bin/perl /opt/intranet/named.pl /opt/intranet/names.txt",
            ]),
        "::respawn:/bin/sh /opt/intranet/worker.sh",
        "",
      ].join("\n"),
    },
  ];
}

function accounts(facts: HostFacts): HostFile[] {
  return [
    { path: "root/.ssh/authorized_keys", text: facts.rootKeys, mode: 0o600 },
    { path: "home/ops/.ssh/authorized_keys", text: facts.analystKey, mode: 0o600 },
    { path: "home/reader/.ssh/authorized_keys", text: facts.analystKey, mode: 0o600 },
    { path: "home/dev/.ssh/id_ed25519", text: facts.developerKey.private, mode: 0o600 },
    { path: "home/dev/.ssh/id_ed25519.pub", text: facts.developerKey.public },
    {
      path: "home/dev/.ssh/known_hosts",
      text: ["build.corp.example", "git.corp.example", "db01.corp.example"]
        .map((name) => `${name} ${facts.hostKey.public.split(" ").slice(0, 2).join(" ").trim()}\n`)
        .join(""),
      mode: 0o600,
    },
    {
      path: "home/dev/.ssh/config",
      text: "Host build\n  HostName build.corp.example\nHost db01\n  HostName db01.corp.example\n  User postgres\n",
    },
    { path: "home/dev/notes.txt", text: "deploy: ssh build, then make release\nthe staging database is on db01\n" },
    { path: "home/dev/src/app/main.py", text: 'print("hello from the intranet")\n' },
  ];
}

/** What an ordinary development host does all day, so that the baseline is not empty. */
function office(): HostFile[] {
  return [
    {
      path: "opt/intranet/httpd.pl",
      text: `use strict; use IO::Socket::INET;
my ($port, $root) = @ARGV;
my $listener = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "listen: $!";
while (my $client = $listener->accept) {
  my $line = <$client>; $line = '' unless defined $line;
  my $name = $line =~ m{^GET /([a-z]*) } ? ($1 || 'index') : 'index';
  my $body = 'not found'; if (open my $page, '<', "$root/$name.html") { local $/; $body = <$page>; }
  print $client "HTTP/1.0 200 OK\\r\\nContent-Length: " . length($body) . "\\r\\n\\r\\n$body";
  close $client;
}
`,
    },
    {
      // a caching name server as offices have them on every host; messages as in RFC 1035, 4.1
      path: "opt/intranet/named.pl",
      text: `use strict; use IO::Socket::INET; use Socket qw(AF_INET AF_INET6 inet_pton);
my %known;
open my $names, '<', $ARGV[0] or die "names: $!";
while (<$names>) { my ($name, $address) = split; my $six = $address =~ /:/; push @{$known{lc $name}{$six ? 28 : 1}}, inet_pton($six ? AF_INET6 : AF_INET, $address) }
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 53) or die "socket: $!";
while (defined $socket->recv(my $ask, 512)) {
  next if length $ask < 17;
  my ($id, $flags, $questions) = unpack 'nnn', $ask;
  next if $flags & 0x8000 || $questions != 1;
  my ($at, @labels) = (12);
  while (my $n = unpack 'C', substr $ask, $at++, 1) { last if $n > 63 || $at + $n > length $ask; push @labels, substr $ask, $at, $n; $at += $n }
  my $question = substr $ask, 12, $at + 4 - 12;
  next if length $question < 5;
  my $name = $known{lc join '.', @labels};
  my @data = @{($name || {})->{unpack 'n', substr $question, -4} || []};
  my $type = substr $question, -4, 2;
  $socket->send(pack('n6', $id, 0x8180 | ($name ? 0 : 3), 1, scalar @data, 0, 0) . $question . join '', map { pack('n', 0xc00c) . $type . pack('nNn', 1, 60, length) . $_ } @data);
}
`,
    },
    {
      path: "opt/intranet/worker.sh",
      text: "while :; do\n  find /srv/www -newer /run/worker.stamp -type f >/dev/null 2>&1\n  : >/run/worker.stamp\n  sleep 7\ndone\n",
    },
    { path: "opt/intranet/health.sh", text: "curl -sf -m 5 http://127.0.0.1:8080/ >/dev/null || logger -t health 'intranet is down'\n" },
    { path: "srv/www/index.html", text: "<h1>Intranet</h1>\n" },
    { path: "etc/cron.d/intranet", text: "SHELL=/bin/sh\nPATH=/usr/bin:/bin\n* * * * * dev /bin/sh /opt/intranet/health.sh\n" },
  ];
}
