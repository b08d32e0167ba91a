import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fingerprint } from "./host-key.ts";
import { judgeHostKey, type KnownHosts, knownHostsName, parseKnownHosts, preferKnown, readKnownHosts } from "./known-hosts.ts";
import { knownHostsLine, rememberHostKey } from "./known-hosts-add.ts";

/** A key in wire form: a type, then bytes that tell it from others. */
function wireKey(type: string, seed: number): Buffer {
  const length = (n: number) => Buffer.from([0, 0, 0, n]);
  return Buffer.concat([length(type.length), Buffer.from(type), length(32), Buffer.alloc(32, seed)]);
}
const ed1 = wireKey("ssh-ed25519", 1);
const ed2 = wireKey("ssh-ed25519", 2);
const rsa1 = wireKey("ssh-rsa", 3);
const line = (names: string, key: Buffer, type = "ssh-ed25519") => `${names} ${type} ${key.toString("base64")}`;
const parse = (...lines: string[]): KnownHosts => parseKnownHosts(lines.join("\n"), "known_hosts");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "known-hosts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("judging a key", () => {
  test("known, by name, list, wildcard, port and letter case", () => {
    const known = parse(line("web1,192.0.2.1", ed1), line("*.example.com,!bad.example.com", ed2), line("[web1]:2222", ed2));
    expect(judgeHostKey(known, knownHostsName("WEB1", 22), ed1).kind).toBe("known");
    expect(judgeHostKey(known, "192.0.2.1", ed1).kind).toBe("known");
    expect(judgeHostKey(known, "good.example.com", ed2).kind).toBe("known");
    expect(judgeHostKey(known, "bad.example.com", ed2).kind).toBe("unknown");
    expect(judgeHostKey(known, knownHostsName("web1", 2222), ed2)).toMatchObject({
      kind: "known",
      entry: { line: 3, file: "known_hosts" },
    });
    expect(judgeHostKey(known, knownHostsName("web1", 2223), ed2).kind).toBe("unknown");
  });

  test("changed names the line of the same type before any other", () => {
    const known = parse(line("web1", rsa1, "ssh-rsa"), "# a comment", line("web1", ed1));
    expect(judgeHostKey(known, "web1", ed2)).toMatchObject({ kind: "changed", sameType: true, entry: { line: 3 } });
    const ecdsa = wireKey("ecdsa-sha2-nistp256", 9);
    expect(judgeHostKey(known, "web1", ecdsa)).toMatchObject({ kind: "changed", sameType: false, entry: { line: 1 } });
  });

  test("one of several keys of a type is enough", () => {
    expect(judgeHostKey(parse(line("web1", ed1), line("web1", ed2)), "web1", ed2).kind).toBe("known");
  });

  test("a revoked key is refused even where another line knows it", () => {
    const known = parse(line("web1", ed1), line("@revoked *", ed1));
    expect(judgeHostKey(known, "web1", ed1)).toMatchObject({ kind: "revoked", entry: { line: 2 } });
    expect(judgeHostKey(known, "web1", ed2).kind).toBe("changed");
  });

  test("a certificate authority is told and trusts nothing", () => {
    const known = parse(line("@cert-authority *.example.com", ed1));
    expect(judgeHostKey(known, "a.example.com", ed1)).toMatchObject({ kind: "unknown", certAuthority: { line: 1 } });
  });

  test("damaged lines are skipped and counted", () => {
    const text = [
      "web1",
      "web1 ssh-ed25519",
      "web1 ssh-ed25519 !!!",
      line("web1", ed1, "ssh-rsa"),
      "|1|x|y ssh-ed25519 AAAA",
      "@odd web1 x y",
      "",
      "# fine",
      line("web1", ed1),
    ];
    const known = parse(...text);
    expect(known).toMatchObject({ badLines: 6, entries: [{ line: 9 }] });
  });

  test("any text is read without a throw, and its lines add up", () => {
    const piece = fc.oneof(
      fc.constantFrom("|1|", "@revoked ", "ssh-ed25519", " ", "\t", "#", ",", "!", "*", "=", ed1.toString("base64")),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.array(piece, { maxLength: 6 }).map((p) => p.join("").replace(/[\r\n]/g, "")),
          { maxLength: 6 },
        ),
        (lines) => {
          const { entries, badLines } = parse(...lines);
          const meant = lines.filter((text) => text.trim() !== "" && !text.trim().startsWith("#"));
          expect(entries.length + badLines).toBe(meant.length);
        },
      ),
    );
  });

  test("the algorithms of the keys we know come first, RSA's with their signatures", () => {
    const all = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] as const;
    const known = parse(line("web1", rsa1, "ssh-rsa"), line("@revoked web1", ed1));
    expect(preferKnown(all, known, "web1")).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256"]);
    expect(preferKnown(all, known, "web2")).toEqual(all);
  });
});

describe("OpenSSH's own files", () => {
  test("what ssh-keygen -H hashed is matched by name, and by no other name", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,15}$/);
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const file = join(folder, "hashed");
        writeFileSync(file, `${line(knownHostsName(host, port), ed1)}\n`);
        execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
        expect(readFileSync(file, "utf8")).toMatch(/^\|1\|/);
        const known = readKnownHosts([file]);
        expect(judgeHostKey(known, knownHostsName(host, port), ed1).kind).toBe("known");
        expect(judgeHostKey(known, knownHostsName(`${host}x`, port), ed1).kind).toBe("unknown");
      }),
      { numRuns: 25 },
    );
  });

  test("ssh-keygen -F finds what we wrote, hashed or not", () => {
    for (const hashed of [false, true]) {
      const file = join(folder, `found-${hashed}`);
      writeFileSync(file, `${knownHostsLine("[web1.example.com]:2222", ed1, hashed)}\n`);
      const found = execFileSync("ssh-keygen", ["-F", "[web1.example.com]:2222", "-f", file], { encoding: "utf8" });
      expect(found).toContain(ed1.toString("base64"));
    }
  });

  test("a fingerprint reads as ssh-keygen -l shows it", () => {
    const file = join(folder, "fingerprint");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    const key = Buffer.from(readFileSync(`${file}.pub`, "utf8").split(" ")[1] as string, "base64");
    expect(execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" })).toContain(fingerprint(key));
  });
});

describe("remembering a key", () => {
  const fresh = (name: string) => join(folder, name, "known_hosts");

  test("a file that is not there is made, for us alone, with its folder", () => {
    const file = fresh("made");
    expect(rememberHostKey(file, "web1", ed1)).toBeUndefined();
    expect(readFileSync(file, "utf8")).toBe(`${line("web1", ed1)}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "made")).mode & 0o777).toBe(0o700);
  });

  test("what was there stays, byte for byte, even without a last newline", () => {
    const file = fresh("kept");
    mkdirSync(join(folder, "kept"));
    writeFileSync(file, `# mine\nodd line\n${line("web1", ed1)}`);
    chmodSync(file, 0o644);
    expect(rememberHostKey(file, "web2", ed2)).toBeUndefined();
    expect(readFileSync(file, "utf8")).toBe(`# mine\nodd line\n${line("web1", ed1)}\n${line("web2", ed2)}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "kept"))).toEqual(["known_hosts"]);
  });

  test("a file of hashed names gets a hashed one", () => {
    const file = fresh("hashing");
    mkdirSync(join(folder, "hashing"));
    writeFileSync(file, `${knownHostsLine("web1", ed1, true)}\n${knownHostsLine("web2", ed1, true)}\n${line("web3", ed1)}\n`);
    expect(rememberHostKey(file, "web4", ed2)).toBeUndefined();
    expect(readFileSync(file, "utf8")).not.toContain("web4");
    expect(judgeHostKey(readKnownHosts([file]), "web4", ed2).kind).toBe("known");
  });

  test("a link is followed and stays a link", () => {
    const file = fresh("linked");
    mkdirSync(join(folder, "linked"));
    writeFileSync(join(folder, "linked", "real"), "");
    symlinkSync("real", file);
    expect(rememberHostKey(file, "web1", ed1)).toBeUndefined();
    expect(readFileSync(join(folder, "linked", "real"), "utf8")).toContain("web1");
    expect(readdirSync(join(folder, "linked")).sort()).toEqual(["known_hosts", "real"]);
  });

  test("where it cannot be written, it says so and leaves nothing behind", () => {
    mkdirSync(join(folder, "folder", "known_hosts"), { recursive: true });
    expect(rememberHostKey(fresh("folder"), "web1", ed1)).toMatch(/could not be written to .*known_hosts/);
    expect(readdirSync(join(folder, "folder"))).toEqual(["known_hosts"]);
  });
});
