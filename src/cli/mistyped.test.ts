import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { PROGRAM } from "#testing/story";
import { meantCommand } from "./mistyped.ts";

const NAMES = ["isolate", "release", "replay", "report", "run", "doctor"];
const stakeout = (...argv: string[]) => {
  const { stderr, stdout, status } = spawnSync(PROGRAM[0], [...PROGRAM.slice(1), ...argv], { encoding: "utf8", input: "" });
  return { told: stderr.trim(), stdout, status };
};

test("a letter too many, too few, another or two that changed places are a slip; another word is none", () => {
  expect(["relase", "releasee", "relaese", "Release", "rrleasee"].map((word) => meantCommand(word, NAMES))).toEqual(
    Array(5).fill("release"),
  );
  expect(["r", "x", "web-01", "192.0.2.9", "db.example.org", "", "devbox"].flatMap((word) => meantCommand(word, NAMES) ?? [])).toEqual([]);
});

test("a mistyped command is told with the one that was meant, and nothing is reached", () => {
  expect(stakeout("relase", "devbox")).toEqual({
    told: "stakeout: There is no command 'relase'. Did you mean 'stakeout release devbox'?",
    stdout: "",
    status: 2,
  });
  expect(stakeout("alpha", "beta").told).toContain("There is no command 'alpha'. A console is opened on one host alone;");
  const alone = stakeout("relaese");
  expect(alone.told).toContain("did you mean 'stakeout release'?");
  expect(alone.status).toBe(3);
});

test("what is missing is told with where the command that was meant explains itself", () => {
  expect(stakeout("isolate")).toMatchObject({
    told: "stakeout: missing required argument 'host'\n(stakeout isolate --help says what there is)",
    status: 2,
  });
  expect(stakeout("baseline", "diff", "a").told).toContain("(stakeout baseline diff --help says what there is)");
});

test("a help page ends with what the command alone can do, behind what all can that reach a host", () => {
  const { stdout } = stakeout("isolate", "--help");
  const heads = stdout.split("\n").filter((line) => /^[A-Z].*:$/.test(line));
  expect(heads[0]).toBe("To reach the host:");
  expect(heads.at(-1)).toBe("The isolation:");
});
