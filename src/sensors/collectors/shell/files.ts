/**
 * Shell collector, part 5: facts and sha256 of one file at a time, in a process of its own so that looking goes on meanwhile.
 */
export const SHELL_FILES = `
# In a process of its own: facts of files, one at a time. A path that the host names may be a fifo, a device or a link to one: what is no
# regular file is not opened, and what keeps us from going on is given up after half a minute.
unesc() { # V: a field of the wire as it was
  V= u_rest=$1
  while :; do
    case $u_rest in *'\\x'*) ;; *) break ;; esac
    V=$V\${u_rest%%'\\x'*}
    u_rest=\${u_rest#*'\\x'}
    case $u_rest in 0a*) V=$V$NL ;; 09*) V=$V$TAB ;; 5c*) V=$V'\\' ;; 1f*) V=$V$US ;; *) V=$V'\\x' u_rest=__$u_rest ;; esac
    u_rest=\${u_rest#??}
  done
  V=$V$u_rest
}
failed() { emit "I$TAB$1$TAB$TAB$TAB$TAB$TAB$TAB$TAB$TAB$TAB$2" f; }
# The bytes of file $1 to standard output, as many times 64 KB as $2 says. GNU's dd opens it without waiting, through no link ($3: but for
# /proc/PID/exe) and leaves its time of access; with another's the ticker's patience is all there is.
read_file() {
  i_how=
  if [ "$GNU_DD" = 1 ]; then
    i_how=iflag=nonblock,noatime$3
    dd if="$1" $i_how count=0 2>/dev/null || i_how=iflag=nonblock$3
  fi
  dd if="$1" $i_how bs=65536 count="$2" 2>/dev/null
}
file_info() { # pid, path as a field
  unesc "$2"
  i_path=$V i_at=$V i_flags=,nofollow i_link=
  case $1 in
    0) ;;
    *)
      i_to=$(readlink "/proc/$1/exe" && echo x)
      case \${i_to%"$NL"x} in "$i_path" | "$i_path (deleted)") i_at=/proc/$1/exe i_flags= i_link=-L ;; esac
      ;;
  esac
  case $i_at in /*) ;; *) failed "$2" 'not a path'; return ;; esac
  if [ "$i_at" = "$i_path" ]; then
    [ -L "$i_at" ] && { failed "$2" 'not a regular file'; return; }
    [ -e "$i_at" ] || { failed "$2" 'not there, or not to be read'; return; }
  fi
  [ -f "$i_at" ] || { failed "$2" 'not a regular file'; return; }
  [ "$GNU_DD" != hangs ] || { failed "$2" 'not read: dd on this host hangs'; return; }
  has stat || { failed "$2" 'no stat on this host'; return; }
  set -- "$1" "$2" $(stat $i_link -c '%s %f %u %Y %i' "$i_at" 2>/dev/null)
  [ $# = 7 ] || { failed "$2" 'it could not be looked at'; return; }
  i_ns=$6000000000 i_why= i_sha=
  i_fine=$(stat $i_link -c %.9Y "$i_at" 2>/dev/null)
  case $i_fine in "$6".?????????) i_ns=$6\${i_fine#*.} ;; esac
  if [ "$3" -gt 67108864 ]; then
    i_why='larger than 64 MB: not hashed'
  elif ! { has sha256sum && has dd; }; then
    i_sha=- i_why='no sha256sum or no dd on this host'
  else
    i_sha=$(read_file "$i_at" 1024 "$i_flags" | sha256sum 2>/dev/null)
    i_sha=\${i_sha%%' '*}
    case $i_sha in *[!0-9a-f]* | '') i_sha= i_why='it could not be hashed' ;; esac
    [ \${#i_sha} = 64 ] || i_sha=
    [ "$3 $4 $5 $6 $7" = "$(stat $i_link -c '%s %f %u %Y %i' "$i_at" 2>/dev/null)" ] || i_sha= i_why='it changed while it was read'
  fi
  set -- "$@" $(read_file "$i_at" 1 "$i_flags" | hex 4)
  i_elf=
  [ $# -ge 11 ] && { [ "$8\${9}\${10}\${11}" = 7f454c46 ] && i_elf=1 || i_elf=0; }
  emit "I$TAB$2$TAB$3$TAB$((0x$4))$TAB$5$TAB$i_ns$TAB$7$TAB$i_sha$TAB$i_elf$TAB$TAB$i_why" f
}
filer() {
  GNU_DD=
  while IFS= read -r LINE; do
    [ "$LINE" ] || continue
    kill -USR2 "$T" # from now on we may be kept from going on
    if [ ! "$GNU_DD" ]; then
      GNU_DD=$(dd if=/proc/self/exe iflag=nonblock bs=1 count=0 2>/dev/null)
      case $? in 0) GNU_DD=1 ;; 137) GNU_DD=hangs ;; *) GNU_DD=0 ;; esac
    fi
    f_asked=\${LINE#i* } # what else is to be computed is the console's to read over the line
    file_info "\${f_asked%%' '*}" "\${f_asked#*' '}"
  done
}
`;
