import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { processesIn } from "#range/network";
import { type Range, startRange } from "#range/range";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

/** What /bin/sh is on a host without perl. */
const SYSTEMS = ["busybox", "dash", "bash"] as const;
const TIER = "tracefs+shell";

/** State and parent of a process; undefined where it is gone. */
function processOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [state = "", parent] = (readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1) ?? "").split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

describe.skipIf(rangeAvailable() !== undefined).each(SYSTEMS)("the kernel's own events without perl, by the shell of %s", (system) => {
  let range: Range;
  let runner: SshRunner;
  let seen: Watched;
  const onHost = async (script: string, ...args: string[]) => {
    const ran = await range.onHost(["sh", "-c", script, "sh", ...args]);
    expect(ran.stderr).toBe("");
    return ran.stdout.trim();
  };
  /** What a login runs; its last line is told. */
  const load = async (script: string) => (await runLoad(runner, script)).stdout.toString().trim();
  /** Trace instances of this host's shells; others on the machine have the same pid namespace. */
  const instances = async () => {
    const here = new Set(processesIn([range.netns.host]));
    const names = (await onHost("ls /sys/kernel/tracing/instances")).split("\n").filter((name) => name.startsWith("stakeout.4026531836."));
    return names.filter((name) => made.has(name) || here.has(Number(name.split(".")[2])));
  };
  /** Of instances that were seen: their maker may be gone. */
  const made = new Set<string>();
  const instance = async () => {
    const [name] = await until(async () => {
      const all = await instances();
      return all.length > 0 && all;
    }, "a trace instance");
    made.add(name as string);
    return name as string;
  };
  /** The four shells of the trace: the first, the reader, the ticker, the worker. */
  const shells = async () => {
    const first = Number((await instance()).split(".")[2]);
    const children = (of: number) =>
      processesIn([range.netns.host]).filter(
        (pid) => processOf(pid)?.parent === of && readFileSync(`/proc/${pid}/comm`, "latin1").trim() !== "sleep",
      );
    const all = await until(() => {
      const [reader] = children(first).filter((pid) => children(pid).length > 0);
      const worker = children(first).find((pid) => pid !== reader);
      const ticker = reader === undefined ? undefined : children(reader)[0];
      return worker !== undefined && reader !== undefined && ticker !== undefined && { first, reader, ticker, worker };
    }, "its four shells");
    return all;
  };
  const left = () => {
    const ours = processesIn([range.netns.host]).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("IFS= read -r $w l;do");
      } catch {
        return false;
      }
    });
    return ours.filter((pid) => !["Z", undefined].includes(processOf(pid)?.state));
  };
  const gone = async (what: string, seconds = 30) => {
    const from = performance.now();
    await until(async () => (await instances()).length === 0, `no trace instance after ${what}`, seconds);
    const milliseconds = performance.now() - from;
    console.log(`${system}: no instance ${Math.round(milliseconds)} ms after ${what}`);
    return milliseconds;
  };

  beforeAll(async () => {
    range = await startRange({ system: system === "busybox" ? "busybox" : "debian", pidNamespace: false });
    if (system !== "busybox") await onHost("mv /usr/bin/perl /usr/bin/perl.away");
    if (system === "bash") await onHost("ln -sf bash /bin/sh");
    runner = sshRunner(range);
    seen = await watch(runner);
  });
  afterAll(async () => {
    await seen?.collector.stop();
    await range?.stop();
  });

  test("says what it sees and what not", async () => {
    const { hello } = seen.collector;
    expect(hello).toMatchObject({ tier: TIER, pids: "init", uid: 0 });
    expect(hello.kernelBufferBytes).toBeGreaterThan(1e6);
    expect(hello.blind[0]).toMatch(/^no perl: the kernel tells a shell of every program, but its arguments/);
    expect(hello.blind.join()).not.toMatch(/what is shorter is missed|signals/);
    expect(hello.blind.join()).toMatch(/UDP and raw sockets are looked at/);
    // a console in a container takes away what nobody has open
    expect((await range.onHost(["rmdir", `/sys/kernel/tracing/instances/${await instance()}`])).code).not.toBe(0);
    expect(await instances()).toHaveLength(1);
  });

  test("every program of a millisecond is seen, with its parent, behind double forks too", async () => {
    const script = "i=0; while [ $i -lt 150 ]; do /bin/true p$i; (/bin/true d$i &); i=$((i+1)); done; wait; echo $$";
    const shell = Number((await load(script)).split("\n").at(-1));
    const parent = (pid: number) => seen.of("fork").findLast((o) => o.pid === pid)?.parent ?? 0;
    const below = (steps: number) =>
      seen.of("exec").filter(({ path, pid }) => {
        let at = pid;
        for (let i = 0; i < steps; i++) at = parent(at);
        return path === "/bin/true" && at === shell;
      });
    await until(
      () => below(1).length >= 150 && below(2).length >= 150,
      () => `${below(1).length} and ${below(2).length} of 150`,
    );
    expect([below(1).length, below(2).length]).toEqual([150, 150]);
    for (const { pid, ts } of below(1)) await seen.see("exit", (o) => o.pid === pid && o.ts >= ts);
    // what nobody had the time to read is named
    for (const { facts } of below(2)) expect(facts.args !== undefined || facts.unseen?.["args"] === "raced").toBe(true);
    expect(seen.of("tick").at(-1)).toMatchObject({ lost: 0, undecodable: 0 });
  });

  test("a program that lives two seconds has all that the poll reads, and is told once", async () => {
    const pid = Number((await load("sleep 2.02 & echo $!; wait")).split("\n").at(-1));
    await seen.see("exit", (o) => o.pid === pid);
    const execs = seen.of("exec").filter((o) => o.pid === pid);
    expect(execs).toHaveLength(1);
    expect(execs[0]?.facts).toMatchObject({
      args: ["sleep", "2.02"],
      uid: 0,
      comm: "sleep",
      executable: expect.stringMatching(/busybox$|sleep$/),
    });
    const [fork] = seen.of("fork").filter((o) => o.pid === pid);
    expect(seen.of("fork").filter((o) => o.pid === pid)).toHaveLength(1);
    expect(seen.of("exit").filter((o) => o.pid === pid)).toHaveLength(1);
    expect((seen.of("exit").find((o) => o.pid === pid)?.ts ?? 0) - (fork?.ts ?? 0)).toBeGreaterThan(2e9);
  });

  test("what runs in the place of another is seen with its name, however old that was", async () => {
    const pid = Number((await load("sh -c 'sleep 1.1; exec sleep 1.03' & echo $!; wait")).split("\n").at(-1));
    await seen.see("exit", (o) => o.pid === pid);
    const last = seen.of("exec").filter((o) => o.pid === pid);
    expect(last.at(-1)?.facts.args).toEqual(["sleep", "1.03"]);
    expect(last.filter((o) => o.facts.args?.[1] === "1.03")).toHaveLength(1);
  });

  test("what runs in the place of an older process has its arguments: the poll is asked to look", async () => {
    const script = `sh -c 'read -r go </proc/self/fd/0; exec sleep 3.07' </tmp/go-${system} & echo $!; sleep 6; echo >/tmp/go-${system}; sleep 2`;
    await load(`mkfifo /tmp/go-${system}`);
    const pid = Number((await load(script.replace("</tmp/go", "<>/tmp/go"))).split("\n")[0]);
    await seen.see("exit", (o) => o.pid === pid);
    const last = seen
      .of("exec")
      .filter((o) => o.pid === pid)
      .at(-1);
    expect(last?.facts.args).toEqual(["sleep", "3.07"]);
  });

  test("connections of a millisecond have their process", async () => {
    const script = "i=0; while [ $i -lt 40 ]; do busybox nc 127.0.0.1 8080 </dev/null >/dev/null; i=$((i+1)); done; echo $$";
    const shell = Number((await load(script)).split("\n").at(-1));
    const mine = () => {
      const children = new Set(seen.of("fork").flatMap(({ parent, pid }) => (parent === shell ? [pid] : [])));
      return seen.of("socket").filter((o) => o.to === "SYN_SENT" && o.remote.port === 8080 && children.has(o.pid ?? 0));
    };
    await until(
      () => mine().length >= 40,
      () => `${mine().length} of 40`,
    );
    expect(mine()).toHaveLength(40);
    for (const { sk } of mine()) await seen.see("socket", (o) => o.sk === sk && o.to === "CLOSE");
  });

  test("what listens is told once, with its process", async () => {
    const port = 20_000 + (process.pid % 20_000); // the kernel tells of other hosts on this machine, too
    const pid = Number((await load(`busybox nc -l -p ${port} >/dev/null & echo $!; sleep 2; kill $!`)).split("\n")[0]);
    await seen.see("exit", (o) => o.pid === pid);
    const all = seen.of("socket").filter((o) => o.local.port === port);
    expect(all.filter((o) => o.to === "LISTEN").map((o) => o.pid)).toEqual([pid]);
    await seen.see("socket", (o) => o.local.port === port && o.from === "LISTEN");
    expect(seen.of("socket").filter((o) => o.local.port === port && o.from === "LISTEN")).toHaveLength(1);
  });

  test("a name with a newline forges nothing", async () => {
    const name = "/tmp/a\nR\t99999999999\nX\t1\t1\nSTAKEOUT     10\nZ\ttampered\tno";
    await onHost(`cp "$(readlink -f /bin/sleep)" "$1"`, name);
    await onHost(`ln -s "$(readlink -f /bin/true)" "$1"x || exit 0`, name);
    await onHost(`"$1"x; exit 0`, name).catch(() => {}); // busybox does not know itself by that name, and says so
    const ran = await seen.see("exec", (o) => o.path === `${name}x`);
    await seen.see("exit", (o) => o.pid === ran.pid);
    expect(seen.of("tier")).toEqual([]);
    expect(seen.of("exit").filter((o) => o.pid === 1)).toEqual([]);
    expect(seen.of("tick").at(-1)).toMatchObject({ undecodable: 0 });
  });

  test("what our own shells start is nobody's activity, and what they are made to run is", async () => {
    const { first, reader, ticker, worker } = await shells();
    await seen.see("canary");
    const { self } = seen.collector.hello;
    const ours = new Set([first, reader, ticker, worker, self]);
    for (const { pid, facts } of seen.of("process")) if (ours.has(facts.ppid ?? 0)) ours.add(pid);
    const children = seen.of("fork").filter(({ parent }) => ours.has(parent));
    expect(children.filter(({ pid }) => !ours.has(pid) && processOf(pid) === undefined)).toEqual([]);
    const canary = seen.of("canary").at(-1);
    await seen.see("exec", (o) => o.pid === canary?.id);
  });

  test("events that the kernel had no room for are counted, and the trace goes on", async () => {
    const noisy = `/sys/kernel/tracing/instances/${await instance()}/events/raw_syscalls/enable`;
    await onHost(
      `echo 1 >${noisy}; i=0; while [ $i -lt 4 ]; do dd if=/dev/zero of=/dev/null bs=1 count=400000 2>/dev/null; i=$((i+1)); done; echo 0 >${noisy}`,
    );
    await seen.see("tick", (o) => o.lost > 0);
    const pid = Number((await load("/bin/true; sleep 1.5 & echo $!; wait")).split("\n").at(-1));
    await seen.see("exit", (o) => o.pid === pid);
    expect(seen.of("tier")).toEqual([]);
  });

  test("whoever switches it off is told of, the poll sees meanwhile, and it is set up again", async () => {
    const d = `/sys/kernel/tracing/instances/${await instance()}`;
    await onHost(`echo 0 >${d}/tracing_on`);
    const fell = await seen.see("tier");
    expect(fell).toMatchObject({
      tier: "poll",
      how: "tampered",
      reason: expect.stringMatching(/changed tracing_on of our tracing: it was 1, it is 0/),
    });
    expect(fell.blind[0]).toMatch(/^no perl: a shell looks/);
    const pid = Number((await load("sleep 2.5 & echo $!; wait")).split("\n").at(-1));
    const polled = await seen.see("exec", (o) => o.pid === pid && o.path.length > 0);
    expect(polled.facts.args).toEqual(["sleep", "2.5"]);
    const again = await seen.see("tier", (o) => o.how === "recovered");
    expect(again).toMatchObject({ tier: TIER });
    const shell = Number((await load("/bin/true again; /bin/true again; echo $$")).split("\n").at(-1));
    await seen.see("exit", (o) => o.pid === shell);
    const children = new Set(seen.of("fork").flatMap(({ parent, pid: child }) => (parent === shell ? [child] : [])));
    expect(seen.of("exec").filter((o) => children.has(o.pid) && o.path === "/bin/true")).toHaveLength(2);
    expect(readdirSync("/proc").includes(String(seen.collector.hello.self))).toBe(true);
  });

  test("leaves no instance and no process, however it ends", async () => {
    await instance();
    await seen.collector.stop(); // the tests behind this one begin their own
    expect(await instances()).toEqual([]);
    await until(
      () => left().length === 0,
      () => `no shell of ours: ${left()}`,
    );

    const cut = await watch(runner);
    await instance();
    for (const client of runner.clients) client.kill("SIGKILL");
    expect(await gone("kill -9 of the console's ssh")).toBeLessThan(7000);
    await cut.collector.ended;

    const frozen = await watch(runner);
    await instance();
    for (const client of runner.clients) client.kill("SIGSTOP");
    expect(await gone("the console froze")).toBeLessThan(9000);
    for (const client of runner.clients) client.kill("SIGKILL");
    await frozen.collector.ended;
    await until(
      () => left().length === 0,
      () => `no shell of ours: ${left()}`,
    );
  });

  test.each(["first", "reader", "ticker", "worker"] as const)("is taken away when its %s shell is killed, which is told", async (which) => {
    const one = await watch(runner);
    try {
      expect(one.collector.hello.tier).toBe(TIER);
      const pid = (await shells())[which];
      process.kill(pid, "SIGKILL");
      expect(await gone(`kill -9 of the ${which} shell`)).toBeLessThan(6000);
      expect(await one.see("tier")).toMatchObject({ tier: "poll", how: "degraded" });
    } finally {
      await one.collector.stop();
    }
    await until(
      () => left().length === 0,
      () => `no shell of ours: ${left()}`,
    );
    expect(await instances()).toEqual([]);
  });

  test("what a stopped worker holds is taken away, which is told; what four killed shells left is swept at the next start", async () => {
    const one = await watch(runner);
    try {
      process.kill((await shells()).worker, "SIGSTOP");
      expect(await one.see("tier")).toMatchObject({ tier: "poll", how: "degraded", reason: expect.stringMatching(/^it has not read all/) });
      await gone("the worker was stopped and given up");
      await one.see("tier", ({ how }) => how === "recovered");
      const name = await instance();
      for (const pid of Object.values(await shells())) process.kill(pid, "SIGKILL");
      const swept = await one.see("problem", ({ what }) => what.includes(name));
      expect(swept.what).toBe(`removed the trace instance ${name} that a dead console left`);
      await until(() => one.of("tier").filter(({ how }) => how === "recovered").length === 2, "it is followed again");
    } finally {
      await one.collector.stop();
    }
    await gone("stop");
  });

  test("is taken away when the line is cut", async () => {
    const one = await watch(runner);
    await instance();
    await range.onHost(["ip", "link", "set", "eth0", "down"]);
    expect(await gone("the link went down")).toBeLessThan(9000);
    await range.onHost(["ip", "link", "set", "eth0", "up"]);
    for (const client of runner.clients) client.kill("SIGKILL");
    await one.collector.ended;
    await until(
      () => left().length === 0,
      () => `no shell of ours: ${left()}`,
    );
    seen = await watch(runner);
  });
});

describe.skipIf(rangeAvailable() !== undefined)("where a shell cannot follow the kernel", () => {
  test("in a container it says why, and polls", async () => {
    const range = await startRange({ system: "busybox" });
    try {
      const { collector } = await watch(sshRunner(range));
      expect(collector.hello).toMatchObject({ tier: "poll" });
      expect(collector.hello.blind.at(-1)).toMatch(/^the kernel's own events are not followed: this is a container/);
      await collector.stop();
    } finally {
      await range.stop();
    }
  });

  test("without root, and where it was not chosen, no instance is made", async () => {
    const range = await startRange({ system: "busybox", pidNamespace: false });
    try {
      const plain = await watch(sshRunner(range, range.accounts.plain));
      expect(plain.collector.hello.blind.at(-1)).toMatch(/are not followed: not root/);
      await plain.collector.stop();
      const quiet = await watch(sshRunner(range), "quiet");
      expect(quiet.collector.hello).toMatchObject({ tier: "poll", kernelBufferBytes: 0 });
      expect(quiet.collector.hello.blind.join()).not.toMatch(/not followed/);
      await quiet.collector.stop();
    } finally {
      await range.stop();
    }
  });
});
