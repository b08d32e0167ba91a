import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAnswer } from "./answer.ts";
import { authorizedKey, inventoryDiff, inventoryOf } from "./inventory.ts";
import { loginFactsOf } from "./login-facts.ts";
import { lookBackOf } from "./past.ts";
import { UTMP } from "./utmp.ts";

const NOW = Date.UTC(2024, 4, 10, 12) / 1000;
const file = (kind: string, path: string, bytes: Buffer | string, more: { size?: number; mtime?: number; from?: number } = {}) => {
  const raw = Buffer.from(bytes);
  const size = more.size ?? raw.length;
  return Buffer.concat([
    Buffer.from(`F\t${kind}\t${path}\t${size}\t${more.mtime ?? NOW}\t33188\t0\t${more.from ?? 0}\t${raw.length}\n`),
    raw,
  ]);
};
const answer = (...parts: (Buffer | string)[]) =>
  readAnswer(Buffer.concat([`Z\t0\t${NOW}\t1\tx86_64\n`, ...parts, "E\n"].map((part) => Buffer.from(part as string))));
const wtmp = (type: number, line: string, user: string, host: string, at: number) => {
  const bytes = Buffer.alloc(384);
  bytes.writeInt16LE(type, 0);
  bytes.write(line, 8);
  bytes.write(user, 44);
  bytes.write(host, 76);
  bytes.writeInt32LE(at, 340);
  return bytes;
};
const stamp = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19);
const sshd = (at: number, user: string, ip: string, port = 40_000, pid = 900) =>
  `${stamp(at)}Z h sshd[${pid}]: Accepted publickey for ${user} from ${ip} port ${port} ssh2: ED25519 SHA256:${"k".repeat(43)}\n`;

describe("the look back", () => {
  test("the same login in wtmp and auth.log is one, with the first and the last of them", () => {
    const { rows } = lookBackOf(
      answer(
        file("auth", "/var/log/auth.log", sshd(NOW - 9000, "root", "203.0.113.9") + sshd(NOW - 100, "root", "203.0.113.9")),
        file(
          "wtmp",
          "/var/log/wtmp",
          Buffer.concat([
            wtmp(UTMP.user, "pts/0", "root", "203.0.113.9", NOW - 8999),
            wtmp(UTMP.dead, "pts/0", "", "", NOW - 8000),
            wtmp(UTMP.user, "pts/1", "root", "203.0.113.9", NOW - 99),
          ]),
        ),
      ),
    );
    expect(rows).toEqual([
      {
        kind: "login",
        from: ["auth.log", "wtmp"],
        first: (NOW - 9000) * 1000,
        last: (NOW - 99) * 1000,
        count: 2,
        user: "root",
        ip: "203.0.113.9",
        port: 40_000,
        methods: ["publickey"],
        keys: [`SHA256:${"k".repeat(43)}`],
        tty: "pts/1",
        open: true,
      },
    ]);
  });

  test("a login that wtmp has and the log has lost is a gap; so are wiped records, a silence and a history that leads nowhere", () => {
    const log = [...Array.from({ length: 30 }, (_, i) => NOW - 90_000 + i * 60), NOW - 60]
      .map((at) => sshd(at, "ops", "192.0.2.1"))
      .join("");
    const { rows } = lookBackOf(
      answer(
        file("auth", "/var/log/auth.log", log),
        file("wtmp", "/var/log/wtmp", Buffer.concat([Buffer.alloc(384), wtmp(UTMP.user, "pts/0", "root", "203.0.113.9", NOW - 40_000)])),
        "M\tshell\t/root/.bash_history\tlink\t/dev/null\n",
      ),
    );
    const gaps = rows.filter(({ kind }) => kind === "gap").map(({ path, text }) => `${path}: ${text}`);
    expect(gaps).toEqual([
      expect.stringMatching(/^\/var\/log\/wtmp: a record of nothing but zeros/),
      expect.stringMatching(/^\/var\/log\/auth.log: nothing for 25 h/),
      expect.stringMatching(/^auth.log: wtmp has a login of root from 203\.0\.113\.9, and the log has none/),
      "/root/.bash_history: a history that is a link to /dev/null",
    ]);
  });

  test("a file that a package brought is left out, one whose time was set back is told, and a busy folder does not hide the others", () => {
    const changed = (path: string, mtime: number, ctime: number) => `G\t${path}\t10\t${mtime}\t${ctime}\t33188\t0\n`;
    const { rows, more } = lookBackOf(
      answer(
        file("package", "/var/log/dpkg.log", `${stamp(NOW - 50_000).replace("T", " ")} install curl:amd64 <none> 7.88\n`),
        changed("/usr/bin/curl", NOW - 9e6, NOW - 50_010),
        changed("/usr/bin/sshd-helper", NOW - 9e6, NOW - 500),
        ...Array.from({ length: 100 }, (_, i) => changed(`/tmp/some/${i}`, NOW - i, NOW - i)),
      ),
    );
    const files = rows.filter(({ kind }) => kind === "file").map(({ path }) => path);
    expect(files).toContain("/usr/bin/sshd-helper");
    expect(files).not.toContain("/usr/bin/curl");
    expect(files).toHaveLength(41);
    expect(more.file).toBe(60);
    expect(rows.find(({ path }) => path === "/usr/bin/sshd-helper")?.text).toContain("says that its content is of 2024-01");
    expect(rows.find(({ kind }) => kind === "package")?.text).toBe("curl:amd64 7.88");
  });

  test("what yum, dnf and pacman logged is told in one kind of words, also without a year; other lines are not", () => {
    const { rows } = lookBackOf(
      answer(
        file(
          "package",
          "/var/log/dnf.rpm.log",
          [
            "2024-05-01T10:00:00+0200 SUBDEBUG Installed: nmap-3:7.92-1.el9.x86_64",
            "2024-05-02T10:00:00+0200 SUBDEBUG Downgrade: sudo-1.8.1-1.el9.x86_64",
            "2024-05-02T10:00:01+0200 SUBDEBUG Downgraded: sudo-1.9.5-1.el9.x86_64",
            "2024-05-03T10:00:00+0200 SUBDEBUG Erase: audit-3.0-1.el9.x86_64",
            "2024-05-03T10:00:00+0200 INFO --- logging initialized ---",
            "",
          ].join("\n"),
        ),
        file("package", "/var/log/yum.log", "Apr  9 10:00:00 Updated: 1:vim-8-1.el7.x86_64\nDec 31 23:00:00 Erased: telnet\nApr 31x\n"),
        file("package", "/var/log/pacman.log", "[2024-05-04T10:00:00+0000] [ALPM] upgraded bash (5.1 -> 5.2)\n"),
      ),
    );
    const told = rows.filter(({ kind }) => kind === "package").map(({ methods, text, last, from }) => [methods?.[0], text, last, from[0]]);
    const at = (time: string) => Date.parse(time);
    expect(told).toEqual([
      ["upgrade", "bash 5.1 -> 5.2", at("2024-05-04T10:00:00Z"), "package log"],
      ["remove", "audit-3.0-1.el9.x86_64", at("2024-05-03T08:00:00Z"), "package log"],
      ["downgrade", "sudo-1.8.1-1.el9.x86_64", at("2024-05-02T08:00:00Z"), "package log"],
      ["install", "nmap-3:7.92-1.el9.x86_64", at("2024-05-01T08:00:00Z"), "package log"],
      ["upgrade", "1:vim-8-1.el7.x86_64", at("2024-04-09T10:00:00Z"), "package log"],
      ["remove", "telnet", at("2023-12-31T23:00:00Z"), "package log"],
    ]);
  });

  test("what apk logged has the time of its run, which is UTC wherever the host is; what comes before a run's line has none and is left out", () => {
    const lines = [
      "(4/4) Installing cut-off (1-r0)",
      "OK: 9 MiB in 20 packages",
      "",
      `Running \`apk add ${"name ".repeat(400)}nmap\` at 2024-05-01 10:00:00`,
      "apk-tools 3.0.8-r0, compiled for x86_64.",
      "( 1/13) Installing nmap@edge (7.95-r0)",
      "(2/13) [APK unavailable, skipped] Reinstalling kept (1-r0)",
      "ERROR: nmap-7.95-r0: network error",
      "",
      "Running `apk upgrade` at 2024-05-02 10:00:00",
      "(1/3) Upgrading busybox (1.36.1-r1 -> 1.36.1-r2)",
      "(2/3) Purging audit (3.1-r0)",
      "(3/3) Updating pinning nmap@edge (7.95-r0)",
      "",
      "Running `apk add late` at some time",
      "(1/1) Installing timeless (1-r0)",
    ];
    const log = file("package", "/var/log/apk.log", `${lines.join("\n")}\n`);
    const far = readAnswer(Buffer.concat([Buffer.from(`Z\t36000\t${NOW}\t1\tx86_64\n`), log, Buffer.from("E\n")]));
    expect(far.zone).toBe(36_000);
    const { rows } = lookBackOf(far);
    const packages = rows.filter(({ kind }) => kind === "package");
    expect(packages.map(({ methods, text, first, from }) => [methods?.[0], text, first, from[0]])).toEqual([
      ["upgrade", "busybox 1.36.1-r1 -> 1.36.1-r2", Date.parse("2024-05-02T10:00:00Z"), "package log"],
      ["remove", "audit 3.1-r0", Date.parse("2024-05-02T10:00:00Z"), "package log"],
      ["install", "nmap@edge 7.95-r0", Date.parse("2024-05-01T10:00:00Z"), "package log"],
    ]);
  });

  test("what rpm itself has is told where no log does, and where one should have, that is said; nothing else in it is a package", () => {
    const rpm = (at: number, ...of: string[]) => `${[at, ...of].join("\t")}\n`;
    const { rows } = lookBackOf(
      answer(
        file("package", "/var/log/dnf.rpm.log", `${stamp(NOW - 90_000)}Z SUBDEBUG Installed: nmap-3:7.92-1.x86_64\n`),
        file(
          "package",
          "rpm",
          rpm(NOW - 100, "implant", "1-1", "noarch") +
            rpm(NOW - 90_003, "nmap", "7.92-1", "x86_64") +
            rpm(NOW - 9_000_000, "bash", "5-1", "x86_64") +
            rpm(NOW - 9_000_001, "glibc", "2-1", "x86_64") +
            rpm(NOW - 50, "x\u001b[2J", "1-1", "noarch") +
            `${NOW}\tno-version\n`,
        ),
        `G\t/usr/bin/implant\t10\t${NOW - 200}\t${NOW - 100}\t33188\t0\n`,
      ),
    );
    const packages = rows.filter(({ kind }) => kind === "package");
    expect(packages.map(({ methods, text, count, from }) => [methods?.[0], text, count, from[0]])).toEqual([
      ["install, in no package log", "implant-1-1.noarch", 1, "rpm's database"],
      ["install", "nmap-3:7.92-1.x86_64", 1, "package log"],
      ["install", "glibc-2-1.x86_64, bash-5-1.x86_64", 2, "rpm's database"],
    ]);
    expect(rows.filter(({ kind }) => kind === "file")).toEqual([]); // that package brought it
  });

  test("refusals of an address that was let in are kept, however many others are newer", () => {
    const refused = (at: number, ip: string) => `${stamp(at)}Z h sshd[9]: Failed password for root from ${ip} port 4000 ssh2\n`;
    const noise = Array.from({ length: 300 }, (_, i) => refused(NOW - 300 + i, `198.51.100.${i % 250}`).replace("root", `u${i}`));
    const log = [refused(NOW - 9000, "203.0.113.9"), sshd(NOW - 8000, "root", "203.0.113.9"), ...noise].join("");
    const { rows, more } = lookBackOf(answer(file("auth", "/var/log/auth.log", log)));
    expect(more.failed).toBe(101);
    expect(rows.find(({ kind, ip }) => kind === "failed" && ip === "203.0.113.9")).toBeDefined();
  });

  test("histories keep their order, and the times that bash or zsh wrote", () => {
    const { rows } = lookBackOf(
      answer(
        file("shell", "/root/.bash_history", "#1715000000\nwget http://x\nrm -f x\n"),
        file("shell", "/home/z/.zsh_history", ": 1715000005:0;id\n"),
      ),
    );
    expect(rows.map(({ text, first }) => [text, first])).toEqual([
      ["wget http://x", 1_715_000_000_000],
      ["rm -f x", 0],
      ["id", 1_715_000_005_000],
    ]);
  });

  test("a look that was cut says so, and any bytes give an answer", () => {
    expect(lookBackOf(readAnswer(Buffer.from(`Z\t0\t${NOW}\t1\tx86_64\n`))).blind).toContain(
      "the look did not come to its end: what is here is what came",
    );
    const word = fc.constantFrom(
      "Z",
      "F",
      "M",
      "G",
      "V",
      "L",
      "E",
      "\t",
      "\n",
      "auth",
      "wtmp",
      "shell",
      "changed",
      "-5",
      "99999999999",
      "384",
      "\\x1b",
      "\\x",
      "/etc/passwd",
      "é",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 200 }), (words) => {
        const read = readAnswer(Buffer.from(words.join("")));
        lookBackOf(read);
        inventoryOf(read);
        loginFactsOf(read, { pid: 1, ip: "192.0.2.1", port: 1 });
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => void lookBackOf(readAnswer(Buffer.from(bytes)))));
  });
});

describe("the set-up", () => {
  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7bVRnT0TDTXM1hRcW0pX7AYn8hq7uWEHr4Y5C4Jw3m";

  test("a key is known by its fingerprint, whatever stands around it", () => {
    const { fingerprint, about } = authorizedKey(`from="10.0.0.0/8",command="a b" ${KEY} eve@evil`);
    expect(fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(authorizedKey(KEY).fingerprint).toBe(fingerprint);
    expect(about).toBe('ssh-ed25519 eve@evil from="10.0.0.0/8",command="a b"');
    expect(authorizedKey("nonsense").fingerprint).toBe("not a key");
  });

  test("what came and what went is what a comparison says", () => {
    const before = inventoryOf(
      answer("V\tuser\troot\tuid 0\nV\tmodule\text4\t\nV\tlistener\ttcp 00000000 22\t/usr/sbin/sshd\nV\tlistener\ttcp nonsense 22\t\n"),
    );
    const after = inventoryOf(
      answer("V\tuser\troot\tuid 0\nV\tlistener\ttcp 00000000 22\t/usr/sbin/sshd\nV\tlistener\ttcp 00000000 4444\t/tmp/x\n"),
    );
    expect(before).toHaveLength(3);
    const { added, removed } = inventoryDiff(new Map(before.map((thing) => [thing.id, thing])), after);
    expect(added.map(({ name, detail }) => `${name} ${detail}`)).toEqual(["tcp 0.0.0.0:4444 /tmp/x"]);
    expect(removed.map(({ id }) => id)).toEqual(["module ext4"]);
  });
});

describe("what the host says of a login", () => {
  const log = file(
    "auth",
    "/var/log/auth.log",
    sshd(NOW - 5, "root", "203.0.113.9", 40_001, 900) + sshd(NOW - 4, "root", "192.0.2.3", 40_002, 901),
  );

  test("only the line with the socket's own address and port counts", () => {
    const told = answer("L\t900\t0\t7\t203.0.113.9 40001 10.0.0.5 22\t\n", log);
    expect(loginFactsOf(told, { pid: 900, ip: "203.0.113.9", port: 40_001 })).toEqual({
      from: ["auth.log"],
      method: "publickey",
      key: `SHA256:${"k".repeat(43)}`,
      audit: { loginuid: 0, session: 7 },
    });
  });

  test("a line and an environment that were made up are held against the socket", () => {
    const told = answer("L\t901\t4294967295\t-1\t10.0.0.250 5000 10.0.0.5 22\t\n", log);
    expect(loginFactsOf(told, { pid: 901, ip: "203.0.113.9", port: 40_009 })).toEqual({
      from: [],
      contradicts: ["auth.log says that sshd 901 let in somebody from 192.0.2.3", "SSH_CONNECTION of its environment says 10.0.0.250"],
    });
  });
});
