import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAuthLog } from "./auth-log.ts";

const CLOCK = { now: Date.UTC(2024, 0, 3, 12), zone: 3600 };
const KEY = `SHA256:${"a".repeat(43)}`;
const lines = (...texts: string[]) => readAuthLog(Buffer.from(texts.join("\n")), true, CLOCK).lines;
const line = (text: string) => lines(text)[0];

describe("what sshd says", () => {
  test("a key that let somebody in, in rsyslog's, journalctl's and busybox's lines", () => {
    const said = `Accepted publickey for root from 203.0.113.9 port 51234 ssh2: ED25519 ${KEY}`;
    const found = { what: "accepted", user: "root", ip: "203.0.113.9", port: 51_234, method: "publickey", key: KEY, pid: 812 };
    expect(line(`Jan  2 13:00:00 devbox sshd[812]: ${said}`)).toEqual({ ...found, at: Date.UTC(2024, 0, 2, 12) });
    expect(line(`2024-01-02T13:00:00.123456+01:00 devbox sshd-session[812]: ${said}`)).toEqual({
      ...found,
      at: Date.UTC(2024, 0, 2, 12, 0, 0, 123),
    });
    expect(line(`2024-01-02T12:00:00+0000 devbox sshd[812]: ${said}`)).toEqual({ ...found, at: Date.UTC(2024, 0, 2, 12) });
    expect(line(`Jan  2 13:00:00 devbox auth.info sshd[812]: ${said}`)).toEqual({ ...found, at: Date.UTC(2024, 0, 2, 12) });
  });

  test("a month that is still to come was last year's", () => {
    expect(line("Dec 31 23:00:00 h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2")?.at).toBe(Date.UTC(2023, 11, 31, 22));
  });

  test("who was refused, and a name that pretends to be an address", () => {
    expect(
      line("Jan  2 13:00:00 h sshd[1]: Failed password for invalid user x from 8.8.8.8 port 1 ssh2 from 192.0.2.7 port 22 ssh2"),
    ).toMatchObject({
      what: "failed",
      user: "x from 8.8.8.8 port 1 ssh2",
      ip: "192.0.2.7",
      port: 22,
    });
    expect(line("Jan  2 13:00:00 h sshd[1]: Invalid user root from 1.1.1.1 from 192.0.2.8 port 9")).toMatchObject({
      user: "root from 1.1.1.1",
      ip: "192.0.2.8",
    });
    expect(line("Jan  2 13:00:00 h sshd[1]: Accepted password for a from gateway.example port 1 ssh2")).not.toHaveProperty("ip");
  });

  test("another program's line that quotes sshd's is not sshd's", () => {
    expect(line("Jan  2 13:00:00 h evil[1]: sshd[2]: Accepted password for a from 192.0.2.1 port 1 ssh2")).toBeUndefined();
  });
});

test("sudo, su and accounts", () => {
  expect(line("Jan  2 13:00:00 h sudo[5]:      ops : TTY=pts/1 ; PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/id -u")).toMatchObject({
    what: "sudo",
    user: "ops",
    effective: "root",
    tty: "pts/1",
    text: "/usr/bin/id -u",
  });
  expect(line("Jan  2 13:00:00 h sudo: bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh")).toMatchObject({
    user: "bob",
    text: "/bin/sh (user NOT in sudoers)",
  });
  expect(line("Jan  2 13:00:00 h su[7]: (to root) alice on pts/0")).toMatchObject({
    what: "su",
    user: "alice",
    effective: "root",
    tty: "pts/0",
  });
  expect(line("Jan  2 13:00:00 h useradd[9]: new user: name=eve, UID=0, GID=0, home=/, shell=/bin/sh")).toMatchObject({
    what: "account",
    user: "eve",
  });
});

test("a tail that begins inside of a line leaves that line out", () => {
  const whole = "Jan  2 13:00:00 h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2\n";
  expect(readAuthLog(Buffer.from(`${whole}${whole}`).subarray(10), false, CLOCK).lines).toHaveLength(1);
});

test("any bytes give lines or nothing, never an error, and soon", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.boolean(), (bytes, whole) => void readAuthLog(Buffer.from(bytes), whole, CLOCK)),
  );
  const parts = fc.constantFrom(
    "Jan  2 13:00:00 h ",
    "sshd[1]: ",
    "sudo: ",
    "Accepted ",
    " from ",
    " port 22",
    " ssh2",
    ": RSA ",
    " ; TTY=",
    " ; PWD=",
    " ; USER=",
    " ; COMMAND=",
    " : ",
    "\u001b[2J",
    "a",
    " ",
  );
  fc.assert(fc.property(fc.array(parts, { maxLength: 400 }), (all) => void readAuthLog(Buffer.from(all.join("")), true, CLOCK)));
});
