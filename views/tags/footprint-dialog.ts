import { footprintOf } from "#state/footprint";
import { farEnd } from "#state/selectors";
import { outcomeOf } from "#state/words";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import { argumentsOf, processName } from "../rows/standing.ts";
import { address, clock, loginName, plural, terminalName } from "../words.ts";

/** What this console itself is on the host, in full: it must not be taken for the intruder's, and is told in the report. */
export function footprintDialog({ theme, store }: Picture, size: { width: number; height: number }, scroll: number): Overlay {
  const width = Math.min(size.width - 4, 160);
  const { logins, programs, processes, folded, connections, commands } = footprintOf(store.state);
  const heading = (text: string): Span[][] => [[], [span(text, "strong")]];
  const body: Span[][] = [
    [],
    ...wrapText("Known by the connections that this console made, and by nothing that a thing is called.", width - 4).map(
      (text): Span[] => [span(text, "soft")],
    ),
    ...heading(plural(logins.length, "login")),
    ...logins.map((login): Span[] => [
      column(`  ${clock(login.start)}`, 12, "soft"),
      span(`${loginName(login)}  `, "text"),
      span(
        `${login.ttys.length === 0 ? "no terminal" : login.ttys.map(terminalName).join(" ")}, ${plural(login.processes, "process", "processes")} so far${login.end === undefined ? "" : `, ended ${clock(login.end)}`}`,
        "soft",
      ),
    ]),
    ...heading(
      `${plural(processes, "process", "processes")}${folded > 0 ? ` in the picture, and ${folded} older ones that only the log has` : ""}`,
    ),
    ...programs.map(({ process, times, live, first }): Span[] => [
      column(`  ${clock(first)}`, 12, "soft"),
      column(times > 1 ? `${theme.glyphs.times}${times}` : String(process.pid), 9, "soft"),
      column(live > 0 ? "runs" : "ended", 7, live > 0 ? "text" : "faint"),
      span(`${processName(process)} `, "text"),
      { text: argumentsOf(process), style: "soft", flex: true, cut: "middle" },
    ]),
    ...heading(plural(connections.length, "connection")),
    ...connections.map((connection): Span[] => [
      column(`  ${clock(connection.start)}`, 12, "soft"),
      column(connection.direction === "egress" ? "to" : "from", 6, "soft"),
      column(address(farEnd(connection)), 30, "text"),
      { text: connection.phase, style: "soft", flex: true },
    ]),
    ...heading(`${plural(commands.length, "command")} that analysts ran`),
    ...commands.map((command): Span[] => [
      column(`  ${clock(command.start)}`, 12, "soft"),
      span(`${command.analyst}  `, "soft"),
      { text: command.line, style: "text", flex: true, cut: "middle" },
      span(`  ${command.end === undefined ? "runs" : outcomeOf(command)}`, "soft"),
    ]),
    [],
  ];
  const foot = [
    [
      ...keyHint("Esc", "closes"),
      span(
        width >= 100
          ? "the console itself writes 0 bytes to the host's disk; the report has this list"
          : "the report has this list as well",
        "faint",
      ),
    ],
  ];
  return box(theme, { title: "Our own footprint", style: "focus", body, foot, width, height: size.height - 2, scroll });
}
