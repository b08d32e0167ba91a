import type { PaneName } from "#commands/pane";
import type { Picture } from "../picture.ts";
import { count, plural } from "../words.ts";

/** What an empty pane says: why it may be empty, and what would fill it. */
export function lesson(name: PaneName, { hidden, filtered, state, seen, keymap, store }: Picture): string[] {
  const { processes, connections, files, logins } = hidden;
  const shows = keymap.label("show-hidden");
  if (filtered)
    return [
      `Nothing here matches the filter. ${keymap.label("clear-filter")} takes it away.`,
      ...(processes + connections + files > 0 && !state.showHidden ? [`What tags hide was not looked at: ${shows} shows it.`] : []),
    ];
  switch (name) {
    case "tree":
      return processes > 0
        ? [`All ${count(processes)} processes are tagged away. ${shows} shows them.`]
        : [
            "No process has been seen yet.",
            store.meta.mode === "replay"
              ? "This is the moment before the first snapshot of the host, or the session is still being read: the last line says so."
              : "The first snapshot of the host is on its way; it takes about a second.",
          ];
    case "connections":
      return [
        connections > 0
          ? `No connection but ${count(connections)} that tags hide. ${shows} shows them.`
          : "No connection has been seen yet.",
        "Each try shows here, with country and network. What cannot be seen stands below.",
      ];
    case "binaries":
      return [
        files > 0 ? `No new binary but ${count(files)} that tags hide. ${shows} shows them.` : "No new binary has been seen yet.",
        "What runs from outside the packages, and new files in /tmp, homes, cron.",
      ];
    case "logins":
      return [
        logins > 0
          ? `Nobody is logged in but ${plural(logins, "login")} that tags hide. ${shows} shows them.`
          : "No login has been seen yet.",
        "Who comes by sshd or at the console shows here, and stays when he has left.",
      ];
    case "map":
      return [
        connections > 0
          ? `No connection but ${count(connections)} that tags hide. ${shows} shows them.`
          : "No connection to or from anywhere has been seen yet.",
        "Each far end with a known country gets a marker; without one it is listed under what it is.",
      ];
    case "past":
      return seen.past.at === undefined
        ? [
            "The host's own records are being read: logins, sudo, changed files, packages, histories.",
            "It takes about a second, and only live: a session of an older Stakeout has no look back.",
          ]
        : ["The host remembers nothing that could be read.", ...seen.past.blind.slice(0, 4)];
    case "baseline":
      return [
        "How the host is set up was not read yet.",
        "Services, listeners, accounts, sudoers, keys, cron and modules come about a second after the first snapshot.",
      ];
    case "activity":
      return [
        "Nothing was done since we watch.",
        "Programs started, calls out and files written stand here as columns over time, coloured by whose login they are. A later tag colours the past too.",
      ];
  }
}
