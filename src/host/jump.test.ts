import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConnectOptions, connectHost } from "./connect.ts";
import { HostError } from "./errors.ts";
import { planRoute } from "./route.ts";
import { runScript } from "./runner.ts";
import { type RealSshd, startRealSshd, suspectRootfs } from "./testing/real-sshd.ts";
import { type Suspect, startSuspect, until } from "./testing/suspect.ts";

const rootfs = suspectRootfs();

// Needs root and a suspect host's root file system (STAKEOUT_ROOTFS, or the one that the range builds and caches).
describe.skipIf(rootfs === undefined)(
  `through jump hosts that are real OpenSSH servers${rootfs === undefined ? " (skipped: no suspect host's disk; npm test makes it, as root on Debian)" : ""}`,
  () => {
    let suspect: Suspect;
    let outer: RealSshd;
    let inner: RealSshd;
    let configFile: string;
    let known: string;
    beforeAll(async () => {
      suspect = await startSuspect(rootfs as string);
      const authorizedKeys = [`${suspect.keys.plain}.pub`];
      outer = await startRealSshd(rootfs as string, { authorizedKeys });
      inner = await startRealSshd(rootfs as string, { authorizedKeys });
      configFile = join(suspect.folder, "jump_config");
      known = join(suspect.folder, "known_jumps");
      const stop = (name: string, port: number) => `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User root\n`;
      const to = { outer: outer.port, inner: inner.port, suspect: suspect.sshd.port };
      writeFileSync(
        configFile,
        `${stop("outer", to.outer)}${stop("inner", to.inner)}${stop("suspect", to.suspect)}Host *\n  IdentityFile ${suspect.keys.plain}\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile none\n`,
      );
      writeFileSync(known, [outer, inner, suspect.sshd].map((sshd) => `[127.0.0.1]:${sshd.port} ${sshd.hostKeys.ed25519}\n`).join(""));
    });
    afterAll(async () => {
      await outer?.stop();
      await inner?.stop();
      await suspect?.stop();
    });
    const connect = (more: ConnectOptions = {}, target = "suspect") =>
      connectHost(target, { configFile, agentSocket: "", jump: "outer,inner", ...more });
    const failure = async (more: ConnectOptions): Promise<HostError> => {
      const error: unknown = await connect(more).then(
        (connection) => connection.close(),
        (caught: unknown) => caught,
      );
      expect(error).toBeInstanceOf(HostError);
      return error as HostError;
    };

    test("a chain of two: commands run, the proof of access goes the same way, and each hop is recorded", async () => {
      const host = await connect();
      try {
        const { stdout } = await runScript(host, 'echo "$SSH_CONNECTION"; head -c 3000000 /dev/zero | wc -c');
        const [seen, counted] = stdout.toString().split("\n");
        expect(counted).toBe("3000000");
        // The host sees the last jump host's end, and that is what we say of ourselves.
        expect(seen).toBe(`${host.localAddress} ${host.localPort} 127.0.0.1 ${suspect.sshd.port}`);
        expect(await host.probeAccess()).toMatchObject({ ok: true });
        expect(host.made).toMatchObject({
          privilege: "root",
          authentication: [{ method: "publickey", key: expect.stringMatching(/^SHA256:/) }],
          via: [{ port: outer.port }, { port: inner.port, authentication: [{ method: "publickey" }] }],
        });
        expect(host.made).not.toHaveProperty("passwords_typed");
      } finally {
        await host.close();
      }
    });

    test("a jump host whose key is not known, or changed, is refused under its name", async () => {
      const fresh = join(suspect.folder, "known_none");
      writeFileSync(fresh, "");
      const other = join(suspect.folder, "jump_config_unknown");
      writeFileSync(other, `Host inner outer\n  UserKnownHostsFile ${fresh}\nInclude ${configFile}\n`);
      expect(await failure({ configFile: other })).toMatchObject({
        level: "hostkey",
        message: expect.stringMatching(/^jump host outer: \[127\.0\.0\.1\]:\d+ is not known/),
      });
      writeFileSync(fresh, `[127.0.0.1]:${outer.port} ${outer.hostKeys.ed25519}\n[127.0.0.1]:${inner.port} ${outer.hostKeys.ed25519}\n`);
      expect(await failure({ configFile: other })).toMatchObject({
        level: "hostkey",
        message: expect.stringMatching(/^jump host inner: THE KEY OF .* IS NOT THE ONE WE KNOW/),
      });
    });

    test("a jump host that does not let us in, forwards nothing, or cannot reach the host says so under its name", async () => {
      const stranger = join(suspect.folder, "jump_config_stranger");
      writeFileSync(stranger, `Host inner\n  IdentityFile ${suspect.keys.stranger}\n  IdentitiesOnly yes\nInclude ${configFile}\n`);
      const bare = join(suspect.folder, "jump_config_bare");
      writeFileSync(bare, `Host outer inner\n  IdentityFile none\nInclude ${configFile}\n`);
      expect(await failure({ jump: "nobody@outer", configFile })).toMatchObject({
        level: "auth",
        message: expect.stringMatching(/^jump host nobody@outer: 127\.0\.0\.1 does not let 'nobody' in/),
      });
      expect(await failure({ port: 1 })).toMatchObject({
        level: "socket",
        message: expect.stringMatching(/^jump host inner: it cannot reach 127\.0\.0\.1 port 1 \(".*refused"\)/i),
      });
      const strict = await startRealSshd(rootfs as string, {
        authorizedKeys: [`${suspect.keys.plain}.pub`],
        config: "AllowTcpForwarding no",
      });
      try {
        writeFileSync(known, `[127.0.0.1]:${strict.port} ${strict.hostKeys.ed25519}\n`, { flag: "a" });
        expect(await failure({ jump: `root@127.0.0.1:${strict.port}` })).toMatchObject({
          level: "socket",
          message: expect.stringMatching(/^jump host root@127\.0\.0\.1:\d+: it forwards nothing to 127\.0\.0\.1 port/),
          hint: expect.stringContaining("AllowTcpForwarding"),
        });
      } finally {
        await strict.stop();
      }
    });

    test("a jump host that is lost ends the connection, and is named as the reason", async () => {
      const lost: HostError[] = [];
      const host = await connect({ onLost: (error) => lost.push(error) });
      const process = await host.open(["/bin/sleep", "1000"]);
      process.stdout.resume();
      process.stderr.resume();
      inner.inside("pkill -9 sshd; true");
      expect(await host.lost).toMatchObject({
        level: "socket",
        message: expect.stringMatching(/^jump host inner: .*closed the connection during the session/),
      });
      expect(await process.exit).toEqual({ code: null });
      await until(() => lost.length === 1);
      await host.close();
    });

    test("a jump host that freezes is noticed", async () => {
      const host = await connect({ keepaliveMs: 100, keepaliveCount: 3 });
      outer.inside("pkill -STOP sshd");
      try {
        expect(await host.lost).toMatchObject({
          level: "timeout",
          message: expect.stringMatching(/^jump host outer: .* has not answered/),
        });
      } finally {
        outer.inside("pkill -CONT sshd; true");
        await host.close();
      }
    });

    test("the way that the configuration tells is the one taken, and one that never ends is refused", () => {
      const file = join(suspect.folder, "routes");
      const route = (text: string, target = "web1", jump?: string) => {
        writeFileSync(file, text);
        return planRoute({ host: target }, { configFile: file, jump }).map(({ settings }) => settings.hostName);
      };
      expect(route("Host web1\n  ProxyJump b\nHost b\n  ProxyJump a\n")).toEqual(["a", "b", "web1"]);
      // as ssh: of a list only the first may have a jump host of its own
      expect(route("Host web1\n  ProxyJump a,b\nHost b\n  ProxyJump x\nHost a\n  ProxyJump y\n")).toEqual(["y", "a", "b", "web1"]);
      expect(route("Host * !bastion\n  ProxyJump bastion\n")).toEqual(["bastion", "web1"]);
      expect(route("Host web1\n  ProxyJump a\n", "web1", "none")).toEqual(["web1"]);
      expect(() => route("Host *\n  ProxyJump bastion\n")).toThrow(/never ends: jump host bastion/);
      expect(() => route("Host web1\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n")).toThrow(/never ends/);
    });
  },
);
