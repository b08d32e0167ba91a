import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConnectOptions, connectHost } from "./connect.ts";
import { runScript } from "./runner.ts";
import { makeKey, startRealSshd, suspectRootfs } from "./testing/real-sshd.ts";
import { type Suspect, startSuspect, until } from "./testing/suspect.ts";

const rootfs = suspectRootfs();

// Needs root and a suspect host's root file system (STAKEOUT_ROOTFS, or the one that the range builds and caches).
describe.skipIf(rootfs === undefined)(
  `logging in to a real OpenSSH server${rootfs === undefined ? " (skipped: no suspect host's disk; npm test makes it, as root on Debian)" : ""}`,
  () => {
    let suspect: Suspect;
    beforeAll(async () => {
      suspect = await startSuspect(rootfs as string, "MaxAuthTries 3");
    });
    afterAll(async () => suspect?.stop());

    describe("letting us in", () => {
      test("a key in PEM, and RSA signed by SHA-2", async () => {
        await suspect.using({ identityFiles: [suspect.keys.stranger, suspect.keys.rsaPem] }, async (host) => {
          expect((await runScript(host, "true")).code).toBe(0);
          const shown = execFileSync("ssh-keygen", ["-lf", suspect.keys.rsaPem], { encoding: "utf8" });
          expect(host.made.authentication).toEqual([{ method: "publickey", key: shown.split(" ")[1] }]);
          expect(host.made).not.toHaveProperty("passwords_typed");
        });
      });

      test("an encrypted key asks for its passphrase again after a wrong one, and once for two connections", async () => {
        const answers = ["wrong", "correct horse"];
        const asked: string[] = [];
        const askPassphrase = async (file: string) => {
          asked.push(file);
          return answers.shift();
        };
        await suspect.using({ identityFiles: [suspect.keys.locked], askPassphrase }, async (host) => {
          expect(await host.probeAccess()).toMatchObject({ ok: true });
          expect(asked).toEqual([suspect.keys.locked, suspect.keys.locked]);
        });
      });

      test("the passphrase of a key that the host does not want is not asked for", async () => {
        const locked = makeKey(suspect.folder, "id_unwanted", { passphrase: "secret" });
        const askPassphrase = async () => {
          throw new Error("asked in vain");
        };
        await suspect.using({ identityFiles: [locked, suspect.keys.plain], askPassphrase }, async (host) =>
          expect((await runScript(host, "true")).code).toBe(0),
        );
      });

      test("a key in the agent", async () => {
        await withAgent([suspect.keys.plain], async (agentSocket) => {
          await suspect.using({ identityFiles: [], agentSocket }, async (host) =>
            expect(await host.probeAccess()).toMatchObject({ ok: true }),
          );
        });
      });

      test("IdentitiesOnly keeps the agent's other keys to ourselves", async () => {
        const configFile = join(suspect.folder, "only");
        writeFileSync(configFile, `IdentitiesOnly yes\nIdentityFile ${suspect.keys.stranger}\n`);
        await withAgent([suspect.keys.plain], async (agentSocket) => {
          const error = await suspect.failure({ identityFiles: [], configFile, agentSocket });
          expect(error).toMatchObject({ level: "auth", message: expect.stringContaining(suspect.keys.stranger) });
          expect(error.message).not.toContain("agent key");
        });
      });

      test("a wrong key, a missing file and an agent that is gone are all named", async () => {
        const error = await suspect.failure({
          identityFiles: [suspect.keys.stranger, join(suspect.folder, "nowhere")],
          agentSocket: join(suspect.folder, "no-agent"),
        });
        expect(error.level).toBe("auth");
        expect(error.message).toMatch(
          /does not let 'root' in: tried: .*nowhere does not exist; the agent at .*no-agent cannot be asked: .*; .*id_stranger/,
        );
        expect(error.message).toContain('It accepts "publickey"');
      });

      test("more keys than the host lets us try is told with the way out", async () => {
        const strangers = ["s1", "s2", "s3", "s4"].map((name) => makeKey(suspect.folder, name));
        expect(await suspect.failure({ identityFiles: [...strangers, suspect.keys.plain] })).toMatchObject({
          level: "auth",
          hint: expect.stringContaining("IdentitiesOnly"),
        });
      });

      test("an encrypted key without anyone to ask says so", async () => {
        expect(await suspect.failure({ identityFiles: [suspect.keys.locked] })).toMatchObject({
          level: "auth",
          message: expect.stringMatching(/id_locked: it is encrypted, and there is no terminal/),
        });
      });

      test("a password, when there is someone to ask", async () => {
        const other = await startRealSshd(rootfs as string, {
          authorizedKeys: [],
          config: "PasswordAuthentication yes\nKbdInteractiveAuthentication no",
        });
        try {
          other.inside("echo root:tr0ub4dor | chpasswd");
          const answers = ["wrong", "tr0ub4dor"];
          const host = await connectHost(`root@127.0.0.1:${other.port}`, {
            configFile: "/dev/null",
            identityFiles: [suspect.keys.stranger],
            knownHostsFile: join(suspect.folder, "known_by_password"),
            agentSocket: "",
            askHostKey: async () => true,
            askPassword: async (question) => {
              expect(question).toMatchObject({ user: "root", echo: false, for: "login" });
              return answers.shift();
            },
          });
          expect(await host.probeAccess()).toMatchObject({ ok: true });
          // What let us in is recorded, that a password was typed too, and never which.
          expect(host.made).toMatchObject({
            authentication: [{ method: "password" }],
            passwords_typed: [{ user: "root", host: "127.0.0.1", for: "login" }],
          });
          expect(JSON.stringify(host.made)).not.toContain("tr0ub4dor");
          await host.close();
        } finally {
          await other.stop();
        }
      });
    });

    describe("the host's key", () => {
      test("unknown: asked, remembered, and not asked again", async () => {
        const file = join(suspect.folder, "fresh", "known_hosts");
        const questions: unknown[] = [];
        const askHostKey: ConnectOptions["askHostKey"] = async (question) => {
          questions.push(question);
          return true;
        };
        await suspect.using({ knownHostsFile: file, askHostKey }, async () => {});
        await suspect.using({ knownHostsFile: file, askHostKey }, async () => {});
        expect(questions).toEqual([
          expect.objectContaining({
            host: "127.0.0.1",
            address: "127.0.0.1",
            port: suspect.sshd.port,
            keyType: "ssh-ed25519",
            fingerprintSha256: expect.stringMatching(/^SHA256:/),
            rememberIn: file,
          }),
        ]);
        // OpenSSH's own reader agrees with what we wrote.
        expect(execFileSync("ssh-keygen", ["-F", `[127.0.0.1]:${suspect.sshd.port}`, "-f", file], { encoding: "utf8" })).toContain(
          "ssh-ed25519",
        );
      });

      test("unknown and the file cannot be written: said, and connected", async () => {
        const file = join(suspect.folder, "id_plain", "known_hosts"); // a folder that is a file
        await suspect.using({ knownHostsFile: file, askHostKey: async () => true }, async (host) => {
          expect(host.notes).toEqual([expect.stringMatching(/could not be written/)]);
        });
      });

      test("HashKnownHosts decides how it is remembered, and the second of several files is read too", async () => {
        const [first, second, configFile] = ["hashed", "plain", "config_hash"].map((name) => join(suspect.folder, name)) as [
          string,
          string,
          string,
        ];
        const config = (files: string, hash: string) =>
          writeFileSync(
            configFile,
            `HashKnownHosts ${hash}\nUserKnownHostsFile ${files}\nGlobalKnownHostsFile none\nIdentityFile ${suspect.keys.plain}\n`,
          );
        const connect = async (askHostKey?: ConnectOptions["askHostKey"]) => {
          const host = await connectHost(`root@127.0.0.1:${suspect.sshd.port}`, { configFile, agentSocket: "", askHostKey });
          await host.close();
        };
        config(`${first} ${second}`, "yes");
        await connect(async () => true);
        expect(readFileSync(first, "utf8")).toMatch(/^\|1\|\S+ ssh-ed25519 \S+\n$/);
        await connect();
        config(`${second} ${first}`, "no");
        await connect(); // known by the second file
        config(second, "no");
        await connect(async () => true);
        expect(readFileSync(second, "utf8")).toContain(`[127.0.0.1]:${suspect.sshd.port} ssh-ed25519`);
      });

      test("a host that only a certificate authority vouches for: it is said that certificates cannot be asked for", async () => {
        const knownHostsFile = join(suspect.folder, "by_authority");
        writeFileSync(knownHostsFile, `@cert-authority [127.0.0.1]:* ${readFileSync(`${suspect.keys.stranger}.pub`, "utf8")}`);
        expect(await suspect.failure({ knownHostsFile })).toMatchObject({
          level: "hostkey",
          message: expect.stringMatching(
            /by_authority:1 names a certificate authority for it, but this console cannot ask for host certificates/,
          ),
        });
        let asked: { certAuthority: boolean } | undefined;
        await suspect.failure({
          knownHostsFile,
          askHostKey: async (question) => {
            asked = question;
            return false;
          },
        });
        expect(asked).toMatchObject({ certAuthority: true });
      });

      test("unknown and refused, or no one to ask", async () => {
        const knownHostsFile = join(suspect.folder, "never");
        expect(await suspect.failure({ knownHostsFile, askHostKey: async () => false })).toMatchObject({
          level: "hostkey",
          message: expect.stringMatching(/was not accepted/),
        });
        expect(await suspect.failure({ knownHostsFile })).toMatchObject({
          level: "hostkey",
          message: expect.stringMatching(/no terminal to ask/),
          hint: expect.stringContaining(knownHostsFile),
        });
        expect(() => readFileSync(knownHostsFile)).toThrow(/ENOENT/);
      });

      test("changed: refused, with the old line, the new fingerprint, and without a question", async () => {
        const file = join(suspect.folder, "changed");
        writeFileSync(file, `# first\n[127.0.0.1]:${suspect.sshd.port} ${readFileSync(`${suspect.keys.stranger}.pub`, "utf8")}`);
        const error = await suspect.failure({ knownHostsFile: file, askHostKey: async () => true });
        expect(error).toMatchObject({
          level: "hostkey",
          message: expect.stringMatching(
            /IS NOT THE ONE WE KNOW: it shows ssh-ed25519 SHA256:\S+, but .*changed:2 has ssh-ed25519 SHA256:/,
          ),
        });
        expect(error.hint).toContain("remove line 2");
      });

      test("revoked: refused", async () => {
        const file = join(suspect.folder, "revoked");
        writeFileSync(
          file,
          `[127.0.0.1]:${suspect.sshd.port} ${suspect.sshd.hostKeys.ed25519}\n@revoked * ${suspect.sshd.hostKeys.ed25519}\n`,
        );
        expect(await suspect.failure({ knownHostsFile: file })).toMatchObject({
          level: "hostkey",
          message: expect.stringMatching(/IS REVOKED.*revoked:2/),
        });
      });

      test("a host of which we know only the RSA key shows us that one", async () => {
        const file = join(suspect.folder, "rsa-only");
        writeFileSync(file, `[127.0.0.1]:${suspect.sshd.port} ${suspect.sshd.hostKeys.rsa}\n`);
        await suspect.using({ knownHostsFile: file }, async (host) => expect(host.keyType).toBe("ssh-rsa"));
      });
    });

    test("an alias of ssh_config leads there", async () => {
      const configFile = join(suspect.folder, "config");
      writeFileSync(
        configFile,
        `Host suspect\n  HostName 127.0.0.1\n  Port ${suspect.sshd.port}\n  User root\n  IdentityFile ${suspect.keys.plain}\n  UserKnownHostsFile ${suspect.knownHosts}\n`,
      );
      const host = await connectHost("suspect", { configFile, agentSocket: "" });
      expect(host).toMatchObject({ target: "suspect", address: "127.0.0.1", user: "root" });
      await host.close();
    });

    async function withAgent(keys: string[], use: (socket: string) => Promise<void>): Promise<void> {
      const socket = join(mkdtempSync(join(suspect.folder, "agent-")), "s");
      const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
      try {
        await until(() => {
          try {
            for (const path of keys) {
              execFileSync("ssh-add", ["-q", path], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
            }
            return true;
          } catch {
            return false; // the agent does not listen yet
          }
        });
        await use(socket);
      } finally {
        agent.kill();
      }
    }
  },
);
