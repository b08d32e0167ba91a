/** The lists of the screen; the map and the activity have a drawing above theirs. */
export type PaneName = "tree" | "connections" | "binaries" | "logins" | "map" | "activity" | "past" | "baseline";

/** The panes, in the order of their keys (from 2 on) and of Tab. */
export const PANES: readonly { name: PaneName; key: string; title: string; short: string }[] = [
  { name: "tree", key: "2", title: "Processes", short: "Procs" },
  { name: "connections", key: "3", title: "Connections", short: "Conns" },
  { name: "binaries", key: "4", title: "Binaries", short: "Files" },
  { name: "logins", key: "5", title: "Logins", short: "Logins" },
  { name: "map", key: "6", title: "Map", short: "Map" },
  { name: "activity", key: "7", title: "Activity", short: "Activity" },
  { name: "past", key: "8", title: "Look back", short: "Past" },
  { name: "baseline", key: "9", title: "Baseline", short: "Base" },
];
/** The key of the view that has all panes. */
export const ALL_KEY = "1";

export const isPaneName = (name: string | undefined): name is PaneName => PANES.some((pane) => pane.name === name);
