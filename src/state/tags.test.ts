import { expect, test } from "vitest";
import type { Criteria, Selector, StakeoutEvent, Tag, Verdict } from "#model/event";
import { teller, text } from "#testing/events";
import { emptyState } from "./create.ts";
import { effectOf } from "./effect.ts";
import { reduce } from "./reduce.ts";
import { hiddenCounts, partnersOf } from "./selectors.ts";

const HASH = "a".repeat(64);
const id = (pid: number) => `B:${pid}:1`;

/** init 1; sshd 2; logins 10 (jm) and 20 (somebody), each with a shell 11, 21; nginx 30; cron 40. */
function host() {
  const tell = teller();
  const state = emptyState();
  const play = (draft: Parameters<typeof tell>[0]) => void reduce(state, tell(draft));
  const start = (pid: number, parent: number, executable: string, more: Partial<StakeoutEvent["process"]> = {}, stakeout = {}, uid = "0") =>
    play({
      event: { action: "process.start" },
      process: {
        entity_id: id(pid),
        pid,
        executable: text(executable),
        args: [text(executable)],
        parent: { entity_id: id(parent) },
        ...more,
      },
      user: { id: uid, name: text(uid === "0" ? "root" : "www-data") },
      stakeout: { sensor: "collector", tier: "x", ...stakeout },
    });
  const login = (pid: number, ip: string, name = "root") => {
    const entry_leader = { entity_id: id(pid), entry_meta: { type: "sshd" as const, source: { ip } } };
    start(pid, 2, "/usr/sbin/sshd", { entry_leader });
    play({
      event: { action: "login.start", outcome: "success" },
      process: { entity_id: id(pid), entry_leader },
      user: { id: "0", name: text(name) },
      source: { ip },
    });
    start(pid + 1, pid, "/bin/bash");
  };
  const tag = (selector: Selector, verdict: Verdict, more: Partial<Tag> = {}) => {
    const made = `t${state.judged + 1}`;
    play({
      event: { action: "tag.apply" },
      stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag: { id: made, verdict, selector, reason: "r", ...more } },
    });
    return made;
  };
  const untag = (tagId: string) =>
    play({
      event: { action: "tag.remove" },
      stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag: { id: tagId, verdict: "suspect", selector: {}, reason: "" } },
    });
  const hash = (path: string, sha256: string) => play({ event: { action: "file.info" }, file: { path: text(path), hash: { sha256 } } });
  const standing = (pid: number) => state.processes.get(id(pid))?.standing;
  start(1, 0, "/sbin/init");
  start(2, 1, "/usr/sbin/sshd");
  login(10, "198.51.100.7");
  login(20, "203.0.113.9");
  start(30, 1, "/usr/sbin/nginx", { cgroup: text("/system.slice/nginx.service") }, {}, "33");
  start(40, 1, "/usr/sbin/cron");
  return { state, play, start, login, tag, untag, hash, standing };
}

test("a network hides its logins with all that they start, before and after; the others stay", () => {
  const { state, tag, untag, start, login, standing } = host();
  const made = tag({ source: "198.51.100.0/24" }, "responder");
  expect([standing(10), standing(11), standing(21)]).toEqual(["responder", "responder", "unknown"]);
  expect(state.logins.get(id(10))?.standing).toBe("responder");
  start(12, 11, "/usr/bin/id");
  login(50, "198.51.100.99");
  expect([standing(12), standing(51), state.logins.get(id(50))?.standing]).toEqual(["responder", "responder", "responder"]);
  untag(made);
  expect(hiddenCounts(state).processes).toBe(0);
});

test("what a program is vouches for nothing that an unknown login does, and for no child of a known service", () => {
  const { tag, start, standing } = host();
  tag({ command: "/usr/bin/apt*" }, "known-good");
  tag({ command: "/usr/sbin/nginx" }, "known-good");
  start(22, 21, "/usr/bin/apt");
  start(31, 30, "/bin/sh");
  start(41, 40, "/usr/bin/apt-get");
  expect(standing(22)).toBe("unknown");
  expect([standing(30), standing(31)]).toEqual(["known-good", "unknown"]);
  expect(standing(41)).toBe("known-good");
});

test("a rule that hides sshd, or the unit that it runs in, hides no login; it can still find one", () => {
  for (const selector of [{ command: "*" }, { command: "/usr/sbin/sshd" }, { unit: "ssh.service" }]) {
    const { state, tag, untag, play, standing } = host();
    for (const pid of [2, 10, 11])
      play({
        event: { action: "process.start" },
        process: { entity_id: id(pid), pid, executable: text("/usr/sbin/sshd"), cgroup: text("/system.slice/ssh.service") },
      });
    const made = tag(selector, "responder");
    expect([selector, standing(2), standing(10), standing(11)]).toEqual([selector, "responder", "unknown", "unknown"]);
    expect(state.logins.get(id(10))?.standing).toBe("unknown");
    untag(made);
    tag(selector, "suspect");
    expect([standing(10), standing(11)]).toEqual(["suspect", "suspect"]);
  }
});

test("a unit is with all that is started in it; a cron entry with its job, also once the shell has become the program", () => {
  const { tag, start, standing } = host();
  tag({ unit: "nginx.service" }, "known-good");
  start(31, 30, "/bin/sh");
  expect(standing(31)).toBe("known-good");
  const leader = (pid: number) => ({ entry_leader: { entity_id: id(pid), entry_meta: { type: "cron" as const } } });
  tag({ cron: "/opt/backup" }, "known-good");
  start(42, 40, "/usr/sbin/cron", leader(42));
  start(43, 42, "/bin/sh", { ...leader(42), args: ["/bin/sh", "-c", "/opt/backup"].map(text) });
  start(43, 42, "/opt/backup", leader(42));
  start(44, 43, "/usr/bin/tar", leader(42));
  expect([standing(43), standing(44)]).toEqual(["known-good", "known-good"]);
  start(45, 42, "/bin/sh", { ...leader(42), args: ["/bin/sh", "-c", "/tmp/x"].map(text) });
  expect(standing(45)).toBe("unknown");
  start(46, 21, "/bin/sh", { args: ["/bin/sh", "-c", "/opt/backup"].map(text) }); // no job of cron's
  expect(standing(46)).toBe("unknown");
});

test("what cron begins because an intruder wrote its entry is his, whatever hides cron; what one of us wrote is not hidden by that", () => {
  const { state, play, tag, untag, start, standing } = host();
  const planted = (pid: number, by: number) => {
    const entry = { path: text("/etc/cron.d/x"), line: text(`${pid}`) };
    const entry_leader = { entity_id: id(pid), entry_meta: { type: "cron" as const, entry } };
    start(pid, 40, "/bin/sh", { entry_leader });
    start(pid + 1, pid, "/dev/shm/beacon", { entry_leader });
    const origin = { type: "cron" as const, login: id(by) };
    play({
      event: { action: "origin.start" },
      process: { entity_id: id(pid), entry_leader },
      stakeout: { sensor: "c", tier: "x", origin },
    });
  };
  planted(60, 20);
  planted(70, 10);
  expect([standing(60), standing(61), standing(71)]).toEqual(["unknown", "unknown", "unknown"]);
  const made = tag({ login: id(20) }, "intruder");
  tag({ login: id(10) }, "responder");
  expect([standing(40), standing(60), standing(61), standing(70), standing(71)]).toEqual([
    "unknown",
    "intruder",
    "intruder",
    "unknown",
    "unknown",
  ]);
  expect(state.processes.get(id(61))?.tag).toBe(made);
  tag({ unit: "*" }, "known-good");
  tag({ command: "/usr/sbin/cron" }, "known-good");
  tag({ process: id(40) }, "responder");
  planted(80, 20);
  start(82, 81, "/usr/bin/curl");
  expect([standing(61), standing(71), standing(80), standing(82)]).toEqual(["intruder", "responder", "intruder", "intruder"]);
  untag(made);
  expect([standing(61), standing(82)]).toEqual(["responder", "responder"]);
  tag({ source: "203.0.113.0/24" }, "suspect");
  expect([standing(61), standing(82)]).toEqual(["suspect", "suspect"]);
});

test("bad news go before good: what is called the intruder's is hidden by no rule, and a rule brings it out of what is hidden", () => {
  const { tag, start, standing, hash } = host();
  tag({ login: id(20) }, "intruder");
  tag({ source: "203.0.113.0/24" }, "responder");
  expect(standing(21)).toBe("intruder");
  tag({ login: id(10) }, "responder");
  start(12, 11, "/tmp/tool", {}, { binary: { origin: "exec", random: 0 } });
  hash("/tmp/tool", HASH);
  start(13, 12, "/usr/bin/id");
  expect([standing(12), standing(13)]).toEqual(["responder", "responder"]);
  tag({ sha256: HASH }, "intruder");
  expect([standing(11), standing(12), standing(13)]).toEqual(["responder", "intruder", "intruder"]);
});

test("a hash vouches only for a file that had no other content", () => {
  const { state, tag, start, standing, hash, play } = host();
  start(60, 1, "/opt/agent", {}, { binary: { origin: "exec", random: 0 } });
  tag({ sha256: HASH }, "known-good");
  expect(standing(60)).toBe("unknown");
  hash("/opt/agent", HASH);
  expect(standing(60)).toBe("known-good");
  play({ event: { action: "file.change" }, file: { path: text("/opt/agent") } });
  start(61, 1, "/opt/agent", {}, { binary: { origin: "exec", random: 0 } });
  hash("/opt/agent", HASH);
  expect(standing(61)).toBe("unknown");
  expect(state.binaries.get("/opt/agent")?.standing).toBe("unknown");
});

test("flagged things stay in sight under a tag that hides, with what they start, unless that was confirmed", () => {
  const { state, tag, untag, start, standing, play } = host();
  start(12, 11, "/tmp/q8zk2vx", {}, { binary: { origin: "exec", random: 0.9 } });
  start(13, 12, "/usr/bin/id");
  expect(effectOf(state, { login: id(10) }, "responder")).toMatchObject({ processes: 4, binaries: 1, flagged: 2, everything: false });
  const made = tag({ login: id(10) }, "responder");
  expect([standing(11), standing(12), standing(13)]).toEqual(["responder", "unknown", "unknown"]);
  expect(state.binaries.get("/tmp/q8zk2vx")?.standing).toBe("unknown");
  untag(made);
  tag({ login: id(10) }, "responder", { hides_flagged: true });
  expect([standing(12), standing(13), state.binaries.get("/tmp/q8zk2vx")?.standing]).toEqual(["responder", "responder", "responder"]);
  // a tool that turns out to hide itself comes back into view
  const second = host();
  second.tag({ login: id(10) }, "responder");
  second.start(12, 11, "/tmp/tool", {}, { binary: { origin: "exec", random: 0 } });
  expect(second.standing(12)).toBe("responder");
  second.play({ event: { action: "file.deletion" }, file: { path: text("/tmp/tool") } });
  expect(second.standing(12)).toBe("unknown");
  expect(play).toBeDefined();
});

test("of a service that is tagged and starts programs without end, the first and the latest stay; the others are counted", () => {
  const { state, tag, start, play } = host();
  tag({ command: "/usr/sbin/cron" }, "responder");
  for (let pid = 1000; pid < 16_000; pid++) {
    start(pid, 40, "/usr/bin/true");
    play({ event: { action: "process.end" }, process: { entity_id: id(pid), pid } });
  }
  expect(state.processes.size).toBeLessThan(11_100);
  expect(state.processes.get(id(40))?.folded).toEqual({ "?": state.counts.folded });
  expect(state.processes.get(id(15_999))?.standing).toBe("responder");
});

test("the effect that is told is the effect that it has, for every kind of selector and verdict", () => {
  const selectors: Selector[] = [{ login: id(10) }, { process: id(21) }, { process: id(1) }, ...criteria];
  for (const selector of selectors)
    for (const verdict of ["responder", "known-good"] as const) {
      const { state, start, tag, hash, play } = host();
      start(12, 11, "/tmp/q8zk2vx", {}, { binary: { origin: "exec", random: 0.9 } });
      hash("/tmp/q8zk2vx", HASH);
      play({
        event: { action: "network.start" },
        source: { ip: "10.0.0.1" },
        destination: { ip: "9.9.9.9", port: 1 },
        process: { entity_id: id(12) },
        stakeout: { sensor: "c", tier: "x", connection: "c1" },
      });
      tag({ login: id(20) }, "responder");
      const before = hiddenCounts(state);
      const { logins, processes, connections, binaries } = effectOf(state, selector, verdict);
      tag(selector, verdict, { hides_flagged: true });
      const after = hiddenCounts(state);
      expect([selector, verdict, { logins, processes, connections, binaries }]).toEqual([
        selector,
        verdict,
        {
          logins: after.logins - before.logins,
          processes: after.processes - before.processes,
          connections: after.connections - before.connections,
          binaries: after.binaries - before.binaries,
        },
      ]);
    }
});
const criteria: Criteria[] = [
  { user: "root" },
  { user: "www-data" },
  { source: "198.51.100.0/24" },
  { sha256: HASH },
  { unit: "nginx.service" },
  { command: "/usr/sbin/*" },
  { command: "*" },
  { user: "root", source: "198.51.100.7" },
];

test("a tag that would leave nothing in sight is known beforehand", () => {
  const { state, tag } = host();
  expect(effectOf(state, { process: id(1) }, "known-good").everything).toBe(true);
  expect(effectOf(state, { process: id(1) }, "suspect").everything).toBe(false);
  expect(effectOf(state, { source: "128.0.0.0/1" }, "responder").everything).toBe(true);
  expect(effectOf(state, { source: "198.51.100.0/24" }, "responder").everything).toBe(false);
  tag({ login: id(10) }, "responder");
  expect(effectOf(state, { login: id(20) }, "responder").everything).toBe(false);
});

test("an isolation lets in who was meant by himself or by his address, and nobody for his account alone", () => {
  const { state, tag, untag } = host();
  const account = tag({ user: "root" }, "responder");
  expect([state.logins.get(id(20))?.standing, partnersOf(state)]).toEqual(["responder", []]);
  untag(account);
  tag({ source: "198.51.100.0/24" }, "responder");
  tag({ login: id(20) }, "responder");
  expect(partnersOf(state)).toEqual(["198.51.100.7", "203.0.113.9"]);
  tag({ login: id(20) }, "known-good");
  expect(partnersOf(state)).toEqual(["198.51.100.7"]);
});

test("a finding brings back what a rule hides, with what it starts; who it is stays let in, and a newer tag hides again", () => {
  const { state, tag, start, standing, play } = host();
  tag({ source: "198.51.100.0/24" }, "responder");
  start(12, 11, "/usr/bin/id");
  const finding = {
    id: "f1",
    rule: "r",
    title: "t",
    level: "high" as const,
    technique: [],
    entities: [id(21), id(11)],
    exposes: [id(10), id(11)],
  };
  play({ event: { action: "finding.create" }, stakeout: { sensor: "console", tier: "analysis", finding } });
  start(13, 11, "/usr/bin/id");
  expect([standing(11), standing(12), standing(13), state.logins.get(id(10))?.standing]).toEqual([
    "suspect",
    "suspect",
    "suspect",
    "suspect",
  ]);
  expect(partnersOf(state)).toEqual(["198.51.100.7"]);
  expect(effectOf(state, { login: id(10) }, "responder")).toMatchObject({ logins: 1, processes: 4 });
  tag({ login: id(10) }, "responder");
  expect([standing(11), standing(13)]).toEqual(["responder", "responder"]);
});

test("a pid that is given again is not under the tag of who had it before", () => {
  const { state, play, start, tag } = host();
  tag({ process: id(21) }, "responder");
  play({ event: { action: "process.end" }, process: { entity_id: id(21), pid: 21 } });
  start(21, 20, "/bin/sh", { entity_id: "B:21:999" });
  expect([state.processes.get(id(21))?.standing, state.processes.get("B:21:999")?.standing]).toEqual(["responder", "unknown"]);
  expect(state.pids.get(21)).toBe("B:21:999");
});

test("a login whose sshd is gone is tagged with what it left, also when that is all there is of it", () => {
  const { state, play, tag, start } = host();
  const leader = { entity_id: id(70), entry_meta: { type: "sshd" as const } };
  play({
    event: { action: "login.start", outcome: "success" },
    process: { entity_id: id(70), entry_leader: leader },
    user: { id: "0" },
    source: { ip: "192.0.2.1" },
  });
  start(71, 69, "/bin/bash", { entry_leader: leader });
  expect(state.processes.has(id(70))).toBe(false);
  expect(effectOf(state, { login: id(70) }, "responder")).toMatchObject({ logins: 1, processes: 1 });
  const made = tag({ login: id(70) }, "responder");
  expect([state.logins.get(id(70))?.standing, state.processes.get(id(71))?.standing]).toEqual(["responder", "responder"]);
  start(72, 71, "/usr/bin/id", { entry_leader: leader });
  expect(state.processes.get(id(72))?.standing).toBe("responder");
  tag({ source: "192.0.2.0/24" }, "suspect");
  play({
    event: { action: "tag.remove" },
    stakeout: { sensor: "c", tier: "x", tag: { id: made, verdict: "responder", selector: {}, reason: "" } },
  });
  expect([state.logins.get(id(70))?.standing, state.processes.get(id(71))?.standing]).toEqual(["suspect", "suspect"]);
});
