import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import type { C2 } from "#range/c2";
import { runLocal, until } from "#range/machine";
import { type Night, playNight } from "#range/night";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { confirm, leftOnHost, openConsole, PROGRAM, select, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();
/** Under header, views and the title of the tree. */
const FIRST_ROW = 4;

/** The analysts' night on a real host, through the built program in a terminal. Each story goes on where the one before it ended. */
describe.skipIf(reason !== undefined)(`the night${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const ending = new AbortController();
  let range: Range;
  let night: Night;
  let c2: C2;
  let console_: ConsoleInPty;
  const { events } = sessions;
  const waitFor = (what: string, condition: () => unknown) => until(what, () => Boolean(condition()), { everyMs: 50 });

  beforeAll(async () => {
    range = await startRange();
    const watched = Promise.withResolvers<void>();
    night = playNight(range, { seed: 7, signal: ending.signal, limitMs: 600_000, watched: watched.promise });
    night.done.catch(() => {});
    c2 = await night.c2;
    console_ = openConsole(range, sessions.path, [160, 120]);
    await waitFor("the first picture of the host", () => events().some(({ event }) => event.action === "baseline.complete"));
    watched.resolve();
  });
  afterAll(async () => {
    ending.abort();
    console_?.kill("SIGKILL");
    await range?.stop();
    sessions.remove();
  });

  test("the analysts tag themselves and only the intruder is left", async () => {
    const [first, second] = range.addresses.responders;
    const tree = () => console_.screen.text();
    for (const address of [first, second, range.addresses.intruder]) await console_.screen.until(`root@${address}`);
    await console_.screen.until("apt list");
    for (const address of [first, second]) {
      await select(console_, `root@${address}`);
      console_.press("t");
      await console_.screen.until(new RegExp(`Tag the login L\\d+ root@${address.replaceAll(".", "\\.")}`));
      console_.press(..."one of us");
      await console_.screen.until("one of us");
      await console_.screen.until(/Enter +tags it/);
      console_.press("enter");
      await waitFor(`${address} to be folded away`, () => !tree().includes(`root@${address}`));
    }
    expect(tree()).toMatch(/hidden: \d\d+ processes/);
    expect(tree()).toContain(`root@${range.addresses.intruder}`);
    expect(tree()).not.toContain("apt list");
    const verdicts = () => events().flatMap(({ stakeout }) => (stakeout.tag?.reason === "one of us" ? [stakeout.tag.verdict] : []));
    await waitFor("both tags in the log", () => verdicts().length >= 2);
    expect(verdicts()).toEqual(["responder", "responder"]);

    // Nothing is gone: T shows it in its place, and T folds it again.
    console_.press("T");
    await console_.screen.until(`root@${first}`);
    console_.press("T");
    await waitFor("the responders to be folded again", () => !tree().includes(`root@${first}`));

    // f: the picture stands still while the intruder goes on, and is counted.
    console_.press("f");
    await console_.screen.until(/FROZEN, [1-9]\d* events? since/);
    console_.press("f");
    await waitFor("the picture to go on", () => !tree().includes("FROZEN"));
  });

  test("a command of the analyst's own is recorded with its output, runs in a clean shell, and is hidden as ours; a tag is undone", async () => {
    console_.press("!");
    await console_.screen.until(/Run on the host, recorded/);
    console_.press(..."echo $HISTFILE; printf '\\033[31mred\\n'; factor 4711; exit 3");
    await console_.screen.until(/Enter +runs it on/);
    console_.press("enter");
    const shown = await console_.screen.until(/jm at \S+: exit 3/);
    expect(shown).toContain("·[31mred");
    expect(shown).toContain("/dev/null");
    console_.press("escape");
    await waitFor("the output to be closed", () => !/jm at \S+: exit 3/.test(console_.screen.text()));
    await waitFor("the command in the log", () => events().some(({ event }) => event.action === "command.end"));
    const ran = events().find(({ event }) => event.action === "command.end")?.stakeout.command;
    expect(readFileSync(`${sessions.newest()}/${ran?.file}`, "utf8")).toBe("/dev/null\n\x1b[31mred\n4711: 7 673\n");
    const own = events().find(({ event, stakeout }) => event.action === "login.start" && stakeout["ours"] === true)?.process?.entity_id;
    // its arguments can be gone before they are read; what it was, the kernel says
    const isFactor = ({ event, process }: StakeoutEvent) => event.action === "process.start" && process?.executable?.endsWith("/factor");
    await waitFor("the command's own program", () => events().some(isFactor));
    expect(own).toBeDefined();
    expect(events().find(isFactor)?.process?.entry_leader?.entity_id).toBe(own);

    const [first] = range.addresses.responders;
    console_.press("Z");
    await console_.screen.until(/undone: responder \(one of us\)/);
    console_.press("\x12");
    await console_.screen.until(/done again: responder \(one of us\)/);
    console_.press("v");
    await console_.screen.until(new RegExp(`root@${first}`));
    expect(await console_.screen.until(/In force/)).toMatch(/responder +login[\s\S]*one of us/);
    console_.press("escape");
    await waitFor("the list to be closed", () => !console_.screen.text().includes("In force"));
  });

  test("isolate cuts the beacon and keeps us in", async () => {
    const calls = () => c2.connections.length;
    await waitFor("the beacon at the C2", () => calls() >= 3);
    console_.press("I");
    const plan = await console_.screen.until(/policy drop/);
    expect(plan).toContain(range.c2.address); // what dies is named
    await confirm(console_, /ISOLATED/, PATIENCE);
    await waitFor("the response in the log", () => events().some(({ event }) => event.action === "response.succeeded"));
    const isolated = events().find(({ event }) => event.action === "response.succeeded") as StakeoutEvent;
    expect(isolated.stakeout.response).toMatchObject({ kind: "isolate", verified: { access: true, cut: true } });
    console_.press("escape");

    // The beacon goes on trying; nothing gets through, and the console goes on seeing it.
    const attempts = () =>
      events().filter(
        ({ event, destination }) =>
          event.action === "network.start" && event.sequence > isolated.event.sequence && destination?.ip === range.c2.address,
      );
    const before = calls();
    await waitFor("further attempts of the beacon", () => attempts().length >= 2);
    expect(calls()).toBe(before);
    const ssh = (netns: string, key: string) =>
      runLocal(
        range.inNetns(netns, [
          ..."ssh -o BatchMode=yes -o ConnectTimeout=3 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i".split(
            " ",
          ),
          key,
          `root@${range.host.address}`,
          "echo in",
        ]),
      );
    expect((await ssh(range.netns.analyst, range.keyFile)).stdout).toBe("in\n");
    expect((await ssh(range.netns.intruder, range.keys.intruder)).code).not.toBe(0);

    console_.press("I");
    await console_.screen.until(/release/i);
    await console_.screen.until(/delete table/i);
    await confirm(console_, /not isolated/, PATIENCE);
    console_.press("escape");
    await waitFor("the beacon to get through again", () => calls() > before);
    await waitFor("the release in the log", () => events().filter(({ event }) => event.action === "response.succeeded").length >= 2);
    const released = events()
      .filter(({ event }) => event.action === "response.succeeded")
      .at(-1) as StakeoutEvent;
    expect(released.stakeout.response?.kind).toBe("release");
    const through = events().filter(
      ({ event, destination }) =>
        event.action === "network.established" &&
        destination?.ip === range.c2.address &&
        event.sequence > isolated.event.sequence &&
        event.sequence < released.event.sequence,
    );
    expect(through).toEqual([]);
    expect((await range.onHost(["nft", "list", "ruleset"])).stdout.trim()).toBe("");
  });

  test("the recorded night replays to the same screen", async () => {
    // On a busy machine the rows of one picture may be those of a moment before its header's count: then another picture is held against it.
    for (let pictures = 12; ; pictures--) {
      console_.press("home");
      await waitFor("the cursor on the first row", () => console_.screen.lines()[FIRST_ROW]?.startsWith("▌"));
      const { live, replayed } = await samePictures(await standing());
      if (live !== replayed && pictures > 1) continue;
      expect(replayed).toBe(live);
      return;
    }
  });

  /** The screen once nothing but its clocks has moved for half a second: on a busy machine a header is painted before the rows that it counts. */
  async function standing(): Promise<readonly string[]> {
    let since = performance.now();
    let lines = console_.screen.lines();
    await waitFor("the picture to stand", () => {
      const now = console_.screen.lines();
      if (received(now) !== received(lines) || comparable(now) !== comparable(lines)) since = performance.now();
      lines = now;
      return performance.now() - since > 500;
    });
    return lines;
  }
  const received = (lines: readonly string[]) => Number(/([\d,. ]+) events/.exec(lines[1] ?? "")?.[1]?.replace(/[^\d]/g, ""));

  /** A live picture, and the replay's of the moment until which the live one had seen events. */
  async function samePictures(lines: readonly string[]): Promise<{ live: string; replayed: string }> {
    const live = comparable(lines);
    const count = received(lines);
    expect(count).toBeGreaterThan(100);
    const collected = () => events().filter(({ stakeout }) => stakeout.sensor === "collector");
    await waitFor("the log to reach the disk", () => collected().length >= count);
    const { sequence } = (collected()[count - 1] as StakeoutEvent).event;
    const next = collected().find(({ event }) => event.sequence > sequence)?.event.sequence;
    const replay = inPty([...PROGRAM, "replay", sessions.newest(), "--at", `#${next === undefined ? sequence : next - 1}`], 160, 121);
    await replay.screen.until(/REPLAY/);
    const body = () => comparable(replay.screen.lines().toSpliced(-3, 1)); // without the line that only a replay has
    await until("the same screen", () => body() === live, { timeoutMs: 5000 }).catch(() => {});
    const replayed = body();
    replay.press("q");
    expect(await replay.exited).toBe(0);
    return { live, replayed };
  }

  test("R writes the report of what is recorded so far", async () => {
    console_.press("R");
    await console_.screen.until("report.md");
    const report = readFileSync(`${sessions.newest()}/report.md`, "utf8");
    expect(report).toContain("the session was not ended when this report was made");
    expect(report).toMatch(/the chain was checked when this report was made: it is whole/);
    expect(report).toContain(`\`${range.c2.address}:${range.c2.port}\``);
  });

  test("q ends the session whole, and the terminal is as it was", async () => {
    console_.press("q");
    expect(await console_.exited).toBe(0);
    await expect.poll(() => console_.screen.terminal.buffer.active.type, { timeout: PATIENCE }).toBe("normal"); // its last bytes can come after its end
    const verified = await runLocal([...PROGRAM, "verify", sessions.newest()]);
    expect(verified.stdout).toMatch(/the chain is whole, sealed/);
    expect(await leftOnHost(range)).toEqual({ instances: [], collectors: "" });
  });

  test("the report of the ended session holds the night", async () => {
    const session = sessions.newest();
    const { head } = JSON.parse(readFileSync(`${session}/session.json`, "utf8")) as { head: { sha256: string } };
    const { code, stdout: report } = await runLocal([...PROGRAM, "report", session]);
    expect(code).toBe(0);
    expect(report).toContain(`- sha256 of the last line: \`${head.sha256}\``);
    const [, summary = ""] = /## Summary\n([\s\S]*?)\n## /.exec(report) ?? [];
    expect(summary).toContain(`\`root\` from \`${range.addresses.intruder}\``);
    for (const address of range.addresses.responders) expect(summary).toContain(`\`root\` from \`${address}\``);
    expect(summary).toMatch(/China, AS\d+ [^)]*\): .*\b\d+ attempts? from .* got through/);
    expect(summary).toMatch(/jm cut the host off .* it was proven that the cut holds/);
    expect(summary).toMatch(/While the host was cut off .* (\d+) calls out were tried and none got through/);
    // Arguments can be gone before they are read: what the log has of them, the report has.
    const shadow = events().some(({ process }) => process?.args?.some((arg) => (arg as string) === "/etc/shadow"));
    expect(summary.includes("`/etc/shadow`")).toBe(shadow);
    // The beacon's hash is that of the file as it lies on the host.
    const lying = (await range.onHost(["sh", "-c", "sha256sum /dev/shm/*"])).stdout.trim().split(/\s+/);
    expect(report).toContain(`\`${lying[1]}\`\n  - sha256 \`${lying[0]}\``);
    expect(report).not.toContain("apt list"); // the responders' noise

    const replayed = inPty([...PROGRAM, "replay", session, "--speed", "1000"], 160, 50);
    await replayed.screen.until(/REPLAY/);
    replayed.press("R");
    await replayed.screen.until("report.md");
    expect(readFileSync(`${session}/report.md`, "utf8")).toBe(report);
    replayed.press("q");
    expect(await replayed.exited).toBe(0);
  });

  test("a killed console leaves nothing on the host", async () => {
    const doomed = openConsole(range, sessions.path);
    await doomed.screen.until(/tracefs\+proc/);
    expect((await leftOnHost(range)).instances).not.toEqual([]);
    doomed.kill("SIGKILL");
    await doomed.exited;
    await until(
      "the host to be clean",
      async () => (await leftOnHost(range)).instances.length === 0 && (await leftOnHost(range)).collectors === "",
      { timeoutMs: PATIENCE },
    );
    expect(await leftOnHost(range)).toEqual({ instances: [], collectors: "" });
  });
});

/** A screen without what differs by nature: header, footer, the clock's progress and the session's mode. */
function comparable(lines: readonly string[]): string {
  return lines
    .slice(FIRST_ROW - 1, -2)
    .map((line) =>
      line
        .replace(/\b\d+[smhd]\b/g, "…")
        .replace(/ +/g, " ")
        .trimEnd(),
    )
    .join("\n");
}
