import { KEPT_COMMANDS } from "#state/decisions";
import { type Footprint, footprintOf } from "#state/footprint";
import { farEnd } from "#state/selectors";
import type { State } from "#state/state";
import { outcomeOf } from "#state/words";
import type { Cast } from "./cast.ts";
import type { Clock } from "./clock.ts";
import type { Collected } from "./collect.ts";
import { code, prose, table } from "./escape.ts";
import { commandLine, loginName } from "./names.ts";
import { address } from "./places.ts";
import { count, figure, list } from "./words.ts";

/** Lines of each list: more would be read by nobody, and the log has them all. */
const MOST = 500;

/** What we ourselves were on the host: it must not be taken for the intruder's. */
export function footprintSection(state: State, cast: Cast, collected: Collected, clock: Clock): string[] {
  const made = collected.start?.stakeout["connection_made"] as Record<string, unknown> | undefined;
  const lines: string[] = [];
  if (made)
    lines.push(
      `- The console reached the host over SSH as ${field(made["user"])} at ${field(made["address"])} port ${field(made["port"])}; the server said ${field(made["server"])}, its key was ${field(made["host_key"])}.`,
      ...waysIn(made),
    );
  const processes = cast.own.reduce((sum, login) => sum + login.processes, 0);
  lines.push(
    `- The console's own logins: ${cast.own.length === 0 ? "none was recognised" : `${cast.own.length} (${list([...new Set(cast.own.map((login) => loginName(login)))], 4)})`}; ${count(processes, "process was", "processes were")} seen under them.`,
  );
  const buffers = [...state.sensors.values()].reduce((sum, { report }) => sum + (report.kernel_buffer ?? 0), 0);
  if (buffers) lines.push(`- Kernel memory of the trace buffers while it watched: ${(buffers / 1024 / 1024).toFixed(1)} MiB.`);
  const changed = [...state.responses.values()].filter(
    ({ phase, id }) => (phase === "succeeded" || phase === "failed") && id !== "found",
  ).length;
  lines.push(
    `- Changes that were made on purpose: ${changed === 0 ? "none" : `${count(changed, "response")}, above`}${state.commands.size === 0 ? "" : "; what the commands below changed is not known"}.`,
  );
  const own = footprintOf(state);
  return [...lines, "", ...programsOf(own, clock), ...connectionsOf(own, clock), ...commandsOf(own, clock)];
}

/** Everything that ran under our logins, in the order in which it was first seen. */
function programsOf({ programs, folded }: Footprint, clock: Clock): string[] {
  if (programs.length === 0) return [];
  const rows = programs
    .slice(0, MOST)
    .map(({ process, times, live, first, last }) => [
      clock(first),
      live > 0 ? "to the end" : clock(last),
      figure(times),
      code(commandLine(process) ?? "name not seen"),
    ]);
  return [
    "What it ran there, known by the connection that each of its logins came by:",
    "",
    ...table(["First", "Last", "Times", "Program"], rows),
    ...rest(programs.length),
    ...(folded > 0 ? ["", `And ${count(folded, "older process", "older processes")} that only the log has.`] : []),
    "",
  ];
}

function connectionsOf({ connections }: Footprint, clock: Clock): string[] {
  if (connections.length === 0) return [];
  const rows = connections
    .slice(0, MOST)
    .map((connection) => [
      clock(connection.start),
      connection.direction === "egress" ? "to" : "from",
      address(farEnd(connection)),
      connection.end === undefined ? "open" : `ended ${clock(connection.end)}`,
    ]);
  return ["Its connections:", "", ...table(["Since", "", "Far end", ""], rows), ...rest(connections.length), ""];
}

/** What analysts ran through the console, with where its output is. */
function commandsOf({ commands }: Footprint, clock: Clock): string[] {
  if (commands.length === 0) return [];
  const rows = commands.map((command) => [
    clock(command.start),
    prose(command.analyst),
    code(command.line),
    command.end === undefined ? "its end was not recorded" : prose(outcomeOf(command)),
    command.file === undefined ? "nothing" : `${code(command.file)}, sha256 ${code(command.sha256 ?? "not known")}`,
  ]);
  const some =
    commands.length < KEPT_COMMANDS
      ? []
      : ["If there were earlier ones, they are not in this table: the log has them all, and so does the change ticket.", ""];
  return [
    "Commands that analysts ran on the host:",
    "",
    ...table(["When", "By", "Command", "How it ended", "What it wrote"], rows),
    "",
    ...some,
  ];
}

const rest = (all: number): string[] => (all > MOST ? ["", `And ${figure(all - MOST)} more, which the log has.`] : []);

/** Jump hosts, what let us in, how commands ran as root, and passwords that are to be changed; of a log that has them. */
function waysIn(made: Record<string, unknown>): string[] {
  const lines: string[] = [];
  const via = objects(made["via"]).map((hop) => `${field(hop["user"])} at ${field(hop["address"])}`);
  if (via.length > 0) lines.push(`- It went through ${list(via, 8)}: the host saw the last of them, not the analyst's machine.`);
  const methods = objects(made["authentication"]).map(({ method, key }) =>
    key === undefined ? field(method) : `${field(method)} ${field(key)}`,
  );
  if (methods.length > 0) lines.push(`- It was let in by ${list(methods, 8)}.`);
  const privilege = String(made["privilege"] ?? "");
  if (privilege.startsWith("sudo"))
    lines.push(`- Commands ran as root by ${code(privilege)}: each stands in the host's authentication log.`);
  if (privilege === "none") lines.push("- Commands did not run as root.");
  for (const typed of objects(made["passwords_typed"])) {
    const purpose = typed["for"] === "sudo" ? " for sudo" : "";
    lines.push(
      `- **A password was typed${purpose} as ${field(typed["user"])} on ${field(typed["host"])}.** Root there could read it: have it changed.`,
    );
  }
  return lines;
}

const objects = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null) : [];

const field = (value: unknown): string => (value === undefined ? "something not recorded" : code(String(value)));
