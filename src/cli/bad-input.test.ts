import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runLocal, until } from "#range/machine";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { momentsOfTheNight, NIGHT, told } from "#testing/recorded-night";
import { PROGRAM } from "#testing/story";

const { length, beforeCut } = momentsOfTheNight();
const memory = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** The recorded night on terminals that behave badly. */
describe("bad terminals and bad input", () => {
  let console_: ConsoleInPty;
  const open = (columns: number, rows: number, env: Record<string, string> = {}, ...options: string[]) => {
    console_ = inPty([...PROGRAM, "replay", NIGHT, "--at", `#${beforeCut}`, ...options], columns, rows, env);
    return console_;
  };
  const leaves = async () => {
    console_.press("q");
    expect(await console_.exited).toBe(0);
    await expect.poll(() => console_.screen.terminal.buffer.active.type, { timeout: PATIENCE }).toBe("normal"); // its last bytes can come after its end
  };
  afterEach(() => console_?.kill("SIGKILL"));

  test("a storm of sizes, from 1x1 to 10,000 columns: it goes on, and the last size is drawn whole", async () => {
    open(120, 40);
    await console_.screen.until(/REPLAY/);
    const fresh = inPty([...PROGRAM, "replay", NIGHT, "--at", `#${beforeCut}`], 100, 30);
    await fresh.screen.until(/REPLAY[\s\S]*Quit|REPLAY[\s\S]*Help/);
    fresh.press("j", "tab", "k");
    for (let i = 0; i < 300; i++) {
      console_.resize(1 + ((i * 37) % 300), 1 + ((i * 23) % 90));
      if (i % 20 === 0) await new Promise((done) => setTimeout(done, 5));
    }
    console_.resize(1, 1);
    console_.press("j", "tab", "k");
    console_.resize(10_000, 3);
    console_.resize(10_000, 500);
    await console_.screen.until(/REPLAY/);
    for (const one of [console_, fresh]) one.press("1", "home");
    console_.resize(100, 30);
    await fresh.screen.settled();
    await until("the same picture as on a fresh start", () => console_.screen.text() === fresh.screen.text(), { timeoutMs: 10_000 }).catch(
      () => {},
    );
    expect(console_.screen.text()).toBe(fresh.screen.text());
    fresh.press("q");
    await fresh.exited;
    await leaves();
  });

  test("a terminal that is too small says so, and how large it must be", async () => {
    open(50, 10);
    await console_.screen.until(/Stakeout needs 60x16/);
    console_.resize(80, 24);
    await console_.screen.until(/REPLAY/);
    console_.resize(1, 1);
    console_.press("j");
    await leaves();
  });

  test("a terminal that stops reading: memory stays, and what is shown when it reads again is the present", async () => {
    open(200, 60, {}, "--speed", "1");
    await console_.screen.until(/REPLAY/);
    const before = memory(console_.pid);
    console_.reads(false);
    for (let i = 0; i < 1500; i++) {
      console_.press(i % 2 === 0 ? "tab" : "T"); // each is a picture of its own
      if (i % 50 === 0) await new Promise((done) => setTimeout(done, 10));
    }
    expect(memory(console_.pid) - before).toBeLessThan(60);
    console_.reads(true);
    // more than a thousand keys in one read are taken for a paste and dropped, so the key is pressed until it is heard
    await until(
      "the start to be shown",
      () => {
        console_.press("0");
        return new RegExp(`0/${told(length)}|event 0 of ${told(length)}`).test(console_.screen.text());
      },
      { everyMs: 200 },
    );
    await leaves();
  });

  test("a terminal that never reads again does not keep the program from ending", async () => {
    open(200, 60);
    await console_.screen.until(/REPLAY/);
    console_.reads(false);
    for (let i = 0; i < 400; i++) console_.press(i % 2 === 0 ? "tab" : "T");
    const { pid } = console_;
    process.kill(pid, "SIGTERM");
    const gone = () => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "latin1")
          .replace(/^.*\) /s, "")
          .startsWith("Z");
      } catch {
        return true;
      }
    };
    await until("the program to end", gone);
  });

  test("megabytes that are pasted, and megabytes of garbage, do nothing but cost a moment", async () => {
    open(120, 40);
    await console_.screen.until(/REPLAY/);
    const before = memory(console_.pid);
    console_.press("/", `\x1b[200~${"paste q I \x1b[31m ".repeat(150_000)}\x1b[201~`);
    await console_.screen.until(/paste q I/);
    console_.press("escape");
    await until("the filter's line to be closed", () => /Help/.test(console_.screen.lines().at(-1) ?? ""));
    console_.press("\x1b[", "9".repeat(1 << 20), "\xff\xfe\x00".repeat(10_000));
    await new Promise((done) => setTimeout(done, 300));
    console_.press("?");
    await console_.screen.until(/Help/);
    console_.press("?");
    expect(memory(console_.pid) - before).toBeLessThan(120);
    await leaves();
  });

  test.each([
    ["LANG=C", { LANG: "C", LC_ALL: "" }],
    ["latin1", { LANG: "de_DE.ISO-8859-1", LC_ALL: "" }],
  ])("in a locale that is not UTF-8 (%s) every byte is ASCII, and every column is where it was", async (_name, env) => {
    open(120, 40, env);
    let bytes = "";
    console_.onOutput((data) => {
      bytes += data;
    });
    await console_.screen.until(/REPLAY[\s\S]*Help/);
    await console_.screen.settled();
    const plain = console_.screen.lines();
    console_.press("?");
    await console_.screen.until(/Standing|Help/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what may reach such a terminal
    expect(bytes).toMatch(/^[\x07-\x7e]*$/);
    const wide = inPty([...PROGRAM, "replay", NIGHT, "--at", `#${beforeCut}`], 120, 40);
    await wide.screen.until(/REPLAY[\s\S]*Help/);
    await wide.screen.settled();
    expect(plain.length).toBe(wide.screen.lines().length);
    // words stand in the same columns, whatever the glyphs around them are
    for (const [i, line] of wide.screen.lines().entries())
      for (const word of line.matchAll(/[A-Za-z]{4,}/g)) expect(plain[i]?.slice(word.index, word.index + word[0].length)).toBe(word[0]);
    wide.press("q");
    await wide.exited;
    console_.press("?"); // an Escape with a q behind it would be another key
    await leaves();
  });

  test.each([
    ["dumb", /TERM is "dumb"/],
    ["", /TERM is not set/],
  ])("TERM=%s tells everything in sentences, and says why", async (TERM, why) => {
    const set = TERM === "" ? ["-u", "TERM"] : [`TERM=${TERM}`];
    console_ = inPty(["/usr/bin/env", ...set, ...PROGRAM, "replay", NIGHT], 80, 24);
    let said = "";
    console_.onOutput((data) => {
      said += data;
    });
    await until("the plain mode to begin", () => why.test(said) && /plain mode/.test(said));
    expect(said).not.toContain("\x1b");
    console_.press("q");
    expect(await console_.exited).toBe(0);
    expect(said).not.toContain("\x1b");
  });

  test("with a terminal on one side alone it plays as lines", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stakeout-one-side-"));
    try {
      const command = [...PROGRAM, "replay", NIGHT].map((part) => `'${part}'`).join(" ");
      const noInput = inPty(["/bin/sh", "-c", `${command} </dev/null`], 100, 30);
      let said = "";
      noInput.onOutput((data) => {
        said += data;
      });
      expect(await noInput.exited).toBe(0);
      expect(said).toContain("ISOLATED");
      expect(said).not.toContain("\x1b[?1049h");
      const noOutput = inPty(["/bin/sh", "-c", `${command} >${folder}/out`], 100, 30);
      expect(await noOutput.exited).toBe(0);
      expect(readFileSync(join(folder, "out"), "utf8")).toContain("ISOLATED");
      expect((await runLocal([...PROGRAM, "replay", NIGHT])).stdout).toContain("ISOLATED");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
