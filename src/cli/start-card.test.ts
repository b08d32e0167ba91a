import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Ran, runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { confirm, PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

describe.skipIf(reason !== undefined)(`the start card on a real host${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const home = mkdtempSync(join(tmpdir(), "stakeout-state-"));
  let range: Range;
  let console_: ConsoleInPty | undefined;
  const where = () => ["--config", range.sshConfig, "--sessions", sessions.path];
  const open = (...options: string[]) => {
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where(), ...options]), 110, 40, {
      XDG_STATE_HOME: home,
    });
    return console_;
  };
  const stakeout = (...command: string[]): Promise<Ran> =>
    runLocal(range.inNetns(range.netns.analyst, [...PROGRAM, ...command, ...where()]));
  const { events } = sessions;

  beforeAll(async () => {
    range = await startRange();
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
    rmSync(home, { recursive: true, force: true });
  });

  test("it is asked over the live picture, misses nothing, is recorded, and is remembered for this host", async () => {
    const { screen, press, exited } = open("--analyst", "jm", "--ticket", "INC-1");
    await screen.until(/Start card/);
    await screen.until(/tracefs\+proc/);
    // what happens while the card is open is seen and recorded
    await range.onHost(["/usr/bin/id", "-un"]);
    await until("the exec in the log", () => events().some(({ process }) => (process?.executable as string) === "/usr/bin/id"), {
      timeoutMs: PATIENCE,
    });
    await screen.until(/Enter +begins/);
    press("tab", ..."Anna", "tab", "tab", "right");
    await screen.until(/✓ contain/);
    press("tab", ..."call with the owner");
    await screen.until("call with the owner");
    press("enter");
    await screen.until(/INC-1 · contain/);
    expect(events()[0]?.stakeout.card).toEqual({ analyst: "jm", ticket: "INC-1" }); // whatever becomes of the card
    const answered = () => events().find(({ event, stakeout }) => event.action === "note.add" && stakeout.card);
    await until("the card in the log", () => answered() !== undefined);
    const card = answered()?.stakeout;
    expect(card).toMatchObject({
      analyst: "jm",
      card: { analyst: "jm", authorised_by: "Anna", ticket: "INC-1", scope: ["observe", "contain"], notes: "call with the owner" },
    });
    press("q");
    expect(await exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(
      /## Start card\n\n- investigator: jm\n- authorised by: Anna\n- ticket: .*INC-1.*\n- scope: observe, contain\n- notes: call with the owner/,
    );
    expect(report).toContain("No step outside this scope was taken or planned.");

    const again = open();
    await again.screen.until(/investigator +jm[\s\S]*Anna[\s\S]*INC-1[\s\S]*✓ contain/);
    expect(again.screen.text()).not.toContain("call with the owner");
    await again.screen.until(/Enter +begins/);
    again.press("escape");
    await again.screen.until(/observe only/);
    await until("the card in the log", () => events().some(({ stakeout }) => stakeout.card?.skipped));
    again.press("q");
    expect(await again.exited).toBe(0);
  });

  test("what was given with the command holds when the card is put away", async () => {
    const { screen, press, exited } = open("--analyst", "kim", "--ticket", "INC-9", "--authorised-by", "Bea", "--scope", "contain");
    await screen.until(/Enter +begins/);
    press("tab", ..."typed and not meant");
    await screen.until("typed and not meant");
    press("escape");
    await screen.until(/INC-9 · contain/);
    const skipped = () => events().find(({ stakeout }) => stakeout.card?.skipped)?.stakeout.card;
    await until("the card in the log", () => skipped() !== undefined);
    const given = { analyst: "kim", authorised_by: "Bea", ticket: "INC-9", scope: ["observe", "contain"] };
    expect(skipped()).toEqual({ ...given, skipped: true });
    press("q");
    expect(await exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(/- investigator: kim\n- authorised by: Bea\n- ticket: .*INC-9.*\n- scope: observe, contain\n- put away/);
  });

  test("to isolate outside the scope asks why, and who did it and why is in the log and in the report", async () => {
    const { screen, press, exited } = open("--no-card", "--analyst", "kim", "--scope", "observe", "--ticket", "INC-2");
    await screen.until(/INC-2 · observe only/);
    press("I");
    await screen.until(/Outside the scope/);
    press("enter");
    await screen.until(/write a reason/);
    press(..."it encrypts the share");
    await screen.until(/Enter +makes the plan/);
    press("enter");
    await screen.until(/OUTSIDE what is authorised/);
    await confirm(console_ as ConsoleInPty, /ISOLATED/, PATIENCE);
    await until("the response in the log", () => events().some(({ event }) => event.action === "response.succeeded"));
    const done = events().filter(({ event }) => event.action.startsWith("response."));
    expect(done.map(({ event }) => event.action)).toEqual(["response.proposed", "response.confirmed", "response.succeeded"]);
    for (const { stakeout } of done) {
      expect(stakeout.analyst).toBe("kim");
      expect(stakeout.response?.outside_scope).toEqual({ scope: ["observe"], needs: "contain", reason: "it encrypts the share" });
    }
    press("enter");
    await until("the result to be closed", () => !screen.text().includes("Enter  closes"));
    press("q");
    await screen.until(/stays isolated when you leave/);
    press("q");
    expect(await exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(/\*\*1 step outside the scope:\*\*\n\n- .*isolate .*kim wanted it all the same: it encrypts the share/);
    expect(report).toMatch(/Plans to isolate the host .*outside the scope: it encrypts the share/);
    const listed = (await runLocal([...PROGRAM, "--sessions", sessions.path])).stdout.split("\n")[0];
    expect(listed).toMatch(/devbox .*ISOLATED .*ended/);
  });

  test("a script needs --reason outside its scope; inside it, or without one, it needs none", async () => {
    const refused = await stakeout("release", "devbox", "--scope", "observe");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/outside the scope .*--reason/);
    expect((await range.onHost(["nft", "list", "ruleset"])).stdout).toContain("stakeout_isolation");
    const given = await stakeout("release", "devbox", "--scope", "observe", "--reason", "the owner wants it back", "--analyst", "kim");
    expect(given.code, given.stderr).toBe(0);
    expect(events().filter(({ stakeout }) => stakeout.response?.outside_scope?.reason === "the owner wants it back")).toHaveLength(3);
    expect(events()[0]).toMatchObject({ event: { action: "session.start" }, stakeout: { card: { analyst: "kim", scope: ["observe"] } } });
    const inside = await stakeout("isolate", "devbox", "--scope", "contain");
    expect(inside.code, inside.stderr).toBe(0);
    expect(events().some(({ stakeout }) => stakeout.response?.outside_scope)).toBe(false);
    expect((await stakeout("release", "devbox")).code).toBe(0);
    expect((await stakeout("release", "devbox", "--scope", "everything")).code).toBe(2);
  });

  test("recording from a script asks nothing", async () => {
    const recorded = await stakeout("record", "devbox", "--for", "1s", "--ndjson", "--ticket", "INC-3", "--scope", "collect");
    expect(recorded.code, recorded.stderr).toBe(0);
    expect(events()[0]?.stakeout.card).toMatchObject({ ticket: "INC-3", scope: ["observe", "collect"] });
  });
});
