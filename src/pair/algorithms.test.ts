import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { audit, auditPackage } from "./testing/audit.ts";
import { openPair, type Pair } from "./testing/pair.ts";
import { wireReader } from "./wire.ts";

let pair: Pair | undefined;
afterEach(async () => {
  await pair?.stop();
  pair = undefined;
});

/** The lists of the server's first packet (RFC 4253, section 7.1). */
async function offerOf(port: number): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  socket.write("SSH-2.0-test\r\n");
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    const start = bytes.indexOf("\r\n") + 2;
    if (start < 2 || bytes.length < start + 4 || bytes.length < start + 4 + bytes.readUInt32BE(start)) continue;
    const lists = wireReader(bytes.subarray(start + 4 + 1 + 1 + 16)); // length, padding length, message, cookie
    return Array.from({ length: 8 }, () => lists.string().toString());
  }
  throw new Error("the server said nothing");
}

test("it offers what is listed and nothing besides", async () => {
  pair = await openPair();
  const gcm = "aes256-gcm@openssh.com,aes128-gcm@openssh.com";
  const etm = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
  expect(await offerOf(pair.server.port)).toEqual([
    "curve25519-sha256,curve25519-sha256@libssh.org",
    "ssh-ed25519",
    ...[gcm, gcm, etm, etm],
    ...["none", "none"],
  ]);
});

const found = auditPackage();
const missing = "missing" in found ? found.missing : undefined;
test.skipIf(missing)(`ssh-audit finds nothing to warn of${missing ? ` (skipped: ${missing})` : ""}`, async () => {
  pair = await openPair();
  const said = await audit("packages" in found ? found.packages : "", pair.server.port);
  expect(said).toMatch(/banner: SSH-2\.0-Stakeout/);
  expect(said).toMatch(/\(kex\) curve25519-sha256 /);
  expect(said.split("\n").filter((line) => /\[(warn|fail)\]|WARNING|\(rec\)/.test(line))).toEqual([]);
});
