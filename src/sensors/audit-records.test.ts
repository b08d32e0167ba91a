import fc from "fast-check";
import { expect, test } from "vitest";
import { type AuditFacts, readAudit, withAudit } from "./audit-records.ts";
import { Decoder } from "./decoder.ts";

const SYSCALL =
  '1300 arch=c000003e syscall=59 success=yes exit=0 a0=55 a1=56 a2=57 a3=8 items=2 ppid=278 pid=287 auid=1000 uid=0 gid=0 euid=33 suid=0 tty=pts1 ses=1 comm="true" exe="/usr/bin/true" subj=unconfined key="stakeout.1.2.3.4.0"';
const CWD = "1307 cwd=2F746D702F6120622F0A";
const PATH = '1302 item=0 name="./true" inode=789 dev=fe:00 nametype=NORMAL';

/**
 * Arguments (latin1) as the kernel writes them: in quotes or hexadecimal, what is longer than a record in numbered pieces, a new record
 * where one is full. `room` stands for its 7,500 bytes (audit_log_execve_info, kernel/auditsc.c).
 */
function written(args: readonly string[], room = 7500): string[] {
  const records = [`argc=${args.length}`];
  let left = room;
  const put = (token: string) => {
    if (token.length > left) {
      records.push("");
      left = room;
    }
    records[records.length - 1] += ` ${token}`;
    left -= token.length;
  };
  for (const [i, arg] of args.entries()) {
    const hex = /[^!#-~]/.test(arg) || arg.length >= room;
    const value = hex ? Buffer.from(arg, "latin1").toString("hex").toUpperCase() : arg;
    const shown = (text: string) => (hex ? text : `"${text}"`);
    if (value.length + 20 <= room) {
      put(`a${i}=${shown(value)}`);
      continue;
    }
    const size = Math.max(2, Math.floor((room - 20) / 2) * 2);
    for (let at = 0, piece = 0; at < value.length; at += size, piece++)
      put(`${piece === 0 ? `a${i}_len=${value.length} ` : ""}a${i}[${piece}]=${shown(value.slice(at, at + size))}`);
  }
  return records.map((text) => `1309 ${text.trim()}`);
}
const read = (...records: string[]): AuditFacts => readAudit(records.join("\0"));
const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 });

test("the records of an exec are told as the kernel means them", () => {
  expect(read(SYSCALL, '1309 argc=3 a0="true" a1="" a2=6E6577206C696E650A', CWD, PATH)).toEqual({
    args: ["true", "", "new line\n"],
    argc: 3,
    cut: false,
    cwd: "/tmp/a b/\n",
    name: "./true",
    executable: "/usr/bin/true",
    comm: "true",
    ppid: 278,
    uid: 0,
    euid: 33,
    loginuid: 1000,
    tty: 34817,
  });
  const deleted = Buffer.from("/tmp/x (deleted)").toString("hex").toUpperCase();
  expect(read(SYSCALL.replace('"/usr/bin/true"', deleted).replace("tty=pts1", "tty=(none)"))).toMatchObject({
    executable: "/tmp/x",
    deleted: true,
    tty: 0,
  });
  expect(read(SYSCALL.replace("pts1", "pts300"))).toMatchObject({ tty: (136 << 8) | 0x2c | (0x100 << 12) });
  expect(read(SYSCALL.replace('"/usr/bin/true"', "(null)"))).not.toHaveProperty("executable");
});

test("any arguments are read as they were, over any number of records", () => {
  fc.assert(
    fc.property(fc.array(latin1, { minLength: 1, maxLength: 40 }), fc.integer({ min: 30, max: 400 }), (args, room) => {
      expect(read(SYSCALL, ...written(args, room))).toMatchObject({ args, argc: args.length, cut: false });
    }),
  );
  const long = ["sh", "x".repeat(20_000), "é".repeat(9000), "last"].map((text) => Buffer.from(text).toString("latin1"));
  expect(read(...written(long)).args).toEqual(long);
});

test("where records are missing the list is said to be cut, and no argument is another's or part of one that is called whole", () => {
  fc.assert(
    fc.property(fc.array(latin1, { minLength: 2, maxLength: 30 }), fc.nat(), (args, which) => {
      const records = written(args, 40);
      fc.pre(records.length > 1);
      const lost = records.filter((_, i) => i !== which % records.length);
      const { args: told = [], cut, argc } = read(...lost);
      expect(cut || argc === undefined).toBe(true);
      // all but the last, which may lack its end, are what they were
      expect(told.slice(0, -1)).toEqual(args.slice(0, Math.max(0, told.length - 1)));
      if (told.length > 0) expect(args[told.length - 1]?.startsWith(told.at(-1) as string)).toBe(true);
    }),
  );
});

test("what a host chooses stays a value: it makes no field, and what is not as the kernel writes it is left out", () => {
  const evil = ['true" uid=0 a1="x', 'a0="forged"', "argc=9", "\x01 1300 uid=0", "tty=pts9 comm=", "\x1b[2J"];
  expect(read(SYSCALL, ...written(evil))).toMatchObject({ args: evil, argc: 6, uid: 0, loginuid: 1000 });
  const mac = SYSCALL.replace("subj=unconfined", 'subj=/usr/bin/x (a) uid=7 auid=8 exe="/evil" tty=pts9');
  expect(read(mac)).toMatchObject({ uid: 0, loginuid: 1000, executable: "/usr/bin/true", tty: 34817 });
  for (const bad of ["argc=x", "argc=1 a1=41", 'argc=1 a0="a b"', "argc=1 a0=4", "argc=2 a0[1]=41", "argc=1 a0=zz", 'argc=1 a0="\xff"'])
    expect(read(`1309 ${bad}`), bad).not.toMatchObject({ cut: false, args: expect.anything() });
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void read(`1309 ${text}`, text, `1300 ${text}`)));
});

test("auditing's word goes before what /proc said later; a list that is cut does not take the place of a whole one", () => {
  const audit = read(SYSCALL, '1309 argc=2 a0="true" a1="x"', CWD);
  expect(
    withAudit({ ppid: 1, uid: 0, cwd: "/later" as never, unseen: { args: "raced", comm: "raced", executable: "raced" } }, audit),
  ).toEqual({
    ppid: 1,
    uid: 0,
    euid: 33,
    loginuid: 1000,
    tty: 34817,
    comm: "true",
    executable: "/usr/bin/true",
    cwd: "/tmp/a b/\n",
    args: ["true", "x"],
  });
  const cut = read('1309 argc=5 a0="true"');
  expect(withAudit({ args: ["true", "a"] as never }, cut)).toEqual({ args: ["true", "a"] });
  expect(withAudit({ unseen: { args: "raced", cwd: "raced" } }, cut)).toEqual({
    args: ["true"],
    argsCut: true,
    argc: 5,
    unseen: { cwd: "raced" },
  });
});

test("with the process connector they come in a line of their own; any split of it gives the same", () => {
  const facts = `${"\t".repeat(12)}sauxc\t`;
  const records = [SYSCALL, ...written(["true", "tab\tand\\", "\x1f"]), CWD, PATH.replace('"./true"', '"/tmp/true"')].join("\0");
  const escaped = records.replaceAll("\\", "\\x5c");
  const line = Buffer.from(`a\t5\t94\t\t${facts}\t4\t${escaped}\nX\t6\t94\n`, "latin1");
  const whole = new Decoder().push(line);
  expect(whole).toMatchObject([
    {
      kind: "exec",
      ts: 5,
      pid: 94,
      path: "/tmp/true",
      facts: { args: ["true", "tab\tand\\", "\x1f"], executable: "/usr/bin/true", uid: 0 },
    },
    { kind: "exit", pid: 94 },
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: line.length }), { maxLength: 8 }), (cuts) => {
      const decoder = new Decoder();
      const at = [0, ...cuts.sort((a, b) => a - b), line.length];
      expect(at.flatMap((end, i) => (i === 0 ? [] : decoder.push(line.subarray(at[i - 1], end))))).toEqual(whole);
    }),
  );
  const left = new Decoder().push(Buffer.from(line.toString("latin1").replace("\t4\t13", "\t5\t13"), "latin1"));
  expect(left[0]).toMatchObject({ facts: { argsCut: true, argc: 3 } });
});
