/**
 * The shell text that turns a process in fresh namespaces into a suspect host. Arguments: the root file system, the range's state
 * folder, the host's name, "pid" or "shared" (whether it has a pid namespace of its own), and the shell of its accounts.
 *
 * Its disk is an overlay on the shared root file system whose upper layer is a tmpfs of this mount namespace: nothing that happens
 * on the host reaches the machine's disk, and all of it is gone with the host. tracefs is mounted here alone, not on the machine.
 */
export const HOST_START = `set -e
rootfs=$1 state=$2 name=$3 pids=$4 shell=$5
M=$state/disk
mkdir -p "$M"
mount -t tmpfs -o mode=755 stakeout "$M"
mkdir "$M/up" "$M/work" "$M/root"
cd "$rootfs" # a relative lower folder: no character of its path can be taken for mount's own
mount -t overlay overlay -o "lowerdir=.,upperdir=$M/up,workdir=$M/work" "$M/root"
cd "$M/root"
mkdir -p proc sys dev run tmp
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tracefs tracefs sys/kernel/tracing
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm run/sshd run/lock
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/\${node%:*}" c 1 "\${node#*:}"; done
mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
rm -f etc/ssh/ssh_host_* etc/hostname
cp -a "$state/files/." .
for user in dev:1000 ops:4001 reader:4002; do
  IFS=: read -r who number <<END
$user
END
  echo "$who:x:$number:$number::/home/$who:$shell" >>etc/passwd
  echo "$who:*:19700:0:99999:7:::" >>etc/shadow
  echo "$who:x:$number:" >>etc/group
  chown -R "$number:$number" "home/$who"
done
touch run/utmp var/log/wtmp var/log/btmp var/log/lastlog
chgrp 43 run/utmp var/log/wtmp var/log/btmp var/log/lastlog # Debian's group utmp
chmod 664 run/utmp var/log/wtmp var/log/lastlog
if [ -d etc/dropbear ]; then chroot . /usr/lib/dropbear/dropbearconvert openssh dropbear /etc/ssh/ssh_host_ed25519_key /etc/dropbear/key; fi
hostname "$name"
mkdir .before
pivot_root . .before
cd /
umount -l /.before
rmdir /.before
if [ "$pids" = pid ]; then
  ln -sf /bin/busybox /sbin/init
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=linux /sbin/init
fi
unset state rootfs
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ -d /etc/dropbear ]; then
  exec env -i PATH=$PATH /bin/sh -c 'httpd -f -p 8080 -h /srv/www & crond -f & exec /usr/sbin/dropbear -F -E -r /etc/dropbear/key -p 22'
fi
exec env -i PATH=$PATH /bin/sh -c '
  busybox syslogd -n -O /var/log/syslog & cron -f & perl /opt/intranet/httpd.pl 8080 /srv/www &
  perl /opt/intranet/named.pl /opt/intranet/names.txt & exec /usr/sbin/sshd -D'
`;
