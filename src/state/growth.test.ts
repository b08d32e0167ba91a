import { describe, expect, test, vi } from "vitest";
import type { Verdict } from "#model/event";
import { teller, text } from "#testing/events";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";

/** A host that does one thing without end. */
function host() {
  const state = emptyState();
  const tell = teller();
  const play = (draft: Parameters<typeof tell>[0]) => reduce(state, tell(draft));
  const id = (pid: number) => `B:${pid}:1`;
  const fork = (pid: number, parent: number) =>
    play({ event: { action: "process.fork" }, process: { entity_id: id(pid), pid, parent: { entity_id: id(parent) } } });
  const end = (pid: number) => play({ event: { action: "process.end" }, process: { entity_id: id(pid), pid } });
  const login = (pid: number, ip = "10.0.0.5") => {
    const entry_leader = { entity_id: id(pid), entry_meta: { type: "sshd" as const } };
    play({ event: { action: "process.start" }, process: { entity_id: id(pid), pid, executable: text("/usr/sbin/sshd"), entry_leader } });
    play({
      event: { action: "login.start", outcome: "success" },
      process: { entity_id: id(pid), entry_leader },
      user: { id: "0", name: text("root") },
      source: { ip, port: 5000 },
    });
  };
  const leave = (pid: number) => {
    end(pid);
    play({ event: { action: "login.end" }, process: { entity_id: id(pid) } });
  };
  const tag = (name: string, entity: string, verdict: Verdict) =>
    play({
      event: { action: "tag.apply" },
      stakeout: { sensor: "console", tier: "analyst", tag: { id: name, verdict, selector: { process: entity }, reason: "r" } },
    });
  const standing = (pid: number) => state.processes.get(id(pid))?.standing;
  return { state, play, fork, end, login, leave, tag, standing, id };
}

describe("whoever forks himself and ends, without end", () => {
  const HOPS = 20_000;
  /** From pid `first` on, each by the one before. */
  const hop = ({ fork, end }: ReturnType<typeof host>, first: number, hops: number) => {
    for (let pid = first + 1; pid <= first + hops; pid++) {
      fork(pid, pid - 1);
      end(pid - 1);
    }
  };

  test("leaves a short row: what he was is counted, and the one that lives still comes from where he came", () => {
    const here = host();
    here.fork(5, 4);
    here.fork(100, 5);
    hop(here, 100, HOPS);
    const { state, id } = here;
    expect(state.processes.size).toBeLessThan(100);
    let climbed = 0;
    for (let at: string | undefined = id(100 + HOPS); at !== undefined; at = state.processes.get(at)?.parent) climbed += 1;
    expect(climbed).toBe(state.processes.size);
    expect(state.counts.folded).toBe(HOPS + 2 - state.processes.size);
    here.tag("t1", id(5), "intruder");
    expect(here.standing(100 + HOPS)).toBe("intruder");
    here.end(100 + HOPS);
    expect(state.processes.size).toBeLessThan(100);
  });

  test("does so in a login too, and keeps what a tag made of him", () => {
    const here = host();
    here.login(10);
    here.fork(100, 10);
    hop(here, 100, 5000);
    here.tag("t1", here.id(5100), "suspect");
    hop(here, 5100, HOPS);
    expect(here.state.processes.size).toBeLessThan(4000);
    expect(here.standing(5100)).toBe("suspect");
    expect(here.standing(5100 + HOPS)).toBe("suspect");
    expect(here.state.processes.get(here.id(5100 + HOPS))?.login).toBe(here.id(10));
  });

  test("whatever the order in which they end, no more of them stay", () => {
    const here = host();
    here.fork(100, 5);
    for (let pid = 101; pid < 6101; pid++) here.fork(pid, pid - 1);
    for (let pid = 101; pid < 6100; pid += 2) here.end(pid);
    for (let pid = 6098; pid >= 100; pid -= 2) here.end(pid);
    expect(here.state.processes.size).toBeLessThan(300);
  });
});

test("an event of one who nested thousands looks at a bounded number of processes", () => {
  const { state, fork, end } = host();
  for (let pid = 101; pid < 5101; pid++) fork(pid, pid - 1);
  const get = vi.spyOn(state.processes, "get");
  fork(6000, 5100);
  end(6000);
  expect(get.mock.calls.length).toBeLessThan(1000);
  get.mockRestore();
});

describe("connections of a host that has thousands open", () => {
  const OPEN = 5000;
  function busy() {
    const here = host();
    const tell = (action: "network.start" | "network.established" | "network.end", port: number) =>
      here.play({
        event: { action },
        network: { transport: "tcp", direction: "egress" },
        source: { ip: "10.0.0.1", port },
        destination: { ip: "203.0.113.9", port: 443 },
        stakeout: { sensor: "collector", tier: "x", connection: `c${port}` },
      });
    for (let port = 0; port < OPEN; port++) tell("network.established", port);
    const call = (port: number) => {
      tell("network.start", port);
      tell("network.end", port);
    };
    return { ...here, call };
  }

  test("those that ended stay in the picture, the latest thousand of them", () => {
    const { state, call } = busy();
    for (let port = OPEN; port < OPEN + 3000; port++) call(port);
    const ended = [...state.connections.values()].filter(({ phase }) => phase === "ended").map(({ id }) => id);
    expect(ended.length).toBeGreaterThan(850);
    expect(ended.length).toBeLessThanOrEqual(1000);
    expect(ended.at(-1)).toBe(`c${OPEN + 2999}`);
    expect(state.connections.size).toBe(OPEN + ended.length);
  });

  test("an end looks at none of those that are open", () => {
    const { state, call } = busy();
    for (let port = OPEN; port < OPEN + 2000; port++) call(port);
    const get = vi.spyOn(state.connections, "values");
    call(OPEN + 2000);
    expect(get).not.toHaveBeenCalled();
    get.mockRestore();
  });
});

describe("files that come and go without end", () => {
  const file = (
    { play, id }: ReturnType<typeof host>,
    action: "file.creation" | "file.change" | "file.deletion",
    path: string,
    pid: number,
  ) =>
    play({
      event: { action },
      file: { path: text(path) },
      process: { entity_id: id(pid) },
      stakeout: { sensor: "collector", tier: "x", binary: { origin: "folder" } },
    });
  const run = ({ play, id }: ReturnType<typeof host>, path: string, pid: number) =>
    play({
      event: { action: "process.start" },
      process: { entity_id: id(pid), pid, executable: text(path), parent: { entity_id: id(5) } },
      stakeout: { sensor: "collector", tier: "x", binary: { origin: "exec" } },
    });
  function flooded() {
    const here = host();
    here.fork(5, 4);
    here.fork(6, 4);
    run(here, "/tmp/ran", 7);
    file(here, "file.creation", "/tmp/waits", 6);
    file(here, "file.change", "/tmp/first", 5);
    for (let i = 0; i < 60_000; i++) {
      file(here, "file.creation", `/tmp/${i}`, 5);
      file(here, "file.deletion", `/tmp/${i}`, 5);
    }
    return here;
  }

  test("fill no memory: those that matter stay, and how many went is known", () => {
    const { state } = flooded();
    expect(state.binaries.size).toBeLessThanOrEqual(20_000);
    for (const path of ["/tmp/ran", "/tmp/waits", "/tmp/59999"]) expect(state.binaries.has(path), path).toBe(true);
    expect(state.counts.let_go + state.binaries.size).toBe(60_003);
    expect(state.binaries.get("/tmp/59999")?.number).toBe(60_003);
  });

  test("put out of sight nothing that was let go, when it is run: who wrote it is not known any more", () => {
    const here = flooded();
    for (let i = 0; i < 30_000; i++) file(here, "file.creation", `/tmp/stays-${i}`, 5);
    expect(here.state.binaries.has("/tmp/waits")).toBe(false);
    here.tag("t1", here.id(5), "responder");
    run(here, "/tmp/waits", 8);
    expect(here.state.binaries.get("/tmp/waits")).toMatchObject({ standing: "unknown", unseenHand: true });
    file(here, "file.creation", "/tmp/new", 5);
    expect(here.state.binaries.get("/tmp/new")?.standing).toBe("responder");
  });
});

test("a rule that finds something without end keeps nothing that another finds from being known", () => {
  const { state, play, fork, tag, standing, id } = host();
  fork(5, 4);
  fork(6, 4);
  tag("t1", id(5), "responder");
  const find = (name: string, rule: string, exposes: string[] = []) =>
    play({
      event: { action: "finding.create", kind: "alert" },
      stakeout: {
        sensor: "analysis",
        tier: "trust",
        finding: {
          id: name,
          rule,
          title: "t",
          level: "high",
          technique: [],
          entities: [id(6), ...exposes],
          ...(exposes[0] ? { exposes } : {}),
        },
      },
    });
  find("early", "rare");
  for (let i = 0; i < 12_000; i++) find(`p${i}`, "flood");
  expect(state.findings.size).toBeLessThanOrEqual(5000);
  expect(state.counts.findings).toBe(12_001);
  find("late", "entered", [id(5)]);
  expect(standing(5)).toBe("suspect");
  for (let i = 0; i < 12_000; i++) find(`q${i}`, "flood");
  expect(["early", "late", "q11999"].filter((name) => !state.findings.has(name))).toEqual([]);
  expect(standing(5)).toBe("suspect");
});

describe("a server that logs in without end", () => {
  function watched() {
    const here = host();
    const { state, login, leave, fork, end, play, tag, id } = here;
    const visit = (pid: number, ip?: string) => {
      login(pid, ip);
      fork(pid + 1, pid);
      end(pid + 1);
      leave(pid);
    };
    visit(10, "203.0.113.66"); // somebody who comes once
    visit(20);
    tag("t1", id(21), "suspect");
    login(30);
    fork(31, 30);
    leave(30); // and leaves 31 behind
    visit(40);
    play({
      event: { action: "finding.create", kind: "alert" },
      stakeout: {
        sensor: "analysis",
        tier: "trust",
        finding: { id: "f1", rule: "r", title: "t", level: "low", technique: [], entities: [id(41)] },
      },
    });
    for (let i = 0; i < 20_000; i++) visit(100 + 2 * i);
    return { state, id };
  }

  test("fills no memory, and puts nobody out of the picture who matters", () => {
    const { state, id } = watched();
    expect(state.logins.size).toBeLessThan(5000);
    expect(state.processes.size).toBeLessThan(12_000);
    expect([10, 20, 30, 40].filter((pid) => !state.logins.has(id(pid)))).toEqual([]);
    expect(state.logins.get(id(100 + 2 * 19_999))?.number).toBe(20_004);
    expect(state.logins.has(id(100))).toBe(false);
  });

  test("leaves no process in the picture whose login is gone from it", () => {
    const { state } = watched();
    const lost = [...state.processes.values()].filter(({ login }) => login !== undefined && !state.logins.has(login));
    expect(lost).toEqual([]);
    expect(state.counts.folded).toBe(2 * (20_004 - state.logins.size));
  });
});
