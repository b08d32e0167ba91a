import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keyTable } from "#commands/registry";

const file = join(import.meta.dirname, "../../README.md");
const [OPEN, CLOSE] = [/<!-- keys:.*?-->\n/s, "<!-- /keys -->"];

test("the README's keys are the registry's (UPDATE_README=1 npm test writes them anew)", () => {
  const text = readFileSync(file, "utf8");
  const start = OPEN.exec(text);
  if (!start) throw new Error("the README has lost the mark where its keys begin");
  const from = start.index + start[0].length;
  const fresh = `${text.slice(0, from)}\n${keyTable().trim()}\n\n${text.slice(text.indexOf(CLOSE))}`;
  if (process.env["UPDATE_README"]) writeFileSync(file, fresh);
  else expect(text).toBe(fresh);
});
