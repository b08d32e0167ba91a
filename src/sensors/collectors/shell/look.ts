/**
 * Shell collector: one look at what the host remembers or at how it is set up, in the words of ../look.ts. Read-only, bounded, through no link.
 * What only perl reads (files that changed lately, lastlog) is said to be not read.
 */
export const SHELL_LOOK = `
exec 2>/dev/null
LEFT=5242880 ITEMS=6000
absent() { esc "$2"; a_path=$E; esc "$3"; a_why=$E; esc "$4"; printf 'M\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$a_path" "$a_why" "$E"; }
LS_AGAIN=0 CS=0
problem() { absent sockets /proc "$1" ''; } # a look has no records
item() {
  [ $((ITEMS = ITEMS - 1)) -ge 0 ] || return
  esc "$2"
  i_name=$E
  esc "$3"
  printf 'V\\t%s\\t%s\\t%s\\n' "$1" "$i_name" "$E"
}
plain() { [ -f "$1" ] && [ ! -L "$1" ]; }
# the end of a file, exactly as many bytes as are said: what is cut meanwhile is filled up
ship() {
  [ -L "$2" ] && { absent "$1" "$2" link "$(readlink "$2")"; return 1; }
  [ -e "$2" ] || { absent "$1" "$2" 'not there, or not to be read' ''; return 1; }
  [ -f "$2" ] && [ -r "$2" ] || { absent "$1" "$2" 'not a regular file, or not to be read' ''; return 1; }
  set -- "$1" "$2" "$3" $(stat -c '%s %Y %f %u' "$2")
  [ $# = 7 ] || { absent "$1" "$2" 'no stat on this host' ''; return 1; }
  s_n=$4
  [ "$s_n" -gt "$3" ] && s_n=$3
  [ "$s_n" -gt $LEFT ] && s_n=$LEFT
  LEFT=$((LEFT - s_n))
  esc "$2"
  printf 'F\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$E" "$4" "$5" "$((0x$6))" "$7" "$(($4 - s_n))" "$s_n"
  [ "$s_n" = 0 ] || { tail -c "$s_n" "$2"; cat /dev/zero; } | head -c "$s_n"
}
ship_text() { # what a program said
  [ "$2" ] || return 1
  printf 'F\\t%s\\t%s\\t%s\\t%s\\t0\\t0\\t0\\t%s\\n' "$1" "$3" \${#2} "$(date +%s)" \${#2}
  printf %s "$2"
}
journal() { # $1 lines at most of who lets in
  has journalctl && has timeout || return
  timeout 6 journalctl -q --no-pager --utc -o short-iso -n "$1" -t sshd -t sshd-session -t sudo -t su -t useradd -t usermod -t passwd -t CRON -t login | head -c 1048576
}
trim() { T=\${1#"\${1%%[! $TAB]*}"}; T=\${T%"\${T##*[! $TAB]}"}; }
can_enter() { case $1 in */nologin | */false | */sync | */shutdown | */halt) return 1 ;; esac; }
begin_look() {
  z=$(date +%z)
  z_sign=\${z%????} z=\${z#?}
  case $z in [0-9][0-9][0-9][0-9]) z=$((\${z_sign}1 * (1\${z%??} - 100) * 3600 + \${z_sign}1 * (1\${z#??} - 100) * 60)) ;; *) z=0 ;; esac
  who_of self
  [ "$EU" = 0 ] && ROOT=1 || ROOT=0
  printf 'Z\\t%s\\t%s\\t%s\\t%s\\n' "$z" "$(date +%s)" $ROOT "$(uname -m)"
  PASSWD=$(plain /etc/passwd && head -c 262144 /etc/passwd)
}
# name uid home and shell of each account, to the function $1
accounts() {
  IFS=$NL
  for a_line in $PASSWD; do
    IFS=:
    set -- "$1" $a_line
    IFS=$WORDS
    [ $# -ge 7 ] || continue
    a_name=$2 a_uid=$4
    a_shell=\${a_line##*:} a_home=\${a_line%:*}
    a_home=\${a_home##*:}
    case $a_uid in '' | *[!0-9]*) continue ;; esac
    "$1"
  done
  IFS=$WORDS
}
history_of() {
  can_enter "$a_shell" || return
  case $a_home in /?*) ;; *) return ;; esac
  for h_file in .bash_history .zsh_history .ash_history .sh_history .history .python_history .mysql_history .psql_history; do
    [ -e "$a_home/$h_file" ] || [ -L "$a_home/$h_file" ] || continue
    ship shell "$a_home/$h_file" 4096
  done
}
look_back() {
  ship passwd /etc/passwd 262144
  if [ -e /run/utmp ]; then ship utmp /run/utmp 65536; else ship utmp /var/run/utmp 65536; fi
  ship wtmp /var/log/wtmp 786432
  [ -e /var/log/wtmp.1 ] && ship wtmp /var/log/wtmp.1 262144
  ship btmp /var/log/btmp 393216
  b_logs=
  for f in /var/log/auth.log /var/log/secure; do
    [ -e $f ] || [ -L $f ] || continue
    ship auth $f 1048576 && b_logs=1
    [ -e $f.1 ] && ship auth $f.1 524288
  done
  [ "$b_logs" ] || for f in /var/log/syslog /var/log/messages; do [ -e $f ] && ship auth $f 1048576 && b_logs=1; done
  [ "$b_logs" ] || ship_text auth "$(journal 5000)" journal || absent auth /var/log/auth.log 'neither auth.log nor secure, syslog, messages or a journal could be read' ''
  for f in /var/log/dpkg.log /var/log/dnf.rpm.log /var/log/yum.log /var/log/pacman.log /var/log/apk.log; do [ -e $f ] && ship package $f 262144; done
  accounts history_of
  absent changed / 'which files changed lately was not looked for: no perl on this host' ''
  absent lastlog /var/log/lastlog 'not read: no perl on this host' ''
}
user_of() {
  can_enter "$a_shell" || [ "$a_uid" = 0 ] || return
  case "$NL$SHADOW" in
    *"$NL$a_name::"*) u_secret=', no password needed' ;;
    *"$NL$a_name:"[!!*]*) u_secret=', with a password' ;;
    *"$NL$a_name:"*) u_secret=', no password' ;;
    *) u_secret= ;;
  esac
  item user "$a_name" "uid $a_uid, $a_shell, $a_home$u_secret"
}
keys_of() {
  can_enter "$a_shell" || return
  case $a_home in /?*) ;; *) return ;; esac
  for k_file in "$a_home/.ssh/authorized_keys" "$a_home/.ssh/authorized_keys2"; do each_line key "$a_name" "$k_file"; done
}
each_line() { # category, name, file: its lines that are no comments
  plain "$3" || return
  IFS=$NL
  for e_line in $(head -c 262144 "$3" | if [ $1 = sudoer ]; then sed -e ':a' -e '/\\\\$/{N;s/\\\\\\n/ /;ta' -e '}'; else cat; fi); do
    IFS=$WORDS
    trim "$e_line"
    case $1$T in "$1") ;; 'sudoer#include'*) item "$1" "$T" "$2" ;; "$1#"*) ;; sudoer*) item "$1" "$T" "$2" ;; *) item "$1" "$2" "$T" ;; esac
  done
  IFS=$WORDS
}
names_in() { # the paths in a folder, to the words of NAMES divided by newlines
  NAMES=
  [ -d "$1" ] && [ ! -L "$1" ] || return
  set +f
  set -- "$1"/*
  set -f
  for n_one; do case $n_one in *"$NL"*) ;; *) [ -e "$n_one" ] && NAMES="$NAMES$n_one$NL" ;; esac; done
}
set_up() {
  SHADOW=$(plain /etc/shadow && head -c 262144 /etc/shadow)
  accounts user_of
  IFS=$NL
  for L in $(plain /etc/group && head -c 262144 /etc/group); do
    g_name=\${L%%:*} g_who=\${L##*:}
    case $g_name in sudo | wheel | admin | root | docker | lxd | shadow | disk) ;; *) continue ;; esac
    IFS=,
    for p in $g_who; do item sudoer "group $g_name: $p" /etc/group; done
  done
  IFS=$WORDS
  each_line sudoer /etc/sudoers /etc/sudoers
  names_in /etc/sudoers.d
  IFS=$NL
  for f in $NAMES; do case \${f##*/} in *[.~]*) ;; *) each_line sudoer "$f" "$f" ;; esac; done
  accounts keys_of
  for f in /etc/crontab /etc/anacrontab; do each_line cron "$f" "$f"; done
  for d in /etc/cron.d /var/spool/cron/crontabs /var/spool/cron /etc/crontabs; do
    names_in "$d"
    IFS=$NL
    for f in $NAMES; do each_line cron "$f" "$f"; done
    IFS=$WORDS
  done
  for d in hourly daily weekly monthly; do
    names_in /etc/cron.$d
    IFS=$NL
    for f in $NAMES; do item cron "$f" script; done
    IFS=$WORDS
  done
  IFS=$NL
  for L in $(cat /proc/modules); do item module "\${L%%' '*}" ''; done
  if [ -d /run/systemd/system ] && has timeout; then
    for L in $(timeout 6 systemctl list-units --type=service,timer,socket --state=running,waiting,listening,exited --no-legend --plain --no-pager --full | head -c 1048576); do
      IFS=$WORDS
      set -- $L
      [ $# -ge 5 ] && { s_unit=$1; shift 4; item service "$s_unit" "$*"; }
    done
  fi
  IFS=$WORDS
  for d in /etc/systemd/system /run/systemd/transient /usr/local/lib/systemd/system; do
    names_in "$d"
    IFS=$NL
    for f in $NAMES; do case $f in *.service | *.timer | *.socket | *.path) item service "$f" 'unit file' ;; esac; done
    IFS=$WORDS
  done
  IFS=$NL
  for L in $(plain /etc/inittab && head -c 65536 /etc/inittab); do case $L in '#'*) ;; *) item service "$L" /etc/inittab ;; esac; done
  names_in /etc/init.d
  IFS=$NL
  for f in $NAMES; do case \${f##*/} in README* | skeleton*) ;; *) item service "$f" 'init script' ;; esac; done
  IFS=$WORDS
  [ -x /etc/rc.local ] && item service /etc/rc.local 'init script'
  eval "$LIST"
  PIDS=$*
  rows_of tcp tcp6 udp udp6
  owners_of $(pids)
  IFS=$NL
  for L in $ROWS; do
    IFS=$WORDS
    set -- $L
    eval "p=\\\${o$6-}"
    case $1$4 in tcp0A | tcp60A) l_is=listener ;; udp*) l_is=listener; case $3 in *:0000) ;; *) continue ;; esac ;; tcp01 | tcp601) l_is=connection ;; *) continue ;; esac
    l_who=
    [ "$p" ] && { l_who=$(readlink "/proc/$p/exe"); l_who=\${l_who%' (deleted)'}; }
    ends_of "$2" "$3"
    set -- "$1" $ENDS
    case $1 in udp*) [ "$3" -ge 32768 ] && continue ;; esac
    if [ $l_is = listener ]; then item listener "\${1%6} $2 $3" "$l_who"; else item connection "\${1%6} $2 $3 $4 $5" "$l_who"; fi
  done
  IFS=$WORDS
}
# a login's sshd and its first process: the numbers of auditing, and where it comes from by its own word
login() {
  V=; line_of "/proc/$2/loginuid"; l_uid=\${V:--1}
  V=; line_of "/proc/$2/sessionid"; l_session=\${V:--1}
  l_from=
  IFS=$NL
  for L in $(tr '\\0\\n' '\\n ' <"/proc/$2/environ" | head -c 65536); do case $L in SSH_CONNECTION=*) l_from=\${L#*=} ;; esac; done
  IFS=$WORDS
  [ \${#l_from} -gt 200 ] && l_from=
  esc "$l_from"
  printf 'L\\t%s\\t%s\\t%s\\t%s\\t\\n' "$1" "$l_uid" "$l_session" "$E"
}
logins_end() {
  for f in /var/log/auth.log /var/log/secure /var/log/syslog /var/log/messages; do [ -e $f ] && ship auth $f 131072 && return; done
  ship_text auth "$(journal 300)" journal
}
end_look() { printf 'E\\n'; }
`;
