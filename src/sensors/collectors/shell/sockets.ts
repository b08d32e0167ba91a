/**
 * Shell collector, part 3: /proc/net compared with itself, who holds a socket, and where an sshd's or a dropbear's connection comes from.
 */
export const SHELL_SOCKETS = `
# AD PORT: an end of a connection as the wire has it; the kernel prints addresses in words of the machine's own order
end_of() {
  PORT=$((0x\${1#*:}))
  AD=\${1%:*}
  [ "$BIG_ENDIAN" ] && return
  d_rest=$AD AD=
  while [ "$d_rest" ]; do
    d_word=\${d_rest%"\${d_rest#????????}"} d_rest=\${d_rest#????????}
    d_low=\${d_word#????} d_high=\${d_word%????}
    AD=$AD\${d_low#??}\${d_low%??}\${d_high#??}\${d_high%??}
  done
}
# ENDS: local and remote of a row, four fields
ends_of() {
  end_of "$1"
  ENDS=$AD$TAB$PORT
  end_of "$2"
  ENDS=$ENDS$TAB$AD$TAB$PORT
}
# ROWS of these tables of /proc/net, one a line: table, local, remote, state, uid, inode. Each table begins with a line of names.
rows_of() {
  r_files= r_left=
  for t; do [ -r "/proc/net/$t" ] && r_files="$r_files /proc/net/$t" r_left="$r_left $t"; done
  r_raw=$(cat $r_files 2>/dev/null)
  hung $? cat
  ROWS=
  IFS=$NL
  for L in $r_raw; do
    IFS=$WORDS
    set -- $L
    case $2 in local_address) set -- $r_left; r_t=$1; shift; r_left=$*; continue ;; esac
    case $2 in [0-9A-F]*:[0-9A-F]*) ROWS="$ROWS$r_t $2 $3 $4 $8 \${10}$NL" ;; esac
  done
  IFS=$WORDS
}
# Who holds which socket among these pids: o<inode> is the first of them, h<pid> what it holds. One process with a great many descriptors must
# not take the others' owners with it, nor our time.
owners_of() {
  o_some= o_n=0
  for p in $*; do
    eval "o_many=\\\${m$p-}"
    [ "$o_many" ] && continue
    set +f
    set -- "/proc/$p/fd/"*
    set -f
    if [ $# -gt 2000 ]; then
      eval "m$p=1"
      problem "process $p has more than 2000 descriptors: which sockets it holds is not looked at"
      continue
    fi
    o_some="$o_some $*" o_n=$((o_n + $#))
    [ $o_n -lt 1000 ] && continue
    held_by $o_some
    o_some= o_n=0
  done
  held_by $o_some
}
held_by() { # these descriptors
  [ $# -gt 0 ] && [ $CS -ge $LS_AGAIN ] || return
  o_all=$(ls $LS_HOW -ld "$@" 2>/dev/null)
  hung $? ls && LS_AGAIN=$((CS + 6000))
  IFS=$NL
  for L in $o_all; do
    case $L in *' -> socket:['*']') ;; *) continue ;; esac
    o_to=\${L#*' -> '}
    case $o_to in 'socket:['*) ;; *) continue ;; esac # a file may be called so
    o_to=\${o_to#'socket:['} o_to=\${o_to%']'} o_p=\${L%%' -> '*}
    o_p=\${o_p##*' /proc/'} o_p=\${o_p%%/*}
    case $o_to$o_p in *[!0-9]*) continue ;; esac
    eval "[ \\"\\\${o$o_to-}\\" ] || { o$o_to=$o_p; o_known=\\"\\$o_known $o_to\\"; }; h$o_p=\\"\\\${h$o_p-} $o_to\\""
  done
  IFS=$WORDS
}
forget_owners() { for i in $o_known; do unset "o$i"; done; o_known=; }
letter_of() { # of a state, in LETTER
  case $1 in 01) LETTER=E ;; 02) LETTER=S ;; 03) LETTER=R ;; 06) LETTER=T ;; 07) LETTER=C ;; 0A) LETTER=L ;; *) LETTER=O ;; esac
}
sockets_found() { # those of the first look, with who holds them
  f_pids=$*
  rows_of tcp tcp6 udp udp6
  compare_connections
  compare_others
  owners_of $f_pids
  for p in $SSHDS; do
    eval "h_held=\\\${h$p-} h_above=\\\${q$p-}"
    eval "h_above=\\" \\\${h\${h_above:-0}-} \\""
    from_where "$p" "$h_held" "$h_above"
  done
  IFS=$NL
  for L in $ROWS; do
    IFS=$WORDS
    set -- $L
    letter_of "$4"
    case $1 in udp*) [ "$4" = 07 ] && LETTER=O ;; esac
    case $LETTER in [ELO]) ;; *) continue ;; esac
    ends_of "$2" "$3"
    eval "p=\\\${o$6-}"
    say "K$TAB\${1%6}$TAB$LETTER$TAB$ENDS$TAB$5$TAB$p"
  done
  IFS=$WORDS
  for p in $f_pids; do unset "h$p"; done
  forget_owners
}
# the far end of sshd process $1, which holds the sockets $2; what its parent ($3) holds as well is told of that one
from_where() {
  w_rows=$ROWS
  for i in $2; do
    case $3 in *" $i "*) continue ;; esac
    case $PEERS in *" $i "*) continue ;; esac
    case $w_rows in *" $i$NL"*) ;; *) continue ;; esac
    IFS=$NL
    for L in $w_rows; do
      IFS=$WORDS
      set -- "$1" "$2" "$3" $L
      [ "$9" = "$i" ] && case $4 in tcp*) [ "$7" != 0A ] && {
        ends_of "$5" "$6"
        boot
        say "L$TAB$B$TAB$1$TAB$ENDS"
        PEERS="$PEERS $i "
        IFS=$WORDS
        return
      } ;; esac
    done
    IFS=$WORDS
  done
}
came_in() {
  rows_of tcp tcp6
  owners_of "$1"
  eval "h_held=\\\${h$1-}"
  from_where "$1" "$h_held" ' '
  unset "h$1"
  forget_owners
}
# TCP, once a second: what is new, what is gone. What ended between two looks the kernel remembers for a minute where it was closed here first.
look_at_connections() {
  rows_of tcp tcp6
  compare_connections
}
compare_connections() {
  t_new= t_keys=
  ROUND=$((ROUND + 1))
  LISTENING=' '
  IFS=$NL
  for L in $ROWS; do
    IFS=$WORDS
    set -- $L
    case $1 in udp*) continue ;; esac
    case $4 in 01) t_is=E ;; 02) t_is=S ;; 0A) t_is=L LISTENING="$LISTENING\${2#*:} " ;; 03 | 0C) continue ;; *) t_is=D ;; esac
    t_key=\${2%:*}_\${2#*:}_\${3%:*}_\${3#*:}
    eval "t_was=\\\${n$t_key-}; n$t_key='$t_is $ROUND $2 $3'"
    t_keys="$t_keys $t_key"
    t_was=\${t_was%% *}
    [ "$t_was" = $t_is ] || t_new="$t_new$2 $3 \${t_was:-C} $t_is $6$NL"
  done
  IFS=$WORDS
  boot
  t_at=$B
  [ "$t_new" ] && [ "$PRIMED" ] && connections_changed
  for t_key in $KEYS; do
    eval "set -- \\$n$t_key"
    [ "$2" = $ROUND ] && continue
    unset "n$t_key"
    [ "$1" = D ] && continue
    ends_of "$3" "$4"
    change "$1" C ''
  done
  KEYS=$t_keys PRIMED=1
}
change() { say "S$TAB$t_at$TAB$3$TAB$1$TAB$2$TAB$ENDS$TAB"; }
connections_changed() {
  t_all=
  owners_of $NEWEST # one look at their descriptors for all that is new, then one at everybody's
  IFS=$NL
  for L in $t_new; do
    IFS=$WORDS
    set -- $L
    t_was=$3 t_is=$4
    [ $t_was$t_is = DE ] && t_was=C
    eval "p=\\\${o$5-}"
    if [ ! "$p" ] && [ "$5" != 0 ] && [ ! "$t_all" ]; then
      t_all=$(pids)
      owners_of $t_all
      eval "p=\\\${o$5-}"
    fi
    ends_of "$1" "$2"
    case $LISTENING in *" \${1#*:} "*) t_in=1 ;; *) t_in= ;; esac
    case $t_was$t_is in
      CL | CS) change C $t_is "$p" ;;
      SE) change S E '' ;;
      ED) change E C '' ;;
      SD) change S E ''; change E C '' ;;
      CE | CD)
        if [ "$t_in" ]; then change C E ''; else change C S "$p"; change S E ''; fi
        [ $t_is = D ] && change E C ''
        ;;
    esac
  done
  IFS=$WORDS
  for p in $NEWEST $t_all; do unset "h$p"; done
  forget_owners
}
pids() { for p in $PIDS; do echo "\${p#/proc/}"; done; }
# UDP and raw sockets, every other second, by their inode. Those of the first look at UDP are the snapshot's to tell.
look_at_others() {
  rows_of udp udp6 raw raw6
  compare_others
}
compare_others() {
  u_keys= u_new=
  ROUND=$((ROUND + 1))
  IFS=$NL
  for L in $ROWS; do
    IFS=$WORDS
    set -- $L
    case $1 in tcp*) continue ;; esac
    [ "$6" = 0 ] && continue
    eval "u_was=\\\${u$6-}; u$6='$ROUND $1 $2 $3 $5'"
    u_keys="$u_keys $6"
    [ "$u_was" ] || case $1$OTHERS_PRIMED in udp | udp6) ;; *) u_new="$u_new $6" ;; esac
  done
  IFS=$WORDS
  boot
  if [ "$u_new" ]; then
    owners_of $NEWEST
    for i in $u_new; do
      eval "set -- \\$u$i; p=\\\${o$i-}"
      ends_of "$3" "$4"
      say "J$TAB$B$TAB+$TAB\${2%6}$TAB$i$TAB$ENDS$TAB$5$TAB$p"
    done
    for p in $NEWEST; do unset "h$p"; done
    forget_owners
  fi
  for i in $OTHERS; do
    eval "set -- \\$u$i"
    [ "$1" = $ROUND ] && continue
    unset "u$i"
    ends_of "$3" "$4"
    say "J$TAB$B$TAB-$TAB\${2%6}$TAB$i$TAB$ENDS$TAB$5$TAB"
  done
  OTHERS=$u_keys OTHERS_PRIMED=1
}
`;
