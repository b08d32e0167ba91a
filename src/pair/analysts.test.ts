import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import ssh2 from "ssh2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeKey } from "../host/testing/real-sshd.ts";
import { listAnalysts, safeName } from "./analysts.ts";
import { readAuthorizedLine } from "./authorized-line.ts";
import { NO_SSH } from "./testing/pair.ts";

/** A public key of its own for each test, without its comment. */
const key = () => {
  for (;;) {
    const { public: line } = ssh2.utils.generateKeyPairSync("ed25519");
    const bare = line.split(" ").slice(0, 2).join(" ");
    if (Buffer.from(bare.split(" ")[1] ?? "", "base64").length === 51) return bare; // this generator cuts a zero in front off
  }
};
const of = (...lines: string[]) => listAnalysts([{ from: "keys", text: lines.join("\n") }]);
const names = ({ analysts }: ReturnType<typeof of>) => analysts.map(({ name }) => name);

test("a list says who may join: comments give the names", () => {
  const read = of("# our team", "", `${key()} jm@laptop`, `${key()} kim`, `  ${key()}  Jörg Müller  `);
  expect(names(read)).toEqual(["jm", "kim", "Jörg-Müller"]);
  expect(read.notes).toEqual([]);
});

test("a given name stands in the place of the comment, and a watcher may not drive", () => {
  const { analysts } = listAnalysts([{ from: "their.pub", text: `${key()} root@srv9`, name: "customer", mayDrive: false }]);
  expect(analysts.map(({ name, mayDrive }) => [name, mayDrive])).toEqual([["customer", false]]);
});

test("a key without a name is called by its fingerprint", () => {
  const [analyst] = of(key()).analysts;
  expect(analyst?.name).toMatch(/^key-[A-Za-z0-9]{8}$/);
});

test("two keys of one name get two names, and count as one person where two are needed", () => {
  const read = listAnalysts([{ from: "keys", text: `${key()} root@a\n${key()} root@b\n${key()} JM@c` }], ["jm"]);
  expect(read.analysts.map(({ name, person }) => [name, person])).toEqual([
    ["root", "root"],
    ["root-2", "root"],
    ["JM-2", "jm"],
  ]);
  expect(read.notes).toHaveLength(2);
  expect(read.notes[0]).toMatch(/line 2 would be called root.*root-2 here.*one person/);
});

test("a key that stands there twice is one analyst", () => {
  const same = key();
  const read = of(`${same} jm`, `${same} kim`);
  expect(names(read)).toEqual(["jm"]);
  expect(read.notes[0]).toMatch(/line 2 is the key of jm once more/);
});

test("a restriction that is not kept here refuses the line; one that is kept anyway does not", () => {
  const read = of(
    `cert-authority ${key()} ca`,
    `from="10.0.0.0/8,!10.1.1.1" ${key()} a`,
    `no-pty,command="echo \\"hi, there\\"" ${key()} b`,
    `expiry-time="20200101" ${key()} c`,
    `restrict,pty,no-agent-forwarding ${key()} d`,
    `environment="X=1, 2",permitopen="h:1" ${key()} e`,
    `from="unclosed ${key()} f`,
  );
  expect(names(read)).toEqual(["d", "e"]);
  expect(read.notes.map((note) => note.replace(/:.*/, ""))).toEqual([1, 2, 3, 4, 7].map((line) => `keys, line ${line} lets nobody in`));
  expect(read.notes[0]).toMatch(/cert-authority/);
  expect(read.notes[2]).toMatch(/no-pty/);
});

test("keys that are weak, cut, mixed up or on a token are refused with the reason", () => {
  const [, blob = ""] = key().split(" ");
  const read = of(
    `ssh-rsa ${blob} swapped`,
    `ssh-ed25519 ${blob.slice(0, 40)} cut`,
    `ssh-dss ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from("ssh-dss")]).toString("base64")} dsa`,
    `sk-ssh-ed25519@openssh.com ${blob} token`,
    'a="b ',
    "hello",
  );
  expect(read.analysts).toEqual([]);
  expect(read.notes.map((note) => note.replace(/^.*lets nobody in: /, ""))).toEqual([
    "it says ssh-rsa and holds something else",
    "it is no whole key",
    "keys of the type ssh-dss are not taken: ed25519, ecdsa and rsa are",
    "keys on a security token (sk-ssh-ed25519@openssh.com) cannot be checked here: use another key",
    "its options cannot be read",
    "it holds no public key",
  ]);
});

test("a private key is not taken for a list, and not quoted", () => {
  const { private: secret } = ssh2.utils.generateKeyPairSync("ed25519");
  const { analysts, notes } = listAnalysts([{ from: "id_ed25519", text: secret }]);
  expect(analysts).toEqual([]);
  expect(notes).toEqual(["id_ed25519 lets nobody in: it is a private key; name the public half, id_ed25519.pub"]);
});

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-analysts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(NO_SSH)(`files of ssh-keygen are read as they are${NO_SSH ? ` (skipped: ${NO_SSH})` : ""}`, () => {
  const texts = [
    ["ed25519", []],
    ["ecdsa", ["-b", "521"]],
    ["rsa", ["-b", "2048"]],
    ["rsa", ["-b", "1024"]],
  ].map(([type, extra], index) => {
    const path = makeKey(folder, `k${index}`, { type: type as string, extra: extra as string[] });
    return readFileSync(`${path}.pub`, "utf8");
  });
  const read = of(...texts);
  expect(names(read)).toEqual(["k0", "k1", "k2"]);
  expect(read.notes).toEqual([expect.stringMatching(/an rsa key of 1024 bits is too short/)]);
});

test("whatever a comment holds, a name can be printed, pasted and is never an option of ssh", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (comment) => {
      const name = safeName(comment);
      expect(name).toMatch(/^(?:[\p{L}\p{N}](?:[\p{L}\p{N}._-]*[\p{L}\p{N}])?)?$/u);
      expect(Array.from(name).length).toBeLessThanOrEqual(24);
    }),
  );
});

test("whatever a line holds, reading it takes no harm", () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('"', "\\", ",", " ", "ssh-ed25519", "AAAAC3Nz", 'from="', "cert-authority", "\t"));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const line = pieces.join("");
      readAuthorizedLine(line);
      expect(of(line).analysts).toEqual([]);
    }),
  );
});
