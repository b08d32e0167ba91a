import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { decodeHostBytes } from "#model/host-string";
import { Decoder, LONGEST_LINE } from "./decoder.ts";
import { PageFormat } from "./kernel-pages.ts";
import { address, escapeField, Malformed, text } from "./wire.ts";

const facts = "1\t5000\t10\t34816\t0\t0\t4294967295\tid\t/usr/bin/id\t\t/root\t=id\x1f-u\t\t";
const line = {
  hello: "H\tb-1\tm1\tdevbox\t6.1.0\tx86_64\t2\t100\tmapped\t88\t86\t0\ttracefs+proc\t4198400\tone thing\x1fanother",
  exec: `E\t1437798903478\t92\t/usr/bin/id\t${facts}`,
  raced: `E\t1437798903479\t93\t/tmp/xq7\t${"\t".repeat(12)}sauxc\t`,
  hostile: `E\t5\t94\t/tmp/a\\x0aE\\x095\\x09\\x1b[2J\\x5c\xff\xe9\t${facts}`,
  cut: `E\t1437798903480\t95\t/bin/true\t${"\t".repeat(4)}0${"\t".repeat(5)}cv\t\t=true\x1fb\tsxc\t40`,
  tier: "Z\t11\tcn_proc\ttampered\ttracing_on is now 0\t0\tone\x1ftwo",
  canary: "Y\t12\tp\t97\t/bin/true",
  shell: `E\t17\t96\t/bin/sh\t1\t5\t1\t0\t0\t0\t\tsh\t/bin/sh\t\t/\t#${Buffer.from("sh\0a\nb\0\0").toString("hex")}\t\t`,
  polled: "J\t12\t+\tudp\t9001\t0a4d000b\t5353\tcb007142\t53\t33\t90",
  opened: "V\t12\t92\to\t/etc/shadow",
  held: "V\t13\t92\th\t/dev/pts/3",
  traced: "M\t14\tt\t92\t90\t",
  signalled: "M\t15\ts\t92\t90\t9",
  environment: "A\t16\t92\tPATH=/bin\x1fLD_PRELOAD=/tmp/a\\x0ab.so",
  secret: "=\t/root/.ssh/id_rsa\tkey\t0\t0\t384\t411\t0000000b7373\tnone\t",
  names: "=\t/root/.ssh/known_hosts\thosts\t0\t0\t420\t90\t\t\tdb01\x1fgit",
  unix: "k\t1\t1\t2\t/run/docker.sock\t90,91",
  unixEnd: "e\t12\t0\t",
  inside: "v\t90\t1",
  container: `c\t${"5e".repeat(32)}\tweb\tnginx:1.25`,
  cgroup: "g\t90\t/system.slice/nginx.service",
  fork: "F\t7\t1\t90",
  socket: "S\t9\t90\tC\tS\t7f000001\t0\t00000000000000000000ffffcb007142\t443\t3",
  owner: `w\t/bin/ls\t/usr/bin/ls\tdpkg\tcoreutils\t9.1-1\td\t${"ab".repeat(32)}\t65024.7.151344.1732219314.0\t`,
  info: `I\t/tmp/xq7\t9120\t33261\t0\t1795560428844291959\t77\t${"ab".repeat(32)}\t1\tbits=64\x1ftype=2\x1fsections=1\x1fid=0123456789abcdef\x1fmade=go\x1fentropy=612\t`,
  mounted: "I\t/media/a b/x\t9\t33261\t0\t1\t77\t\t0\t\tgone\t+97 1 8:17 / /media/a\\x5c040b rw,nosuid shared:3 master:1 - vfat /dev/sdb1",
};
const bytes = (...lines: string[]) => Buffer.from(lines.map((l) => `${l}\n`).join(""), "latin1");
const all = (data: Uint8Array) => new Decoder().push(data);

test("arguments as bytes in hexadecimal, as a shell gives them, are the same; an empty last one stays, what a title left over does not", () => {
  const args = (value: string) => {
    const [found] = all(bytes(line.shell.replace(/#[0-9a-f]+/, value)));
    return found?.kind === "exec" ? found.facts.args : undefined;
  };
  const hex = (raw: string) => `#${Buffer.from(raw, "latin1").toString("hex")}`;
  expect(args(hex("sh\0a\nb\0\0"))).toEqual(["sh", "a\nb", ""]);
  expect(args(hex("sh"))).toEqual(["sh"]);
  expect(args(hex("title\0\0\0\0"))).toEqual(["title"]);
  expect(args(hex("\0"))).toEqual([""]);
  expect(args(hex("\xff\t\\x41\0"))).toEqual([decodeHostBytes(Buffer.from("\xff\t\\x41", "latin1"))]);
  for (const bad of ["#", "#f", "#FF", "#zz", `#${"00".repeat(16_385)}`]) {
    const decoder = new Decoder();
    expect(decoder.push(bytes(line.shell.replace(/#[0-9a-f]+/, bad)))).toEqual([]);
    expect([decoder.undecodable, decoder.fault]).toEqual([1, undefined]);
  }
  expect(address("0100007F")).toBe("1.0.0.127"); // the kernel's capitals
});

test("an exec is decoded with its arguments, and what was gone is named", () => {
  const [exec, raced] = all(bytes(line.exec, line.raced));
  expect(exec).toEqual({
    kind: "exec",
    ts: 1437798903478,
    pid: 92,
    path: "/usr/bin/id",
    facts: {
      ppid: 1,
      startTicks: 5000,
      session: 10,
      tty: 34816,
      uid: 0,
      euid: 0,
      loginuid: 4294967295,
      comm: "id",
      executable: "/usr/bin/id",
      cwd: "/root",
      args: ["id", "-u"],
    },
  });
  expect(raced).toMatchObject({ pid: 93, facts: { unseen: { args: "raced", executable: "raced", ppid: "raced", uid: "raced" } } });
  expect(raced).not.toHaveProperty("facts.args");
});

test("whose a file is, is decoded; a package's name is nothing that could steer a screen", () => {
  const [owner] = all(bytes(line.owner));
  expect(owner).toEqual({
    kind: "file-owner",
    path: "/bin/ls",
    file: "/usr/bin/ls",
    manager: "dpkg",
    package: "coreutils",
    version: "9.1-1",
    found: "differs",
    sha256: "ab".repeat(32),
    stamp: "65024.7.151344.1732219314.0",
  });
  const unknown = all(bytes("w\t/x\t\t\t\t\t?\t\t\tNo such file or directory"));
  expect(unknown).toEqual([{ kind: "file-owner", path: "/x", found: "unknown", why: "No such file or directory" }]);
  for (const [from, to] of [
    ["coreutils", "core\x1b[2Jutils"],
    ["coreutils", "core utils"],
    ["9.1-1", "9\x9b1"],
    ["dpkg", "brew"],
    ["\td\t", "\tconstructor\t"],
    ["65024.7", "1 2"],
  ] as const)
    expect(all(bytes(line.owner.replace(from, to)))).toEqual([]);
});

test("containers and unix sockets are decoded, and nothing else is made of what a host writes there", () => {
  expect(all(bytes(line.container, line.inside, line.unix, line.unixEnd))).toEqual([
    { kind: "container", id: "5e".repeat(32), name: "web", image: "nginx:1.25" },
    { kind: "pid-inside", pid: 90, inside: 1 },
    { kind: "unix-socket", type: "stream", listening: true, connections: 2, path: "/run/docker.sock", pids: [90, 91] },
    { kind: "unix-end", unnamed: 12, more: 0 },
  ]);
  for (const bad of [line.container.replace("5e5e", "../."), "k\t9\t1\t0\t/x\t", "k\t1\t1\t-1\t/x\t", "k\t1\t1\t0\t/x\t1,,2", "v\t1\t-1"])
    expect(all(bytes(bad))).toEqual([]);
});

test("what the kernel kept of a program that was gone is told, with the number of arguments where they are cut", () => {
  expect(all(bytes(line.cut))[0]).toMatchObject({
    facts: { args: ["true", "b"], argsCut: true, argsVanished: true, argc: 40, uid: 0, unseen: { executable: "raced", ppid: "raced" } },
  });
  expect(all(bytes(line.cut))[0]).not.toHaveProperty("facts.unseen.args");
  expect(all(bytes(line.tier, line.canary))).toEqual([
    {
      kind: "tier",
      ts: 11,
      tier: "cn_proc",
      how: "tampered",
      reason: "tracing_on is now 0",
      kernelBufferBytes: 0,
      blind: ["one", "two"],
    },
    { kind: "canary", ts: 12, what: "program", id: 97, path: "/bin/true" },
  ]);
});

test("hands that reach for files, processes and environments, and secrets without their content", () => {
  expect(all(bytes(line.opened, line.held, line.traced, line.signalled, line.environment, line.secret, line.names))).toEqual([
    { kind: "file-open", ts: 12, pid: 92, path: "/etc/shadow" },
    { kind: "file-open", ts: 13, pid: 92, path: "/dev/pts/3", held: true },
    { kind: "process-access", ts: 14, how: "trace", by: 92, pid: 90 },
    { kind: "process-access", ts: 15, how: "signal", by: 92, pid: 90, signal: 9 },
    { kind: "environment", ts: 16, pid: 92, variables: ["PATH=/bin", "LD_PRELOAD=/tmp/a\nb.so"] },
    {
      kind: "secret",
      path: "/root/.ssh/id_rsa",
      what: "key",
      uid: 0,
      gid: 0,
      mode: 0o600,
      size: 411,
      publicKey: Buffer.from("0000000b7373", "hex"),
      cipher: "none",
    },
    { kind: "secret", path: "/root/.ssh/known_hosts", what: "hosts", uid: 0, gid: 0, mode: 0o644, size: 90, hosts: ["db01", "git"] },
  ]);
  const decoder = new Decoder();
  const bad = ["V\t1\t2\tx\t/a", "M\t1\tt\t2\t3", "=\t/a\tdiary\t0\t0\t0\t0\t\t\t", "=\t/a\tkey\t0\t0\t0\t0\txyz\t\t", "A\t1\tx\ty"];
  expect(decoder.push(bytes(...bad))).toEqual([]);
  expect(decoder.undecodable).toBe(bad.length);
});

test("a host that has been up for a year is read like any other: its boot clock is past what a double holds exactly", () => {
  const year = 365 * 86_400 * 1e9 + 1;
  expect(year).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  const decoder = new Decoder();
  const [fork, tick] = decoder.push(bytes(`F\t${year}\t1\t90`, `X\t${year + 1e9}\t90`));
  expect([fork, tick]).toMatchObject([
    { kind: "fork", ts: year },
    { kind: "exit", pid: 90 },
  ]);
  expect(decoder.undecodable).toBe(0);
});

test("a file's digests are told apart by their length, and its mount is read as the kernel writes it", () => {
  const [sha256, sha1, md5] = ["ab".repeat(32), "cd".repeat(20), "ef".repeat(16)];
  expect(all(bytes(line.info.replace(sha256, `${sha256}\x1f${sha1}\x1f${md5}`)))[0]).toMatchObject({ sha256, sha1, md5 });
  expect(all(bytes(line.mounted))[0]).toMatchObject({ mount: { point: "/media/a b", type: "vfat", source: "/dev/sdb1" }, error: "gone" });
  expect(all(bytes(line.mounted.replace("+", "=")))[0]).toMatchObject({ mount: { root: true } });
  expect(all(bytes(line.mounted.replace(/\+.*/, "!")))[0]).toMatchObject({ mount: { detached: true } });
  expect(all(bytes(line.mounted.replace("/dev/sdb1", "")))[0]).not.toHaveProperty("mount.source"); // mount(2) takes an empty one
  expect(all(bytes(line.info))[0]).not.toHaveProperty("mount"); // from who cannot tell it
});

test("a name with a newline stays one name, and bytes that are not UTF-8 are kept", () => {
  const found = all(bytes(line.hostile));
  expect(found).toHaveLength(1);
  const expected = decodeHostBytes(Buffer.from("/tmp/a\nE\t5\t\x1b[2J\\\xff\xe9", "latin1"));
  expect(found[0]).toMatchObject({ kind: "exec", path: expected });
});

test("an IPv4-mapped address is an IPv4 address, a missing pid is left out", () => {
  const [socket] = all(bytes(line.socket));
  expect(socket).toMatchObject({ sk: "3", local: { ip: "127.0.0.1", port: 0 }, remote: { ip: "203.0.113.66", port: 443 } });
  const [unowned] = all(bytes(line.socket.replace("\t90\t", "\t\t")));
  expect(unowned).not.toHaveProperty("pid");
});

test.each([
  ["20010db8000000000000000000000001", "2001:db8::1"],
  ["00000000000000000000000000000000", "::"],
  ["00010000000200030004000500060007", "1:0:2:3:4:5:6:7"],
  ["fe80000000000000000100000000000a", "fe80::1:0:0:a"],
  ["0a4d000b", "10.77.0.11"],
])("the address %s is %s", (hex, ip) => {
  expect(address(hex)).toBe(ip);
});

test.each([
  "",
  "E",
  "Z\t1",
  "__proto__\t1",
  "constructor",
  "F\t1\t2",
  "F\t1\t2\t3\t4",
  "F\tx\t2\t3",
  "F\t999999999999999999999\t2\t3",
  line.socket.replace("443", "65536"),
  line.socket.replace("7f000001", "7f00000"),
  line.fork.replace("F", "f"),
  line.exec.replace("/usr/bin/id", "/usr/bin/\\id"),
  line.raced.replace("sauxc", "sq"),
  line.info.replace("abab", "zzzz"),
  line.info.replace("bits=64", "bits=63"),
  line.info.replace("id=0123", "id=xx23"),
  line.info.replace("entropy=612", "entropy=801"),
  line.mounted.replace("+97", "97"),
  line.mounted.replace(" - ", " "),
  line.mounted.replace("vfat", "v\x1b[2Jfat"),
  line.mounted.replace("/media/a\\x5c040b rw", "media rw"),
  `${line.mounted}\t`,
  line.info.replace("ab".repeat(32), `${"ab".repeat(32)}\x1f${"cd".repeat(32)}`),
  line.info.replace("ab".repeat(32), "ab".repeat(20)),
  line.hello.replace("mapped", "toString"),
])("the line %j is counted and left out", (bad) => {
  const decoder = new Decoder();
  expect(decoder.push(bytes(bad, line.fork))).toEqual([{ kind: "fork", ts: 7, parent: 1, pid: 90 }]);
  expect(decoder.undecodable).toBe(1);
});

test("a line without end is skipped to its newline and costs no memory", () => {
  const decoder = new Decoder();
  for (let i = 0; i < 100; i++) expect(decoder.push(Buffer.alloc(LONGEST_LINE / 10, 0x41))).toEqual([]);
  expect(decoder.push(bytes("", line.fork))).toHaveLength(1);
  expect(decoder.undecodable).toBe(1);
});

test("a pid that no Linux gives is not believed: it would only fill our memory", () => {
  const decoder = new Decoder();
  const wide = (pid: string) => decoder.push(Buffer.from(`F\t1\t1\t${pid}\nX\t1\t${pid}\n`)).length;
  for (const pid of ["-1", "4194305", "9007199254740991", "1e308", "NaN"]) expect(wide(pid)).toBe(0);
  expect(wide("4194304")).toBe(2);
  expect(decoder.undecodable).toBe(10);
});

test("any split of the bytes gives the same observations", () => {
  const data = bytes(...Object.values(line), "rubbish", ...Object.values(line));
  const whole = all(data);
  expect(whole).toHaveLength(2 * Object.keys(line).length);
  fc.assert(
    fc.property(fc.array(fc.nat(data.length), { maxLength: 20 }), (cuts) => {
      const decoder = new Decoder();
      const at = [0, ...cuts.sort((a, b) => a - b), data.length];
      const parts = at.slice(1).flatMap((end, i) => decoder.push(data.subarray(at[i], end)));
      expect(parts).toEqual(whole);
      expect(decoder.undecodable).toBe(1);
    }),
  );
});

test("hostile bytes never throw, and every line is either decoded or counted", () => {
  const real = bytes(...Object.values(line));
  const mutated = fc
    .array(fc.tuple(fc.nat(real.length - 1), fc.constantFrom(9, 10, 0x1f, 0x5c, 0, 0x78, 0x2d, 0xff, 0x39)), { maxLength: 12 })
    .map((changes) => {
      const copy = Buffer.from(real);
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated), (data) => {
      const decoder = new Decoder();
      const found = decoder.push(data);
      expect(decoder.fault).toBeUndefined();
      expect(found.length + decoder.undecodable).toBe(decoder.lines);
    }),
    { numRuns: 500 },
  );
});

test("a mistake of ours that a host has found ends nothing: it is told once, counted, and what follows is read", () => {
  const mistake = vi.spyOn(PageFormat.prototype, "learn").mockImplementation(() => {
    throw new RangeError("out of range");
  });
  try {
    const decoder = new Decoder();
    const format = "D\tx\t319\t16\t24:4\t32:1";
    expect(decoder.push(bytes(format, format, line.fork))).toMatchObject([
      { kind: "problem", fatal: false, what: expect.stringMatching(/a mistake of this console \(RangeError\)/) },
      { kind: "fork" },
    ]);
    expect(decoder).toMatchObject({ undecodable: 2, fault: { message: "out of range" } });
  } finally {
    mistake.mockRestore();
  }
});

test("a path that is asked about comes back the same, whatever its bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (raw) => {
      const name = decodeHostBytes(raw);
      const field = escapeField(name);
      expect(field.some((byte) => byte === 9 || byte === 10 || byte === 31)).toBe(false);
      expect(text(field.toString("latin1"))).toBe(name);
    }),
  );
  expect(() => text("\\xZZ")).toThrow(Malformed);
});
