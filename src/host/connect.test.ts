import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PATIENCE } from "#testing/patience";
import { HostError } from "./errors.ts";
import { type RemoteProcess, runScript } from "./runner.ts";
import { compressed } from "./ssh-session.ts";
import { startRealSshd, suspectRootfs } from "./testing/real-sshd.ts";
import { type Suspect, startSuspect, until } from "./testing/suspect.ts";

const rootfs = suspectRootfs();

// Needs root and a suspect host's root file system (STAKEOUT_ROOTFS, or the one that the range builds and caches).
describe.skipIf(rootfs === undefined)(
  `working on a real OpenSSH server${rootfs === undefined ? " (skipped: no suspect host's disk; npm test makes it, as root on Debian)" : ""}`,
  () => {
    let suspect: Suspect;
    beforeAll(async () => {
      suspect = await startSuspect(rootfs as string, "MaxSessions 3\nBanner /etc/debian_version");
    });
    afterAll(async () => suspect?.stop());

    test("knows where it is, and what answers", async () => {
      await suspect.using({}, async (host) => {
        expect(host).toMatchObject({
          address: "127.0.0.1",
          port: suspect.sshd.port,
          user: "root",
          localAddress: "127.0.0.1",
          keyType: "ssh-ed25519",
          notes: [],
        });
        expect(host.serverIdent).toMatch(/^SSH-2\.0-OpenSSH_/);
        expect(host.banner).toMatch(/\d/);
        const fingerprint = execFileSync("ssh-keygen", ["-l", "-f", "-"], { input: suspect.sshd.hostKeys.ed25519, encoding: "utf8" });
        expect(fingerprint).toContain(host.fingerprint);
        const { stdout } = await runScript(host, 'echo "$SSH_CONNECTION|$PATH|$HOME|$LC_ALL"');
        expect(stdout.toString()).toBe(
          `127.0.0.1 ${host.localPort} 127.0.0.1 ${suspect.sshd.port}|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin||C\n`,
        );
      });
    });

    test("an argument arrives as it was meant, and an exit code comes back", async () => {
      await suspect.using({}, async (host) => {
        const args = ["a b", "it's", "$HOME `id` \\n", "", "!!", "new\nline", "ünï"];
        const { stdout, stderr, code } = await runScript(host, "printf '%s\\0' \"$@\"; echo oops >&2; exit 7", { args });
        expect(stdout.toString().split("\0").slice(0, -1)).toEqual(args);
        expect({ stderr: stderr.toString(), code }).toEqual({ stderr: "oops\n", code: 7 });
        expect((await runScript(host, "kill -TERM $$")).code).toBeNull();
      });
    });

    test("several commands at once; one too many is told with what to do, and the others go on", async () => {
      await suspect.using({}, async (host) => {
        const running = await Promise.all(["a", "b", "c"].map(() => host.open(["/bin/cat"])));
        await expect(host.open(["/bin/cat"])).rejects.toMatchObject({
          name: "HostError",
          level: "exec",
          hint: expect.stringContaining("MaxSessions"),
        });
        const outputs = running.map(async (process, i) => {
          process.stderr.resume();
          let text = "";
          process.stdout.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          process.stdin.end(`hello ${i}`);
          return { ...(await process.exit), text };
        });
        expect(await Promise.all(outputs)).toEqual([0, 1, 2].map((i) => ({ code: 0, text: `hello ${i}` })));
      });
    });

    test("output is compressed on its way, and whole after the keys were changed in the middle", async () => {
      const other = await startRealSshd(rootfs as string, {
        authorizedKeys: [`${suspect.keys.plain}.pub`],
        config: "RekeyLimit 4M\nLogLevel DEBUG1",
      });
      try {
        const knownHostsFile = join(suspect.folder, "known_for_rekeying");
        const configFile = join(suspect.folder, "config_for_rekeying");
        writeFileSync(configFile, "Compression yes\n");
        await suspect.using({ port: other.port, configFile, knownHostsFile, askHostKey: async () => true }, async (host) => {
          const size = 20_000_000;
          const random = await runScript(host, `head -c ${size} /dev/urandom | tee /run/random; sha256sum </run/random >&2`, {
            limitBytes: size,
            timeoutMs: PATIENCE,
          });
          const lost = await Promise.race([host.lost, undefined]);
          expect(random, `lost: ${lost?.message}; sshd said: ${other.log().slice(-4000)}`).toMatchObject({ code: 0, cut: false });
          expect(random.stderr.toString()).toContain(createHash("sha256").update(random.stdout).digest("hex"));
          await until(() => /rekey/i.test(other.log()) && /Enabling compression/i.test(other.log()));
        });
      } finally {
        await other.stop();
      }
    });

    test("a near host is not asked to compress, one that is far or at an unknown distance is; the configuration has the last word", async () => {
      expect(
        [0.1, 1.9, 2.1, 80, undefined].map((roundTripMs) => compressed(undefined, roundTripMs === undefined ? {} : { roundTripMs })),
      ).toEqual([false, false, true, true, true]);
      const other = await startRealSshd(rootfs as string, { authorizedKeys: [`${suspect.keys.plain}.pub`], config: "LogLevel DEBUG1" });
      try {
        const knownHostsFile = join(suspect.folder, "known_for_near");
        const configFile = join(suspect.folder, "config_for_near");
        for (const word of ["no", "yes"]) {
          writeFileSync(configFile, `Compression ${word}\n`);
          await suspect.using({ port: other.port, configFile, knownHostsFile, askHostKey: async () => true }, async (host) =>
            expect((await runScript(host, "echo heard")).stdout.toString()).toBe("heard\n"),
          );
          expect(/Enabling compression/i.test(other.log())).toBe(word === "yes");
        }
      } finally {
        await other.stop();
      }
    });

    test("a host of these tests is ready only once its root is its own, however slow its start", async () => {
      const slow = join(suspect.folder, "slow");
      mkdirSync(slow);
      writeFileSync(join(slow, "chroot"), `#!/bin/sh\nsleep 0.5\nPATH=$\{PATH#*:}\nexec chroot "$@"\n`, { mode: 0o755 });
      vi.stubEnv("PATH", `${slow}:${process.env["PATH"]}`);
      const other = await startRealSshd(rootfs as string, { authorizedKeys: [`${suspect.keys.plain}.pub`] });
      vi.unstubAllEnvs();
      try {
        const knownHostsFile = join(suspect.folder, "known_for_slow");
        await suspect.using({ port: other.port, knownHostsFile, askHostKey: async () => true }, async (host) =>
          expect((await runScript(host, "true")).code).toBe(0),
        );
      } finally {
        await other.stop();
      }
    });

    test("what is not read is not fetched", async () => {
      await suspect.using({}, async (host) => {
        const process = await host.open(["/bin/sh", "-c", "yes | tee /dev/stderr >/dev/null & yes; wait"]);
        // The host is held by the channel's window: whatever it could send, no more than 4 MB ever wait here.
        await until(() => process.stdout.readableLength >= 1 << 20);
        await runScript(host, "head -c 5000000 /dev/zero; sleep 0.2");
        expect(process.stdout.readableLength).toBeLessThanOrEqual(4 << 20);
        process.close();
        await process.exit;
        expect((await runScript(host, "echo alive")).stdout.toString()).toBe("alive\n");
      });
    });

    test("endless output is cut, and a script that hangs is ended in time", async () => {
      await suspect.using({}, async (host) => {
        const endless = await runScript(host, "yes", { timeoutMs: 1500, limitBytes: 100_000 });
        expect(endless).toMatchObject({ timedOut: true, code: null, cut: true });
        expect(endless.stdout.length).toBeLessThanOrEqual(100_000);
        expect(await runScript(host, "sleep 1000", { timeoutMs: 100 })).toMatchObject({ timedOut: true, code: null, cut: false });
        expect((await runScript(host, "echo alive")).stdout.toString()).toBe("alive\n");
      });
    });

    test("a host that vanishes is lost at once, with every command on it", async () => {
      const lost: HostError[] = [];
      const host = await suspect.connect({ onLost: (error) => lost.push(error) });
      const process = await host.open(["/bin/sleep", "1000"]);
      process.stdout.resume();
      process.stderr.resume();
      suspect.sshd.inside("pkill -9 sshd; true");
      expect(await host.lost).toMatchObject({ name: "HostError", level: "socket" });
      expect(await process.exit).toEqual({ code: null });
      await until(() => lost.length === 1);
      await expect(host.open(["true"])).rejects.toMatchObject({ level: "socket" });
      expect(await host.probeAccess()).toMatchObject({ ok: true }); // the next login would still come in
      await host.close();
    });

    test("whoever still writes to a command, or reads on, after the host was lost, is not thrown at", async () => {
      const host = await suspect.connect();
      const processes = await Promise.all([host.open(["/bin/sleep", "1000"]), host.open(["/bin/sh", "-c", "yes"])]);
      const [sleeping, flooding] = processes as [RemoteProcess, RemoteProcess];
      for (const { stdin } of processes) stdin.on("error", () => {});
      sleeping.stdout.resume();
      sleeping.stderr.resume();
      await until(() => flooding.stdout.readableLength >= 1 << 20); // it waits for a grant, which reading on would give
      const writing = sleeping.exit.then(() => sleeping.stdin.write("are you there\n"));
      suspect.sshd.inside("pkill -9 sshd; true");
      await host.lost;
      await writing;
      for (const { stdin } of processes) stdin.end("q\n");
      flooding.stderr.resume();
      for await (const chunk of flooding.stdout) expect(Buffer.isBuffer(chunk)).toBe(true);
      await flooding.exit;
      await host.close();
    });

    test("a host that freezes is noticed by its silence", async () => {
      const host = await suspect.connect({ keepaliveMs: 100, keepaliveCount: 3 });
      suspect.sshd.inside("pkill -STOP sshd");
      try {
        const started = performance.now();
        expect(await host.lost).toMatchObject({ level: "timeout", message: expect.stringMatching(/has not answered/) });
        expect(performance.now() - started).toBeGreaterThan(250);
      } finally {
        suspect.sshd.inside("pkill -CONT sshd; true");
      }
    });

    test("the second login meets another key: refused, and the first goes on", async () => {
      await suspect.using({}, async (host) => {
        suspect.sshd.inside("mv /run/host_ed25519 /run/kept; ssh-keygen -q -t ed25519 -N '' -f /run/host_ed25519");
        try {
          expect(await host.probeAccess()).toMatchObject({
            ok: false,
            error: { level: "hostkey", message: expect.stringContaining(host.fingerprint) },
          });
          expect((await runScript(host, "echo alive")).stdout.toString()).toBe("alive\n");
        } finally {
          suspect.sshd.inside("mv /run/kept /run/host_ed25519");
        }
      });
    });

    test("closing is not a loss", async () => {
      const lost: HostError[] = [];
      const host = await suspect.connect({ onLost: (error) => lost.push(error) });
      await host.close();
      await host.close();
      expect(lost).toEqual([]);
      await expect(host.open(["true"])).rejects.toBeInstanceOf(HostError);
    });
  },
);
