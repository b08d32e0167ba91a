import { describe, expect, test } from "vitest";
import type { Observation } from "#model/observation";
import { rangeAvailable } from "#range/available";
import { observedRange } from "./testing/observed-range.ts";
import { sshRunner } from "./testing/ssh-runner.ts";
import { until, watch } from "./testing/watched.ts";

/**
 * Root on the host takes a copy of the collector's own fanotify group (pidfd_getfd, as a debugger could), and then: `flush` takes all that
 * it watches, `blind` has it pass over everything of a mount, `steal` reads its events for SECONDS. The group of new files is the one with most marks.
 */
const HANDS = `
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
what, pid = sys.argv[1], int(sys.argv[2])
def marks(fd):
    return open(f"/proc/{pid}/fdinfo/{fd}").read().count("fanotify ino:")
groups = [fd for fd in os.listdir(f"/proc/{pid}/fd") if "fanotify" in os.readlink(f"/proc/{pid}/fd/{fd}")]
mask = lambda fd: "mask:58000308 " in open(f"/proc/{pid}/fdinfo/{fd}").read()
[fd] = [fd for fd in groups if mask(fd)]
own = libc.syscall(438, os.pidfd_open(pid), int(fd), 0)
if own < 0: raise OSError(ctypes.get_errno(), "pidfd_getfd")
if what == "flush":
    assert libc.syscall(301, own, 0x80, ctypes.c_uint64(0), -100, None) == 0
elif what == "blind": # add, ignored mask that survives changes, of the whole filesystem
    assert libc.syscall(301, own, 0x1 | 0x20 | 0x40 | 0x100, ctypes.c_uint64(0x8), -100, sys.argv[3].encode()) == 0
else:
    os.set_blocking(own, False)
    end = time.time() + float(sys.argv[3])
    while time.time() < end:
        try: os.read(own, 65536)
        except BlockingIOError: pass
print("done")
`;

type Canary = Extract<Observation, { kind: "canary" }>;

describe.skipIf(rangeAvailable() !== undefined)("whether new files are still shown to us, on a real host", () => {
  const host = observedRange();
  const { onHost } = host;
  const hands = (...argv: (string | number)[]) => onHost(`python3 - ${argv.join(" ")}`, HANDS);
  const tests = (what: Canary["what"]) => host.seen.of("canary").filter((o) => o.what === what);
  const returned = ({ path }: Canary) => host.seen.of("file").some((o) => o.path === path && o.nameless === "plain");
  const problems = (about: "tampered" | undefined) => host.seen.of("problem").filter((o) => o.about === about);
  /** A file that is made is told, at the latest the tenth. */
  const seesAgain = async (folder: string, name: string) => {
    let n = 0;
    await until(async () => {
      if (n++ < 10) await onHost(`echo x >${folder}/${name}.${n}`);
      return host.seen.of("file").some((o) => o.path.startsWith(`${folder}/${name}.`));
    }, `a new file in ${folder}`);
  };

  test("a log or a mailbox that comes or is deleted is told with who did it, and what is written to one is not", async () => {
    await onHost(
      "echo x >/var/log/mine.log; echo y >>/var/log/mine.log; mv /var/log/mine.log /var/log/other.log; rm /var/log/other.log; echo z >/var/mail/root",
    );
    const deleted = await host.seen.see("file", (o) => o.path === "/var/log/other.log" && o.change === "deleted");
    expect(deleted.pid).toBeGreaterThan(0);
    await host.seen.see("file", (o) => o.path === "/var/mail/root");
    const told = host.seen.of("file").filter(({ path }) => /^\/var\/(?:log\/(?:mine|other)\.log|mail\/root)$/.test(path));
    expect(told.map(({ path, change, from }) => `${path} ${change}${from ? ` from ${from}` : ""}`)).toEqual([
      "/var/log/mine.log created",
      "/var/log/other.log moved-in from /var/log/mine.log",
      "/var/log/other.log deleted",
      "/var/mail/root created",
    ]);
  });

  test("a file that is moved away is told as gone from its folder; where both ends are watched that is one move, not two things", async () => {
    await onHost(
      "mkdir -p /opt/aside; echo x >/opt/aside/tool; echo x >/var/log/auth.away; mv /var/log/auth.away /opt/aside/1; mv /opt/aside/tool /etc/tool.in; mv /etc/tool.in /root/.x.in; mv /root/.x.in /opt/aside/2; echo x >/etc/over",
    );
    await host.seen.see("file", ({ path }) => path === "/etc/over");
    const told = host.seen.of("file").filter(({ path, change }) => /(?:\.away|\.in)$/.test(path) && change !== "written");
    expect(told.every(({ pid }) => (pid ?? 0) > 0)).toBe(true);
    expect(told.map(({ path, change, from, away }) => [path, change, from ?? (away ? "away" : "")])).toEqual([
      ["/var/log/auth.away", "created", ""],
      ["/var/log/auth.away", "deleted", "away"],
      ["/etc/tool.in", "moved-in", ""],
      ["/root/.x.in", "moved-in", "/etc/tool.in"],
      ["/root/.x.in", "deleted", "away"],
    ]);
  });

  test("a second name of a file is told as one that came whole, a link by name and a file of its own are not", async () => {
    await onHost(
      "mkdir -p /opt/aside; echo x >/opt/aside/whole; ln /opt/aside/whole /etc/whole.ln; ln -s /opt/aside/whole /etc/soft.ln; echo x >/etc/own.ln",
    );
    await host.seen.see("file", ({ path, change }) => path === "/etc/own.ln" && change === "created");
    const told = host.seen.of("file").filter(({ path, change }) => path.endsWith(".ln") && change !== "written");
    expect(told.map(({ path, change, pid }) => [path, change, (pid ?? 0) > 0])).toEqual([
      ["/etc/whole.ln", "moved-in", true],
      ["/etc/soft.ln", "created", true],
      ["/etc/own.ln", "created", true],
    ]);
    await onHost("rm -r /opt/aside /etc/*.ln");
  });

  test("a folder that is moved away takes its names with it: what comes below the old one later is told, what comes in the moved one is not", async () => {
    await onHost("mkdir -p /var/tmp/kit/deep");
    await seesAgain("/var/tmp/kit/deep", "first");
    await onHost("mkdir -p /opt/aside; mv /var/tmp/kit /opt/aside/kit; mkdir -p /var/tmp/kit/deep; echo x >/opt/aside/kit/deep/unseen");
    await seesAgain("/var/tmp/kit/deep", "second");
    expect(host.seen.of("file").filter(({ path }) => path.endsWith("/unseen"))).toEqual([]);
  });

  test("a file without a name in memory comes back to us, in each folder that is; nobody can list it, and nothing is written to a disk", async () => {
    const memory = (await onHost("for d in /tmp /dev/shm /var/tmp /run/screen; do stat -f -c '%n %T' $d 2>/dev/null || true; done"))
      .split("\n")
      .filter((line) => line.endsWith(" tmpfs"))
      .map((line) => line.split(" ")[0]);
    expect(memory).toContain("/dev/shm");
    await until(() => tests("file").length > memory.length, "a test in each");
    const [last] = tests("file").slice(-1) as [Canary];
    await until(() => returned(last), "the last one comes back");
    expect(tests("file").every(returned)).toBe(true);
    expect([...new Set(tests("file").map(({ path }) => path?.replace(/\/#\d+$/, "")))].sort()).toEqual(memory.sort());
    expect(host.seen.of("file").filter((o) => o.path.startsWith("/dev/shm/#") && o.pid !== host.seen.collector.hello.self)).toEqual([]);
    expect(await onHost("ls -A /dev/shm")).toBe("");
    expect(host.seen.collector.hello.blind.join("\n")).not.toMatch(/not proven/);
  });

  test("our own opening of a file that is watched comes back, and no other opening of ours is told", async () => {
    const [first] = (await until(() => tests("opening").length > 0 && tests("opening"), "a test")) as [Canary];
    expect(first.path).toMatch(
      new RegExp(`^/proc/${host.seen.collector.hello.self}/mem$|^/(?:var/)?run/utmp$|^/var/log/(?:wtmp|lastlog)$`),
    );
    const own = () => host.seen.of("file-open").filter((o) => o.pid === host.seen.collector.hello.self);
    await until(() => own().length > 0, "its event");
    expect(own().every(({ path }) => path === first.path)).toBe(true);
  });

  test("root takes what our group watches, or has it pass over everything: told as tampering, and watched anew", async () => {
    const { self } = host.seen.collector.hello;
    expect(await hands("flush", self)).toBe("done");
    const flushed = await until(() => problems("tampered")[0], "that is told");
    expect(flushed.what).toMatch(/^somebody had the kernel watch 0 of our \d+ folders for new files: all are watched anew/);
    await seesAgain("/var/tmp", "after-flush");
    expect(await hands("blind", self, "/dev/shm")).toBe("done");
    const blinded = await until(() => problems("tampered")[1], "that is told as well");
    expect(blinded.what).toMatch(/^somebody had the kernel watch less in our folders/);
    await seesAgain("/dev/shm", "after-blind");
    expect(host.seen.collector.stats().undecodable).toBe(0);
  });

  test("who reads our events away leaves a test that does not come back", async () => {
    const before = tests("file").length;
    let over = false;
    const stolen = (async () => {
      while (!over) await hands("steal", host.seen.collector.hello.self, 12); // on a busy machine we may be the quicker for as long
    })();
    const missing = () =>
      tests("file")
        .slice(before + 1, -1)
        .some((canary) => !returned(canary)); // the last one may be on its way
    await until(missing, "one that does not").finally(() => {
      over = true;
    });
    await stolen;
    const after = tests("file").length;
    await until(() => tests("file").slice(after).some(returned), "they come back again");
  });

  test("another folder is mounted over one of ours, and taken away: said, and the one that lies there now is watched", async () => {
    await onHost("mount -t tmpfs over /var/tmp");
    const said = await until(() => problems(undefined).find(({ what }) => what.includes("/var/tmp")), "that is told");
    expect(said.what).toMatch(/^another folder lies at \/var\/tmp than the one that we watched/);
    await seesAgain("/var/tmp", "mounted");
    await until(() => tests("file").some(({ path }) => path?.startsWith("/var/tmp/#")), "it is in memory, so it is tested too");
    const files = host.seen.of("file").length;
    await onHost("umount /var/tmp");
    await until(() => problems(undefined).filter(({ what }) => what.includes("/var/tmp")).length === 2, "that is told as well");
    await seesAgain("/var/tmp", "unmounted");
    // what lay in it all the time is not told as new
    expect(
      host.seen
        .of("file")
        .slice(files)
        .filter(({ path }) => path.startsWith("/var/tmp/after-flush")),
    ).toEqual([]);
  });

  test("where no folder is in memory nothing is tested, and that is said", async () => {
    await host.seen.collector.stop();
    await onHost("mkdir /opt/disk; for d in /dev/shm /tmp /run/screen; do if [ -d $d ]; then mount --bind /opt/disk $d; fi; done");
    host.seen = await watch(sshRunner(host.range));
    expect(host.seen.collector.hello.blind.join("\n")).toMatch(/that new files are still shown to us is not proven by a test/);
    await host.seen.see("canary", (o) => o.what === "program");
    expect(tests("file")).toEqual([]);
    await seesAgain("/var/tmp", "still-seen");
  });

  test("a folder of ours that comes later is watched from then on", async () => {
    await onHost("mkdir -p /var/spool/at; echo x >/var/spool/at/a00001");
    await seesAgain("/var/spool/at", "a");
  });
});
