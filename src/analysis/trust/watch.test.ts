import { expect, test } from "vitest";
import type { Finding } from "#model/event";
import { hiddenCounts, partnersOf } from "#state/selectors";
import { text } from "#testing/events";
import { watchedHost as host, id } from "#testing/watched-host";

test("what a responder does to his own raises nothing and stays hidden", () => {
  const h = host();
  h.start(12, 11, "/usr/bin/strace", { tty: 0 });
  h.start(13, 11, "/usr/bin/vim", { tty: 0 });
  h.access(12, { how: "trace", target: 13 });
  h.access(12, { path: "/dev/pts/0" });
  h.access(12, { path: `/proc/13/mem`, target: 13 });
  h.file(13, "/root/.bashrc");
  h.environment(11, "PATH=/usr/bin:/bin", "SSH_AUTH_SOCK=/tmp/ssh-a/agent.10");
  h.start(14, 11, "/usr/bin/w", { tty: 0 });
  h.access(14, { path: "/var/log/auth.log", secret: "log" });
  expect(h.findings).toEqual([]);
  expect(h.standing(14)).toBe("responder");
});

test.each([
  ["ptrace", (h: ReturnType<typeof host>) => h.access(21, { how: "trace", target: 11 }), "tagged-process-traced"],
  ["memory", (h: ReturnType<typeof host>) => h.access(21, { path: "/proc/11/mem", target: 11 }), "tagged-memory-opened"],
  ["terminal", (h: ReturnType<typeof host>) => h.access(21, { path: "/dev/pts/0" }), "tagged-terminal-opened"],
  ["multiplexer", (h: ReturnType<typeof host>) => h.access(11, { path: "/dev/pts/1", how: "held" }), "tagged-multiplexer-attached"],
  ["shell files", (h: ReturnType<typeof host>) => h.file(21, "/root/.bashrc"), "tagged-shell-files-written"],
  ["preload", (h: ReturnType<typeof host>) => h.environment(11, "LD_PRELOAD=/tmp/x.so"), "tagged-preloads"],
])("%s: raised with its evidence, and the thing comes back into view with what it starts", (_, abuse, rule) => {
  const h = host();
  const before = hiddenCounts(h.state).processes;
  expect(h.standing(11)).toBe("responder");
  abuse(h);
  expect(h.rules()).toEqual([rule]);
  expect(h.findings[0]?.technique[0]).toMatch(/^T\d{4}/);
  expect(h.findings[0]?.entities).toContain(id(rule === "tagged-shell-files-written" ? 10 : 11));
  expect(h.standing(11)).toBe("suspect");
  h.start(15, 11, "/usr/bin/id", { tty: 0 });
  expect(h.standing(15)).toBe("suspect");
  expect(hiddenCounts(h.state).processes).toBeLessThan(before);
  abuse(h); // once is enough, while it is in view
  expect(h.rules()).toEqual([rule]);
  h.tag(10); // the analyst has looked: it is a responder's all the same
  expect(h.standing(15)).toBe("responder");
  expect(h.standing(11)).toBe("responder");
  abuse(h); // and from here on it is new
  expect(h.rules().at(-1)).toBe(rule);
  expect(h.standing(11)).toBe("suspect");
});

test("a login of ours that is abused keeps its way in through an isolation", () => {
  const h = host();
  expect(partnersOf(h.state)).toContain("203.0.113.10");
  h.file(21, "/root/.bashrc");
  expect(h.state.logins.get(id(10))?.standing).toBe("suspect");
  expect(partnersOf(h.state)).toContain("203.0.113.10");
  expect(partnersOf(h.state)).not.toContain("203.0.113.20");
});

test("a dismissed finding brings back nothing, until it is brought back itself", () => {
  const h = host();
  h.access(21, { how: "trace", target: 11 });
  h.play({
    event: { action: "finding.dismiss" },
    stakeout: { sensor: "console", tier: "analyst", analyst: "jm", finding: h.findings[0] as Finding },
  });
  expect(h.standing(11)).toBe("responder");
  h.play({
    event: { action: "finding.restore" },
    stakeout: { sensor: "console", tier: "analyst", analyst: "jm", finding: h.findings[0] as Finding },
  });
  expect(h.standing(11)).toBe("suspect");
});

test("what was done before the tag is raised with the tag", () => {
  const h = host();
  h.login(40, 4);
  h.access(21, { how: "trace", target: 41 });
  expect(h.findings).toEqual([]);
  h.tag(40);
  expect(h.rules()).toEqual(["tagged-process-traced"]);
  expect(h.standing(41)).toBe("suspect");
});

test("who reached for it turns out to be one of us: what that brought back is hidden again", () => {
  const h = host();
  h.login(40, 4);
  h.access(41, { how: "trace", target: 11 });
  expect(h.standing(11)).toBe("suspect");
  h.tag(40);
  expect(h.standing(11)).toBe("responder");
  h.access(41, { how: "trace", target: 11 });
  expect(h.findings).toHaveLength(1);
});

test("the agent of a tagged login, asked by another; and PATH that was changed", () => {
  const h = host();
  const socket = "SSH_AUTH_SOCK=/tmp/ssh-a/agent.10";
  h.environment(11, "PATH=/usr/bin:/bin", socket);
  h.environment(21, "PATH=/usr/bin:/bin");
  h.access(21, { path: "/tmp/ssh-a" });
  expect(h.rules()).toEqual(["tagged-agent-looked-for"]);
  h.environment(21, "PATH=/usr/bin:/bin", socket);
  expect(h.rules().at(-1)).toBe("tagged-agent-used");
  expect(h.standing(11)).toBe("suspect");
  h.tag(10);
  h.environment(11, "PATH=/usr/local/bin:/usr/bin:/bin", socket);
  expect(h.findings).toHaveLength(2);
  h.environment(11, "PATH=/dev/shm/.x:/usr/bin:/bin", socket);
  expect(h.rules().at(-1)).toBe("tagged-path-changed");
});

test("a login without a tag that hides its history, or preloads, is found, once; ours, a tagged one and a service are not", () => {
  const h = host();
  const found = () => h.findings.map(({ rule }) => rule);
  h.environment(31, "HISTFILE=/dev/null"); // the console's own
  h.tag(10);
  h.environment(11, "HISTFILE=/dev/null"); // a responder
  h.environment(21, "PATH=/usr/bin:/bin", "HISTFILE=/root/.bash_history", "HISTSIZE=1000");
  expect(found()).toEqual([]);
  h.environment(21, "HISTFILE=/dev/null");
  h.environment(21, "HISTFILE=", "HISTSIZE=0");
  expect(found()).toEqual(["hides-history"]);
  expect(h.findings[0]).toMatchObject({ technique: ["T1562.003"], entities: [id(21)] });
  h.environment(21, "LD_PRELOAD=/dev/shm/x.so", "GCONV_PATH=.");
  expect(found().slice(1).sort()).toEqual(["preloads", "sets-gconv-path"]);
  expect(h.state.processes.get(id(21))?.environment).toEqual(["LD_PRELOAD=/dev/shm/x.so", "GCONV_PATH=."]);
  h.start(40, 1, "/usr/sbin/mysqld");
  h.environment(40, "LD_PRELOAD=/usr/lib/libjemalloc.so");
  expect(found()).toHaveLength(3);
});

test("a file that the intruder left is run by a responder, itself or as a script", () => {
  const h = host();
  h.file(21, "/tmp/xq7", "file.creation");
  h.start(12, 11, "/tmp/xq7", { tty: 0 });
  expect(h.rules()).toEqual(["tagged-runs-dropped-file"]);
  expect(h.standing(12)).toBe("suspect");
  expect(h.standing(11)).toBe("responder");
  h.file(21, "/tmp/run.sh", "file.creation");
  h.start(13, 11, "/bin/sh", { tty: 0, args: ["sh", "-x", "/tmp/run.sh"] });
  expect(h.findings).toHaveLength(2);
  h.file(11, "/tmp/own.sh", "file.creation");
  h.start(14, 11, "/bin/sh", { tty: 0, args: ["sh", "/tmp/own.sh"] });
  expect(h.findings).toHaveLength(2);
});

test("an address that the intruder uses, whichever came first: the call or the judgement", () => {
  const h = host();
  h.start(12, 11, "/usr/bin/curl", { tty: 0 });
  h.call(12, "198.51.100.7");
  h.call(21, "198.51.100.7");
  expect(h.findings).toEqual([]);
  h.tag(20, "intruder");
  expect(h.rules()).toEqual(["tagged-calls-suspect-address"]);
  expect(h.standing(12)).toBe("suspect");
  h.start(13, 11, "/usr/bin/curl", { tty: 0 });
  h.call(13, "203.0.113.20"); // where he came from
  expect(h.findings).toHaveLength(2);
});

test("the key of a tagged login from another address, whichever was tagged and whichever came first", () => {
  const keyed = (h: ReturnType<typeof host>, pid: number, key: string) => {
    Object.assign(h.state.logins.get(id(pid)) ?? {}, { info: { key, from: ["auth.log"] } });
    h.play({
      event: { action: "login.info" as "login.attributed" },
      process: { entity_id: id(pid), pid },
      stakeout: { sensor: "collector", tier: "x" },
    });
  };
  const h = host();
  keyed(h, 10, "SHA256:a");
  h.login(40, 4);
  keyed(h, 40, "SHA256:b");
  expect(h.findings).toEqual([]);
  h.login(50, 5);
  keyed(h, 50, "SHA256:a");
  expect(h.rules()).toEqual(["tagged-key-from-elsewhere"]);
  expect(h.standing(11)).toBe("suspect");
  const late = host();
  keyed(late, 20, "SHA256:a");
  late.login(60, 6);
  keyed(late, 60, "SHA256:a");
  expect(late.findings).toEqual([]);
  late.tag(60);
  expect(late.rules()).toEqual(["tagged-key-from-elsewhere"]);
});

test("sudo ridden from another terminal, and its time stamps opened by another program", () => {
  const h = host();
  h.start(50, 11, "/bin/bash", { tty: 0, uid: "1000" });
  h.start(51, 50, "/usr/bin/sudo", { tty: 0, uid: "1000" });
  h.start(60, 21, "/bin/bash", { tty: 1, uid: "1000" });
  h.start(61, 60, "/usr/bin/sudo", { tty: 1, uid: "1000" });
  expect(h.rules()).toEqual(["tagged-sudo-ridden"]);
  expect(h.standing(11)).toBe("suspect");
  h.access(21, { path: "/run/sudo/ts/dev" });
  expect(h.rules().at(-1)).toBe("sudo-timestamp-touched");
});

test("sudo by another login is told where its terminal was gone before it was read: not seen is not the same", () => {
  const h = host();
  h.start(50, 11, "/bin/bash", { uid: "1000" });
  h.start(51, 50, "/usr/bin/sudo", { uid: "1000" });
  h.start(60, 21, "/bin/bash", { uid: "1000" });
  h.start(61, 60, "/usr/bin/sudo", { uid: "1000" });
  expect(h.rules()).toEqual(["tagged-sudo-ridden"]);
});

test("sudo that had made itself root before it was read is known by the shell that it was", () => {
  const h = host();
  h.start(50, 11, "/bin/bash", { tty: 0, uid: "1000" });
  h.start(51, 50, "/usr/bin/sudo", { tty: 0, uid: "0" });
  h.start(60, 21, "/usr/bin/su", { tty: 1 });
  h.start(61, 60, "/bin/bash", { tty: 1, uid: "1000" });
  h.start(61, 60, "/usr/bin/sudo", { tty: 1, uid: "0" });
  expect(h.rules()).toEqual(["tagged-sudo-ridden"]);
});

test("sudo below su is known by the account that su was asked for, where nothing else of it was read in time", () => {
  const h = host();
  h.state.users.set(1000, text("dev"));
  h.start(50, 11, "/bin/bash", { tty: 0, uid: "1000" });
  h.start(51, 50, "/usr/bin/sudo", { tty: 0, uid: "0" });
  for (const account of ["other", "dev"]) {
    h.start(60, 21, "/usr/bin/su", { tty: 1, args: ["su", account, "-c", "sudo -n true"] });
    h.start(61, 60, "/usr/bin/sudo", { tty: 1, uid: "0" });
    expect(h.rules()).toEqual(account === "dev" ? ["tagged-sudo-ridden"] : []);
  }
});

test("sudo whose user was gone before it was read is known by the time stamp that it opens", () => {
  const h = host();
  h.start(50, 11, "/bin/bash", { tty: 0, uid: "1000" });
  h.start(51, 50, "/usr/bin/sudo", { tty: 0, uid: "1000" });
  h.start(60, 21, "/usr/bin/su", { tty: 1 });
  h.start(61, 60, "/usr/bin/sudo", { tty: 1 });
  expect(h.findings).toEqual([]);
  h.access(61, { path: "/run/sudo/ts/root" });
  expect(h.findings).toEqual([]);
  h.access(61, { path: "/run/sudo/ts/1000" });
  expect(h.rules()).toEqual(["tagged-sudo-ridden"]);
  expect(h.standing(11)).toBe("suspect");
});

test("they are looking at us: by who they are it is worse, and it hides or shows nothing", () => {
  const h = host();
  h.start(22, 21, "/usr/bin/w", { tty: 1 });
  h.access(22, { path: "/run/utmp", secret: "log" });
  h.start(23, 21, "/usr/bin/tail", { tty: 1 });
  h.access(23, { path: "/var/log/auth.log", secret: "log" });
  h.access(23, { path: "/sys/kernel/tracing/instances" });
  h.access(21, { how: "signal", signal: 9, target: 31 });
  expect(h.rules()).toEqual(["looks-who-is-here", "reads-logs", "looks-at-tracing", "touches-our-processes"]);
  expect(h.findings.map(({ level }) => level)).toEqual(["low", "low", "high", "high"]);
  expect(h.standing(31)).toBe("responder");
});

test("a list of all processes is one low finding; whoever reads the environment of one by something else is told as before, and memory is worse", () => {
  const h = host();
  h.start(22, 21, "/usr/bin/ps", { tty: 1 });
  for (const pid of [11, 31, 10, 30]) h.access(22, { path: `/proc/${pid}/environ`, target: pid });
  expect(h.findings.map(({ rule, level }) => [rule, level])).toEqual([["tagged-environment-read", "low"]]);
  h.start(23, 21, "/tmp/ps", { tty: 1 });
  h.access(23, { path: "/proc/31/environ", target: 31 });
  h.access(23, { path: "/proc/11/environ", target: 11 });
  expect(h.findings.slice(1).map(({ level }) => level)).toEqual(["medium", "medium"]);
  h.access(23, { path: "/proc/31/mem", target: 31 });
  expect(h.findings.find(({ rule }) => rule === "touches-our-processes")).toMatchObject({ level: "high" });
});

test("a log holds no more findings than a hostile host is worth: one rule on one login brings back the login at last", () => {
  const h = host();
  for (let i = 0; i < 200; i++) {
    h.start(1000 + i, 11, "/usr/bin/sleep", { tty: 0 });
    h.access(21, { how: "trace", target: 1000 + i });
  }
  expect(h.findings.length).toBeLessThan(200);
  expect(h.standing(11)).toBe("suspect");
});
