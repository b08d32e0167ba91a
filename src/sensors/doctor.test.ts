import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { examination, examine } from "./doctor.ts";
import { sshRunner } from "./testing/ssh-runner.ts";

const told = (answers: Record<string, string>) =>
  new Map(Object.entries({ uid: "0", fanotify: "yes", inotify: "yes", sha256: "sha256sum", sockets: "yes", tainted: "0", ...answers }));
const ALL = { "tier tracefs+bpf": "", "tier tracefs+kprobe": "", "tier tracefs+proc": "", "tier cn_proc": "", "tier poll": "" };
const takenOf = (found: ReturnType<typeof examination>) => found.tiers.filter((tier) => tier.taken).map(({ id }) => id);

test("the best way that works and was chosen is taken; what was not chosen is offered", () => {
  expect(takenOf(examination(told(ALL), "full"))).toEqual(["tracefs+bpf"]);
  const standard = examination(told(ALL), "standard");
  expect(takenOf(standard)).toEqual(["tracefs+proc"]);
  expect(standard.sights.find(({ what }) => what === "their arguments")).toMatchObject({
    seen: "partly",
    todo: "Choose --collect full: tracefs+bpf works here.",
  });
  expect(takenOf(examination(told(ALL), "quiet"))).toEqual(["cn_proc"]);
  expect(takenOf(examination(told({ ...ALL, "tier tracefs+bpf": "no" }), "full"))).toEqual(["tracefs+kprobe"]);
});

test("auditing is taken where it is asked for by name, is no advice of ours, and is told as it is", () => {
  const answers = { ...ALL, "tier audit": "", auditing: "0 812 3 8192 1" };
  const asked = examination(told(answers), "audit");
  expect(takenOf(asked)).toEqual(["audit"]);
  expect(asked.auditing).toMatchObject({ on: false, daemon: 812, rules: 3, queue: 8192, readers: 1 });
  expect(asked.auditing?.ours).toHaveLength(2);
  expect(asked.sights.filter(({ what }) => /^(programs|their|TCP)/.test(what)).map(({ seen }) => seen)).toEqual(["yes", "yes", "yes"]);
  const untraced = examination(told({ ...answers, "tier tracefs+proc": "no tracefs" }), "audit");
  expect(untraced.sights.filter(({ what }) => /^(programs|their|TCP)/.test(what)).map(({ seen }) => seen)).toEqual([
    "yes",
    "yes",
    "partly",
  ]);
  for (const collect of ["full", "standard", "quiet", "tracefs+kprobe"] as const) {
    const found = examination(told({ ...answers, "tier tracefs+bpf": "no", "tier tracefs+kprobe": "no" }), collect);
    expect(takenOf(found)).not.toContain("audit");
    expect(JSON.stringify(found.sights)).not.toContain("audit");
  }
  expect(takenOf(examination(told({ ...answers, "tier audit": "locked" }), "audit"))).toEqual(["tracefs+proc"]);
  expect(examination(told({ auditing: "0 x" }), "audit").auditing).toBeUndefined();
});

test("what the host did not say is not taken for working", () => {
  const silent = examination(new Map([["uid", "0"]]), "full");
  expect(takenOf(silent)).toEqual(["poll"]);
  expect(silent.tiers[0]).toMatchObject({ works: false, why: "the host did not say" });
  expect(silent.sights.find(({ what }) => what === "new files")?.seen).toBe("partly");
  const hashes = (found: typeof silent) => found.sights.find(({ what }) => what === "hashes of files");
  expect(hashes(silent)?.seen).toBe("no");
  expect(hashes(examination(told({ sha256: "" }), "full"))).toMatchObject({
    seen: "partly",
    how: expect.stringMatching(/read over the line .* hashed at the console/),
  });
});

test("a kernel with code from outside is not vouched for", () => {
  const word = (answers: Record<string, string>) => examination(told({ ...ALL, ...answers }), "full").sights.at(-1);
  expect(word({ tainted: "12288" })?.how).toMatch(/a module from outside the kernel's tree, an unsigned module/);
  expect(word({ lockdown: "integrity" })).toMatchObject({ seen: "yes" });
  expect(word({})).toMatchObject({ seen: "partly" });
});

describe.skipIf(rangeAvailable() !== undefined)("the doctor on a real host", () => {
  let range: Range;
  beforeAll(async () => {
    range = await startRange();
  });
  afterAll(() => range?.stop());
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.toString();

  test("says as root what works, and leaves the host as it was", async () => {
    // hosts of other tests share the kernel's tracing: ours are those with our pid namespace in their name
    const state =
      "ls /sys/kernel/tracing/instances | grep -F .$(readlink /proc/self/ns/pid | tr -dc 0-9).; mount; ls -la /tmp /dev/shm /root /var/tmp; cat /proc/sys/kernel/tainted";
    const before = await onHost(state);
    const found = await examine(sshRunner(range), "standard");
    expect(await onHost(state)).toBe(before);
    expect(found.host).toMatchObject({ name: range.host.name, uid: 0 });
    expect(takenOf(found)).toEqual(["tracefs+proc"]);
    expect(found.sights.find(({ what }) => what === "the machine around it")?.seen).toBe("no");
    expect(found.footprint.join()).toMatch(/trace instances/);
  });

  test("says without root what to do", async () => {
    const found = await examine(sshRunner(range, range.accounts.plain), "full");
    expect(takenOf(found)).toEqual(["poll"]);
    expect(found.tiers.find(({ id }) => id === "tracefs+proc")).toMatchObject({ works: false, why: "not root" });
    expect(found.sights.filter(({ todo }) => todo?.includes("as root")).map(({ what }) => what)).toContain("programs that run");
  });
});

describe.skipIf(rangeAvailable() !== undefined)("the doctor on a host without perl", () => {
  let range: Range;
  beforeAll(async () => {
    range = await startRange({ system: "busybox" });
  });
  afterAll(() => range?.stop());

  test("says by a shell what is seen and what not, that it would poll, and what to do", async () => {
    const found = await examine(sshRunner(range), "full");
    expect(found.host).toMatchObject({ name: range.host.name, uid: 0, arch: process.arch === "arm64" ? "aarch64" : "x86_64" });
    expect(found.host.processes).toBeGreaterThan(5);
    expect(takenOf(found)).toEqual(["poll"]);
    const why = new Map(found.tiers.map(({ id, why }) => [id, why]));
    expect(why.get("tracefs+shell")).toMatch(/^this is a container/);
    expect([...why.values()].filter((one) => one === "no perl on this host")).toHaveLength(6);
    const of = (what: string) => found.sights.find((sight) => sight.what === what);
    expect(of("programs that run")).toMatchObject({ seen: "partly", todo: expect.stringMatching(/perl-base/) });
    expect(of("who opens secrets, terminals, memory")).toMatchObject({ seen: "no" });
    expect(of("hashes of files")).toMatchObject({ seen: "yes" });
    expect(of("the machine around it")).toMatchObject({ seen: "no" }); // it is a container
    expect(found.footprint.join()).toMatch(/six shells/);
    expect(found.footprint.join()).not.toMatch(/perl|inotify|trace instance/);
  });

  test("says where it is the machine itself that the kernel's own events would be followed, and by what footprint", async () => {
    const machine = await startRange({ system: "busybox", pidNamespace: false });
    try {
      const found = await examine(sshRunner(machine), "standard");
      expect(takenOf(found)).toEqual(["tracefs+shell"]);
      const of = (what: string) => found.sights.find((sight) => sight.what === what);
      for (const what of ["programs that run", "who started them", "TCP connections"]) expect(of(what)).toMatchObject({ seen: "yes" });
      expect(of("their arguments")).toMatchObject({ seen: "partly", how: expect.stringMatching(/until the shell looks/) });
      expect(of("who touches other processes")).toMatchObject({ seen: "partly" });
      expect(found.footprint.join()).toMatch(/four more shells.*trace instance named stakeout/);
      const quiet = await examine(sshRunner(machine), "quiet");
      expect(takenOf(quiet)).toEqual(["poll"]);
      expect(quiet.sights[0]?.todo).toBe("Choose --collect standard: tracefs+shell works here.");
    } finally {
      await machine.stop();
    }
  });
});
