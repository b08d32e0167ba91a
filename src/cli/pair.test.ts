import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { confirm, PROGRAM, select, sessionsFolder } from "#testing/story";
import { makeKey } from "../host/testing/real-sshd.ts";
import { fingerprintBySsh } from "../pair/testing/pair.ts";

const reason = rangeAvailable();

/** Two analysts on one session: the console on a real host, and real ssh clients in terminals of their own. Each story goes on where the one before it ended. */
describe.skipIf(reason !== undefined)(`two analysts${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const folder = mkdtempSync(join(tmpdir(), "stakeout-two-"));
  const state = join(folder, "state");
  let range: Range;
  let jm: ConsoleInPty;
  let kim: ConsoleInPty;
  let port = "";
  const open = (analyst: string, ...options: string[]) =>
    inPty(
      range.inNetns(range.netns.analyst, [
        ...[...PROGRAM, "devbox", "--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", analyst],
        ...options,
      ]),
      160,
      50,
      { XDG_STATE_HOME: state, XDG_CONFIG_HOME: state },
    );
  const join_ = (key: string, columns = 120, rows = 40) =>
    inPty(
      range.inNetns(range.netns.analyst, [
        ...["ssh", "-F", "none", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
        ...["-o", `UserKnownHostsFile=${join(folder, "known")}`, "-o", "StrictHostKeyChecking=accept-new"],
        ...["-i", join(folder, key), "-p", port, `${key}@127.0.0.1`],
      ]),
      columns,
      rows,
    );
  const { events } = sessions;
  const recorded = (action: string) => events().filter(({ event }) => event.action === action);
  const waitFor = (what: string, condition: () => boolean | Promise<boolean>) => until(what, condition, { everyMs: 20 });
  const responder = () => range.addresses.responders[0];

  beforeAll(async () => {
    for (const key of ["kim", "customer", "eve"]) makeKey(folder, key);
    range = await startRange();
    jm = open("jm", "--pair", "--pair-keys", join(folder, "kim.pub"), "--pair-watchers", join(folder, "customer.pub"));
    const line = /ssh -p (\d+) NAME@127\.0\.0\.1/.exec(await jm.screen.until(/ssh -p \d+ NAME@127\.0\.0\.1 .*the server's key is SHA256:/));
    port = line?.[1] ?? "";
  });
  afterAll(async () => {
    for (const console_ of [jm, kim]) console_?.kill("SIGKILL");
    await range?.stop();
    sessions.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the dialog shows the line and the fingerprint that the partner's ssh will show, and who may join", async () => {
    jm.press("P");
    const shown = await jm.screen.until("may join");
    expect(shown).toContain(`ssh -p ${port} NAME@127.0.0.1`);
    expect(shown).toMatch(/may join\s+kim, customer \(to watch\)/);
    const file = join(state, "stakeout", "pair_host_key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(shown).toContain(fingerprintBySsh(file).split(" ")[1]);
    jm.press("escape");
    await waitFor("the dialog to be closed", () => !jm.screen.text().includes("may join"));
  });

  test("kim joins with plain ssh and sees the same session in a screen of his own; a key that is not listed is told and not let in", async () => {
    kim = join_("kim");
    await kim.screen.until(/STAKEOUT[\s\S]*devbox[\s\S]*J jm drives +K kim/);
    await jm.screen.until(/kim has joined from 127\.0\.0\.1/);
    await jm.screen.until(/J jm drives +K kim/);
    await waitFor("both in the log", () => recorded("session.join").length === 2);
    expect(recorded("session.join").map(({ stakeout }) => [stakeout.analyst, stakeout.joined?.role])).toEqual([
      ["jm", "driver"],
      ["kim", "spectator"],
    ]);
    expect(recorded("session.join")[1]?.stakeout.joined?.key).toBe(fingerprintBySsh(join(folder, "kim.pub")).split(" ")[1]);
    const eve = join_("eve");
    expect(await eve.exited).toBe(255);
    await jm.screen.until(/somebody at 127\.0\.0\.1 was not let in: .*SHA256:/);
    expect(recorded("session.join")).toHaveLength(2);
  });

  test("what jm tags is tagged on kim's screen, by jm; jm's cursor is a mark there", async () => {
    const login = `root@${responder()}`;
    const shell = inPty(
      range.inNetns(range.netns.responders[0], [
        ...["ssh", "-F", "none", "-tt", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
        ...["-i", range.keys.responders[0], `root@${range.host.address}`, "sleep 1000"],
      ]),
      80,
      24,
    );
    try {
      await Promise.all([jm, kim].map(({ screen }) => screen.until(login)));
      kim.press("end"); // a cursor of his own on the same row would have the first column
      await select(jm, login);
      await waitFor("jm's mark on kim's row", () => kim.screen.lines().some((line) => line.startsWith("J") && line.includes(login)));
      jm.press("t");
      await jm.screen.until(/Enter +tags it/);
      jm.press("enter");
      await kim.screen.until(/jm tagged responder: our own triage \(login /);
      kim.press("end"); // read
      await waitFor("the tag on kim's screen", () => /hidden: /.test(kim.screen.text()) && !kim.screen.text().includes(login));
      await waitFor("the tag in the log", () =>
        recorded("tag.apply").some(({ stakeout }) => stakeout.tag?.reason !== "the console's own login"),
      );
      expect(recorded("tag.apply").at(-1)?.stakeout.analyst).toBe("jm");
    } finally {
      shell.kill("SIGKILL");
    }
  });

  test("a pointer flashes, a line of chat arrives, a note and a claim are on both screens and in the log", async () => {
    kim.press("*");
    await jm.screen.until(/kim: look here, at /);
    kim.press("C");
    await kim.screen.until("what you want to say");
    kim.press("that one is theirs", "enter");
    await jm.screen.until("kim: that one is theirs");
    kim.press("M");
    for (const { screen } of [jm, kim]) await screen.until(/kim took it on \(/);
    await waitFor("the claim", () => recorded("finding.claim").length === 1);
    kim.press("n");
    await kim.screen.until("Note on");
    kim.press("asked the customer", "enter");
    await waitFor("the note", () => recorded("note.add").length === 1);
    jm.press("@");
    await jm.screen.until(/mine +kim has taken it on[\s\S]*note +kim at [\d:]+: asked the customer/);
    expect(recorded("note.add")[0]?.stakeout).toMatchObject({ analyst: "kim", note: "asked the customer" });
    expect(events().some(({ stakeout }) => JSON.stringify(stakeout).includes("that one is theirs"))).toBe(false);
  });

  test("a spectator's key is refused with the reason, and nothing reaches the host or the log", async () => {
    kim.press("I");
    await kim.screen.until(/I Isolate: jm drives, and only the driver may change the host/);
    const customer = join_("customer", 80, 24);
    await customer.screen.until(/J jm drives K C/);
    customer.press("I");
    await customer.screen.until(/you were let in to watch: jm drives/);
    customer.press("q");
    expect(await customer.exited).toBe(0);
    await jm.screen.until("customer has left");
    expect(recorded("response.proposed")).toEqual([]);
  });

  test("jm hands the drive over: from then on kim may, and jm may not; jm's console can take it back", async () => {
    jm.press("H");
    await kim.screen.until(/K kim drives/);
    jm.press("I");
    await jm.screen.until(/kim drives, and only the driver may change the host/);
    await waitFor("the hand-over in the log", () => recorded("session.handover").length === 1);
    expect(recorded("session.handover").at(-1)?.stakeout).toMatchObject({ analyst: "jm", handover: { from: "jm", to: "kim" } });
    jm.press("H");
    await jm.screen.until(/J jm drives/);
    jm.press("H");
    await jm.screen.until(/K kim drives/);
  });

  test("with the rule of two, kim's plan runs only with jm's Enter as well; each closes the result on his own screen", async () => {
    jm.press(":Two must", "enter");
    await waitFor("the rule", () => recorded("session.rule").length === 1);
    kim.press("I");
    await jm.screen.until(/two must confirm within 30 s: you and kim/);
    await kim.screen.until(/Enter +confirms; then jm must/);
    kim.press("enter");
    await kim.screen.until(/you have confirmed; Enter of jm is awaited: \d+ s/);
    expect((await range.onHost(["nft", "list", "tables"])).stdout.trim()).toBe("");
    await jm.screen.until(/kim has confirmed this plan; yours is the second Enter: \d+ s/);
    await confirm(jm, /ISOLATED/, PATIENCE);
    await kim.screen.until(/ISOLATE devbox: isolated/);
    await waitFor("the result in the log", () => recorded("response.succeeded").length === 1);
    expect(recorded("response.confirmed").map(({ stakeout }) => [stakeout.analyst, stakeout.confirmation?.given])).toEqual([
      ["kim", 1],
      ["jm", 2],
    ]);
    jm.press("escape");
    await waitFor("jm's dialog to be closed", () => !jm.screen.text().includes("ISOLATE devbox: isolated"));
    expect(kim.screen.text()).toContain("ISOLATE devbox: isolated");
    kim.press("escape");
    await waitFor("kim's dialog to be closed", () => !kim.screen.text().includes("ISOLATE devbox: isolated"));
    jm.press("W");
    const acts = await jm.screen.until("Who did what");
    expect(acts).toMatch(/jm +confirmed to isolate \(2 of 2\)/);
    expect(acts).toMatch(/kim +confirmed to isolate \(1 of 2\)/);
    jm.press("escape");
    // what is typed within a blink of a lone Escape is taken for one key with it
    await waitFor("the dialog to be closed", () => !jm.screen.text().includes("Who did what"));
  });

  test("kim's client is killed while he drives: the drive is the console's again, and jm goes on alone, which the log says", async () => {
    kim.kill("SIGKILL");
    await jm.screen.until(/kim has left: jm drives now/);
    await waitFor("it in the log", () => recorded("session.handover").length === 4);
    expect(recorded("session.leave").at(-1)).toMatchObject({ event: { reason: "the connection ended" }, stakeout: { analyst: "kim" } });
    expect(recorded("session.handover").at(-1)?.stakeout.handover).toEqual({ from: "kim", to: "jm" });
    jm.press("I");
    await jm.screen.until(/nobody else is here who could/);
    await jm.screen.until(/a +releases the host alone/);
    jm.press("a");
    await jm.screen.until(/not isolated/);
    await waitFor("the release", () => recorded("response.succeeded").length === 2);
    expect(recorded("response.confirmed").at(-1)?.stakeout).toMatchObject({ analyst: "jm", confirmation: { override: "alone" } });
    await jm.screen.until("RELEASE devbox: released");
    jm.press("escape");
    await waitFor("the dialog to be closed", () => !jm.screen.text().includes("RELEASE devbox: released"));
  });

  test("the driver's console is killed in the middle of an isolation: the next one shows it, by whom, and when the host has undone it", async () => {
    jm.press("I");
    await jm.screen.until(/a +isolates the host alone/);
    jm.press("a");
    await waitFor("the rules on the host", async () => (await range.onHost(["nft", "list", "tables"])).stdout.includes("stakeout"));
    jm.kill("SIGKILL");
    await jm.exited;
    const proven = recorded("response.succeeded").length > 2;
    const before = sessions.newest();
    const next = open("kim");
    try {
      await waitFor("the next session", () => sessions.newest() !== before);
      await next.screen.until(/ISOLATED by jm found \d\d:\d\d:\d\d/);
      await waitFor("it in the log", () => recorded("baseline.isolation").length > 0);
      expect(recorded("baseline.isolation")[0]?.stakeout).toMatchObject({ analyst: "jm", response: { kind: "isolate" } });
      const tables = async () => (await range.onHost(["nft", "list", "tables"])).stdout.includes("stakeout");
      if (proven) expect(await tables()).toBe(true);
      else {
        await until("the host to undo it", async () => !(await tables()), { timeoutMs: 2 * PATIENCE, everyMs: 500 });
        await next.screen.until(/not isolated/);
        await waitFor("that in the log", () => recorded("baseline.isolation").at(-1)?.stakeout.response?.kind === "release");
      }
    } finally {
      next.kill("SIGKILL");
    }
  });
});

test("--pair without keys is wrong usage, told before anything is connected", async () => {
  const refused = inPty([...PROGRAM, "nowhere.invalid", "--pair"], 120, 20);
  await refused.screen.until("Nobody could join: name the public keys of who may, with --pair-keys FILE");
  expect(await refused.exited).toBe(2);
});
