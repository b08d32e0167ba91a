import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { PROGRAM } from "#testing/story";

test("a help page tells how long a key is good for as one would type it", () => {
  const [node, ...argv] = [...PROGRAM, "access", "--help"];
  const { stdout, status } = spawnSync(node as string, argv, { encoding: "utf8" });
  expect(stdout.replace(/\s+/g, " ")).toContain("how long it is good for (8h, 90m) (default: 8h)");
  expect(status).toBe(0);
});
