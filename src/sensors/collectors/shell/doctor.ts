/**
 * Shell collector: what the doctor asks of a host without perl, as `O key value`. Changes nothing.
 */
export const SHELL_DOCTOR = `
answer() { esc "$2"; printf 'O\\t%s\\t%s\\n' "$1" "$E"; }
examine() {
  exec 2>/dev/null
  who_of self
  answer uid "$EU"
  answer perl ''
  line_of /proc/sys/kernel/osrelease; answer kernel "$V"
  answer arch "$(uname -m)"
  line_of /proc/sys/kernel/hostname; answer hostname "$V"
  line_of /proc/sys/kernel/tainted; answer tainted "$V"
  line_of /sys/kernel/security/lsm; answer lsm "$V"
  V=; line_of /sys/kernel/security/lockdown
  case $V in *'['*']'*) V=\${V#*'['} V=\${V%%']'*} ;; *) V= ;; esac
  answer lockdown "$V"
  x_hides=
  while read -r x_what x_at x_type x_how _; do
    case "$x_at $x_type $x_how" in '/proc proc '*hidepid=*) x_hides=\${x_how#*hidepid=} x_hides=\${x_hides%%,*} ;; esac
  done </proc/self/mounts
  answer hidepid "$x_hides"
  # PROC_PID_INIT_INO, linux/proc_ns.h
  [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] && answer container '' || answer container 1
  set +f
  set -- /sys/devices/system/cpu/cpu[0-9]*
  answer cpus $#
  set -- /proc/[0-9]*
  answer processes $#
  set -f
  has sha256sum && has dd && has stat && answer sha256 sha256sum || answer sha256 ''
  for x_tool in nft iptables ls od hexdump cat date readlink; do has $x_tool && answer $x_tool yes || answer $x_tool ''; done
  trace_probe
  answer 'tier tracefs+shell' "$WHY"
  [ "$T" ] && [ -r "$T/events/sock/inet_sock_set_state/format" ] && answer sockets yes || answer sockets ''
  [ "$T" ] && [ -r "$T/events/signal/signal_generate/format" ] && answer traces yes || answer traces ''
  answer 'tier poll' ''
  printf 'O\\tend\\t\\n'
}
`;
