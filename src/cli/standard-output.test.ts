import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { NIGHT } from "#testing/recorded-night";
import { PROGRAM } from "#testing/story";

test.each([
  ["replay", "--ndjson"],
  ["export", "--format", "evaluation"],
])("%s ends well and says nothing when whoever reads has seen enough", async (command, ...options) => {
  const [node, ...argv] = [...PROGRAM, command, NIGHT, ...options];
  const child = spawn(node as string, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const [code] = await once(child, "close");
  expect({ code, said }).toEqual({ code: 0, said: "" });
});
