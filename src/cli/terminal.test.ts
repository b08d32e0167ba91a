import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { type InShell, inShell } from "#testing/shell";
import { leftOnHost, PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();
const SABOTAGE = `--import=${join(import.meta.dirname, "../testing/sabotage.mjs")}`;

/** However the program ends: the terminal is as before, the session is sealed, the host is clean. Only kill -9 can leave the terminal behind. */
describe.skipIf(reason !== undefined)(`the way out${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let console_: InShell;
  const { events } = sessions;
  const open = async (env: Record<string, string> = {}, ...options: string[]) => {
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", ...options];
    console_ = inShell(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where]), 100, 30, env);
    await console_.screen.until(/tracefs\+proc[\s\S]*sshd/);
    return console_.programPid();
  };
  const clean = () =>
    until(
      "the host to be clean",
      async () => {
        const { instances, collectors } = await leftOnHost(range);
        return instances.length === 0 && collectors === "";
      },
      { everyMs: 100 },
    );
  const sealed = async () => (await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout;

  beforeAll(async () => {
    range = await startRange();
  });
  afterEach(() => {
    console_?.kill("SIGKILL");
    console_?.remove();
  });
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  test.each([
    ["SIGTERM", 130, {}],
    ["SIGINT", 130, {}],
    ["SIGHUP", 130, {}],
    ["SIGQUIT", 130, {}],
    ["SIGUSR2", 7, { SABOTAGE: "exit", NODE_OPTIONS: SABOTAGE }],
    ["SIGUSR2", 1, { SABOTAGE: "throw", NODE_OPTIONS: SABOTAGE }],
    ["SIGUSR2", 1, { SABOTAGE: "reject", NODE_OPTIONS: SABOTAGE }],
    ["SIGUSR2", 1, { SABOTAGE: "render", NODE_OPTIONS: SABOTAGE }],
  ] as const)("%s, exit code %i %j: terminal, session and host are as they should be", async (signal, code, env) => {
    const pid = await open(env);
    process.kill(pid, signal);
    if ("SABOTAGE" in env && env.SABOTAGE === "render") console_.press("j");
    const end = await console_.over();
    expect(console_.leftovers()).toEqual([]);
    expect(end.after).toBe(end.before);
    expect(end.code, console_.output().slice(-2000)).toBe(code);
    expect(await sealed()).toMatch(/the chain is whole, sealed/);
    // what a view or a timer threw is told where it can be read: after the screen was left
    if (code === 1) expect(console_.output().split("\x1b[?1049l").at(-1)).toMatch(/sabotage: (thrown|rejected)/);
    await clean();
  });

  test("the terminal is gone: the session is sealed and the host is clean", async () => {
    const pid = await open();
    console_.hangUp();
    await until("the program to end", () => !running(pid));
    expect(await sealed()).toMatch(/the chain is whole, sealed/);
    expect(events().at(-1)?.event.action).toBe("session.end");
    await clean();
  });

  test.each(["Ctrl-Z", "kill -TSTP", "kill -STOP"])("%s gives the terminal back, and what goes on paints everything anew", async (how) => {
    const pid = await open();
    if (how === "Ctrl-Z") console_.press("\x1a");
    else process.kill(pid, how === "kill -TSTP" ? "SIGTSTP" : "SIGSTOP");
    await until("the program to be stopped", () => state(pid) === "T");
    await console_.screen.settled();
    if (how !== "kill -STOP") {
      expect(console_.leftovers()).toEqual([]);
      expect((await runLocal(["stty", "-a", "-F", terminalOf(pid)])).stdout).toMatch(/ icanon .*echo /s);
      expect(events().at(-1)?.event.action).toBe("session.gap");
    }
    await new Promise((passed) => setTimeout(passed, 1500)); // a stop of some length is what is tested
    process.kill(-console_.pid, "SIGCONT");
    await console_.screen.until(/stopped for \d+ s/);
    await console_.screen.until(/tracefs\+proc[\s\S]*sshd/);
    expect(console_.screen.terminal.buffer.active.type).toBe("alternate");
    expect((await runLocal(["stty", "-a", "-F", terminalOf(pid)])).stdout).toMatch(/-icanon .*-echo /s);
    await until("the log to say so", () => events().some(({ event }) => event.action === "session.resume"));
    console_.press("q");
    expect((await console_.over()).code).toBe(0);
    expect(console_.leftovers()).toEqual([]);
    expect(await sealed()).toMatch(/the chain is whole, sealed/);
    await clean();
  });
});

const stat = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
const state = (pid: number) => stat(pid)[0];
const running = (pid: number) => {
  try {
    return state(pid) !== "Z";
  } catch {
    return false;
  }
};
const terminalOf = (pid: number) => `/dev/pts/${Number(stat(pid)[4]) & 0xff}`;
