import { beforeEach, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { observedRange } from "./testing/observed-range.ts";
import { until, watch } from "./testing/watched.ts";

/** Whose files are, asked of a real Debian host by its own lists. */
describe.skipIf(rangeAvailable() !== undefined)("which package a file belongs to, on a real host", () => {
  const host = observedRange();
  const { onHost } = host;
  /** The answers about paths, in the order of the question. */
  const ask = async (paths: readonly string[], pid = 0, stamp?: string) => {
    const before = host.seen.of("file-owner").length;
    for (const path of paths) expect(host.seen.collector.requestOwner(path, pid, stamp)).toBe(true);
    await until(
      () => host.seen.of("file-owner").length === before + paths.length,
      () => `${host.seen.of("file-owner").length - before} of ${paths.length} answers`,
    );
    const told = host.seen.of("file-owner").slice(before);
    return paths.map((path) => told.find((one) => one.path === path));
  };

  beforeEach(async () => {
    // what a collector may take of the host's CPU for this is a store that a new one has whole
    await host.seen.collector.stop();
    host.seen = await watch(host.runner);
  });

  test("a package's file by either name of it, a link, a diverted file, what nobody owns, and what cannot be looked at", async () => {
    await onHost(`
      printf '#!/bin/sh\\n' >/usr/local/bin/mine; chmod 755 /usr/local/bin/mine; mkfifo /tmp/pipe
      mv /usr/bin/tac /usr/bin/tac.distrib; cp /usr/bin/tail /usr/bin/tac
      printf '%s\\n' /usr/bin/tac /usr/bin/tac.distrib : >>/var/lib/dpkg/diversions`);
    const told = await ask(["/bin/ls", "/usr/bin/ls", "/usr/bin/awk", "/usr/bin/tac", "/usr/bin/tac.distrib", "/usr/local/bin/mine"]);
    const [ls, usrLs, awk, tac, real, mine] = told;
    const coreutils = { manager: "dpkg", package: "coreutils", found: "same" };
    const version = await onHost("dpkg-query -W coreutils | cut -f2");
    expect(ls).toMatchObject({ ...coreutils, version, file: "/usr/bin/ls" });
    expect(usrLs).toMatchObject({ ...coreutils, sha256: (await onHost("sha256sum /usr/bin/ls")).slice(0, 64) });
    expect(awk).toMatchObject({ package: "mawk", file: "/usr/bin/mawk", found: "same" });
    expect(tac).toMatchObject({ found: "none" }); // diverted: what lies there is not coreutils' any more, and is not called changed
    expect(real).toMatchObject(coreutils);
    expect(mine).toMatchObject({ found: "none" });
    expect(mine).not.toHaveProperty("package");
    const unknown = await ask(["/nowhere", "/tmp/pipe", "/dev/null", "/usr/bin", "relative"]);
    expect(unknown.map((one) => [one?.found, one?.why])).toEqual([
      ["unknown", "No such file or directory"],
      ["unknown", "not a regular file"],
      ["unknown", "not a regular file"],
      ["unknown", "not a regular file"],
      ["unknown", "not a path"],
    ]);
  });

  test("every program of a clean host is as in its list: no false alarm among them", async () => {
    const all = (await onHost("find /usr/bin /usr/sbin -type f ! -name tac ! -name tac.distrib")).split("\n");
    expect(all.length).toBeGreaterThan(300);
    const found: string[] = [];
    for (let at = 0; at < all.length; at += 256)
      for (const one of await ask(all.slice(at, at + 256))) if (one?.found !== "same") found.push(`${one?.path} ${one?.found} ${one?.why}`);
    expect(found).toEqual([]);
  });

  test("a changed program differs, an untouched one is told by its stamp, and while packages are installed nothing is called changed", async () => {
    const [before] = await ask(["/usr/bin/wc"]);
    expect(before?.found).toBe("same");
    expect((await ask(["/usr/bin/wc"], 0, before?.stamp))[0]).toMatchObject({ found: "unchanged", stamp: before?.stamp });
    // as an intruder would: the same size, and its time put back
    await onHost("printf x | dd of=/usr/bin/wc bs=1 seek=4000 conv=notrunc status=none; touch -r /usr/bin/cat /usr/bin/wc");
    const [after] = await ask(["/usr/bin/wc"], 0, before?.stamp);
    expect(after).toMatchObject({ found: "differs", package: "coreutils" });
    expect(after?.sha256).not.toBe(before?.sha256);
    const lock = host.range.onHost([
      "perl",
      "-e",
      // struct flock of fcntl(2) on 64 bits: F_WRLCK, SEEK_SET, from 0 to the end
      'open F, "+>>", "/var/lib/dpkg/lock" or die; my $l = pack "s s x4 q q i x4", 1, 0, 0, 0, 0; fcntl F, 6, $l or die; open G, ">", "/tmp/locked"; close G; select undef, undef, undef, 0.05 while !-e "/tmp/unlock"',
    ]);
    await until(async () => (await host.range.onHost(["test", "-e", "/tmp/locked"])).code === 0, "the lock");
    expect((await ask(["/usr/bin/wc"]))[0]).toMatchObject({ found: "unknown", why: "packages are being installed at this moment" });
    await onHost("touch /tmp/unlock");
    expect((await lock).code).toBe(0);
    expect((await ask(["/usr/bin/wc"]))[0]?.found).toBe("differs");
  });

  test("what runs with another root is not taken for the host's file of that path, nor what was replaced since", async () => {
    const pid = async (script: string) => Number(await onHost(`${script} >/dev/null 2>&1 & echo $!`));
    await onHost("mkdir -p /tmp/root; cp -a /usr /tmp/root/; for l in bin lib lib64 sbin; do ln -s usr/$l /tmp/root/$l; done");
    const inside = await pid("exec chroot /tmp/root /usr/bin/sleep 300");
    const chrooted = await until(async () => {
      const link = (await host.range.onHost(["readlink", `/proc/${inside}/exe`])).stdout.trim();
      return link.endsWith("/sleep") && link;
    }, "the program in its root");
    // by the host's own path it is another file; a mount namespace's root shows the same path
    expect(chrooted).toBe("/tmp/root/usr/bin/sleep");
    const contained = await pid("exec unshare -m sh -c 'mount --bind /tmp/root/usr /usr; exec sleep 301'");
    await until(
      async () => (await host.range.onHost(["readlink", `/proc/${contained}/exe`])).stdout.trim() === "/usr/bin/sleep",
      "the other",
    );
    expect((await ask(["/usr/bin/sleep"], contained))[0]).toMatchObject({ found: "unknown", why: expect.stringMatching(/another root/) });
    const plain = await pid("exec sleep 302");
    await until(async () => (await host.range.onHost(["readlink", `/proc/${plain}/exe`])).stdout.trim() === "/usr/bin/sleep", "the host's");
    expect((await ask(["/usr/bin/sleep"], plain))[0]?.found).toBe("same");
    await onHost("cp /usr/bin/sleep /tmp/sleep && mv /tmp/sleep /usr/bin/sleep");
    expect((await ask(["/usr/bin/sleep"], plain))[0]).toMatchObject({
      found: "unknown",
      why: expect.stringMatching(/replaced or deleted/),
    });
    await onHost(`kill ${inside} ${contained} ${plain}`);
  });

  test("lists that lead nowhere or without end do not hold it up, and without lists nothing is said", async () => {
    await onHost("mkfifo /var/lib/dpkg/info/aaa.list; ln -s /dev/zero /var/lib/dpkg/info/aab.list; rm -f /tmp/unlock");
    expect((await ask(["/usr/bin/head"]))[0]).toMatchObject({ package: "coreutils", found: "same" });
    await onHost("mv /var/lib/dpkg/info /var/lib/dpkg/away");
    expect((await ask(["/usr/bin/head"]))[0]).toMatchObject({ found: "unknown", why: expect.stringMatching(/no package database/) });
    await onHost("mv /var/lib/dpkg/away /var/lib/dpkg/info");
  });
});
