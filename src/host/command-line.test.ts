import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanCommandLine, quoteWord } from "./command-line.ts";

const shells: [name: string, argv: string[], newlines: boolean][] = [
  ["sh", ["sh"], true],
  ["bash", ["bash", "--norc"], true],
  ["dash", ["dash"], true],
  ["zsh", ["zsh"], true],
  ["busybox", ["busybox", "sh"], true],
  ["fish", ["fish", "--no-config"], true],
  ["tcsh", ["tcsh", "-f"], false],
  ["csh", ["csh", "-f"], false],
];

const nasty = fc.string({
  unit: fc.oneof(fc.constantFrom(..."'\"\\!$`*?[]{}()<>|&;~#= \t^%a-\n"), fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" })),
  maxLength: 12,
});

describe.each(shells)("as the login shell, %s", (_name, [program = "", ...flags], newlines) => {
  const there = spawnSync(program, [...flags, "-c", "exit 0"]).status === 0;
  // Which shells there are depends on the machine; sh and the shell of the suspect host are always among them.
  test.skipIf(!there)(`reads every argument as it was meant${there ? "" : ` (skipped: ${program} is not on this machine)`}`, () => {
    const env = {
      PATH: process.env["PATH"],
      LD_LIBRARY_PATH: process.env["LD_LIBRARY_PATH"],
      LC_ALL: "C.UTF-8",
      SSH_CONNECTION: "192.0.2.1 40000 192.0.2.2 22",
    };
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 4 }), (raw) => {
        const args = raw.map((arg) => arg.replaceAll("\0", "").replaceAll(newlines ? "\0" : "\n", ""));
        const line = cleanCommandLine(["/usr/bin/printf", "%s\\0", "start", ...args]);
        const out = execFileSync(program, [...flags, "-c", line], { env, encoding: "utf8" });
        expect(out.split("\0").slice(0, -1)).toEqual(["start", ...args]);
      }),
      { numRuns: 60 },
    );
  });
});

test("the command sees our environment and SSH_CONNECTION, and nothing else", () => {
  const env = {
    PATH: "/nowhere",
    LD_PRELOAD: "",
    HISTFILE: "/root/.bash_history",
    SECRET: "x",
    SSH_CONNECTION: "192.0.2.1 40000 192.0.2.2 22",
  };
  const out = execFileSync("/bin/sh", ["-c", cleanCommandLine(["env"])], { env, encoding: "utf8" });
  expect(out.trim().split("\n").sort()).toEqual([
    "HISTFILE=/dev/null",
    "LC_ALL=C",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SSH_CONNECTION=192.0.2.1 40000 192.0.2.2 22",
  ]);
});

test("what no shell can carry is refused before it is sent", () => {
  expect(() => quoteWord("a\0b")).toThrow(/NUL/);
  expect(() => cleanCommandLine([])).toThrow(/cannot start with/);
  expect(() => cleanCommandLine(["LD_PRELOAD=/tmp/x"])).toThrow(/cannot start with/);
  expect(() => cleanCommandLine(["-S"])).toThrow(/cannot start with/);
});
