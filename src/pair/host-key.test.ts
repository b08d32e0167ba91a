import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeKey } from "../host/testing/real-sshd.ts";
import { openHostKey } from "./host-key.ts";
import { fingerprintBySsh, NO_SSH } from "./testing/pair.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-hostkey-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the first time a key is made, for us alone; from then on it is the same", async () => {
  const file = join(folder, "state", "pair", "host_key");
  const made = await openHostKey(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "state", "pair")).mode & 0o777).toBe(0o700);
  expect(await openHostKey(file)).toEqual(made);
  expect(readdirSync(join(folder, "state", "pair"))).toEqual(["host_key"]);
});

test.skipIf(NO_SSH)(`ssh-keygen reads it, and sees the same fingerprint${NO_SSH ? ` (skipped: ${NO_SSH})` : ""}`, async () => {
  const file = join(folder, "host_key");
  const { fingerprint } = await openHostKey(file);
  expect(fingerprintBySsh(file)).toContain(fingerprint);
});

test("every key that is made can be read again", async () => {
  for (let i = 0; i < 600; i++) {
    const { privateKey } = await openHostKey(join(folder, `key${i}`));
    const parsed = ssh2.utils.parseKey(privateKey);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.verify("text", parsed.sign("text") as Buffer)).toBe(true);
  }
});

test("consoles that make it at once end up with one", async () => {
  const file = join(folder, "host_key");
  const keys = await Promise.all(Array.from({ length: 12 }, () => openHostKey(file)));
  expect(new Set(keys.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  expect(readdirSync(folder)).toEqual(["host_key"]);
});

test("a key that others could read is closed, with a word", async () => {
  const file = join(folder, "host_key");
  await openHostKey(file);
  chmodSync(file, 0o644);
  expect((await openHostKey(file)).note).toMatch(/could be read by others \(mode 0644\).*delete it/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await openHostKey(file)).note).toBeUndefined();
});

test("what is no key of ours is refused, and left as it is", async () => {
  const file = join(folder, "host_key");
  writeFileSync(file, "garbage", { mode: 0o600 });
  await expect(openHostKey(file)).rejects.toThrow(/holds no key that can be read.*Move it away/);
  expect(readFileSync(file, "utf8")).toBe("garbage");
  symlinkSync(file, join(folder, "link"));
  await expect(openHostKey(join(folder, "link"))).rejects.toThrow(/symbolic link/);
  await expect(openHostKey(folder)).rejects.toThrow(/no plain file/);
  const ecdsa = makeKey(folder, "ecdsa", { type: "ecdsa" });
  await expect(openHostKey(ecdsa)).rejects.toThrow(/no private ed25519 key/);
});
