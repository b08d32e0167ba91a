import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readKeyFiles } from "./key-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a list is read as it is; of a folder the public keys, never a private one or a certificate", async () => {
  for (const name of ["id_ed25519", "id_ed25519.pub", "id_rsa.pub", "id_rsa-cert.pub", "config"]) writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, "list"), "a\nb\n");
  const { sources, notes } = await readKeyFiles([folder, join(folder, "list")], { mayDrive: false });
  expect(sources).toEqual([
    { from: "id_ed25519.pub", text: "id_ed25519.pub", mayDrive: false },
    { from: "id_rsa.pub", text: "id_rsa.pub", mayDrive: false },
    { from: "list", text: "a\nb\n", mayDrive: false },
  ]);
  expect(notes).toEqual([]);
});

test("what is missing, empty or endless is told, and the rest is read", async () => {
  mkdirSync(join(folder, "empty"));
  writeFileSync(join(folder, "huge"), Buffer.alloc(300_000, 0x61));
  writeFileSync(join(folder, "good"), "x");
  const paths = ["none", "empty", "huge", "good"].map((name) => join(folder, name));
  const { sources, notes } = await readKeyFiles(paths);
  expect(sources.map(({ from }) => from)).toEqual(["good"]);
  expect(notes).toEqual([
    expect.stringMatching(/none cannot be read \(ENOENT\)/),
    expect.stringMatching(/empty holds no \*\.pub file/),
    expect.stringMatching(/huge cannot be read \(it is longer than 256 KB/),
  ]);
});
