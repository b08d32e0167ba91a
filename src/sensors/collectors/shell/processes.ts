/**
 * Shell collector, part 2: what /proc says of processes (proc(5)), and what has changed there since the last look. A process is known by its
 * start and by where its code and stack begin, which every exec places anew.
 */
export const SHELL_PROCESSES = `
# Of pid $1: S its stat; then C ST PP SID TTY FL START CODE. A name may hold newlines and brackets: it ends at the last one.
stat_of() {
  S=
  while IFS= read -r L; do S=$S$L$NL; done <"/proc/$1/stat"
  case $S in "$1 ("*') '*) ;; *) return 1 ;; esac
  C=\${S#*'('}
  C=\${C%') '*}
  set -- \${S##*') '}
  [ $# -ge 26 ] || return 1
  ST=$1 PP=$2 SID=$4 TTY=$5 FL=$7 START=\${20} CODE=\${24}.\${26}
}
# U EU LU: who a process is
who_of() {
  U= EU= LU=
  IFS= read -r LU <"/proc/$1/loginuid"
  while IFS= read -r L; do case $L in Uid:*) set -- $L; U=$2 EU=$3; break ;; esac; done <"/proc/$1/status"
}
# A: the arguments of pid $1 as a field, AF: 'c' where they are cut. A list (=) where nothing has to be escaped, else all bytes (#).
args_of() {
  A= AF= a_bytes= a_size=0
  if [ "$READS_NUL" ]; then
    while IFS= read -r -d '' X || [ "$X" ]; do
      case $X in *[\\\\"$NL$TAB$US"]*) a_bytes=1; break ;; esac
      a_size=$((a_size + \${#X} + 1))
      [ $a_size -gt 16384 ] && { a_bytes=1; break; }
      A=$A$US$X
    done <"/proc/$1/cmdline"
    if [ ! "$a_bytes" ]; then
      # a row of NULs is what a program left that wrote its title over its arguments
      case $A in *"$US$US") while :; do case $A in *"$US") A=\${A%"$US"} ;; *) break ;; esac; done ;; esac
      [ "$A" ] && A="=\${A#"$US"}"
      return
    fi
  fi
  A=
  a_hex=$(hex 16384 <"/proc/$1/cmdline")
  hung $? $HEX
  set -- $a_hex
  [ $# -gt 0 ] || return
  [ $# -ge 16384 ] && AF=c
  IFS=
  A="#$*"
  IFS=$WORDS
}
# Whether a program of this host was ended by the ticker, since it did not end by itself ($1: its status, $2: its name): that is told.
hung() {
  [ "$1" = 137 ] || return
  boot
  problem "$2 on this host hangs and was ended: what it was to tell is missing"
}
# Where exe and cwd of these pids lead, in x<pid> and w<pid>. Each line names its link before it tells where that leads.
links_of() {
  [ $CS -lt $LS_AGAIN ] && return
  l_all=
  for p; do l_all="$l_all /proc/$p/exe /proc/$p/cwd"; done
  l_all=$(ls $LS_HOW -ld $l_all 2>/dev/null)
  hung $? ls && LS_AGAIN=$((CS + 6000)) # it is asked again in a minute
  IFS=$NL
  for L in $l_all; do
    case $L in *' -> '*) ;; *) continue ;; esac
    l_to=\${L#*' -> '} p=\${L%%' -> '*}
    p=\${p##*' /proc/'}
    case $p in *[!0-9]*/exe | *[!0-9]*/cwd) continue ;; */exe) l_in=x ;; */cwd) l_in=w ;; *) continue ;; esac
    case $l_to in *[\\\\?]*) l_to=$(readlink "/proc/$p" && echo x) || continue; l_to=\${l_to%"$NL"x} ;; esac
    eval "$l_in\${p%/*}=\\$l_to"
  done
  IFS=$WORDS
}
# FACTS: the fourteen fields of a process that stat_of and links_of have read; $2: of an exec. FILE: what it runs, as a field.
facts_of() {
  who_of "$1"
  eval "f_exe=\\\${x$1-} f_cwd=\\\${w$1-}"
  f_flags= f_unseen=
  A= AF=
  if [ $((FL & 2097152)) = 0 ]; then # no thread of the kernel's: those have neither arguments nor a file
    args_of "$1"
    if [ ! "$f_exe" ]; then
      if [ "$ROOT" ]; then f_unseen=x; else f_unseen=X; fi
    fi
    if [ ! "$f_cwd" ]; then
      if [ "$ROOT" ]; then f_unseen=\${f_unseen}c; else f_unseen=\${f_unseen}C; fi
    fi
    [ "$A" ] || { [ "$2" ] || [ ! "$HEX$READS_NUL" ]; } && [ ! "$A" ] && f_unseen=\${f_unseen}a
  fi
  [ "$U" ] || f_unseen=\${f_unseen}u
  case $f_exe in *' (deleted)') f_flags=d f_exe=\${f_exe%' (deleted)'} ;; esac
  esc "$C"; f_comm=$E
  esc "$f_exe"; FILE=$E
  esc "$f_cwd"
  FACTS=$PP$TAB$START$TAB$SID$TAB$TTY$TAB$U$TAB$EU$TAB$LU$TAB$f_comm$TAB$FILE$TAB$f_flags$AF$TAB$E$TAB$A$TAB$f_unseen$TAB
  [ "$FILE" ] || FILE=$f_comm
}
# Reads the links of pid $1 again, for what stat_of has just read of it. What it is known by is always older than its links: a program that
# takes its place in between is seen at the next look, and is not taken for the one whose links were read.
linked_anew() { eval "k$1=\\$START.\\$CODE"; unset "x$1" "w$1"; links_of "$1"; }
sshd_like() { case $1 in sshd | */sshd | sshd-session | */sshd-session | dropbear | */dropbear) ;; *) return 1 ;; esac; }
cgroup_of() { # told of those that a service manager or a container's runtime has placed
  c_at=
  while IFS= read -r L; do
    case $L in 0::/?*) c_at=\${L#0::}; break ;; *:name=systemd:/?*) c_at=/\${L#*:name=systemd:/} ;; esac
  done <"/proc/$1/cgroup"
  [ "$c_at" ] || return
  esc "$c_at"
  say "g$TAB$1$TAB$E"
}
say() { printf '%s\\n' "$1" || exit 0; }
problem() { esc "$1"; say "!\${TAB}0$TAB$E"; }
# The list of pids, in "$@" of whoever evals it: the shell reads the folder itself.
LIST='set +f; set -- /proc/[0-9]*; set -f'
OURS=' '
# Whether the process that stat_of has read descends from us: only those of its forebears are read that were never told.
ours() {
  o_up=0
  while :; do
    case $OURS in *" $PP "*) return ;; esac
    eval "o_is=\\\${k$PP-}"
    case $o_is in ours) return ;; ?*) return 1 ;; esac
    [ $((o_up = o_up + 1)) -lt 4 ] && [ "$PP" -gt 1 ] && stat_of "$PP" || return 1
  done
}
# those that were there: a slice at a time, so that what begins meanwhile is seen
snapshot_slice() {
  set -- $PENDING
  s_now= s_n=0
  while [ $# -gt 0 ] && [ $s_n -lt 48 ]; do s_now="$s_now $1"; s_n=$((s_n + 1)); shift; done
  PENDING=$*
  set -- $s_now
  for p; do stat_of "$p" && eval "k$p=\\$START.\\$CODE"; done
  links_of "$@"
  for p; do
    stat_of "$p" || { unset "k$p"; continue; }
    case $ST in [ZX]) unset "k$p"; continue ;; esac
    if [ "$PP" = "$T_PID" ]; then eval "k$p=ours"; continue; fi
    facts_of "$p" ''
    cgroup_of "$p"
    NPROC=$((NPROC + 1))
    say "P$TAB$p$TAB$FACTS"
    sshd_like "$C" && { SSHDS="$SSHDS $p"; eval "q$p=\\$PP"; }
  done
}
# what is new in the list, what is gone from it, and a part of the others: do they still run what they ran?
look_at_processes() {
  eval "$LIST"
  p_now=$*
  p_born=
  if [ "$p_now" != "$PIDS" ]; then
    p_was=$PIDS PIDS=$p_now
    for p; do
      p=\${p#/proc/}
      eval "p_known=\\\${k$p-}"
      [ "$p_known" ] || p_born="$p_born $p"
    done
    for p in $p_was; do [ -d "$p" ] || ended "\${p#/proc/}"; done
  fi
  [ "$p_born" ] && born $p_born
  set -- $AGAIN
  p_n=0
  while [ $# -gt 0 ] && [ $p_n -lt 24 ]; do
    again "\${1#/proc/}"
    shift
    p_n=$((p_n + 1))
  done
  AGAIN=$*
  [ "$AGAIN" ] || AGAIN=$PIDS
  for p in $NEWEST $YOUNG; do again "$p"; done
}
ended() {
  eval "p_known=\\\${k$1-}"
  unset "k$1" "x$1" "w$1" "m$1"
  case $p_known in '' | ours | gone) return ;; esac
  boot
  say "X$TAB$B$TAB$1"
}
# $@: pids that were not there before
born() {
  b_1= b_2= b_3= b_4= b_5= b_6= b_7=
  for p; do
    stat_of "$p" || continue
    case $ST in [ZX]) eval "k$p=gone"; continue ;; esac
    eval "k$p=\\$START.\\$CODE"
    if ours; then eval "k$p=ours"; continue; fi
    eval "b_\${#p}=\\"\\$b_\${#p} $p\\""
  done
  b_them="$b_1$b_2$b_3$b_4$b_5$b_6$b_7" # the folder is read in the order of letters: a parent comes before its child
  [ "$b_them" ] || return
  links_of $b_them
  for p in $b_them; do
    stat_of "$p" || { unset "k$p"; continue; }
    case $ST in [ZX]) eval "k$p=gone"; continue ;; esac
    eval "p_known=\\$k$p"
    [ "$p_known" = "$START.$CODE" ] || { b_p=$p; linked_anew "$p"; p=$b_p; stat_of "$p"; } || { unset "k$p"; continue; }
    facts_of "$p" 1
    case $PP in 1 | 0) cgroup_of "$p" ;; esac
    say "F$TAB\${START}0000000$TAB$PP$TAB$p"
    say "E$TAB\${START}0000000$TAB$p$TAB$FILE$TAB$FACTS"
    NEWEST="$NEWEST $p"
    sshd_like "$C" && came_in "$p" "$PP"
  done
}
# One of which the kernel told that it runs something (traced-shell.ts), between two looks.
look_at_one() {
  eval "p_known=\\\${k$1-}"
  boot
  if [ "$p_known" ]; then again "$1"; else born "$1"; fi
}
# whether pid $1 still is what it was: another start is another process, another place of its code and stack is another program
again() {
  eval "p_known=\\\${k$1-}"
  case $p_known in '' | ours | gone) return ;; esac
  stat_of "$1" || return
  case $ST in [ZX]) ended "$1"; eval "k$1=gone"; return ;; esac
  [ "$p_known" = "$START.$CODE" ] && return
  if [ "\${p_known%%.*}" != "$START" ]; then
    ended "$1"
    born "$1"
    return
  fi
  linked_anew "$1"
  stat_of "$1" || return
  facts_of "$1" 1
  boot
  say "E$TAB$B$TAB$1$TAB$FILE$TAB$FACTS"
  sshd_like "$C" && came_in "$1" "$PP"
}
`;
