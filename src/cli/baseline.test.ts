import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { diffBaselines, saveBaseline } from "./baseline.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-baseline-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const options = { sessions: folder };

test("what is no baseline is refused with what is wrong, and a file that is there is not written over", async () => {
  const good = file("good", { stakeout_baseline: 1, host: "h", at: "2024-01-01T00:00:00Z", items: [] });
  await expect(diffBaselines(good, file("text", "hello"), options)).rejects.toThrow(/text is no baseline: it is not JSON/);
  await expect(diffBaselines(good, file("old", { stakeout_baseline: 9, host: "h", at: "", items: [] }), options)).rejects.toThrow(
    /old is no baseline: stakeout_baseline: /,
  );
  const odd = { stakeout_baseline: 1, host: "h", at: "", items: [{ category: "nonsense", id: "", name: "", detail: "" }] };
  await expect(diffBaselines(good, file("odd", odd), options)).rejects.toThrow(/odd is no baseline: items\.0\.category: /);
  await expect(diffBaselines(good, join(folder, "none"), options)).rejects.toThrow(/neither a baseline's file nor a session/);
  await expect(saveBaseline("h", good, options as never)).rejects.toThrow(/good is there already/);
});
