import { TEXT_SECONDS } from "../collector.ts";
import { SHELL_BASE } from "./base.ts";
import { SHELL_DOCTOR } from "./doctor.ts";
import { SHELL_FILES } from "./files.ts";
import { SHELL_FOLDERS } from "./folders.ts";
import { SHELL_LOOK } from "./look.ts";
import { SHELL_MAIN } from "./main.ts";
import { SHELL_PROCESSES } from "./processes.ts";
import { SHELL_SOCKETS } from "./sockets.ts";
import { SHELL_TRACE, SHELL_TRACE_PROBE } from "./trace.ts";

/** Ends the text on the channel: what follows is the collector's to read. */
const END = "#end";

/** Without comment lines and indentation: what is sent is what runs. ASCII; no line of it is {@link END}. */
const joined = (...texts: readonly string[]): string =>
  `unset t l n w\n${texts
    .join("")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n")}\n${END}\n`;

/** The whole collector of a host without perl. */
export const shellCollectorText = (): string =>
  joined(SHELL_BASE, SHELL_PROCESSES, SHELL_SOCKETS, SHELL_FOLDERS, SHELL_FILES, SHELL_MAIN, "\nmain\n");
/** What follows the kernel's own events on a host without perl, beside {@link shellCollectorText}. */
export const shellTraceText = (): string => joined(SHELL_BASE, SHELL_PROCESSES, SHELL_TRACE_PROBE, SHELL_TRACE, "\ntrace_main\n");
/** What looks at a host without perl and changes nothing (../../doctor.ts). */
export const shellDoctorText = (): string => joined(SHELL_BASE, SHELL_PROCESSES, SHELL_TRACE_PROBE, SHELL_DOCTOR, "\nexamine\n");
/** As lookText (../collector.ts). */
export const shellLookText = (what: readonly ("past" | "set-up")[]): string =>
  looking(what.includes("past") ? "look_back" : "", what.includes("set-up") ? "set_up" : "");
/** As loginsText (../collector.ts). */
export const shellLoginsText = (logins: readonly { pid: number; first: number }[]): string =>
  looking(...logins.map(({ pid, first }) => `login ${Math.trunc(pid)} ${Math.trunc(first)}`), "logins_end");
const looking = (...steps: readonly string[]): string =>
  joined(SHELL_BASE, SHELL_PROCESSES, SHELL_SOCKETS, SHELL_LOOK, ["", "begin_look", ...steps, "end_look", ""].join("\n"));

/**
 * How such a text reaches the shell: line by line from standard input up to its end, by `read`, which takes no byte more (a shell that reads
 * its program from standard input would). Nothing of it is in an argv or a file. Where `read` knows a time limit (bash, busybox; not dash) it
 * waits {@link TEXT_SECONDS} for the next line; elsewhere it waits for as long as the connection lasts.
 */
export const shellCommand = (): string[] => [
  "/bin/sh",
  "-c",
  `n=$(printf "\\n_");n=\${n%_};t=;l=;w="-t ${TEXT_SECONDS}";(read $w l </dev/null) 2>/dev/null;[ $? -gt 1 ]&&w=;while IFS= read -r $w l;do [ "$l" = "${END}" ]&&break;t=$t$l$n;done;[ "$l" = "${END}" ]||exit 3;eval "$t"`,
];
