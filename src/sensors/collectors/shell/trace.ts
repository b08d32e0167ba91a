/**
 * Shell tracer, part 1: whether this host's kernel can be followed by a shell, looked at without changing anything. The doctor asks it, too.
 */
export const SHELL_TRACE_PROBE = `
# WHY it cannot be followed, empty where it can; T where tracefs is, CPUS its processors.
trace_probe() {
  WHY= T= CPUS=
  who_of self
  [ "$EU" = 0 ] || { WHY='not root'; return; }
  has readlink && has dd || { WHY='no dd or no readlink on this host'; return; }
  # PROC_PID_INIT_INO, linux/proc_ns.h
  [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || { WHY='this is a container: the kernel tells pids of the machine, which a shell cannot map'; return; }
  [ ! "$BIG_ENDIAN" ] || { WHY='a big-endian machine, whose trace pages are not read'; return; }
  for x in /sys/kernel/tracing /sys/kernel/debug/tracing; do [ -d "$x/events/sched" ] && { T=$x; break; }; done
  if [ ! "$T" ]; then
    V=; line_of /sys/kernel/security/lockdown
    case $V in *'[confidentiality]'*) WHY='kernel lockdown (confidentiality)' ;; *) WHY='no tracefs is mounted, and a shell mounts none (mount -t tracefs nodev /sys/kernel/tracing)' ;; esac
    return
  fi
  [ -d "$T/instances" ] || { WHY='this kernel has no trace instances'; return; }
  for x in sched/sched_process_exec sched/sched_process_exit task/task_newtask; do [ -r "$T/events/$x/format" ] || { WHY="no \${x#*/} event in this kernel"; return; }; done
  set +f
  set -- "$T"/per_cpu/cpu[0-9]*
  set -f
  for x; do CPUS="$CPUS\${x##*/cpu} "; done
  [ $# -le 64 ] || { WHY="$# processors: a shell reads the trace of 64 at most"; return; }
  HEADER=$(cat "$T/events/header_page") # which tells nothing after its first read, and some shells read by the byte
  case $HEADER in *'char data;'*'offset:16;'*'size:4080;'*) ;; *) WHY='pages of the trace are not of 4096 bytes' ;; esac
}
`;

/**
 * Shell tracer, part 2: the kernel's own events without perl.
 *
 * One private tracefs instance, as that of ../trace.ts. Its pages go to the console as dd reads them, which parses them there. A blocking reader
 * of each processor would be woken by every event, a page of 4096 bytes for each; and on Linux 6.18 its read of an empty buffer gives 0 and does
 * not block. So four times a second the worker asks each processor how many events wait, has dd read no more pages than those fill at the
 * least, which never blocks, and tells up to when all was read: the console needs no guess. One process at a time writes to the channel, so no write
 * has to be atomic, and the worker alone holds the instance open.
 *
 * Four shells: the first waits, the reader hears the console, the ticker wakes the worker and ends all when the console is silent or one of the
 * others is gone, the worker reads. Whichever is killed, another takes the instance away.
 *
 * On the channel: pages of 4096 bytes, and texts, which begin with STAKEOUT (no time stamp of a page is that: 192 years after boot), seven
 * characters of their length and a newline. Lines of a text: p header, D event and its format, G thread, H who we are, R read up to, T tick, Y canary,
 * P problem, Z ended because, ! refused because.
 */
export const SHELL_TRACE = `
OUT= D=
line() { OUT=$OUT$1$NL; }
flush() {
  [ "$OUT" ] || return 0
  f_out=$OUT OUT=
  printf 'STAKEOUT%7d\\n%s' \${#f_out} "$f_out"
}
refuse() {
  [ ! "$D" ] || remove_instance
  OUT=
  esc "$1"
  line "!$TAB$E"
  flush
  exit 0
}
remove_instance() {
  i_n=0
  echo 0 >"$D/tracing_on"
  while [ -d "$D" ] && ! rmdir "$D" && [ $((i_n = i_n + 1)) -lt 100 ]; do sleep 0.05 || sleep 1; done
}
# Instances of consoles that died: of our own pid namespace, whose owner is gone. Those of containers are the others' to tell from dead ones.
sweep() {
  set +f
  set -- "$T"/instances/stakeout.4026531836.*
  set -f
  for x; do
    s_name=\${x##*/}
    s_rest=\${s_name#stakeout.4026531836.}
    s_pid=\${s_rest%%.*}
    s_rest=\${s_rest#*.}
    s_start=\${s_rest%%.*}
    case $s_pid.$s_start in *[!0-9.]* | .* | *.) continue ;; esac
    START=
    stat_of "$s_pid" && [ "$START" = "$s_start" ] && continue
    esc "removed the trace instance $s_name that a dead console left"
    rmdir "$x" && line "P$TAB$E"
  done
}
# Turns an event on: its letter, its name, its filter.
follow() {
  e_dir=$D/events/$2
  [ -r "$e_dir/format" ] || return 1
  e_text=
  while IFS= read -r L; do case $L in ID:* | *field:*) e_text=$e_text$L$US ;; esac; done <"$e_dir/format"
  if [ "$3" ]; then
    echo "$3" >"$e_dir/filter"
    line_of "$e_dir/filter"
    case $V in none | '') return 1 ;; esac
  fi
  echo 1 >"$e_dir/enable"
  line_of "$e_dir/enable"
  case $V in 1*) ;; *) return 1 ;; esac
  esc "$e_text"
  line "D$TAB$1$TAB$E"
  GUARDED="$GUARDED events/$2/enable events/$2/filter events/$2/trigger"
}
lacks() { esc "$1"; LACKS=$LACKS\${LACKS:+$US}$E; }
set_up_trace() {
  trace_probe
  [ ! "$WHY" ] || refuse "$WHY"
  stat_of $$ || refuse 'our own process is not in /proc'
  M_START=$START
  sweep
  line_of /proc/sys/kernel/random/uuid
  D=$T/instances/stakeout.4026531836.$$.$M_START.\${V%"\${V#??????}"}.l
  mkdir -m 700 "$D" || { D=; refuse 'cannot make a trace instance'; }
  echo 0 >"$D/tracing_on"
  echo boot >"$D/trace_clock"
  line_of "$D/trace_clock"
  case $V in *'[boot]'*) ;; *) refuse 'this kernel has no boot trace clock' ;; esac
  set -- $CPUS
  echo $((4096 / $#)) >"$D/buffer_size_kb"
  echo 0 >"$D/options/overwrite"
  [ ! -e "$D/buffer_percent" ] || echo 0 >"$D/buffer_percent"
  GUARDED='tracing_on trace_clock set_event_pid set_event_notrace_pid tracing_cpumask options/overwrite buffer_size_kb'
  e_text=
  IFS=$NL
  for L in $HEADER; do e_text=$e_text$L$US; done
  IFS=$WORDS
  esc "$e_text"
  line "p$TAB$E"
  LACKS=
  follow e sched/sched_process_exec '' && follow x sched/sched_process_exit '' && follow n task/task_newtask '' || refuse 'the events of this kernel cannot be switched on'
  TCP=1
  follow s sock/inet_sock_set_state 'protocol==6 && (newstate==2||newstate==1||newstate==7||newstate==10)' || { TCP=; lacks 'no TCP state events in this kernel: TCP is looked at once a second, what is shorter is missed'; }
  follow g signal/signal_generate 'code<=0&&(sig==1||sig==2||sig==3||sig==6||sig==9||sig==15||sig==18||sig==19||sig==20)' || lacks 'who sends signals to whom is not seen: no signal_generate event'
  follow t sched/sched_wait_task '' || lacks 'who traces whom (ptrace) is not seen: no sched_wait_task event'
}
# Threads that were here before: what they fork belongs to their process.
threads() {
  set +f
  set -- /proc/[0-9]*/task/[0-9]*
  set -f
  for x; do
    p=\${x#/proc/}
    p=\${p%%/*}
    x=\${x##*/}
    [ "$x" = "$p" ] && continue
    line "G$TAB$x$TAB$p"
    [ \${#OUT} -lt 8192 ] || flush || gone
  done
}
gone() {
  exec 4<&-
  remove_instance
  exit 0
}
fall() {
  esc "$2"
  line "Z$TAB$1$TAB$E"
  flush
  gone
}
guard_begin() {
  g_n=0
  for f in $GUARDED; do
    V=; line_of "$D/$f"
    eval "g$((g_n = g_n + 1))=\\$V"
  done
}
# Every setting that decides what we are shown, which root on the host can change in silence.
guard() {
  [ -d "$D" ] || fall tampered 'somebody removed our trace instance'
  g_n=0
  for f in $GUARDED; do
    V=; line_of "$D/$f"
    eval "g_was=\\$g$((g_n = g_n + 1))"
    [ "$V" = "$g_was" ] || fall tampered "somebody changed $f of our tracing: it was \${g_was:-empty}, it is \${V:-empty}"
  done
}
# What the kernel counts of each processor: how many events wait there (w), were read (d), and were lost in all. The files change while they are
# read, so they are read at once.
count() {
  c_all=$(cat $STATS) || { [ -d "$D" ] || guard; fall degraded 'cat on this host was ended, or cannot read the trace'; }
  LOST=0
  c_left=$CPUS
  IFS=$NL
  for L in $c_all; do
    IFS=$WORDS
    set -- $L
    case $1 in
      entries:) c=\${c_left%%' '*} c_left=\${c_left#*' '}; eval "w$c=\\$2" ;;
      overrun:) LOST=$((LOST + $2)) ;;
      dropped) LOST=$((LOST + $3)) ;;
      read) eval "d$c=\\$3" ;;
    esac
  done
  IFS=$WORDS
}
# Reads all that waits. An event of ours takes 28 bytes at the least, so a page of 4080 holds no more than 145: of so many pages none is waited for.
round() {
  boot
  r_until=$B r_tries=0
  count
  for c in $CPUS; do eval "m$c=\\$((w$c + d$c))"; done
  while :; do
    r_left=
    for c in $CPUS; do
      eval "r_n=\\$w$c; [ \\$d$c -ge \\$m$c ]" && continue
      [ "$r_n" -gt 0 ] || continue
      r_left=1
      dd bs=4096 count=$(((r_n + 144) / 145)) <"$D/per_cpu/cpu$c/trace_pipe_raw" || {
        [ -d "$D" ] || guard
        fall degraded 'dd on this host was ended, or cannot read the trace'
      }
    done
    [ "$r_left" ] || break
    [ $((r_tries = r_tries + 1)) -le 16 ] || return
    count
  done
  line "R$TAB$r_until"
}
tracer() {
  read -r T_PID G_PID # the ticker runs
  read -r W_PID _ </proc/self/stat
  exec 4<"$D/tracing_on" # what is open is not swept away by a console in a container, who cannot see whether we live
  echo 1 >"$D/tracing_on"
  guard_begin
  line_of "$D/buffer_total_size_kb"
  set -- $V
  line "H$TAB$$ $G_PID $T_PID $W_PID$TAB$((\${1:-0} * 1024))$TAB\${TCP:-0}$TAB$LACKS"
  flush || gone
  threads
  line "N"
  flush || gone
  STATS=
  for c in $CPUS; do STATS="$STATS $D/per_cpu/cpu$c/stats"; done
  boot
  SECOND=$CS CANARY=$CS EVEN=
  [ -x /bin/true ] && TRUE=/bin/true || TRUE=/usr/bin/true
  while read -r X; do
    [ -d "/proc/$$" ] || gone
    round
    if [ $((CS - SECOND)) -ge 100 ]; then
      SECOND=$CS
      [ "$EVEN" ] && EVEN= || { EVEN=1; guard; }
      stat_of "$W_PID"
      set -- \${S##*') '}
      line "T$TAB$B$TAB$LOST$TAB$(((\${12} + \${13} + \${14} + \${15}) * 10))"
      if [ $((CS - CANARY)) -ge 500 ] && [ -x $TRUE ]; then
        CANARY=$CS
        $TRUE stakeout-canary &
        line "Y$TAB$B$TAB$!$TAB$TRUE"
        wait $!
      fi
    fi
    flush || gone
  done
  gone
}
# Ends the worker and what it has started, so that nothing holds the instance; then takes that away. $1: our reader, $2: who of us lives on.
end_trace() {
  e_reader=$1 e_left=$2 e_of=' '
  [ ! "$WORKER" ] || { stat_of "\${WORKER%.*}" && [ "$START" = "\${WORKER#*.}" ] && e_of=" \${WORKER%.*} "; }
  eval "$LIST"
  e_top=
  stat_of $$ && [ "$START" = "$M_START" ] && e_top=$$
  for p; do
    p=\${p#/proc/}
    [ "$e_top" ] && [ "$p" != "$e_reader" ] && [ "$p" != "$e_left" ] && stat_of "$p" && [ "$PP" = "$e_top" ] && e_of="$e_of$p "
  done
  e_kill=$e_of
  for p; do
    p=\${p#/proc/}
    stat_of "$p" || continue
    case $e_of in *" $PP "*) e_kill="$e_kill $p" ;; esac
  done
  case $e_kill in *[0-9]*) kill -9 $e_kill ;; esac
  remove_instance
}
# The worker is a child of our first shell and not the reader; it is found once, so that it can be ended when that shell is gone.
find_worker() {
  w_reader=$1
  eval "$LIST"
  for p; do
    p=\${p#/proc/}
    [ "$p" != "$w_reader" ] && stat_of "$p" && [ "$PP" = $$ ] && { WORKER=$p.$START; return; }
  done
}
ticker() {
  HEARD=1 LATE= WORKER= LOOKED=0
  trap 'HEARD=1' USR1
  trap 'HEARD=late' URG
  boot
  SINCE=\${CS%??} TICKED=\${CS%??}
  read -r T_PID _ </proc/self/stat
  stat_of "$T_PID"
  T_LEFT=$PP
  echo "$T_PID $T_LEFT"
  while sleep $STEP; do
    boot
    # what stood still could hear nobody: that time does not count
    [ $((\${CS%??} - TICKED)) -gt 2 ] && SINCE=$((SINCE + \${CS%??} - TICKED - 1))
    TICKED=\${CS%??}
    if [ "$HEARD" ]; then
      LATE=
      [ "$HEARD" = late ] && LATE=1
      HEARD= SINCE=\${CS%??}
    elif [ $((\${CS%??} - SINCE)) -ge 5 ] && { [ $((\${CS%??} - SINCE)) -ge 20 ] || [ ! "$LATE" ]; }; then
      break
    fi
    echo t || break
    [ "$WORKER" ] || find_worker "$T_LEFT"
    [ $CS -ge $LOOKED ] || continue
    LOOKED=$((CS + 100))
    stat_of $$ && [ "$START" = "$M_START" ] || break
    stat_of "$T_PID" && [ "$PP" = "$T_LEFT" ] || break
  done
  trap '' USR1 URG
  end_trace "$T_LEFT" "$T_PID"
  stat_of "$T_PID" && [ "$PP" = "$T_LEFT" ] && [ "$PP" -gt 1 ] && kill -9 "$PP"
  stat_of $$ && [ "$START" = "$M_START" ] && kill -9 $$
  exit 0
}
heard() {
  WORKER=
  read -r G_PID _ </proc/self/stat
  while IFS= read -r LINE; do
    case $LINE in h*' '*) r_word=URG ;; h*) r_word=USR1 ;; *) break ;; esac
    stat_of "$1" && case $ST in [ZX]) false ;; esac || break
    kill -$r_word "$1"
  done
  end_trace "$G_PID" "$1"
  stat_of "$1" && [ "$PP" = "$G_PID" ] && kill -9 "$1"
  exit 0
}
trace_main() {
  exec 2>/dev/null
  trap '' PIPE HUP
  set_up_trace
  STEP=0.25
  sleep 0.01 || STEP=1
  {
    trap '' USR1 URG
    ticker &
    heard $!
  } | tracer
}
`;
