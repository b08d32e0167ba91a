/** Addresses of the one virtual machine of a range, on a wire of its own; they are in its saved state, so they are always the same. */
export const GUEST = {
  name: "vmbox",
  address: "10.78.0.10",
  address6: "fd78::10",
  gateway: "10.78.0.1",
  gateway6: "fd78::1",
  mac: "02:78:00:00:00:10",
  gatewayMac: "02:78:00:00:00:01",
} as const;

/**
 * Runs in the guest on its second serial port: ground truth and set-up by a way that is neither ssh nor the network, and that an
 * isolated guest has as well. A request is a line `run ID SCRIPT INPUT` (the last two in base64), its answer
 * `done ID EXIT OUT ERR`; `hello BOOT_ID` stands before everything, after each boot.
 */
const AGENT = String.raw`use strict; use warnings; use MIME::Base64;
system 'stty -F /dev/ttyS1 raw -echo -onlcr';
open(my $tty, '+<:raw', '/dev/ttyS1') or die "ttyS1: $!";
sub slurp { my ($file) = @_; open(my $f, '<:raw', $file) or return ''; local $/; my $text = <$f>; defined $text ? $text : '' }
sub say_line { my $text = "$_[0]\n"; my $at = 0; while ($at < length $text) { my $n = syswrite $tty, $text, 4096, $at; defined $n or die "ttyS1: $!"; $at += $n } }
my $boot = slurp('/proc/sys/kernel/random/boot_id'); chomp $boot;
say_line("\nhello $boot");
my $had = '';
while (sysread $tty, $had, 4096, length $had) {
  while ($had =~ s/^(.*?)\r?\n//) {
    my ($verb, $id, $script, $input) = split / /, $1;
    next unless defined $script && $verb eq 'run';
    open(my $in, '>:raw', '/run/range.in') or next; print $in decode_base64(defined $input ? $input : ''); close $in;
    my $pid = fork;
    if (!$pid) {
      open STDIN, '<', '/run/range.in'; open STDOUT, '>', '/run/range.out'; open STDERR, '>', '/run/range.err';
      exec '/bin/sh', '-c', decode_base64($script); exit 127;
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    say_line(join ' ', 'done', $id, $code, map { my $coded = encode_base64(slurp($_), ''); length $coded ? $coded : '=' } '/run/range.out', '/run/range.err');
  }
}
`;

/** Shell text that begins at the initial ram disk's start: modules in their order, then the disk, then Debian's own init. */
export const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
while read -r module; do $b insmod "/modules/$module"; done </modules/order
n=0; while [ ! -b /dev/vda ] && [ $n -lt 3000 ]; do $b usleep 20000; n=$((n + 1)); done
$b mount -t ext4 -o rw,noatime /dev/vda /root || $b poweroff -f
$b mount --move /dev /root/dev; $b umount /proc /sys
exec $b switch_root /root /sbin/init
`;

/** Files of the guest, by path; keys come with each run. */
export function guestFiles(): Record<string, string> {
  const { name, address, address6, gateway, gateway6 } = GUEST;
  return {
    "etc/hostname": `${name}\n`,
    "etc/hosts": `127.0.0.1\tlocalhost\n::1\tlocalhost\n${address}\t${name}\n`,
    "etc/fstab": "/dev/vda / ext4 rw,noatime 0 0\n",
    "etc/systemd/network/10-range.network": `[Match]
Type=ether
[Network]
Address=${address}/24
Address=${address6}/64
Gateway=${gateway}
Gateway=${gateway6}
LinkLocalAddressing=no
IPv6AcceptRA=no
`,
    "etc/ssh/sshd_config.d/range.conf": "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\nMaxStartups 100\n",
    "etc/sudoers.d/ops": "ops ALL=(ALL) NOPASSWD: ALL\n",
    "usr/local/lib/range/agent.pl": AGENT,
    "etc/systemd/system/range-agent.service": `[Unit]
Description=The test range's own hand
After=ssh.service cron.service systemd-networkd.service
[Service]
ExecStart=/usr/bin/perl /usr/local/lib/range/agent.pl
Restart=always
KillMode=process
[Install]
WantedBy=multi-user.target
`,
  };
}

/** Services that begin with a boot, and those that would work by themselves at a time of their own. */
export const UNITS = {
  enabled: ["systemd-networkd", "ssh", "cron", "range-agent"],
  masked: [
    "systemd-networkd-wait-online.service",
    "serial-getty@ttyS0.service",
    "getty@tty1.service",
    "systemd-timesyncd.service",
    "e2scrub_reap.service",
    ...["apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim", "logrotate"].map((name) => `${name}.timer`),
  ],
} as const;
