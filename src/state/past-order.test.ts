import { describe, expect, test } from "vitest";
import type { Absent } from "#sensors/look/answer";
import { gapsIn } from "#sensors/look/gaps";
import { text } from "#testing/events";
import { emptyState } from "./create.ts";
import { pastConcerns, worstPast } from "./past-order.ts";
import type { LoginState, PastState, State } from "./state.ts";

/** A host whose memory is these rows, oldest first unless they say when. */
function remembering(...rows: Partial<PastState>[]): State {
  const state = emptyState();
  for (const [i, row] of rows.entries())
    state.past.rows.push({ id: `${i}`, kind: "login", from: ["auth.log"], first: i + 1, last: i + 1, count: 1, ...row });
  return state;
}
const from = (ip: string, more = {}) => ({ ip, source: { ip, ...more } });
const files = (...paths: string[]) => remembering(...paths.map((path) => ({ kind: "file" as const, path: text(path) })));
const paths = (state: State) => worstPast(state).map(({ path }) => path);
const login = (state: State, more: Partial<LoginState>) => state.logins.set(`${state.logins.size}`, { ours: false, ...more } as LoginState);
const account = (state: State, name: string, uid: number) =>
  state.setUp.set(name, {
    category: "user",
    id: name,
    name: text(name),
    detail: text(`uid ${uid}, /bin/bash, /home`),
    status: "here",
    at: 1,
  });

describe("of what the host remembers the worst is first", () => {
  test("a login behind many refusals of its address, then one from where none of ours came, root before others; our own last", () => {
    const state = remembering(
      { kind: "failed", user: text("root"), ...from("198.51.100.99"), first: 1, last: 4, count: 812 },
      { user: text("www"), ...from("198.51.100.99"), last: 5 },
      { user: text("root"), ...from("203.0.113.9", { geo: { country_iso_code: "DE" } }), last: 6 },
      { user: text("jm"), ...from("203.0.113.8", { geo: { country_iso_code: "DE" } }), last: 7 },
      { user: text("root"), ...from("192.0.2.7", { port: 999 }), last: 8 },
      { user: text("root"), ...from("192.0.2.7", { port: 1000 }), last: 9 },
    );
    login(state, { source: { ip: "192.0.2.7", port: 1000 }, standing: "responder", ours: true });
    expect(worstPast(state).map(({ id }) => id)).toEqual(["1", "2", "3", "4", "5", "0"]);
    const why = (id: string) => pastConcerns(state, state.past.rows.find((row) => row.id === id) as PastState);
    expect(why("1")[0]).toBe("let in behind 812 refusals of the same address");
    expect(why("2")).toEqual(["none of ours came from that address", "root"]);
    expect(why("5")).toEqual(["this console's own"]);
    expect(why("0")).toEqual(["somebody was let in from the same address, then or later"]);
  });

  test("who was let in before the first refusal did not guess", () => {
    const state = remembering(
      { user: text("jm"), ...from("203.0.113.9"), last: 10 },
      { kind: "failed", user: text("jm"), ...from("203.0.113.9"), first: 20, last: 30, count: 50 },
    );
    for (const row of state.past.rows) expect(pastConcerns(state, row).join()).not.toMatch(/refusals|let in/);
  });

  test("a tag on a login moves what came from its address up, in what was refused too", () => {
    const state = remembering(
      { kind: "failed", user: text("a"), ...from("203.0.113.66"), count: 1 },
      { kind: "failed", user: text("b"), ...from("203.0.113.67"), count: 900 },
    );
    expect(worstPast(state).map(({ user }) => user)).toEqual(["b", "a"]); // nothing else tells them apart: the most tries
    login(state, { source: { ip: "203.0.113.66", port: 4000 }, standing: "intruder" });
    expect(worstPast(state).map(({ user }) => user)).toEqual(["a", "b"]);
  });

  test("of files: another's rights, then code of the system, ways in, hidden places, a web server's code, the rest by time", () => {
    const state = files("/dev/shm/x", "/root/.ssh/authorized_keys", "/var/www/html/s.php", "/usr/bin/ls", "/home/jm/notes", "/opt/a/b");
    state.past.rows.unshift({
      ...(state.past.rows[0] as PastState),
      path: text("/opt/rootsh"),
      text: text("900 bytes, set-user-id"),
      last: 0,
    });
    expect(paths(state)).toEqual([
      "/opt/rootsh",
      "/usr/bin/ls",
      "/root/.ssh/authorized_keys",
      "/dev/shm/x",
      "/var/www/html/s.php",
      "/opt/a/b",
      "/home/jm/notes",
    ]);
  });

  test("of sudo: who cannot enter, what sudo refused, what ran from /tmp; of accounts: root's number, then a group that makes root", () => {
    const sudo = (user: string, line: string) => ({
      kind: "elevation" as const,
      user: text(user),
      effective: text("root"),
      text: text(line),
    });
    const told = (line: string) => ({ kind: "account" as const, user: text("eve"), text: text(line) });
    const state = remembering(
      sudo("www-data", "/bin/ls"),
      sudo("jm", "/bin/ls (3 incorrect password attempts)"),
      sudo("jm", "/tmp/x"),
      sudo("jm", "/usr/bin/apt update"),
      told("useradd: new user: name=eve, UID=0, GID=0"),
      told("usermod: add 'eve' to group 'sudo'"),
      told("chage: changed password expiry for eve"),
    );
    account(state, "jm", 1000);
    expect(worstPast(state).map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
  });

  test("of gaps: what it takes a hand to do goes before a pause, a link that has no time too; a history stays as it was typed", () => {
    const link: Absent = { kind: "shell", path: text("/root/.bash_history"), why: text("link"), to: text("/dev/null") };
    const hour = 3_600_000;
    const times = [...Array.from({ length: 30 }, (_, i) => i * 1000), 40 * hour];
    const file = { kind: "auth", path: text("/var/log/auth.log"), size: 9, mtime: 0, mode: 0, uid: 0, from: 0, bytes: Buffer.alloc(0) };
    const gaps = gapsIn({
      wtmp: [],
      logs: [{ file, times, lines: [] }],
      absent: [link],
      stays: [],
      lines: [],
      sameLoginMs: 1,
      now: 50 * hour,
    });
    const typed = ["curl x", "ls"].map((line) => ({ kind: "shell" as const, text: text(line), first: 0, last: 0 }));
    const state = remembering(...gaps.toReversed(), ...typed);
    expect(worstPast(state).map((past) => past.text)).toEqual([
      "a history that is a link to /dev/null",
      expect.stringMatching(/^nothing for 40 h/),
      "curl x",
      "ls",
    ]);
  });
});
