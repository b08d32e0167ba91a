import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { diffBaselines, saveBaseline } from "./baseline.ts";
import { readPackageList } from "./packages.ts";

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

const A = "a".repeat(64);
const B = "b".repeat(64);
const host = (name: string, sha256: string, version: string, path = "/usr/bin/ls") =>
  file(name, {
    stakeout_baseline: 1,
    host: name,
    at: "2024-01-01T00:00:00Z",
    items: [],
    packages: [{ path, sha256, package: "coreutils", version }],
  });

test("a program of one version that is not the same on both hosts is told, whichever name of a merged /usr it has; another version is not", async () => {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await diffBaselines(host("a", A, "9.1-1"), host("b", B, "9.1-1", "/bin/ls"), options);
    await diffBaselines(host("a", A, "9.1-1"), host("c", B, "9.4-3"), options);
    await diffBaselines(host("a", A, "9.1-1"), file("bare", { stakeout_baseline: 1, host: "h", at: "", items: [] }), options);
  } finally {
    spy.mockRestore();
  }
  expect(written.join("").match(/^~.*$/gm)).toEqual(["~ program    /bin/ls  differs, and both say coreutils 9.1-1"]);
});

test("a saved baseline of another host is a list to hold this one against; one without digests vouches for nothing", async () => {
  expect((await readPackageList(host("d", A, "9.1-1", "/bin/ls"))).get("/usr/bin/ls")).toEqual([
    { sha256: A, package: "coreutils", version: "9.1-1" },
  ]);
  await expect(readPackageList(file("none", { stakeout_baseline: 1, host: "h", at: "", items: [] }))).rejects.toThrow(
    /has no digests of packages/,
  );
  await expect(readPackageList(host("bad", "xyz", "1"))).rejects.toThrow(/bad is no baseline: packages\.0\.sha256: /);
});
