/**
 * Shell collector, part 4: new files in the folders where intruders leave them, by their names.
 */
export const SHELL_FOLDERS = `
# New files, by the names in some folders: the shell reads them itself. N<n> are the names of folder number n, as they were.
FOLDERS='/tmp /dev/shm /var/tmp /root /etc /etc/cron.d /etc/cron.daily /etc/cron.hourly /var/spool/cron /var/spool/cron/crontabs /etc/sudoers.d /etc/systemd/system /etc/init.d'
look_at_folders() {
  d_n=0
  for d in $FOLDERS; do
    d_n=$((d_n + 1))
    [ -d "$d" ] && [ ! -L "$d" ] || continue
    eval "d_was=\\\${N$d_n-}"
    [ "$d_was" = many ] && [ $((TURN % 30)) != 0 ] && continue # half a minute: to read so many costs, and somebody could want it to
    set +f
    set -- "$d"/* "$d"/.[!.]* "$d"/..?*
    set -f
    if [ $# -gt 1000 ]; then
      [ "$d_was" = many ] && continue
      eval "N$d_n=many"
      problem "$d has more than 1000 names: new files there are not seen"
      continue
    fi
    d_now=/
    for f; do d_now=$d_now\${f##*/}/; done
    if [ "$d_was" = many ]; then
      eval "N$d_n=$d_now"
      problem "$d has 1000 names or fewer again: new files there are seen from now on, which came meanwhile was not"
      continue
    fi
    [ "$d_now" = "$d_was" ] && continue
    eval "N$d_n=\\$d_now"
    [ "$d_was" ] || continue
    boot
    for f; do
      case $d_was in *"/\${f##*/}/"*) continue ;; esac
      [ -e "$f" ] || [ -L "$f" ] || continue # the pattern itself, where nothing is like it
      [ -d "$f" ] && [ ! -L "$f" ] && continue
      esc "$f"
      say "W$TAB$B\${TAB}c$TAB$E$TAB"
    done
    IFS=/
    for f in $d_was; do
      IFS=$WORDS
      case $f in '' | '*' | '.[!.]*' | '..?*') continue ;; esac
      case $d_now in *"/$f/"*) continue ;; esac
      esc "$d/$f"
      say "W$TAB$B\${TAB}d$TAB$E$TAB"
    done
    IFS=$WORDS
  done
}
`;
