import { describe, expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { rangeAvailable } from "#range/available";
import { streamDigests } from "./stream-digests.ts";
import { observedRange } from "./testing/observed-range.ts";
import { sshRunner } from "./testing/ssh-runner.ts";

/** What is computed of a file's content, by each way that a host has. */
describe.skipIf(rangeAvailable() !== undefined)("the digests of a file, on a real host", () => {
  const host = observedRange(["md5", "sha1"]);
  const { onHost, facts } = host;
  const truth = async (path: string) =>
    Object.fromEntries(
      (await onHost(`for d in sha256 sha1 md5; do echo $d $($d'sum' <${path}); done`))
        .split("\n")
        .map((line) => line.split(" ").slice(0, 2)),
    );

  test("MD5 and SHA-1 come with the sha256 where a list needs them: by perl's own modules, else by the host's programs", async () => {
    await onHost("head -c 3000000 /dev/urandom >/tmp/large; : >/tmp/empty");
    const [large, empty] = [await truth("/tmp/large"), await truth("/tmp/empty")];
    expect(await facts("/tmp/large")).toMatchObject(large);
    expect(await facts("/tmp/empty")).toMatchObject(empty);
    await onHost(`
      perl -e 'for my $m ("SHA.pm", "MD5.pm") { for (@INC) { rename "$_/Digest/$m", "$_/Digest/$m.away" or die if -e "$_/Digest/$m" } }'
      ! perl -MDigest::SHA -e 1 2>/dev/null; ! perl -MDigest::MD5 -e 1 2>/dev/null`);
    expect(await facts("/tmp/large")).toMatchObject(large);
    expect(await facts("/tmp/empty")).toMatchObject(empty);
    // the owner's answer reads a package's file by the same way
    expect(host.seen.collector.requestOwner("/usr/bin/ls", 0)).toBe(true);
    expect(await host.seen.see("file-owner", (o) => o.path === "/usr/bin/ls")).toMatchObject({
      found: "same",
      ...(await truth("/usr/bin/ls")),
    });
  });

  test("what the host cannot compute is made here, of the bytes that come over the line: a deleted program's and an odd name's too", async () => {
    const large = await truth("/tmp/large");
    await onHost("mv /usr/bin/md5sum /usr/bin/md5sum.away");
    const lacking = await facts("/tmp/large");
    expect(lacking).toMatchObject({ sha256: large["sha256"], sha1: large["sha1"] });
    expect(lacking).not.toHaveProperty("md5");
    expect(lacking).not.toHaveProperty("error");
    const streamed = (path: string) => host.seen.see("file-info", (o) => o.path === path && o.streamed?.bytes !== undefined);
    expect(await streamed("/tmp/large")).toMatchObject({ ...large, streamed: { bytes: 3_000_000 } });
    const odd = "/dev/shm/it's\n$(x) \\'";
    const [pid, ...lines] = (
      await onHost(`cp /bin/sleep /dev/shm/gone; /dev/shm/gone 300 >/dev/null 2>&1 & echo $!
        until [ "$(readlink /proc/$!/exe)" = /dev/shm/gone ]; do sleep 0.05; done; rm /dev/shm/gone
        python3 -c 'open("/dev/shm/it\\x27s\\n$(x) \\x5c\\x27", "w").write("odd")'
        sha256sum </bin/sleep; printf odd | sha256sum; mv /usr/bin/sha256sum /usr/bin/sha256sum.away`)
    ).split("\n");
    const [sleep, word] = lines.map((line) => line.slice(0, 64));
    expect(host.seen.collector.requestFileInfo("/dev/shm/gone", Number(pid))).toBe(true);
    expect(host.seen.collector.requestFileInfo(odd)).toBe(true);
    const first = await host.seen.see("file-info", (o) => o.path === "/dev/shm/gone");
    expect(first).toMatchObject({ unhashable: true, streamed: {}, elf: true });
    expect(first).not.toHaveProperty("error");
    expect((await streamed("/dev/shm/gone")).sha256).toBe(sleep);
    expect(await streamed(odd)).toMatchObject({ sha256: word, streamed: { bytes: 3 } });
    await onHost(`kill ${pid}`);
  });

  test("what is no regular file is not read, nor a link; a host whose dd knows nothing and that has no timeout is read with cat", async () => {
    const runner = sshRunner(host.range);
    await onHost("mkfifo /tmp/pipe; ln -sf /etc/passwd /tmp/link; chmod 000 /tmp/empty");
    const read = (path: string, pid = 0) => streamDigests(runner, { path: path as HostString, pid }, []);
    for (const path of ["/tmp/pipe", "/tmp/link", "/dev/zero", "/tmp"]) expect(await read(path)).toEqual({ why: "not a regular file" });
    expect(await read("/nowhere")).toEqual({ why: expect.stringMatching(/No such file/) });
    const [self] = (await onHost("sha1sum </usr/bin/sleep; exec 3</usr/bin/sleep")).split(" ");
    const plain = async () => streamDigests(runner, { path: "/usr/bin/sleep" as HostString, pid: 1 }, ["sha1"]); // pid 1 runs something else
    expect(await plain()).toMatchObject({ digests: { sha1: self } });
    const accessed = () => onHost("stat -c %X /opt/old");
    await onHost("mkdir -p /opt; cp /usr/bin/sleep /opt/old; touch -a -d '2001-01-01 UTC' /opt/old");
    const before = await accessed();
    expect(await read("/opt/old")).toHaveProperty("digests");
    expect(await accessed()).toBe(before);
    await onHost("mv /usr/bin/dd /usr/bin/dd.away; mv /usr/bin/timeout /usr/bin/timeout.away; mv /usr/bin/readlink /usr/bin/readlink.away");
    expect(await plain()).toMatchObject({ digests: { sha1: self } });
    for (const path of ["/tmp/pipe", "/tmp/link"]) expect(await read(path)).toEqual({ why: "not a regular file" });
    await read("/opt/old");
    expect(await accessed(), "without GNU's dd a time of access is left behind").not.toBe(before);
  });
});
