import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runLocal } from "#range/machine";
import { PATIENCE } from "#testing/patience";
import { inPty } from "#testing/pty";
import { NIGHT } from "#testing/recorded-night";
import { PROGRAM } from "#testing/story";

describe("stakeout alone", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "stakeout-alone-"));
    for (let i = 0; i < 40; i++) {
      const folder = join(root, `s${i}`);
      cpSync(NIGHT, folder, { recursive: true });
      const about = JSON.parse(readFileSync(join(folder, "session.json"), "utf8"));
      const host = { name: i % 2 ? "web1" : "db\x1b[31m1", target: i % 2 ? "root@127.0.0.1:1" : "db1" };
      writeFileSync(
        join(folder, "session.json"),
        JSON.stringify({ ...about, host, started: new Date(Date.UTC(2026, 10, 1 + i)).toISOString() }),
      );
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("without a terminal the sessions are lines, newest first, and what a name holds cannot steer", async () => {
    const { stdout, code } = await runLocal([...PROGRAM, "--sessions", root]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(40);
    expect(lines[0]).toMatch(/^2026-12-10 00:00 {2}web1 .* events .*ended {3}/);
    expect(stdout).not.toContain("\x1b");
  });

  test("where nothing was recorded it says what can be done", async () => {
    const { stdout, code } = await runLocal([...PROGRAM, "--sessions", join(root, "none")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/No session is recorded[\s\S]*stakeout HOST[\s\S]*stakeout demo/);
  });

  test("on a terminal arrows choose, Enter replays, and the terminal is as it was", async () => {
    const console_ = inPty([...PROGRAM, "--sessions", root], 80, 24);
    await console_.screen.until(/Hosts 2[\s\S]*Sessions 40/);
    await console_.screen.until(/Enter connects to root@127\.0\.0\.1:1/);
    console_.press("G");
    await console_.screen.until(/2026-11-01 00:00[\s\S]*Enter replays it/);
    console_.resize(120, 40);
    console_.press("enter");
    await console_.screen.until(/REPLAY/);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    await expect.poll(() => console_.screen.terminal.buffer.active.type, { timeout: PATIENCE }).toBe("normal"); // its last bytes can come after its end
  });

  test("a host that was made for the demo is gone, so that nobody is offered to connect to it; its session is", async () => {
    const made = mkdtempSync(join(tmpdir(), "stakeout-made-"));
    cpSync(NIGHT, join(made, "night"), { recursive: true });
    const file = join(made, "night", "session.json");
    const { host, ...about } = JSON.parse(readFileSync(file, "utf8"));
    const { target: _, ...rest } = host;
    writeFileSync(file, JSON.stringify({ ...about, host: rest }));
    const console_ = inPty([...PROGRAM, "--sessions", made], 80, 24);
    const text = await console_.screen.until(/Sessions 1[\s\S]*Enter replays it/);
    expect(text).not.toMatch(/Hosts|connects/);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    rmSync(made, { recursive: true });
  });

  test("Enter on a host connects to it again; q leaves", async () => {
    const again = inPty([...PROGRAM, "--sessions", root], 100, 30);
    await again.screen.until(/Enter connects to root@127\.0\.0\.1:1/);
    again.press("enter");
    expect(await again.exited).toBe(3); // nobody listens there
    expect(again.screen.text()).toMatch(/127\.0\.0\.1/);
    const left = inPty([...PROGRAM, "--sessions", root], 100, 30);
    await left.screen.until(/Sessions 40/);
    left.press("q");
    expect(await left.exited).toBe(0);
  });
});
