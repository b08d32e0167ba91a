import { expect, test } from "vitest";
import type { Observation } from "#model/observation";
import { text } from "#testing/events";
import { exec, ingested, intrusion, S, snapshot, tick } from "#testing/observed-host";

test("what runs from outside the packages' folders is a new binary: looked at once, its name weighed", () => {
  const { of, asked } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "created", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "file", ts: 102.1 * S, change: "written", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "fork", ts: 103 * S, parent: 72, pid: 80 },
    exec(103.1, 80, "/dev/shm/xq7zk2p"),
    exec(103.2, 72, "/usr/local/bin/tool"),
    { kind: "file", ts: 104 * S, change: "deleted", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "file-info", path: text("/dev/shm/xq7zk2p"), size: 9, mode: 0o100755, sha256: "a".repeat(64), elf: true },
  ]);
  expect(asked).toEqual(["0 /dev/shm/xq7zk2p", "72 /usr/local/bin/tool"]);
  expect(of("file.creation")).toHaveLength(1);
  expect(of("file.change")).toHaveLength(0); // the first content is a part of the creation
  expect(of("file.creation")[0]?.process?.pid).toBe(72);
  expect(of("process.start").find(({ process }) => process?.pid === 80)?.stakeout.binary).toMatchObject({
    origin: "exec",
    random: expect.closeTo(1, 1),
  });
  expect(of("file.info")[0]).toMatchObject({
    file: { mode: "0755", hash: { sha256: "a".repeat(64) } },
    stakeout: { binary: { elf: true, deleted: true } },
  });
});

test("where a program lies that few lie is told by the same words in every event of it, its mount where that was seen", () => {
  const usb = { point: text("/media/a"), type: text("vfat"), source: text("/dev/sdb1") };
  const root = { point: text("/"), type: text("ext4"), root: true as const };
  const { of, asked } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "created", path: text("/var/tmp/.a/x"), pid: 72 },
    exec(103, 72, "/media/a/x"),
    exec(103.1, 72, "/usr/lib/.x/y"), // no package's, though packages fill the folder above it
    exec(103.2, 72, "/dev/shm/z", { executable: text("/dev/shm/z"), deleted: true }),
    exec(103.3, 72, "/dev/fd/3", { executable: text("/memfd:k"), deleted: true }),
    exec(103.4, 72, "/usr/bin/python3", { executable: text("/usr/bin/python3"), args: ["python3", "/run/user/0/p.py"].map(text) }),
    exec(103.5, 72, "/opt/plain"),
    { kind: "file-info", path: text("/media/a/x"), sha256: "a".repeat(64), mount: usb },
    { kind: "file-info", path: text("/opt/plain"), sha256: "a".repeat(64), mount: root },
    { kind: "file-info", path: text("/dev/shm/z"), error: text("No such file or directory") },
  ]);
  expect(of("file.creation")[0]?.stakeout.binary).toMatchObject({ flags: ["hidden", "var-tmp"] });
  type Told = { flags?: string[] } | undefined;
  expect(
    of("process.start")
      .slice(-6)
      .map(({ stakeout }) => (stakeout.script as Told)?.flags ?? (stakeout.binary as Told)?.flags),
  ).toEqual([
    undefined, // its mount is not known yet
    ["hidden"],
    ["deleted", "dev-shm"],
    ["memfd"],
    ["run-user"],
    undefined,
  ]);
  expect(asked).toContain("72 /usr/lib/.x/y");
  const [onUsb, plain, gone] = of("file.info");
  expect(onUsb?.stakeout.binary).toEqual({ mount: usb, flags: ["mount"] });
  expect(onUsb?.stakeout.unseen).toBeUndefined();
  expect(plain?.stakeout.binary).toMatchObject({ mount: root });
  expect(plain?.stakeout.binary).not.toHaveProperty("flags");
  expect(gone?.stakeout).toMatchObject({ unseen: { "stakeout.binary.mount": "raced" }, binary: { flags: ["dev-shm"] } });
});

test("what the host cannot hash is told as on its way, then with how its digest came about, and that it changed meanwhile", () => {
  const info = { kind: "file-info", path: text("/tmp/x"), size: 9, unhashable: true } as const;
  const { of } = ingested([
    ...snapshot,
    { ...info, streamed: {} },
    { kind: "file-info", path: text("/tmp/x"), size: 9, sha256: "a".repeat(64), streamed: { bytes: 9 } },
    { kind: "file-info", path: text("/tmp/x"), size: 9, sha256: "b".repeat(64), streamed: { bytes: 12 } },
    { kind: "file-info", path: text("/tmp/x"), size: 9, streamed: {}, error: text("no sha256 on this host; read over the line: gone") },
  ]);
  const [first, same, changed, failed] = of("file.info");
  expect(first?.event).toMatchObject({ reason: expect.stringMatching(/read over the line and hashed at the console/) });
  expect(first?.event.outcome).toBeUndefined();
  expect(first?.stakeout.unseen).not.toHaveProperty(["file.hash"]);
  expect(same?.stakeout["hashed"]).toEqual({ by: "console", bytes: 9 });
  expect(changed?.stakeout["hashed"]).toEqual({ by: "console", bytes: 12, size: 9 });
  expect(failed).toMatchObject({ event: { outcome: "failure" }, stakeout: { unseen: { "file.hash": "raced" } } });
});

test("what an interpreter runs is a new binary like any other, read by its own path; not in a container, where that path is another's", () => {
  const python = { executable: text("/usr/bin/python3.11"), cwd: text("/dev/shm") };
  const line = (...args: string[]) => ({ ...python, args: args.map(text) });
  const { of, asked } = ingested([
    ...snapshot,
    ...intrusion,
    exec(103, 72, "/usr/bin/python3", line("python3", "-u", "xq7zk2p.py", "-c")),
    exec(103.1, 72, "/usr/bin/python3", line("python3", "-c", "/tmp/none.py")),
    exec(103.2, 72, "/usr/bin/python3", line("python3", "/usr/bin/tool.py")),
    // executed itself: counted as what was executed, once
    exec(103.3, 72, "/tmp/direct", { executable: text("/usr/bin/python3.11"), args: ["python3", "/tmp/direct"].map(text) }),
    exec(103.4, 72, "/usr/bin/python3", { ...line(), unseen: { args: "raced" }, args: undefined }),
    { kind: "cgroup", pid: 72, path: text(`/docker/${"a".repeat(64)}`) },
    exec(103.5, 72, "/usr/bin/python3", line("python3", "/srv/inside.py")),
  ]);
  const starts = of("process.start").slice(-6);
  const scripts = starts.map(({ stakeout }) => stakeout["script"] as { path: string; random?: number } | undefined);
  expect(scripts.map((script) => script?.path)).toEqual([
    "/dev/shm/xq7zk2p.py",
    undefined,
    undefined,
    undefined,
    undefined,
    "/srv/inside.py",
  ]);
  expect(scripts[0]?.random).toBeGreaterThan(0.6);
  expect(starts[0]?.process?.executable).toBe("/usr/bin/python3");
  expect(asked).toEqual(["0 /dev/shm/xq7zk2p.py", "72 /tmp/direct"]);
});

test("a program that is run by a descriptor is what that led to: in memory alone it is still read, and a link to oneself is no new binary", () => {
  const ran = (at: number, path: string, executable: string | undefined, deleted = false) =>
    exec(at, 72, path, { executable: executable && text(executable), deleted, ...(executable ? {} : { unseen: { executable: "raced" } }) });
  const { of, asked } = ingested([
    ...snapshot,
    ...intrusion,
    ran(103, "/dev/fd/3", "/memfd:kworker", true),
    ran(103.1, "/proc/self/fd/4", "/memfd:two", true),
    ran(103.2, "/proc/self/exe", "/usr/bin/python3.11"),
    ran(103.3, "/proc/72/root/tmp/x", "/tmp/x"),
    ran(103.4, "/dev/fd/5", undefined),
    ran(104, "/dev/fd/3", "/memfd:kworker", true),
    ran(114, "/dev/fd/3", "/memfd:kworker", true), // perhaps another content
  ]);
  const names = of("process.start")
    .slice(-7, -2)
    .map(({ process }) => process?.executable);
  expect(names).toEqual(["/memfd:kworker", "/memfd:two", "/usr/bin/python3.11", "/tmp/x", "/dev/fd/5"]);
  expect(asked).toEqual(["72 /memfd:kworker", "72 /memfd:two", "72 /tmp/x", "72 /dev/fd/5", "72 /memfd:kworker"]);
});

test("a file that never had a name is told as that, and nobody asks for its content", () => {
  const { of, asked } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "written", path: text("/tmp/#12"), pid: 72, nameless: "plain" },
    { kind: "fork", ts: 103 * S, parent: 72, pid: 80 },
    exec(103.1, 80, "/tmp/#12"),
  ]);
  expect(of("file.change")[0]).toMatchObject({
    file: { path: "/tmp/#12" },
    process: { pid: 72 },
    stakeout: { binary: { nameless: "plain" } },
  });
  expect(asked).toEqual(["80 /tmp/#12"]); // what runs is read where it runs
});

test("a file whose writer is not known yet waits for him, in the order of its changes; one that nobody comes for is told without", () => {
  const file = (at: number, change: "created" | "written" | "deleted", pid: number): Observation => ({
    kind: "file",
    ts: at * S,
    change,
    path: text(`/tmp/by-${pid}`),
    pid,
  });
  const { drafts, of } = ingested([
    ...snapshot,
    file(103, "created", 90),
    file(103, "created", 91),
    file(103.001, "deleted", 90),
    { kind: "fork", ts: 102.99 * S, parent: 7, pid: 90 },
    tick(104.5),
  ]);
  const told = drafts
    .filter(({ event }) => event.category[0] === "file")
    .map(({ event, process, file }) => [event.action, file?.path, process?.pid]);
  expect(told).toEqual([
    ["file.creation", "/tmp/by-90", 90],
    ["file.deletion", "/tmp/by-90", 90],
    ["file.creation", "/tmp/by-91", undefined],
  ]);
  expect(of("file.creation")[1]?.stakeout.unseen).toEqual({ process: "raced" });
});

test("a file that came from where we do not look is told to have come whole", () => {
  const { drafts, asked } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "moved-in", path: text("/root/.x"), pid: 72 },
  ]);
  const told = drafts.filter(({ event }) => event.category[0] === "file");
  expect(told.map(({ event, stakeout }) => [event.action, stakeout.binary])).toEqual([
    ["file.creation", { origin: "folder", moved_in: true, flags: ["hidden"] }],
  ]);
  expect(asked).toEqual(["0 /root/.x"]);
});

test("a file that was moved is told once, with where it was before; one that was moved out of sight is gone, and said to be elsewhere", () => {
  const { drafts, asked } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "moved-in", path: text("/root/.x"), from: text("/tmp/tool"), pid: 72 },
    { kind: "file", ts: 103 * S, change: "deleted", path: text("/root/.x"), away: true, pid: 72 },
    { kind: "file-info", path: text("/tmp/tool"), error: text("No such file or directory") },
  ]);
  const told = drafts.filter(({ event }) => event.category[0] === "file");
  expect(told.map(({ event, file, stakeout }) => [event.action, file?.path, stakeout.binary])).toEqual([
    ["file.creation", "/root/.x", { origin: "folder", moved_from: "/tmp/tool", flags: ["hidden"] }],
    ["file.deletion", "/root/.x", { origin: "folder", moved_away: true, flags: ["hidden"] }],
    ["file.info", "/tmp/tool", { deleted: true, random: expect.any(Number), flags: ["deleted", "tmp"] }],
  ]);
  expect(asked).toEqual(["0 /root/.x"]);
});
