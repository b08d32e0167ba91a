import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import { Ingest } from "#investigation/ingest";
import type { EventDraft } from "#model/event";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

/** Each prints `name pid` of who ran what, as the program itself knows it. 36 is PR_SET_CHILD_SUBREAPER (prctl(2)), 157 prctl on x86_64. */
const FAMILY = `exec perl -MPOSIX=setsid -e '
  $| = 1;
  sub run { my ($name) = @_; print "$name $$\\n"; exec "/bin/sleep", "0.3", "0.0$name" }
  print "root $$\\n";
  if (!fork) { if (!fork) { run(1) } exit 0 }                                     # double fork: the one between is gone
  if (!fork) { setsid; if (!fork) { run(2) } exit 0 }                             # a daemon
  if (!fork) { print "reaper $$\\n"; syscall 157, 36, 1, 0, 0, 0; if (!fork) { if (!fork) { run(3) } exit 0 } sleep 1; exit 0 }
  1 while wait > 0; sleep 1;
'
`;

describe.skipIf(rangeAvailable() !== undefined)("who started whom, on a real host", () => {
  let range: Range;
  let runner: SshRunner;
  let seen: Watched;
  beforeAll(async () => {
    range = await startRange();
    runner = sshRunner(range);
    seen = await watch(runner);
  });
  afterAll(async () => {
    await seen?.collector.stop();
    await range?.stop();
  });

  /** What the log would say of all that was seen. */
  const drafts = () => {
    const all: EventDraft[] = [];
    const ingest = new Ingest({
      enricher: new Enricher(undefined, undefined),
      emit: (draft) => all.push(structuredClone(draft)),
      askFileInfo: () => {},
      isOurs: () => false,
      onHost: () => {},
    });
    for (const observation of seen.all) ingest.observe(observation);
    return all;
  };

  test.skipIf(process.arch !== "x64")("a double fork, a daemon and a subreaper's grandchild keep the parent that forked them", async () => {
    const said = (await runLoad(runner, FAMILY)).stdout.toString();
    const pids = new Map(said.split("\n").map((line) => line.split(" ") as [string, string]));
    const root = Number(pids.get("root"));
    for (const name of ["1", "2", "3"]) {
      const pid = Number(pids.get(name));
      await seen.see("exec", (o) => o.pid === pid && o.path === "/bin/sleep");
      const chain: number[] = [];
      for (let at = pid; at !== root && chain.length < 10; ) {
        at = seen.of("fork").findLast((o) => o.pid === at)?.parent ?? 0;
        chain.push(at);
      }
      expect(chain).toHaveLength(name === "3" ? 3 : 2);
      expect(chain.at(-1)).toBe(root);
      if (name === "3") expect(chain[0]).not.toBe(Number(pids.get("reaper"))); // who adopts it did not start it
    }
  });

  test("a pid that is used again is another process, with its own parent and its own end", async () => {
    const limit = () => readFileSync("/proc/sys/kernel/pid_max", "utf8");
    const before = limit();
    // Since 6.14 a pid namespace has a limit of its own; where it has none we must not touch the machine's.
    const [major = 0, minor = 0] = readFileSync("/proc/sys/kernel/osrelease", "utf8").split(".").map(Number);
    if (major * 1000 + minor < 6014) return expect(before).toBe(limit());
    const highest = Math.max(...seen.all.flatMap((o) => ("pid" in o && o.pid ? [o.pid] : [])));
    await range.onHost(["sh", "-c", `echo ${Math.max(400, highest + 40)} >/proc/sys/kernel/pid_max`]);
    expect(limit()).toBe(before);
    await runLoad(runner, `exec perl -e 'for (1 .. 900) { my $p = fork; exec "/bin/true", "again" unless $p; waitpid $p, 0 }'\n`);
    const ours = () => seen.of("exec").filter((o) => o.path === "/bin/true" && o.facts.args?.[1] !== "stakeout-canary");
    await until(
      () => ours().length >= 900,
      () => `${ours().length} of 900 programs are seen`,
    );
    await seen.see("exit", (o) => o.pid === ours().at(-1)?.pid && o.ts > (ours().at(-1)?.ts ?? 0));
    expect(new Set(ours().map(({ pid }) => pid)).size).toBeLessThan(900);
    const starts = drafts().filter(({ event, process }) => event.action === "process.start" && process?.executable === "/bin/true");
    expect(new Set(starts.map(({ process }) => process?.entity_id)).size).toBe(starts.length);
    expect(new Set(starts.map(({ process }) => process?.parent?.entity_id)).size).toBe(1);
    const ends = new Set(drafts().flatMap(({ event, process }) => (event.action === "process.end" ? [process?.entity_id] : [])));
    expect(starts.filter(({ process }) => !ends.has(process?.entity_id))).toEqual([]);
  });

  test("UDP, raw and packet sockets are seen with their owner when they stay, and their end is told", async () => {
    const { c2 } = range;
    const script = `exec perl -MSocket -e '
      socket my $u, PF_INET, SOCK_DGRAM, 0; connect $u, sockaddr_in(5353, inet_aton("${c2.address}")) or die $!;
      socket my $b, PF_INET, SOCK_DGRAM, 0; bind $b, sockaddr_in(4444, INADDR_ANY) or die $!;
      socket my $r, PF_INET, SOCK_RAW, 1 or die $!; socket my $p, 17, 3, 0x0300 or die $!;
      $| = 1; print "$$\\n"; <STDIN>'`;
    const running = await runner.open(["/bin/sh", "-c", script]);
    const pid = await new Promise<number>((resolve) => running.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString()))));
    running.stderr.resume();
    const come = (transport: string, port: number) =>
      seen.see(
        "socket-polled",
        (o) => !o.gone && o.transport === transport && o.pid === pid && (o.remote.port === port || o.local.port === port),
      );
    const connected = await come("udp", 5353);
    expect(connected.remote).toEqual({ ip: c2.address, port: 5353 });
    await come("udp", 4444);
    await seen.see("socket-polled", (o) => o.transport === "raw" && o.pid === pid);
    await seen.see("socket-polled", (o) => o.transport === "packet" && o.pid === pid);
    running.stdin.end();
    await running.exit;
    await seen.see("socket-polled", (o) => o.gone && o.inode === connected.inode);
    await seen.see("datagram", (o) => o.pid === pid && o.remote.ip === c2.address && o.remote.port === 5353);
    const told = drafts().filter(({ network }) => network?.transport !== "tcp" && network !== undefined);
    const of = (action: string, transport: string) =>
      told.filter(({ event, network, process }) => event.action === action && network?.transport === transport && process?.pid === pid);
    expect(of("network.established", "udp")).toHaveLength(1);
    expect(of("network.listen", "udp")).toHaveLength(1);
    expect(of("network.listen", "raw")).toHaveLength(1);
    expect(of("network.listen", "packet")).toHaveLength(1);
    expect(of("network.end", "udp").map(({ destination }) => destination)).toContainEqual(
      expect.objectContaining({ ip: c2.address, port: 5353 }),
    );
  });

  test("what is sent by UDP is seen with its sender, however short: connected, not connected, IPv4, IPv6 and mapped", async () => {
    const script = `exec perl -MSocket=:all -e '
      sub to4 { sockaddr_in($_[1], inet_aton($_[0])) } sub to6 { pack_sockaddr_in6($_[1], inet_pton(AF_INET6, $_[0])) }
      print "$$\\n";
      socket my $a, PF_INET, SOCK_DGRAM, 0; connect $a, to4("127.0.0.1", 5401); send $a, "x", 0;
      socket my $b, PF_INET, SOCK_DGRAM, 0; send $b, "x", 0, to4("${range.c2.address}", 5402) for 1 .. 3;
      socket my $c, PF_INET6, SOCK_DGRAM, 0; send $c, "x", 0, to6("::1", 5403);
      socket my $d, PF_INET6, SOCK_DGRAM, 0; send $d, "x", 0, to6("::ffff:127.0.0.1", 5404);'`;
    const pid = Number((await runLoad(runner, script)).stdout.toString());
    const far = (port: number) => seen.see("datagram", (o) => o.pid === pid && o.remote.port === port);
    expect((await far(5401)).remote.ip).toBe("127.0.0.1");
    expect((await far(5402)).remote.ip).toBe(range.c2.address);
    expect((await far(5403)).remote.ip).toBe("::1");
    expect((await far(5404)).remote.ip).toBe("127.0.0.1");
    const ours = () => drafts().filter(({ network, process }) => network?.transport === "udp" && process?.pid === pid);
    const started = () => ours().flatMap(({ event, destination }) => (event.action === "network.start" ? [destination?.port] : []));
    await until(() => started().length === 4, "what it aimed at");
    expect(started()).toEqual([5401, 5402, 5403, 5404]);
    await until(() => ours().filter(({ event }) => event.action === "network.end").length === 4, "their end, once they are silent");
  });
});
