import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { sshRunner } from "../testing/ssh-runner.ts";
import { inventoryOf } from "./inventory.ts";
import { askAboutLogins, lookAt } from "./look.ts";
import { lookBackOf } from "./past.ts";

describe.skipIf(rangeAvailable() !== undefined)("a look at a host without perl", () => {
  let range: Range;
  const onHost = async (script: string) => {
    const ran = await range.onHost(["sh", "-c", script]);
    expect(ran.stderr).toBe("");
    return ran.stdout;
  };
  beforeAll(async () => {
    range = await startRange();
  });
  afterAll(() => range?.stop());

  test("by dash and by bash it says the same as perl of the same host, whatever stands in its files", async () => {
    await onHost(
      String.raw`printf '* * * * * root echo "\\x41 \t\\\\n \033]0;owned\007 \377\201"  \n# a comment\n\n@reboot dev /tmp/x*\n' >/etc/cron.d/odd
      printf 'from="192.0.2.1",command="x y" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a -> b\nnot a key\tat all\n' >>/root/.ssh/authorized_keys
      printf 'Defaults x \\\n  , y\n#includedir /etc/more\n%%wheel ALL=(ALL) ALL\n' >/etc/sudoers.d/odd
      printf 'evil:$6$x$y:19700::::::\n' >>/etc/shadow; printf 'evil::0:0::/root/../root:/bin/bash\n' >>/etc/passwd
      printf '[Service]\n' >"/etc/systemd/system/a b*.service"; ln -s /etc/shadow /var/log/auth.log
      printf 'ls\n\033[2J\000x' >/root/.bash_history; head -c 1000000 /dev/zero >/var/log/btmp`,
    );
    const runner = sshRunner(range);
    const perl = await lookAt(runner, ["past", "set-up"]);
    await onHost("mv /usr/bin/perl /usr/bin/perl.away");
    for (const shell of ["dash", "bash"]) {
      await onHost(`ln -sf ${shell} /bin/sh`);
      const said = await lookAt(runner, ["past", "set-up"]);
      expect(said).toMatchObject({ complete: true, undecodable: 0, root: true, zone: perl.zone, arch: perl.arch });
      // connections are those of the moment, and the office's programs run a perl that has another name now
      const things = (answer: typeof said) =>
        inventoryOf(answer).flatMap(({ category, id }) => (category === "connection" ? [] : [id.replaceAll("perl.away", "perl")]));
      expect(things(said).sort()).toEqual(things(perl).sort());
      expect(things(said).join("\n")).toContain("\u001b]0;owned\u0007");
      const files = (answer: typeof said) =>
        answer.files
          .filter(({ path }) => !/syslog|wtmp|utmp/.test(path)) // they grow
          .map(({ kind, path, size, mtime, mode, uid, from, bytes }) => ({
            kind,
            path,
            size,
            mtime,
            mode,
            uid,
            from,
            bytes: bytes.toString("latin1"),
          }));
      expect(files(said)).toEqual(files(perl).filter(({ kind }) => kind !== "lastlog"));
      expect(said.absent.filter(({ kind }) => kind === "auth")).toEqual(perl.absent.filter(({ kind }) => kind === "auth"));
      expect(lookBackOf(said).blind.join("\n")).toMatch(/changed lately was not looked for/);
    }
  });

  test("what a login's first process says of it", async () => {
    const first = Number((await onHost("SSH_CONNECTION='203.0.113.9 4444 10.0.0.5 22' sleep 60 >/dev/null 2>&1 & echo $!")).trim());
    const { logins } = await askAboutLogins(sshRunner(range), [{ pid: 1, first }]);
    expect(logins).toEqual([expect.objectContaining({ pid: 1, connection: "203.0.113.9 4444 10.0.0.5 22" })]);
  });
});
