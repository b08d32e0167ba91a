/**
 * Shell collector, part 6: hello, the rounds, and the end.
 *
 * A shell cannot wait for two things, and its read has no time limit everywhere. So there are four that do one thing each: the reader is
 * blocked in what the console says and hands requests on to the filer; the ticker sleeps, wakes the worker by a line and ends everything after
 * five seconds without a signal from the reader; the worker reads one pipe and is alone in writing what the console hears.
 */
export const SHELL_MAIN = `
# What is missing here, for everybody to read.
blind() { esc "$1"; BLIND=$BLIND\${BLIND:+$US}$E; }
hello() {
  boot
  S_PID=0 p=$$
  OURS="$OURS$$ "
  while [ "$p" -gt 0 ] 2>/dev/null && stat_of "$p"; do
    if sshd_like "$C"; then S_PID=$p; break; fi
    p=$PP
  done
  who_of self
  ME=$EU ROOT=
  [ "$ME" = 0 ] && ROOT=1
  h_cpus=0
  set +f
  for f in /sys/devices/system/cpu/cpu[0-9]*; do h_cpus=$((h_cpus + 1)); done
  set -f
  BLIND=
  h_often='four times a second'
  [ "$STEP" = 1 ] && h_often='once a second'
  blind "no perl: a shell looks at processes $h_often and at TCP once, what is shorter is missed"
  blind 'the parent of what was handed to another process before we looked'
  blind 'a program that an older process starts in its own place is seen seconds later, of several the last alone'
  blind 'TCP that begins and ends between two looks is told where the kernel remembers it (closed here first), without its process'
  blind 'UDP and raw sockets are looked at every other second, packet sockets not at all'
  blind 'new files are seen by their names in a few folders, without who wrote them; what is written to a file that was there is not'
  blind 'not looked at without perl: who opens secrets, terminals or memory, signals, environments, containers, packages, unix sockets, bytes of connections, files that changed lately'
  [ "$ROOT" ] || blind 'not root: executables, folders and sockets of other accounts are not seen'
  [ "$HEX$READS_NUL" ] || blind 'arguments: neither od nor hexdump, so they cannot be told apart'
  [ "$HEX" ] || [ ! "$READS_NUL" ] || blind 'arguments that hold a newline, a tab or a backslash: neither od nor hexdump on this host'
  has ls || blind 'executables, folders and owners of sockets: no ls on this host'
  has sha256sum && has dd && has stat || blind 'hashes of files: sha256sum, dd or stat is not on this host'
  NANOS=$(date +%s%N 2>/dev/null)
  case $NANOS in *[!0-9]* | ??????????) NANOS= ;; esac
  [ "$NANOS" ] || blind 'the clock of the host is read to half a second at first, better later'
  line_of /proc/sys/kernel/random/boot_id; h_boot=$V
  line_of /etc/machine-id; h_machine=$V
  case $h_machine in *[!0-9a-f]*) h_machine= ;; esac
  line_of /proc/sys/kernel/hostname; esc "$V"; h_name=$E
  line_of /proc/sys/kernel/osrelease; esc "$V"; h_kernel=$E
  h_arch=$(uname -m 2>/dev/null)
  say "H$TAB$h_boot$TAB$h_machine$TAB$h_name$TAB$h_kernel$TAB\${h_arch:-unknown}$TAB$h_cpus\${TAB}100\${TAB}init$TAB$$$TAB$S_PID$TAB$ME\${TAB}poll\${TAB}0$TAB$BLIND"
}
# The wall clock. Where date knows seconds alone, each look at it narrows down in which hundredth of a second they change.
clock() {
  if [ "$NANOS" ]; then
    c_now=$(date +%s%N)
    boot
  else
    c_now=$(date +%s)
    boot
    c_off=$((c_now * 100 - CS))
    [ $c_off -gt $C_LEAST ] && C_LEAST=$c_off
    [ $((c_off + 100)) -lt $C_MOST ] && C_MOST=$((c_off + 100))
    [ $C_LEAST -ge $C_MOST ] && C_LEAST=$c_off C_MOST=$((c_off + 100)) # it was set
    c_now=$((CS + (C_LEAST + C_MOST) / 2))0000000
  fi
  CLOCKED=$CS
  say "C$TAB$B$TAB$c_now"
}
users() {
  u_n=0
  while IFS=: read -r u_name _ u_uid _; do
    case $u_uid in '' | *[!0-9]*) continue ;; esac
    esc "$u_name"
    say "U$TAB$u_uid$TAB$E"
    [ $((u_n = u_n + 1)) -gt 2000 ] && break
  done </etc/passwd
}
footprint() { # CPU in ms, of the worker and its children, then memory
  stat_of "$W_PID"
  set -- \${S##*') '}
  CPU=$(((\${12} + \${13} + \${14} + \${15}) * 10))
  RSS=0
  while IFS= read -r L; do case $L in VmRSS:*) set -- $L; RSS=$2; break ;; esac; done </proc/self/status
}
tick() {
  boot
  [ $((CS - LOOKED)) -lt $PACE ] && return
  LOOKED=$CS
  look_at_processes
  [ $((CS - SLOW)) -lt 100 ] && return
  kill -ALRM "$T_PID"
  footprint
  boot
  say "T$TAB$B\${TAB}0\${TAB}0\${TAB}0$TAB$((CPU + T_CPU))$TAB$RSS\${TAB}0"
  pace
  SLOW=$CS
  look_at_connections
  look_at_folders
  TURN=$((TURN + 1))
  [ $((TURN % 2)) = 0 ] && look_at_others
  YOUNG=$NEWEST NEWEST=
  if [ $((CS - CLOCKED)) -ge 1000 ] || { [ ! "$NANOS" ] && [ $TURN -lt 20 ]; }; then clock; fi
}
# How often we look, by what it costs: a tenth of a core and not much more.
pace() {
  a_cost=$(((CPU - SPENT) * 10 / (CS - SLOW + 1))) SPENT=$CPU
  if [ $a_cost -gt 15 ] && [ $PACE -lt 500 ]; then
    PACE=$((PACE * 3 / 2))
  elif [ $a_cost -lt 8 ] && [ $PACE -gt 20 ]; then
    PACE=$((PACE * 2 / 3))
    [ $PACE -lt 20 ] && PACE=20
  fi
  if [ $PACE -ge $PACE_SAID ]; then
    PACE_SAID=$((PACE * 2))
    problem "to look at this host costs a shell much: processes are looked at every $((PACE / 100)).$((PACE / 10 % 10)) s, and more of what is short is missed"
  fi
}
worker() {
  read -r W_PID _ </proc/self/stat
  boot
  BEGAN=$CS LOOKED=$CS SLOW=$CS CLOCKED=$CS PACE=20 PACE_SAID=60 SPENT=0 ROUND=0 TURN=0 T_CPU=0 LS_AGAIN=0
  PIDS= AGAIN= NEWEST= YOUNG= KEYS= OTHERS= PRIMED= OTHERS_PRIMED= SSHDS= PEERS=' ' NPROC=0 C_LEAST=0 C_MOST=999999999999 PART_f= PART_r= o_known=
  read -r LINE # the ticker's first word: which process it is
  T_PID=\${LINE#o}
  OURS="$OURS$W_PID $T_PID "
  kill -ALRM "$T_PID" # from now on it minds whether we go on
  hello
  clock
  users
  eval "$LIST"
  PIDS=$*
  PENDING=
  for p; do
    p=\${p#/proc/}
    eval "k$p=gone"
    PENDING="$PENDING $p"
  done
  f_all=$PENDING
  while [ "$PENDING" ]; do
    snapshot_slice
    kill -ALRM "$T_PID"
    [ "$PENDING" ] && look_at_processes
  done
  sockets_found $f_all
  look_at_folders
  boot
  footprint
  SPENT=$CPU
  kill -ALRM "$T_PID"
  say "N$TAB$NPROC$TAB$(((CS - BEGAN) * 10))"
  while IFS= read -r LINE; do
    case $LINE in
      t*) [ -d "/proc/$$" ] || exit 0; T_CPU=\${LINE#t}; tick ;;
      o*) T_PID=\${LINE#o} OURS="$OURS\${LINE#o} " ;;
      +f*) PART_f=$PART_f\${LINE#+f} ;;
      +r*) PART_r=$PART_r\${LINE#+r} ;;
      =f*) say "$PART_f\${LINE#=f}"; PART_f= ;;
      =r*) say "$PART_r\${LINE#=r}"; PART_r= ;;
      a*) look_at_one "\${LINE#a}" ;;
    esac
  done
}
# A child that wakes the worker, ends what keeps us from going on (a fifo that came in the place of a file, a program that hangs), and ends us all where the console has been silent for five seconds or our first shell is gone.
ticker() {
  HEARD=1 LATE= k_cpu=0 WORKS= WORKED= ALIVE= LIVED=
  trap 'HEARD=1' USR1
  trap 'HEARD=late' URG
  trap 'WORKS=1' USR2
  trap 'ALIVE=1' ALRM
  boot
  SINCE=\${CS%??} TICKED=\${CS%??}
  read -r T_PID _ </proc/self/stat
  stat_of $$
  M_START=$START
  stat_of "$T_PID"
  T_LEFT=$PP
  echo "o$T_PID"
  while sleep $STEP; do
    boot
    # what stood still could hear nobody: that time does not count (as in the collector of perl)
    [ $((\${CS%??} - TICKED)) -gt 2 ] && SINCE=$((SINCE + \${CS%??} - TICKED - 1))
    TICKED=\${CS%??}
    if [ "$HEARD" ]; then
      LATE=
      [ "$HEARD" = late ] && LATE=1 # the line is slow, and a word may take as long
      HEARD= SINCE=\${CS%??}
    elif [ $((\${CS%??} - SINCE)) -ge 5 ] && { [ $((\${CS%??} - SINCE)) -ge 20 ] || [ ! "$LATE" ]; }; then
      end_all
    fi
    if [ "$WORKS" ]; then
      WORKS= WORKED=\${CS%??}
    elif [ "$WORKED" ] && [ $((\${CS%??} - WORKED)) -ge 30 ]; then
      WORKED=
      end_work "$T_LEFT" '' && WORKED=\${CS%??}
    fi
    if [ "$ALIVE" ]; then
      ALIVE= LIVED=\${CS%??}
    elif [ "$LIVED" ] && [ $((\${CS%??} - LIVED)) -ge 10 ]; then
      LIVED=\${CS%??}
      end_work $$ "$T_LEFT"
    fi
    stat_of $$ && [ "$START" = "$M_START" ] || end_all
    stat_of "$T_PID" && { set -- \${S##*') '}; k_cpu=$(((\${12} + \${13} + \${14} + \${15}) * 10)); }
    echo "t$k_cpu" || exit 0
  done
}
# Ends what the children of $1 have started, all but $2 and ourselves; only as long as our parent still is the one that we came from.
end_work() {
  stat_of "$T_PID" && [ "$PP" = "$T_LEFT" ] && [ "$PP" -gt 1 ] || return
  e_top=$1 e_but=$2
  eval "$LIST"
  e_of=' '
  e_kill=
  for p; do
    p=\${p#/proc/}
    case $p in "$T_PID" | "$e_but") continue ;; esac
    stat_of "$p" && [ "$PP" = "$e_top" ] && e_of="$e_of$p "
  done
  for p; do
    p=\${p#/proc/}
    stat_of "$p" || continue
    case $e_of in *" $PP "*) e_of="$e_of$p " e_kill="$e_kill $p" ;; esac
  done
  [ "$e_kill" ] && kill -9 $e_kill
}
# Ends the reader, the filer and the worker: the children of our first shell and of our own parent, as long as those are still there.
end_all() {
  e_of=' '
  stat_of $$ && [ "$START" = "$M_START" ] && e_of=" $$ "
  stat_of "$T_PID" && [ "$PP" = "$T_LEFT" ] && [ "$PP" -gt 1 ] && e_of="$e_of$PP "
  eval "$LIST"
  e_kill=$e_of
  for p; do
    p=\${p#/proc/}
    [ "$p" != "$T_PID" ] && stat_of "$p" || continue
    case $e_of in *" $PP "*) e_kill="$e_kill $p" ;; esac
  done
  kill -9 $e_kill
  exit 0
}
# A line for the console from letter $2. A pipe takes up to 4096 bytes whole (POSIX allows 512): longer ones could be torn by another's.
emit() {
  m_rest=$1
  while [ \${#m_rest} -gt 400 ]; do
    m_tail=\${m_rest#$PIECE}
    printf '+%s%s\\n' "$2" "\${m_rest%"$m_tail"}"
    m_rest=$m_tail
  done
  printf '=%s%s\\n' "$2" "$m_rest"
}
# Reads what the console says.
reader() {
  TRIES=0
  while IFS= read -r LINE; do
    r_word=USR1
    case $LINE in h*' '*) r_word=URG ;; esac
    kill -$r_word "$T" || {
      [ $((TRIES = TRIES + 1)) -gt 2 ] && break # nobody hears it: the worker is gone
      ticker >&3 &
      T=$!
    }
    echo || break # to the filer: is it there?
    case $LINE in
      q) break ;;
      i*' '*) printf '%s\\n' "$LINE" ;;
      w*' '*)
        r_path=\${LINE#w* * }
        emit "w$TAB\${r_path#* }$TAB$TAB$TAB$TAB$TAB?$TAB$TAB\${TAB}not looked up: no perl on this host" r >&3
        ;;
      a*[!a0-9]* | a) ;;
      a*) echo "$LINE" >&3 ;;
      u) emit "e\${TAB}0\${TAB}0\${TAB}not looked at: no perl on this host" r >&3 ;;
    esac
  done
  kill "$T"
}
main() {
  STEP=0.25
  PIECE='????????????????????'
  PIECE=$PIECE$PIECE$PIECE$PIECE$PIECE
  PIECE=$PIECE$PIECE$PIECE$PIECE
  sleep 0.01 2>/dev/null || STEP=1
  exec 2>/dev/null # of processes and files that are gone when they are read
  {
    trap '' USR1 USR2 ALRM URG
    exec 3>&1
    ticker &
    T=$!
    reader | filer
  } | worker
}
`;
