/**
 * Shell collector, part 1: words of the wire format, the clock, and what this host's tools can do.
 *
 * For hosts without perl: POSIX sh (dash, busybox, bash) and what busybox or coreutils bring. Nothing is written to the disk, so there are no
 * here-documents either, for which shells make files. Files of /proc are read by the shell itself; a program is started only where the
 * shell cannot do it: ls for where links lead, cat for long tables, od for bytes that NULs divide.
 */
export const SHELL_BASE = `
set -f
NL='
'
TAB=$(printf '\\t_'); TAB=\${TAB%_}
US=$(printf '\\037_'); US=\${US%_}
IFS=' '$TAB$NL
WORDS=$IFS
OLD_IFS=$IFS
boot() { read -r B _ </proc/uptime; CS=\${B%.*}\${B#*.}; B=\${CS}0000000; }
# E: a value as a field; newline, tab, backslash and 0x1f are the wire's own
esc() {
  E=$1
  case $1 in *[\\\\"$NL$TAB$US"]*) ;; *) return ;; esac
  E= e_rest=$1
  while :; do
    case $e_rest in *[\\\\"$NL$TAB$US"]*) ;; *) break ;; esac
    e_head=\${e_rest%%[\\\\"$NL$TAB$US"]*}
    e_rest=\${e_rest#"$e_head"}
    case $e_rest in
      "$NL"*) E=$E$e_head'\\x0a' ;;
      "$TAB"*) E=$E$e_head'\\x09' ;;
      "$US"*) E=$E$e_head'\\x1f' ;;
      *) E=$E$e_head'\\x5c' ;;
    esac
    e_rest=\${e_rest#?}
  done
  E=$E$e_rest
}
# V: the first line of a file of the kernel's, whether or not a newline ends it
line_of() { V=; IFS= read -r V <"$1"; }
has() { command -v "$1" >/dev/null 2>&1; }
# the first $1 bytes of standard input as hexadecimal words
if has od && [ "$(printf 'a\\n' | od -An -v -tx1 -N1 2>/dev/null)" = ' 61' ]; then
  hex() { od -An -v -tx1 -N"$1" 2>/dev/null; }
  HEX=od
elif has hexdump && [ "$(printf 'a\\n' | hexdump -v -n1 -e '1/1 "%02x "' 2>/dev/null)" = '61 ' ]; then
  hex() { hexdump -v -n"$1" -e '1/1 "%02x "' 2>/dev/null; }
  HEX=hexdump
else
  hex() { return 1; }
  HEX=
fi
# whether read can take a list that NULs divide by itself: dash cannot, bash and busybox can
READS_NUL=$(printf 'a\\0b\\0' | { IFS= read -r -d '' x && IFS= read -r -d '' y && [ "$x$y" = ab ] && echo 1; } 2>/dev/null)
# how ls is made to tell a name that holds a newline on one line: GNU's escapes it, busybox's puts a question mark
if [ "$(ls -nbd / 2>/dev/null)" ]; then LS_HOW=-nb; elif [ "$(ls -nd / 2>/dev/null)" ]; then LS_HOW=-n; else LS_HOW=; fi
printf '\\1\\2' | { x=$(od -An -tx2 2>/dev/null); [ "\${x#*0201}" = "$x" ]; } && BIG_ENDIAN=1 || BIG_ENDIAN=
`;
