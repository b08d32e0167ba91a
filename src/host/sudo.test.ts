import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConnectOptions } from "./connect.ts";
import { runScript } from "./runner.ts";
import { suspectRootfs } from "./testing/real-sshd.ts";
import { type Suspect, startSuspect, until } from "./testing/suspect.ts";

const rootfs = suspectRootfs();

// Needs root and a suspect host's root file system (STAKEOUT_ROOTFS, or the one that the range builds and caches).
describe.skipIf(rootfs === undefined)(
  `an account that is not root, and the host's own sudo${rootfs === undefined ? " (skipped: no suspect host's disk; npm test makes it, as root on Debian)" : ""}`,
  () => {
    let suspect: Suspect;
    beforeAll(async () => {
      suspect = await startSuspect(rootfs as string);
      suspect.sshd.account("ops", { sudoers: "ops ALL=(ALL) NOPASSWD: ALL" });
      suspect.sshd.account("careful", { password: "tr0ub4dor", sudoers: "careful ALL=(ALL) ALL" });
      suspect.sshd.account("narrow", { sudoers: "narrow ALL=(ALL) NOPASSWD: /bin/ls" });
      suspect.sshd.account("reader");
    });
    afterAll(async () => suspect?.stop());

    /** As an account, with answers for whoever asks for a password. */
    const as = (user: string, answers: (string | undefined)[] = [], more: ConnectOptions = {}) => {
      const asked: unknown[] = [];
      const askPassword: ConnectOptions["askPassword"] = async (question) => {
        asked.push(question);
        return answers.shift();
      };
      return { options: { user, askPassword, ...more }, asked };
    };
    const WHO = 'id -u; set -- $SSH_CONNECTION; echo "$PATH|$HOME|$SUDO_USER|$1"';
    const CLEAN = "0\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|||127.0.0.1\n";

    test("root itself needs none", async () => {
      await suspect.using({}, async (host) => {
        expect(host.made.privilege).toBe("root");
        expect((await runScript(host, WHO)).stdout.toString()).toBe(CLEAN);
      });
    });

    test("without a password: commands run as root in a clean environment, whole in and whole out", async () => {
      const { options, asked } = as("ops");
      await suspect.using(options, async (host) => {
        expect(host.made).toMatchObject({ privilege: "sudo", user: "ops" });
        expect(host.notes).toEqual([]);
        expect((await runScript(host, WHO)).stdout.toString()).toBe(CLEAN);
        const args = ["a b", "it's", "$HOME `id`", "", "-x", "new\nline"];
        const said = await runScript(host, "printf '%s\\0' \"$@\"; echo oops >&2; exit 7", { args });
        expect(said.stdout.toString().split("\0").slice(0, -1)).toEqual(args);
        expect({ code: said.code, stderr: said.stderr.toString() }).toEqual({ code: 7, stderr: "oops\n" });
        const large = await runScript(host, "head -c 3000000 /dev/zero");
        expect(large.stdout.length).toBe(3_000_000);
      });
      expect(asked).toEqual([]);
    });

    test("with a password: asked once, given again to each command, read by sudo alone, and recorded as typed", async () => {
      const { options, asked } = as("careful", ["tr0ub4dor"]);
      await suspect.using(options, async (host) => {
        expect((await runScript(host, WHO)).stdout.toString()).toBe(CLEAN);
        const cat = await host.open(["/bin/cat"]);
        cat.stderr.resume();
        let heard = "";
        cat.stdout.on("data", (chunk: Buffer) => {
          heard += chunk.toString();
        });
        cat.stdin.write("first line\n");
        await until(() => heard === "first line\n");
        cat.stdin.end("second");
        expect(await cat.exit).toEqual({ code: 0 });
        expect(heard).toBe("first line\nsecond");
        expect(host.made).toMatchObject({
          privilege: "sudo with a password",
          passwords_typed: [{ user: "careful", host: "127.0.0.1", for: "sudo" }],
        });
        expect(JSON.stringify(host.made)).not.toContain("tr0ub4dor");
        expect(suspect.sshd.inside("grep -rl tr0ub4dor /var/log /run/sudo 2>/dev/null; true")).toBe("");
        // As the README says: sudo keeps neither credentials nor the mark of a lecture.
        expect(suspect.sshd.inside("cd /; find var/lib/sudo run/sudo -type f | sort")).toBe("");
      });
      expect(asked).toEqual([{ user: "careful", host: "127.0.0.1", echo: false, for: "sudo" }]);
    });

    test("a wrong password is asked for again, and after three times the account does without", async () => {
      const second = as("careful", ["wrong", "tr0ub4dor"]);
      await suspect.using(second.options, async (host) => expect(host.made.privilege).toBe("sudo with a password"));
      const never = as("careful", ["a", "b", "c", "d"]);
      await suspect.using(never.options, async (host) => {
        expect(host.made).toMatchObject({ privilege: "none", passwords_typed: [{ user: "careful" }] });
        expect(host.notes).toEqual([expect.stringMatching(/careful is not root, and sudo does not accept the password, so most/)]);
        expect((await runScript(host, "id -un")).stdout.toString()).toBe("careful\n");
      });
      expect(never.asked.length).toBe(3);
    });

    test("no password given, nobody to ask, no rule, too small a rule, not wanted: each is said", async () => {
      const note = async (options: ConnectOptions) =>
        await suspect.using(options, async (host) => {
          expect(host.made.privilege).toBe("none");
          expect((await runScript(host, "id -u")).stdout.toString()).not.toBe("0\n");
          return host.notes.join();
        });
      expect(await note(as("careful", [undefined]).options)).toMatch(/sudo asks for a password/);
      expect(await note({ user: "careful" })).toMatch(/Connect from a terminal to type it/);
      expect(await note(as("reader").options)).toMatch(/reader is not root, and sudo (asks for a password|refuses)/);
      expect(await note(as("narrow").options)).toMatch(/narrow is not root, and sudo (asks for a password|refuses)/);
      expect(await note(as("ops", [], { sudo: false }).options)).toMatch(/sudo is not to be used/);
      suspect.sshd.inside("mv /usr/bin/sudo /usr/bin/kept");
      try {
        expect(await note(as("ops").options)).toMatch(/the host has no \/usr\/bin\/sudo/);
      } finally {
        suspect.sshd.inside("mv /usr/bin/kept /usr/bin/sudo");
      }
    });

    test("a rule that is taken away in the middle is told by the next command", async () => {
      await suspect.using(as("ops").options, async (host) => {
        suspect.sshd.inside("mv /etc/sudoers.d/ops /run/ops");
        try {
          await expect(host.open(["/bin/true"])).rejects.toMatchObject({
            name: "HostError",
            level: "exec",
            message: expect.stringMatching(/sudo/),
          });
        } finally {
          suspect.sshd.inside("mv /run/ops /etc/sudoers.d/ops");
        }
        expect((await runScript(host, "id -u")).stdout.toString()).toBe("0\n");
      });
    });

    test("a sudo that lies, floods or hangs costs a note and nothing more", async () => {
      const replaced = async (script: string, more: ConnectOptions = {}) => {
        suspect.sshd.inside(
          `mv /usr/bin/sudo /usr/bin/kept; printf '%s\\n' '#!/bin/sh' '${script}' >/usr/bin/sudo; chmod 755 /usr/bin/sudo`,
        );
        try {
          return await suspect.using(as("ops", [], more).options, async (host) => host.notes.join());
        } finally {
          suspect.sshd.inside("mv /usr/bin/kept /usr/bin/sudo");
        }
      };
      expect(await replaced("yes flood >&2")).toMatch(/did not begin and did not end: it said "[flod]+"/);
      expect(await replaced("echo Sorry >&2; exit 1")).toMatch(/sudo refuses: it said "Sorry"/);
      expect(await replaced("exec sleep 1000", { timeoutMs: 1000 })).toMatch(/did not begin and did not end: it said nothing/);
    });
  },
);
