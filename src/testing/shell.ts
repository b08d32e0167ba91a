import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#range/machine";
import { type ConsoleInPty, inPty } from "./pty.ts";

/** The program as a shell runs it: what the terminal was like before it and after it can be compared. */
export interface InShell extends ConsoleInPty {
  /** The program's own pid, not the shell's. */
  programPid(): Promise<number>;
  /** Waits for the program's end: its exit code, and what `stty -a` said before and afterwards. */
  over(): Promise<{ code: number; before: string; after: string }>;
  /** What the emulator has been told and not been told back: alternate screen, hidden cursor, mouse, pastes, synchronized output. */
  leftovers(): string[];
  /** Everything that was written to the terminal. */
  output(): string;
  remove(): void;
}

const SCRIPT = 'stty -a >"$0/before"; "$@"; echo $? >"$0/code"; stty -a >"$0/after"; read -r _ || true';

export function inShell(argv: readonly string[], columns: number, rows: number, env: Record<string, string> = {}): InShell {
  const folder = mkdtempSync(join(tmpdir(), "stakeout-shell-"));
  const console_ = inPty(["/bin/sh", "-c", SCRIPT, folder, ...argv], columns, rows, env);
  let output = "";
  console_.onOutput((data) => {
    output += data;
  });
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  const there = (name: string) => {
    try {
      return file(name).endsWith("\n");
    } catch {
      return false;
    }
  };
  const children = () => {
    try {
      const parent = readFileSync(`/proc/${console_.pid}/stat`, "latin1")
        .replace(/^.*\) \S /s, "")
        .split(" ")[0];
      if (Number(parent) !== process.pid) return []; // the pid is somebody else's by now
      return readFileSync(`/proc/${console_.pid}/task/${console_.pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // the shell has ended
    }
  };
  return {
    ...console_,
    // a program whose shell is killed is told that its terminal has gone, and may take its time, or be stopped
    kill: (signal) => {
      if (signal === "SIGKILL") for (const pid of children()) process.kill(pid, signal);
      console_.kill(signal);
    },
    programPid: () =>
      until("the program to run", () => {
        const [child] = children();
        // stty runs first: the program is what has more than a moment to live
        return there("before") ? child : undefined;
      }),
    over: async () => {
      await until("the shell to be back", () => there("after"));
      return { code: Number(file("code")), before: file("before"), after: file("after") };
    },
    leftovers: () =>
      [
        ["alternate screen", "1049", "h"],
        ["hidden cursor", "25", "l"],
        ["bracketed paste", "2004", "h"],
        ["synchronized output", "2026", "h"],
        ["mouse", "1000", "h"],
        ["mouse", "1002", "h"],
        ["mouse", "1003", "h"],
        ["mouse", "1006", "h"],
      ].flatMap(([name, mode, on]) => {
        const all = output.split(`\x1b[?${mode}`);
        return all.length > 1 && all.at(-1)?.startsWith(on as string) ? [name as string] : [];
      }),
    output: () => output,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
