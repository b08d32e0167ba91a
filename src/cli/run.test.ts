import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { runLocal } from "#range/machine";
import { PROGRAM, sessionsFolder } from "#testing/story";
import { suspectRootfs } from "../host/testing/real-sshd.ts";
import { type Suspect, startSuspect } from "../host/testing/suspect.ts";

const rootfs = suspectRootfs();

describe.skipIf(rootfs === undefined)(`stakeout run${rootfs === undefined ? " (skipped: there is no suspect host's disk)" : ""}`, () => {
  const sessions = sessionsFolder();
  let suspect: Suspect;
  beforeAll(async () => {
    suspect = await startSuspect(rootfs as string);
  });
  afterAll(async () => {
    await suspect?.stop();
    sessions.remove();
  });
  const run = (...command: string[]) =>
    runLocal([
      ...PROGRAM,
      ...["run", "root@127.0.0.1", "-p", String(suspect.sshd.port), "-F", "/dev/null", "-i", suspect.keys.plain],
      ...["--known-hosts", suspect.knownHosts, "--sessions", sessions.path, "--analyst", "jm", "--", ...command],
    ]);

  test("runs one command, gives its output as it came, and records it", async () => {
    const { code, stdout, stderr } = await run("printf", "'a\\033[1mb\\n'; ls /nowhere");
    expect([code, stdout.startsWith("a\x1b[1mb\n")]).toEqual([1, true]);
    expect(stderr).toMatch(/recorded in .*\n.*the command: exit 2/);
    const lines = readFileSync(join(sessions.newest(), "events.jsonl"), "utf8").trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as StakeoutEvent);
    expect(events.map(({ event }) => event.action)).toEqual(["session.start", "command.start", "command.end", "session.end"]);
    const { command } = events[2]?.stakeout ?? {};
    expect(command).toMatchObject({ id: "c1", exit_code: 2, file: "commands/c1.txt" });
    expect(readFileSync(join(sessions.newest(), "commands/c1.txt"), "utf8")).toBe(stdout);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
    const report = await runLocal([...PROGRAM, "report", sessions.newest()]);
    expect(report.stdout).toMatch(/Commands that analysts ran on the host:[\s\S]*`printf 'a/);
    expect((await run("true")).code).toBe(0);
  });
});
