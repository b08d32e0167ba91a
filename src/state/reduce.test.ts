import fc from "fast-check";
import { expect, test } from "vitest";
import { text } from "#testing/events";
import { binaryFlag } from "./flags.ts";
import { hiddenCounts, toPlain } from "./selectors.ts";
import { night } from "./testing/night.ts";

test("what runs below a login belongs to it, also after its parents have ended", () => {
  const { state, start, end } = night();
  start(12, 11, "/bin/sh");
  start(13, 12, "/tmp/xq7");
  end(12);
  end(11);
  start(14, 13, "/bin/id", {});
  expect(state.processes.get("B:14:1")?.login).toBe("B:10:1");
  expect(state.logins.get("B:10:1")).toMatchObject({ user: { name: "root" }, ttys: ["136:0"], processes: 5 });
  expect(state.pids.has(12)).toBe(false);
});

test("a tag hides the subtree, its connections and files, for the past and for what comes, and its undo shows them again", () => {
  const { state, play, start, tag, untag } = night();
  start(12, 11, "/tmp/xq7");
  const connect = (pid: number, id: string) =>
    play({
      event: { action: "network.start" },
      source: { ip: "10.0.0.1" },
      destination: { ip: "198.51.100.1", port: 443 },
      process: { entity_id: `B:${pid}:1` },
      stakeout: { sensor: "collector", tier: "x", connection: id },
    });
  connect(12, "c1");
  expect(hiddenCounts(state)).toEqual({ logins: 0, processes: 0, connections: 0, binaries: 0 });
  tag("t1", "B:10:1", "responder");
  start(13, 12, "/bin/ls");
  connect(13, "c2");
  expect(hiddenCounts(state)).toEqual({ logins: 1, processes: 4, connections: 2, binaries: 1 });
  untag("t1");
  expect(hiddenCounts(state)).toEqual({ logins: 0, processes: 0, connections: 0, binaries: 0 });
});

test("a process whose parent nobody saw hangs at its login, and is tagged with it", () => {
  const { state, start, tag } = night();
  start(12, 77, "/bin/ls");
  tag("t1", "B:10:1", "responder");
  expect(state.processes.get("B:12:1")).toMatchObject({ parent: "B:10:1", login: "B:10:1", standing: "responder" });
});

test("a nearer tag counts more: an intruder's subtree in a responder's login stays in sight", () => {
  const { state, start, tag } = night();
  start(12, 11, "/bin/ls");
  start(13, 11, "/tmp/evil");
  tag("t1", "B:10:1", "responder");
  tag("t2", "B:13:1", "intruder");
  expect(state.processes.get("B:12:1")?.standing).toBe("responder");
  expect(state.processes.get("B:13:1")?.standing).toBe("intruder");
  expect(state.binaries.get(text("/tmp/evil"))?.standing).toBe("intruder");
});

test("a file that both a responder and somebody unknown ran is not hidden", () => {
  const { state, start, tag } = night();
  start(12, 11, "/tmp/tool");
  start(200, 1, "/tmp/tool");
  tag("t1", "B:10:1", "responder");
  expect(state.binaries.get(text("/tmp/tool"))).toMatchObject({ standing: "unknown", runs: 2 });
});

test("an intruder's run after many of a responder's is not hidden among them", () => {
  const { state, start, tag } = night();
  for (let pid = 1000; pid < 1032; pid++) start(pid, 11, "/tmp/tool");
  tag("t1", "B:10:1", "responder");
  expect(state.binaries.get(text("/tmp/tool"))?.standing).toBe("responder");
  start(2000, 1, "/tmp/tool");
  expect(state.binaries.get(text("/tmp/tool"))?.standing).toBe("unknown");
});

test("a file that somebody else wrote to, seen or not, is not hidden with the responder who made it", () => {
  const { state, play, start, tag } = night();
  start(12, 11, "/bin/cp");
  start(200, 1, "/bin/sh");
  const write = (action: "file.creation" | "file.change", path: string, pid?: number) =>
    play({
      event: { action },
      file: { path: text(path) },
      ...(pid === undefined ? {} : { process: { entity_id: `B:${pid}:1` } }),
      stakeout: { sensor: "collector", tier: "x" },
    });
  for (const path of ["/tmp/ours", "/tmp/theirs", "/tmp/nobody"]) write("file.creation", path, 12);
  write("file.change", "/tmp/theirs", 200);
  write("file.change", "/tmp/nobody");
  tag("t1", "B:10:1", "responder");
  const standing = (path: string) => state.binaries.get(text(path))?.standing;
  expect([standing("/tmp/ours"), standing("/tmp/theirs"), standing("/tmp/nobody")]).toEqual(["responder", "unknown", "unknown"]);
});

test("owner and time of a new file are kept where they are what such can be", () => {
  const { state, play } = night();
  const info = (facts: object) =>
    play({ event: { action: "file.info" }, file: { path: text("/tmp/x"), ...facts }, stakeout: { sensor: "collector", tier: "x" } });
  info({ uid: "1000", mtime: "2001-02-03T04:05:06.000Z" });
  expect(state.binaries.get(text("/tmp/x"))).toMatchObject({ uid: 1000, modified: Date.UTC(2001, 1, 3, 4, 5, 6) });
  info({ uid: "-1", mtime: "never" });
  info({ uid: 7, mtime: {} } as object);
  expect(state.binaries.get(text("/tmp/x"))).toMatchObject({ uid: 1000, modified: Date.UTC(2001, 1, 3, 4, 5, 6) });
});

test("a program in memory alone stays in sight under a tag that hides, and is called what it is", () => {
  const { state, play, start, tag } = night();
  start(10, 1, "/usr/sbin/sshd");
  start(11, 10, "/bin/bash");
  tag("t1", "B:11:1", "responder");
  start(12, 11, "/usr/bin/id");
  expect(state.processes.get("B:12:1")?.standing).toBe("responder");
  play({
    event: { action: "process.start" },
    process: { entity_id: "B:12:1", pid: 12, executable: text("/memfd:kworker"), args: [text("kworker/0:1")] },
    stakeout: { sensor: "collector", tier: "x", binary: { origin: "exec" } },
  });
  expect(state.processes.get("B:12:1")?.standing).toBe("unknown");
  const binary = state.binaries.get(text("/memfd:kworker"));
  expect(binary && binaryFlag(binary)).toBe("it ran from memory alone");
});

test("a script counts as run by what interprets it, is judged by who ran it, and what speaks against it keeps its runner in sight", () => {
  const { state, play, start, tag } = night();
  const script = text("/dev/shm/x.py");
  const run = (pid: number, told: object) => {
    start(pid, 11, "/usr/bin/python3");
    play({
      event: { action: "process.start" },
      process: { entity_id: `B:${pid}:1`, pid, executable: text("/usr/bin/python3"), args: [text("python3"), script] },
      stakeout: { sensor: "collector", tier: "x", ...told },
    });
  };
  start(10, 1, "/usr/sbin/sshd");
  start(11, 10, "/bin/bash");
  run(12, { script: { path: script } });
  expect(state.binaries.get(script)).toMatchObject({ runs: 1, runners: ["B:12:1"], deleted: false });
  expect([...state.binaries.keys()]).toEqual([script]); // the interpreter is no new binary
  tag("t1", "B:11:1", "responder");
  expect(state.binaries.get(script)?.standing).toBe("responder");
  expect(state.processes.get("B:12:1")?.standing).toBe("responder");
  // deleted while it is interpreted, as a program that is deleted while it runs
  play({ event: { action: "file.deletion" }, file: { path: script }, stakeout: { sensor: "collector", tier: "x" } });
  expect(state.binaries.get(script)).toMatchObject({ deleted: true, unlinked: true });
  expect(state.processes.get("B:12:1")?.standing).toBe("unknown");
  // the next program in its place interprets nothing
  play({
    event: { action: "process.start" },
    process: { entity_id: "B:12:1", pid: 12, executable: text("/usr/bin/id"), args: [text("id")] },
    stakeout: { sensor: "collector", tier: "x" },
  });
  expect(state.processes.get("B:12:1")).toMatchObject({ script: undefined, standing: "responder" });
  expect(state.binaries.get(script)?.runs).toBe(1);
});

test("a file that never had a name is no new binary until somebody may run it; then it is, with who wrote it", () => {
  const { state, play, start } = night();
  start(200, 1, "/usr/sbin/cron");
  start(12, 21, "/usr/bin/python3");
  const write = (path: string, pid: number, nameless: "plain" | "executable") =>
    play({
      event: { action: "file.change" },
      file: { path: text(path) },
      process: { entity_id: `B:${pid}:1` },
      stakeout: { sensor: "collector", tier: "x", binary: { origin: "folder", nameless } },
    });
  for (let i = 0; i < 1000; i++) write(`/tmp/#${i}`, 200, "plain");
  write("/tmp/#7007", 12, "plain");
  expect([...state.binaries.keys()]).toEqual([]);
  expect(state.counts.files).toBe(1001);
  expect(state.nameless.size).toBeLessThan(300);
  write("/tmp/#7008", 12, "executable");
  expect(state.binaries.get(text("/tmp/#7008"))).toMatchObject({ nameless: true, deleted: true, runs: 0 });
  start(13, 21, "/tmp/#7007");
  expect(state.binaries.get(text("/tmp/#7007"))).toMatchObject({
    nameless: true,
    deleted: true,
    runs: 1,
    writers: ["B:12:1"],
    writer: "B:12:1",
  });
  expect(state.nameless.has(text("/tmp/#7007"))).toBe(false);
  // the number comes again for another file, which an account gave that name
  play({ event: { action: "file.creation" }, file: { path: text("/tmp/#7007") }, stakeout: { sensor: "collector", tier: "x" } });
  expect(state.binaries.get(text("/tmp/#7007"))).toMatchObject({ deleted: false });
  expect(state.binaries.get(text("/tmp/#7007"))?.nameless).toBeUndefined();
});

test("exited leaves of no login fold into counts; those of a login, and those that matter, stay", () => {
  const { state, start, end } = night();
  start(200, 1, "/usr/sbin/cron");
  start(201, 200, "/bin/sh", { name: text("sh") });
  start(202, 201, "/usr/bin/logrotate", { name: text("logrotate") });
  end(202);
  end(201);
  start(203, 200, "/tmp/beacon");
  end(203);
  expect(state.processes.has("B:201:1")).toBe(false);
  expect(state.processes.get("B:200:1")?.folded).toEqual({ sh: 1, logrotate: 1 });
  expect(state.processes.has("B:203:1")).toBe(true);
  start(12, 11, "/bin/id");
  end(12);
  expect(state.processes.has("B:12:1")).toBe(true);
});

test("of a login that runs programs without end the first and the latest stay, the others are counted", () => {
  const { state, start, end, tag } = night();
  const ran = 25_000;
  for (let pid = 1000; pid < 1000 + ran; pid++) {
    start(pid, 11, "/bin/id", { name: text("id") });
    end(pid);
    if (pid === 3000) tag("t1", "B:3000:1", "suspect");
  }
  const left = [...state.processes.values()].filter(({ name }) => name === "id").length;
  expect(left).toBeLessThan(12_000);
  expect(left + (state.processes.get("B:11:1")?.folded?.["id"] ?? 0)).toBe(ran);
  for (const pid of [1000, 1500, 3000, 999 + ran]) expect(state.processes.has(`B:${pid}:1`), String(pid)).toBe(true);
  expect(state.processes.has("B:9000:1")).toBe(false);
  expect(state.logins.get("B:10:1")?.ended.latest.length).toBeLessThan(10_001);
});

test("what ended before something below it folds away with the last of that", () => {
  const { state, start, end } = night();
  start(500, 11, "/bin/sh", { name: text("sh") });
  start(501, 500, "/bin/sleep", { name: text("sleep") });
  for (let pid = 1000; pid < 2000; pid++) {
    start(pid, 11, "/bin/id");
    end(pid);
  }
  end(500);
  for (let pid = 2000; pid < 13_000; pid++) {
    start(pid, 11, "/bin/id");
    end(pid);
  }
  expect(state.processes.has("B:500:1")).toBe(true);
  end(501);
  for (let pid = 13_000; pid < 24_000; pid++) {
    start(pid, 11, "/bin/id");
    end(pid);
  }
  expect([state.processes.has("B:500:1"), state.processes.has("B:501:1")]).toEqual([false, false]);
  expect(state.processes.get("B:11:1")?.folded).toMatchObject({ sh: 1, sleep: 1 });
});

test("isolated is what the last response that succeeded says", () => {
  const { state, play } = night();
  const response = (action: "response.succeeded" | "response.failed", kind: "isolate" | "release") =>
    play({
      event: { action },
      stakeout: { sensor: "console", tier: "analyst", response: { id: `${action}${kind}`, kind, verified: { access: true, cut: true } } },
    });
  response("response.failed", "isolate");
  expect(state.isolated).toBeUndefined();
  response("response.succeeded", "isolate");
  expect(state.isolated?.verified).toEqual({ access: true, cut: true });
  response("response.failed", "release");
  expect(state.isolated).toBeDefined();
  response("response.succeeded", "release");
  expect(state.isolated).toBeUndefined();
});

test("the same events give the same state, and no event can break it", () => {
  const pid = fc.integer({ min: 1, max: 12 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("start"), pid, parent: pid }),
    fc.record({ kind: fc.constant("end"), pid, parent: pid }),
    fc.record({ kind: fc.constant("tag"), pid, parent: pid }),
    fc.record({ kind: fc.constant("untag"), pid, parent: pid }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const run = () => {
        const { state, start, end, tag, untag } = night();
        for (const { kind, pid, parent } of steps) {
          if (kind === "start") start(pid, parent, pid % 3 ? "/bin/x" : "/tmp/y");
          else if (kind === "end") end(pid);
          else if (kind === "tag") tag(`t${pid}`, `B:${pid}:1`, pid % 2 ? "responder" : "intruder");
          else untag(`t${pid}`);
        }
        return state;
      };
      const state = run();
      expect(toPlain(run())).toEqual(toPlain(state));
      // Whoever is tagged at all has the verdict of the nearest tag above; nobody else has one.
      for (const process of state.processes.values()) {
        let at: typeof process | undefined = process;
        let verdict: string | undefined;
        for (let depth = 0; at && verdict === undefined && depth < 50; depth++) {
          const id: string = at.id;
          verdict = [...state.tags.values()]
            .filter((t) => t.removed === undefined && "process" in t.selector && t.selector.process === id)
            .at(-1)?.verdict;
          at = at.parent === undefined ? undefined : state.processes.get(at.parent);
        }
        expect(process.standing).toBe(verdict ?? "unknown");
      }
    }),
    { numRuns: 200 },
  );
});

test("what ended and has no parent in the picture is counted under the heading that it stood under", () => {
  const { state, start, end } = night();
  const before = state.processes.size;
  for (let pid = 1000; pid < 4000; pid++) {
    start(pid, 99, "/bin/sh", { name: text(pid % 3 ? "sh" : "constructor") });
    end(pid);
  }
  expect(state.processes.size).toBe(before);
  expect({ ...state.folded.unseen }).toEqual({ sh: 2000, constructor: 1000 });
  expect(state.counts.folded).toBe(3000);
});

test("a service that runs programs without end fills no memory either when it is judged or they are new binaries", () => {
  for (const [path, judged] of [
    ["/bin/true", true],
    ["/tmp/check", false],
    ["/tmp/check", true],
  ] as const) {
    const { state, start, end, tag } = night();
    start(200, 1, "/usr/sbin/cron", { name: text("cron") });
    if (judged) tag("t1", "B:200:1", "intruder");
    const ran = 25_000;
    for (let pid = 1000; pid < 1000 + ran; pid++) {
      start(pid, 200, path, { name: text("job") });
      end(pid);
    }
    const left = [...state.processes.values()].filter(({ name }) => name === "job").length;
    expect(left).toBeLessThan(12_000);
    expect(left + (state.processes.get("B:200:1")?.folded?.["job"] ?? 0)).toBe(ran);
    // whose a new binary is is not forgotten
    if (path === "/tmp/check") expect(state.binaries.get(text(path))?.standing).toBe(judged ? "intruder" : "unknown");
    expect(state.processes.has("B:1000:1")).toBe(true);
  }
});
