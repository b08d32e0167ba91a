import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import { type Ran, runLocal } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

describe.skipIf(reason !== undefined)(`the commands on a real host${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  beforeAll(async () => {
    range = await startRange();
  });
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });
  const stakeout = (...command: string[]): Promise<Ran> =>
    runLocal(
      range.inNetns(range.netns.analyst, [
        ...PROGRAM,
        ...command,
        "--config",
        range.sshConfig,
        "--sessions",
        sessions.path,
        "--analyst",
        "jm",
      ]),
    );
  const ruleset = async () => (await range.onHost(["nft", "list", "ruleset"])).stdout.trim();

  test("record records for as long as it is asked to; replay gives the same lines, a moment, or the state there", async () => {
    const recorded = await stakeout("record", "devbox", "--for", "3s", "--ndjson");
    expect(recorded.code, recorded.stderr).toBe(0);
    const folder = sessions.newest();
    expect(recorded.stdout).toBe(readFileSync(`${folder}/events.jsonl`, "utf8"));
    const replay = (...options: string[]) => runLocal([...PROGRAM, "replay", folder, ...options]);
    expect((await replay("--ndjson")).stdout).toBe(recorded.stdout);
    const some = (await replay("--ndjson", "--at", "#7")).stdout.trimEnd().split("\n");
    expect(some).toEqual(recorded.stdout.split("\n").slice(0, 7));
    const state = JSON.parse((await replay("--state", "--at", "+1h")).stdout);
    expect(state.sequence).toBe(recorded.stdout.trimEnd().split("\n").length);
    expect(state.logins).toEqual([expect.objectContaining({ ours: true, standing: "responder" })]);
    expect((await replay("--at", "yesterday")).code).toBe(2);
    expect((await runLocal([...PROGRAM, "replay", `${folder}/no-such`])).code).toBe(1);
  });

  test("isolate --dry-run prints the script and changes nothing", async () => {
    const { code, stdout, stderr } = await stakeout("isolate", "devbox", "--dry-run");
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/policy drop/);
    expect(await ruleset()).toBe("");
  });

  test("isolate --through-reboot is refused where no systemd would load it, and beside --revert-if-we-vanish", async () => {
    const refused = await stakeout("isolate", "devbox", "--through-reboot");
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stderr).toMatch(/could not stand through a reboot: process 1 of the host is '.+', not systemd/);
    expect((await stakeout("isolate", "devbox", "--through-reboot", "--revert-if-we-vanish")).code).toBe(2);
    expect(await ruleset()).toBe("");
  });

  test("isolate and release work from a script, are recorded, and leave the rules as they were", async () => {
    const isolated = await stakeout("isolate", "devbox");
    expect(isolated.code, isolated.stderr).toBe(0);
    expect(JSON.parse(isolated.stdout)).toMatchObject({ kind: "isolate", verified: { access: true, cut: true } });
    expect(await ruleset()).toContain("stakeout_isolation");
    const log = readFileSync(`${sessions.newest()}/events.jsonl`, "utf8").trimEnd().split("\n");
    expect(log.map((line) => (JSON.parse(line) as StakeoutEvent).event.action)).toEqual([
      "session.start",
      "response.proposed",
      "response.confirmed",
      "response.succeeded",
      "session.end",
    ]);

    // Whoever comes next is told that the host is isolated, and by whom.
    const next = await stakeout("record", "devbox", "--for", "12s", "--ndjson");
    const found = next.stdout.split("\n").find((line) => line.includes("baseline.isolation"));
    expect(JSON.parse(found ?? "{}")).toMatchObject({ stakeout: { analyst: "jm", response: { kind: "isolate" } } });

    const released = await stakeout("release", "devbox");
    expect(released.code, released.stderr).toBe(0);
    expect(await ruleset()).toBe("");
  });
});
