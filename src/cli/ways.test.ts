import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryKeyLine } from "#host/temporary-key";
import type { StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import { type JumpHost, startJumpHost } from "#range/jump-host";
import { makeKey } from "#range/keys";
import { type Ran, runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

describe.skipIf(reason !== undefined)(`the ways in to a real host${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  beforeAll(async () => {
    range = await startRange();
  });
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  const argv = (command: string[], config = range.sshConfig, netns = range.netns.analyst) =>
    range.inNetns(netns, [...PROGRAM, ...command, "--config", config, "--sessions", sessions.path, "--analyst", "jm"]);
  const stakeout = (...command: string[]): Promise<Ran> => runLocal(argv(command));
  const ruleset = async () => (await range.onHost(["nft", "list", "ruleset"])).stdout.trim();
  const onHost = async (script: string) => {
    const { code, stderr } = await range.onHost(["/bin/sh", "-ec", script]);
    expect(code, stderr).toBe(0);
  };
  const newest = (): StakeoutEvent[] =>
    readFileSync(`${sessions.newest()}/events.jsonl`, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as StakeoutEvent);
  /** Whether a log that is still being written has come so far. */
  const reached = (action: string) => {
    const file = `${sessions.newest()}/events.jsonl`;
    return existsSync(file) && readFileSync(file, "utf8").includes(`"${action}"`);
  };
  const made = () => newest()[0]?.stakeout["connection_made"];

  describe("through a jump host", () => {
    let jump: JumpHost;
    beforeAll(async () => {
      jump = await startJumpHost(range);
    });
    afterAll(async () => jump?.stop());
    const byJump = (...command: string[]) => runLocal(argv([...command, "-J", "jump"], jump.sshConfig));

    test("what the host sees of us is the jump host's, and known as ours", async () => {
      const { code, stderr } = await byJump("record", "devbox", "--for", "3s", "--ndjson");
      expect(code, stderr).toBe(0);
      expect(made()).toMatchObject({
        user: "root",
        privilege: "root",
        authentication: [{ method: "publickey", key: expect.stringMatching(/^SHA256:/) }],
        via: [{ address: jump.address, user: "root", host_key: expect.stringMatching(/^ssh-ed25519 SHA256:/) }],
      });
      const { stdout } = await runLocal([...PROGRAM, "replay", sessions.newest(), "--state", "--at", "+1h"]);
      expect(JSON.parse(stdout).logins).toEqual([
        expect.objectContaining({ ours: true, source: expect.objectContaining({ ip: jump.address }) }),
      ]);
    });

    test("isolating lets the jump host in and not us, is proven through it, and is undone through it", async () => {
      const isolated = await byJump("isolate", "devbox");
      expect(isolated.code, isolated.stderr).toBe(0);
      expect(JSON.parse(isolated.stdout)).toMatchObject({ kind: "isolate", verified: { access: true, cut: true } });
      const rules = await ruleset();
      expect(rules).toContain(jump.address);
      expect(rules).not.toContain(range.addresses.analyst);
      const straight = await stakeout("record", "devbox", "--for", "1s");
      expect(straight).toMatchObject({ code: 3, stderr: expect.stringMatching(/did not answer within/) });
      const released = await byJump("release", "devbox");
      expect(released.code, released.stderr).toBe(0);
      expect(await ruleset()).toBe("");
    });

    test("a jump host that goes away is named, and the host is cleaned all the same", async () => {
      const before = sessions.newest();
      const recording = byJump("record", "devbox", "--give-up", "5s");
      await until("the recording to begin", () => sessions.newest() !== before && reached("baseline.complete"));
      await jump.stop();
      const { code, stderr } = await recording;
      expect(code, stderr).toBe(3);
      expect(stderr).toMatch(/the host was lost: jump host jump: /);
      await until("the collector to end", async () =>
        (await range.onHost(["pgrep", "-x", "perl", "-u", "root", "-a"])).stdout.split("\n").every((line) => !line.includes("sysread")),
      );
    });
  });

  describe("as an account that is not root", () => {
    beforeAll(async () => {
      await onHost(`useradd -m -s /bin/bash careful; echo careful:tr0ub4dor | chpasswd
        cp -r /home/ops/.ssh /home/careful/; chown -R careful: /home/careful; echo 'careful ALL=(ALL) ALL' >/etc/sudoers.d/careful; chmod 440 /etc/sudoers.d/careful`);
    });

    test("by sudo without a password the host is watched from its kernel's trace, isolated and released", async () => {
      const recorded = await stakeout("record", "ops@devbox", "--for", "4s", "--ndjson");
      expect(recorded.code, recorded.stderr).toBe(0);
      expect(made()).toMatchObject({ user: "ops", privilege: "sudo" });
      expect(newest().find(({ event }) => event.action === "sensor.start")?.stakeout.tier).toMatch(/^tracefs/);
      const isolated = await stakeout("isolate", "ops@devbox");
      expect(isolated.code, isolated.stderr).toBe(0);
      expect(JSON.parse(isolated.stdout)).toMatchObject({ verified: { access: true, cut: true } });
      const released = await stakeout("release", "ops@devbox");
      expect(released.code, released.stderr).toBe(0);
      expect(await ruleset()).toBe("");
    });

    test("without sudo it polls, and says what that costs", async () => {
      for (const command of [
        ["record", "reader@devbox", "--for", "3s"],
        ["record", "ops@devbox", "--no-sudo", "--for", "3s"],
      ]) {
        const { code, stderr } = await stakeout(...command);
        expect(code, stderr).toBe(0);
        expect(stderr).toMatch(/is not root, .*most short-lived processes are missed, and the host cannot be isolated/);
        expect(made()).toMatchObject({ privilege: "none" });
        expect(newest().find(({ event }) => event.action === "sensor.start")?.stakeout.tier).toBe("poll");
      }
      expect(await stakeout("isolate", "reader@devbox")).toMatchObject({ code: 1, stderr: expect.stringMatching(/Isolation needs root/) });
    });

    test("the password of sudo is asked for after a warning, not shown, recorded as typed and never kept", async () => {
      const console_ = inPty(argv(["careful@devbox", "--no-card"]), 120, 40);
      await console_.screen.until(/sudo password of careful@10\.77\.\d+\.11 \(empty: none\): /);
      expect(console_.screen.text()).toMatch(/Whoever is root on 10\.77\.\d+\.11 can read what you type now/);
      console_.press("tr0ub4dor", "enter");
      await console_.screen.until(/processes/i);
      await until("the baseline", () => reached("baseline.complete"));
      expect(console_.screen.text()).not.toContain("tr0ub4dor");
      console_.press("q");
      expect(await console_.exited).toBe(0);
      expect(made()).toMatchObject({ privilege: "sudo with a password", passwords_typed: [{ user: "careful", for: "sudo" }] });
      for (const file of readdirSync(sessions.newest()))
        expect(readFileSync(join(sessions.newest(), file), "latin1")).not.toContain("tr0ub4dor");
      const report = await runLocal([...PROGRAM, "report", sessions.newest()]);
      expect(report.stdout).toMatch(/password.*typed.*careful/i);
    });
  });

  describe("by a temporary key", () => {
    const folder = sessionsFolder();
    let key: string;
    beforeAll(async () => {
      key = join(folder.path, "id_temporary");
      await makeKey(key, "temporary");
    });
    afterAll(() => folder.remove());
    /** The key alone, from one side of the range. */
    const ssh = (netns: string, ...more: string[]) =>
      runLocal(
        range.inNetns(netns, [
          "ssh",
          "-F",
          "none",
          "-i",
          key,
          "-o",
          "IdentitiesOnly=yes",
          "-o",
          "BatchMode=yes",
          "-o",
          `UserKnownHostsFile=${range.knownHosts}`,
          ...more,
          `root@${range.host.address}`,
          "tty; true",
        ]),
      );

    test("the printed line lets us in from our address alone, with a terminal and without forwarding, and is removed as it says", async () => {
      const { stdout, stderr, code } = await runLocal([
        ...PROGRAM,
        "access",
        "--from",
        range.addresses.analyst,
        "--for",
        "8h",
        "--key",
        key,
      ]);
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/^restrict,pty,from="[\d.]+",expiry-time="\d{12}" ssh-ed25519 \S+ stakeout-[0-9a-f]{8}\n$/);
      expect(await ssh(range.netns.analyst)).toMatchObject({ code: 255, stderr: expect.stringMatching(/Permission denied/) });
      await range.onHost(["/bin/sh", "-c", "cat >>/root/.ssh/authorized_keys"], stdout);
      expect(await ssh(range.netns.analyst)).toMatchObject({ code: 0, stdout: "not a tty\n" });
      expect(await ssh(range.netns.analyst, "-tt")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\/dev\/pts\//) });
      expect(await ssh(range.netns.analyst, "-W", "127.0.0.1:8080")).toMatchObject({ stderr: expect.stringMatching(/prohibited/) });
      expect(await ssh(range.netns.responders[1])).toMatchObject({ code: 255, stderr: expect.stringMatching(/Permission denied/) });

      const recorded = await stakeout(
        "record",
        `root@${range.host.address}`,
        "-i",
        key,
        "--known-hosts",
        range.knownHosts,
        "--for",
        "3s",
        "--ndjson",
      );
      expect(recorded.code, recorded.stderr).toBe(0);
      const shown = execFileSync("ssh-keygen", ["-lf", `${key}.pub`], { encoding: "utf8" });
      expect(shown).toContain((made() as { authentication: { key: string }[] }).authentication[0]?.key);

      const remove = /^ +(sed -i .*)$/m.exec(stderr)?.[1] ?? "false";
      await onHost(remove);
      expect(await ssh(range.netns.analyst)).toMatchObject({ code: 255, stderr: expect.stringMatching(/Permission denied/) });
      expect(await stakeout("record", "devbox", "--for", "1s")).toMatchObject({ code: 0 }); // nobody else's line went with it
    });

    test("after its time it lets nobody in, and until then it does", async () => {
      const publicKey = readFileSync(`${key}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
      const line = (minutes: number) =>
        temporaryKeyLine({ publicKey, from: [], until: new Date(Date.now() + minutes * 60_000), zone: "UTC", label: `test${minutes}` });
      const tried = async (minutes: number) => {
        await range.onHost(
          ["/bin/sh", "-c", "sed -i '/ test-*[0-9]*$/d' /root/.ssh/authorized_keys; cat >>/root/.ssh/authorized_keys"],
          `${line(minutes)}\n`,
        );
        return (await ssh(range.netns.analyst)).code;
      };
      expect(await tried(10)).toBe(0);
      expect(await tried(-2)).toBe(255);
    });

    test("what is no address, no key or no zone is refused before anything is printed", async () => {
      const refused = async (...options: string[]) => {
        const { code, stdout, stderr } = await runLocal([...PROGRAM, "access", ...options]);
        expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
        return stderr;
      };
      expect(await refused("--from", 'a",command="sh', "--key", key)).toMatch(/is not an address or a network/);
      expect(await refused("--from", "10.0.0.0/33", "--key", key)).toMatch(/is not an address or a network/);
      expect(await refused("--from", "10.0.0.1", "--key", "/nowhere")).toMatch(/No public key could be read/);
      expect(await refused("--from", "10.0.0.1", "--key", key, "--zone", "Mars")).toMatch(/no time zone/);
      expect(await refused("--key", key)).toMatch(/--from/);
    });
  });
});
