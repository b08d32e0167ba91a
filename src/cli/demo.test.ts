import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import { runLocal } from "#range/machine";
import { sha256 } from "#session/event-log";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

describe.skipIf(reason !== undefined)(`the headless demo${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  afterAll(() => sessions.remove());

  test("plays the whole night, and its log tells it as the contract says", async () => {
    const { code, stdout, stderr } = await runLocal([...PROGRAM, "demo", "--headless", "--ndjson", "--sessions", sessions.path]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(readFileSync(`${sessions.newest()}/events.jsonl`, "utf8"));

    const lines = stdout.trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as StakeoutEvent);
    const of = (action: string) => events.filter(({ event }) => event.action === action);
    events.forEach((event, index) => {
      expect(event.event.sequence).toBe(index + 1);
      expect(event.stakeout.prev).toBe(index === 0 ? "0".repeat(64) : sha256(lines[index - 1] as string));
      expect(event["@timestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(event).toMatchObject({
        event: { kind: expect.any(String) },
        host: { name: "devbox" },
        stakeout: { schema: 1, sensor: expect.any(String), tier: expect.any(String) },
      });
    });

    const intruder = of("login.start").find(({ source }) => source?.geo)?.source;
    expect(intruder).toMatchObject({ geo: { country_iso_code: "DE" }, as: { number: expect.any(Number) } });
    const his = of("process.start").filter(({ process }) => process?.entry_leader?.entry_meta.source?.ip === intruder?.ip);
    expect(his.some(({ process }) => (process?.args?.length ?? 0) >= 4)).toBe(true);
    // Arguments are there, or it is said that they were gone before they could be read: a cat of a secret is over in no time.
    for (const { process, stakeout } of of("process.start"))
      expect(process?.args !== undefined || stakeout.unseen?.["process.args"] === "raced").toBe(true);
    expect(his.some(({ process }) => process?.executable?.endsWith("/cat"))).toBe(true);

    const abroad = of("network.start").filter(({ destination }) => destination?.geo?.country_iso_code === "CN");
    expect(abroad.length).toBeGreaterThanOrEqual(5);
    expect(abroad[0]?.destination?.as?.organization?.name).toMatch(/\w/);
    const c2 = abroad[0]?.destination?.ip;

    const dropped = of("file.creation").filter(({ stakeout }) => (stakeout.binary?.random ?? 0) > 0.6);
    expect(dropped.length).toBeGreaterThanOrEqual(2);
    const hashed = of("file.info").filter(({ file }) => dropped.some((event) => event.file?.path === file?.path) && file?.hash);
    expect(hashed.length).toBeGreaterThanOrEqual(2);
    expect(of("file.deletion").some(({ file }) => hashed.some((event) => event.file?.path === file?.path))).toBe(true);
    // Killed by a responder, back by cron.
    const back = of("process.start").find(
      ({ process }) => process?.entry_leader?.entry_meta.type === "cron" && dropped.some(({ file }) => file?.path === process.executable),
    );
    expect(back).toBeDefined();
    // Told by the entry that brought it back, and by the login that wrote the entry.
    expect(back?.process?.entry_leader?.entry_meta.entry).toMatchObject({
      path: expect.stringMatching(/^\/etc\/cron\.d\//),
      line: expect.stringContaining("root pgrep"),
      written_by: { entry_leader: { entry_meta: { type: "sshd", source: { ip: intruder?.ip } } } },
    });
    expect(of("lookback.complete")).toHaveLength(1);

    const ours = of("tag.apply").flatMap(({ stakeout }) =>
      stakeout.tag?.verdict === "responder" && /one of us/.test(stakeout.tag.reason) ? [stakeout.tag] : [],
    );
    expect(ours).toHaveLength(2);
    const [isolated, released] = ["isolate", "release"].map((kind) =>
      of("response.succeeded").find(({ stakeout }) => stakeout.response?.kind === kind),
    );
    expect(isolated?.stakeout.response).toMatchObject({
      verified: { access: true, cut: true },
      plan_sha256: sha256(isolated?.stakeout.response?.plan ?? ""),
    });
    const [from, to] = [isolated?.event.sequence ?? 0, released?.event.sequence ?? 0];
    expect(to).toBeGreaterThan(from);
    const during = events.filter(({ event, destination }) => event.sequence > from && event.sequence < to && destination?.ip === c2);
    expect(during.filter(({ event }) => event.action === "network.start").length).toBeGreaterThan(0);
    expect(during.filter(({ event }) => event.action === "network.established")).toEqual([]);
    expect(of("session.end")).toHaveLength(1);
  });
});
