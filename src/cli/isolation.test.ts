import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { confirm, openConsole, PROGRAM, select, sessionsFolder } from "#testing/story";
import { type Beacon, startBeacon } from "../response/testing/beacon.ts";
import { clear } from "../response/testing/clear.ts";

const reason = rangeAvailable();

/** One isolation from its rehearsal to its ticket, through the built program. Each story goes on where the one before it ended. */
describe.skipIf(reason !== undefined)(`an isolation${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let beacon: Beacon;
  let console_: ConsoleInPty;
  const { events } = sessions;
  const waitFor = (what: string, condition: () => unknown) => until(what, () => Boolean(condition()), { everyMs: 50 });
  const root = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout;
  const closed = () => waitFor("the dialog to be closed", () => !/Enter +closes/.test(console_.screen.text()));
  const close = async () => {
    console_.press("escape");
    await closed();
  };
  const program = (...argv: string[]) =>
    range.inNetns(range.netns.analyst, [...PROGRAM, ...argv, "--config", range.sshConfig, "--sessions", sessions.path, "--analyst", "kim"]);

  beforeAll(async () => {
    range = await startRange();
    beacon = await startBeacon(range);
    console_ = openConsole(range, sessions.path, [160, 60]);
    await console_.screen.until(/sshd/);
  });
  afterAll(async () => {
    beacon?.stop();
    console_?.kill("SIGKILL");
    if (range) await clear(range);
    await range?.stop();
    sessions.remove();
  });

  test("is rehearsed on live traffic, takes an address more, and is carried out by one Enter", async () => {
    console_.press("I");
    await console_.screen.until(/Enter +isolates the host/);
    expect(console_.screen.text()).toMatch(/may break/);
    console_.press("r");
    const rehearsed = await console_.screen.until(/our login passes; in 10 s \d+ far ends? would be cut/);
    expect(rehearsed).toContain(`${range.c2.address}:4444 tcp`);
    expect((await beacon.heard()).tcp.count).toBeGreaterThan(0);
    console_.press("g");
    await console_.screen.until(/pieces? of evidence in/);
    console_.press("+");
    await console_.screen.until(/let through/);
    console_.press(..."203.0.113.200:8443", "enter");
    await console_.screen.until(/203\.0\.113\.200 port 8443 may be reached|no route/);
    if (console_.screen.text().includes("no route")) throw new Error(`the range has no default route\n${console_.screen.text()}`);
    let painted = "";
    console_.onOutput((data) => {
      painted += data;
    });
    await confirm(console_, /verified ✓ \d\.\d s ago · 0 packets out · [\d,]+ dropped · stays/, PATIENCE);
    expect(painted).toContain("ISOLATING"); // between the cut and its proof
    await console_.screen.until(/Enter +closes/);
    await close();
    const find = () =>
      events().find(({ event, stakeout }) => event.action === "response.succeeded" && stakeout.response?.kind === "isolate");
    await waitFor("the isolation in the log", find);
    const done = find();
    expect(done?.stakeout.response).toMatchObject({ keeps: "stays", verified: { access: true, cut: true } });
    expect(events().some(({ stakeout }) => stakeout.response?.kind === "rehearse")).toBe(true);
    expect(events().some(({ event }) => event.action === "evidence.collect")).toBe(true);
  });

  test("is put back when root removes it, with a finding that names the process, and follows a new interface", async () => {
    const before = await beacon.heard();
    await root("nft flush ruleset");
    await console_.screen.until(/finding.*Somebody removed the isolation: process \d+ \(nft\)/);
    const find = () => events().find(({ event }) => event.action === "finding.create");
    await waitFor("the finding in the log", find);
    const found = find();
    expect(found?.stakeout.finding).toMatchObject({
      rule: "isolation-removed",
      level: "critical",
      technique: ["T1562.004"],
      by: { name: "nft" },
    });
    await console_.screen.until(/verified ✓ \d\.\d s ago · 0 packets out · [\d,]+ dropped · stays · put back 1×/);
    expect(await beacon.heard()).toEqual(before);

    await root("ip link add extra type bridge");
    await waitFor("the isolation to follow", () =>
      events().some(({ stakeout, event }) => stakeout.sensor === "isolation" && event.action === "response.succeeded"),
    );
    expect(await root("nft list table netdev stakeout_isolation")).toMatch(/devices = \{[^}]*extra/);
    await console_.screen.until(/verified ✓ \d\.\d s ago/);
    await root("ip link del extra");
  });

  test("is it really cut? is answered in words, and recorded", async () => {
    console_.press("i");
    await console_.screen.until(/Yes\. We looked at .* UTC: the host talks to nobody but/);
    await close();
    await waitFor("the answer in the log", () => events().some(({ stakeout }) => stakeout.note?.startsWith("Is it really cut? Yes.")));
  });

  test("a process is suspended and let go on, an address is blocked and the block taken back, each with its plan", async () => {
    const pid = (await root("sleep 98765 </dev/null >/dev/null 2>&1 & echo $!")).trim();
    const state = async () => (await root(`cut -d' ' -f3 /proc/${pid}/stat`)).trim();
    await waitFor("the process in the log", () =>
      events().some(({ process }) => process?.args?.some((arg) => (arg as string) === "98765")),
    );
    console_.press("/", ..."exe:sleep", "enter");
    await select(console_, "98765");
    console_.press("f", "x");
    await console_.screen.until(/Suspend sleep/);
    await chooseMeasure(/Suspend sleep/);
    await console_.screen.until(/kill -STOP/);
    await console_.screen.until(/Enter +suspends them/);
    console_.press("enter");
    await console_.screen.until(/1 of 1 processes suspended/);
    expect(await state()).toBe("T");
    await close();
    console_.press("x");
    await chooseMeasure(/Let go on what was suspended/);
    await console_.screen.until(/Enter +lets them go on/);
    console_.press("enter");
    await console_.screen.until(/1 of 1 processes going on/);
    expect(await state()).toBe("S");
    await close();
    await root(`kill -9 ${pid}`);

    console_.press("escape");
    await waitFor("the filter to be gone", () => !console_.screen.text().includes("found by"));
    console_.press("3");
    await console_.screen.until(/━━ 3 Connections/);
    console_.press("/", ...range.c2.address, "enter", "home");
    await waitFor("the connection", () => console_.screen.lines().some((line) => line.startsWith("▌") && line.includes(range.c2.address)));
    console_.press("x");
    await chooseMeasure(/Block all of/);
    await console_.screen.until(/Enter +sets the block/);
    console_.press("enter");
    await console_.screen.until(/the host's nft lists the block/);
    expect(await root("nft list tables")).toContain("stakeout_block_");
    await close();
    console_.press("x");
    await chooseMeasure(/Take back the block/);
    await console_.screen.until(/Enter +takes the block back/);
    console_.press("enter");
    await console_.screen.until(/the host's nft lists the block no more/);
    expect(await root("nft list tables")).not.toContain("stakeout_block_");
    await close();
    console_.press("escape");
    await waitFor("the filter to be gone", () => !console_.screen.text().includes("found by"));
    console_.press("1");
  });

  test("is released, and what is compared stands in the log", async () => {
    console_.press("I");
    await console_.screen.until(/delete table/i);
    await confirm(console_, /not isolated/, PATIENCE);
    await console_.screen.until(/Enter +closes/);
    await close();
    const find = () =>
      events().find(({ event, stakeout }) => event.action === "response.succeeded" && stakeout.response?.kind === "release");
    await waitFor("the release in the log", find);
    const released = find();
    expect(released?.stakeout.response?.compared).toEqual({
      against: "before the isolation",
      same: ["the nft ruleset", "the iptables rules", "the routing rules", "the routes", "the addresses"],
      differs: [],
    });
    expect((await root("grep -lse 'stakeout-[glw]' /proc/[0-9]*/cmdline | wc -l")).trim()).toBe("0");
    expect(await root("nft list ruleset")).toBe("");
  });

  test("replays to the same header, and its ticket lists every change", async () => {
    const session = sessions.newest();
    const put = events().find(({ stakeout }) => stakeout.isolation?.put_back === 1 && stakeout.isolation.holds);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    const replayed = inPty([...PROGRAM, "replay", session, "--at", `#${put?.event.sequence}`], 160, 50);
    await replayed.screen.until(/verified ✓ \d\.\d s ago · 0 packets out · [\d,]+ dropped · stays · put back 1×/);
    await replayed.screen.until(/finding.*Somebody removed the isolation/);
    replayed.press("q");
    await replayed.exited;
    const { code, stdout } = await runLocal([...PROGRAM, "report", session, "--changes"]);
    expect(code).toBe(0);
    for (const words of [
      "Isolate",
      "Rehearse",
      "Suspend",
      "Block",
      "Release",
      "put back after somebody",
      "made anew for the host",
      "    create table inet stakeout_isolation",
    ])
      expect(stdout).toContain(words);
    expect(stdout).toContain("Nothing that this session knows of.");
  });

  test("from a script: a rehearsal cuts nobody, a watched isolation says what it sees, another console's release ends it", async () => {
    const rehearsal = await runLocal(program("isolate", "devbox", "--rehearse"));
    expect(rehearsal).toMatchObject({ code: 0 });
    expect(JSON.parse(rehearsal.stdout)).toMatchObject({ kind: "rehearse", keepsUs: true, cleared: true });
    expect((await runLocal(program("block", "devbox", "not-an-address"))).code).toBe(2);

    const blocked = await runLocal(program("block", "devbox", `${range.c2.address}:4444`));
    const { mark } = JSON.parse(blocked.stdout) as { mark: string };
    const first = await beacon.heard();
    await until("the rest to go on", async () => (await beacon.heard()).udp.count > first.udp.count + 100);
    expect((await beacon.heard()).tcp.count).toBe(first.tcp.count);
    expect((await runLocal(program("block", "devbox", "--undo", mark))).code).toBe(0);

    const [command = "", ...argv] = program("isolate", "devbox", "--watch");
    const kept = spawn(command, argv, { stdio: ["ignore", "pipe", "ignore"] });
    const lines: string[] = [];
    createInterface({ input: kept.stdout }).on("line", (line) => lines.push(line));
    const ended = new Promise<number | null>((resolve) => kept.once("close", resolve));
    await waitFor("the first look", () => lines.some((line) => line.includes('"holds":true')));
    await root("nft flush ruleset");
    await waitFor("the finding", () => lines.some((line) => line.includes("isolation-removed")));
    const released = await runLocal(program("release", "devbox"));
    expect(JSON.parse(released.stdout)).toMatchObject({ kind: "release", compared: { differs: [] } });
    await waitFor("the watch's end", () => lines.some((line) => line.includes('"status":"lost"')));
    kept.kill("SIGINT");
    await ended;
    expect(await root("nft list ruleset")).toBe("");
  });

  /** Moves to the measure with these words, and makes its plan. */
  async function chooseMeasure(words: RegExp): Promise<void> {
    await console_.screen.until(words);
    await console_.screen.until(/Enter +makes the plan/);
    const lines = console_.screen.lines();
    const from = lines.findIndex((line) => /▌ (Block|Suspend|Let|End|Take)/.test(line));
    const down = lines.findIndex((line) => words.test(line)) - from;
    console_.press(...Array.from({ length: down }, () => "down"));
    await console_.screen.until(new RegExp(`▌ ${words.source}`));
    await console_.screen.until(/Enter +makes the plan/);
    console_.press("enter");
  }
});
