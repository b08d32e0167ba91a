import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { Observation } from "#model/observation";
import type { PackageList } from "#model/package-list";
import { text } from "#testing/events";
import { Ingest } from "./ingest.ts";

const S = 1e9;
const A = "a".repeat(64);
const B = "b".repeat(64);
const ID = "c".repeat(64);
const begin: Observation[] = [
  {
    kind: "hello",
    bootId: "B",
    hostname: text("devbox"),
    kernel: text("6.1"),
    arch: "x86_64",
    cpus: 1,
    ticksPerSecond: 100,
    pids: "init",
    self: 5,
    sshd: 4,
    uid: 0,
    tier: "tracefs+proc",
    kernelBufferBytes: 0,
    blind: [],
  },
  { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n },
  { kind: "process", pid: 1, facts: { ppid: 0, startTicks: 1, executable: text("/sbin/init"), comm: text("init"), args: [] } },
  { kind: "snapshot-end", processes: 1, milliseconds: 1 },
];
const exec = (at: number, pid: number, path: string, image = path): Observation => ({
  kind: "exec",
  ts: at * S,
  pid,
  path: text(path),
  facts: { ppid: 1, comm: text("x"), executable: text(image), args: [text(path)] },
});
const fork = (at: number, pid: number): Observation => ({ kind: "fork", ts: at * S, parent: 1, pid });
const answer = (more: Partial<Extract<Observation, { kind: "file-owner" }>> = {}): Observation => ({
  kind: "file-owner",
  path: text("/bin/ls"),
  file: text("/usr/bin/ls"),
  manager: "dpkg",
  package: text("coreutils"),
  version: text("9.1-1"),
  found: "same",
  sha256: A,
  stamp: "1.2.3",
  ...more,
});

function run(observations: readonly Observation[], { packages, full = false }: { packages?: PackageList; full?: boolean } = {}) {
  const told: EventDraft[] = [];
  const asked: string[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => told.push(draft),
    askFileInfo: () => {},
    askOwner: (path, pid, stamp) => {
      if (!full) asked.push(`${path} ${pid} ${stamp ?? "-"}`);
      return !full;
    },
    packages,
    isOurs: () => false,
    onHost: () => {},
  });
  for (const observation of [...begin, ...observations]) ingest.observe(observation);
  return { asked, owners: told.filter(({ event }) => event.action === "file.package") };
}
const ls = [fork(101, 9), exec(101, 9, "/bin/ls")];

const later: Observation = { kind: "clock", boot: 150 * S, wallNs: 1_700_000_050_000_000_000n };

test("a program is asked about once, again with its stamp after a minute, and what interprets or is linked to beside it", () => {
  const again = Array.from({ length: 50 }, (_, i) => [fork(102 + i, 20 + i), exec(102 + i, 20 + i, "/bin/ls")]).flat();
  expect(run([...ls, answer(), ...again]).asked).toEqual(["/sbin/init 1 -", "/bin/ls 9 -"]);
  expect(run([...ls, answer(), later, fork(162, 10), exec(162, 10, "/bin/ls")]).asked.at(-1)).toBe("/bin/ls 10 1.2.3");
  expect(run([fork(101, 9), exec(101, 9, "/usr/bin/awk", "/usr/bin/mawk")]).asked.slice(1)).toEqual([
    "/usr/bin/awk 9 -",
    "/usr/bin/mawk 9 -",
  ]);
});

test("what lives in a container is not asked about, nor its children: the path means another file there", () => {
  const inside: Observation[] = [fork(101, 9), { kind: "cgroup", pid: 9, path: text(`/system.slice/docker-${ID}.scope`) }];
  const child: Observation[] = [{ kind: "fork", ts: 102 * S, parent: 9, pid: 10 }, exec(102, 10, "/usr/bin/ls")];
  expect(run([...inside, exec(101, 9, "/bin/sh"), ...child]).asked).toEqual(["/sbin/init 1 -"]);
});

test("who could not be asked is not taken for asked: the next run asks", () => {
  const { asked, owners } = run([...ls, answer()], { full: true });
  expect([asked, owners]).toEqual([[], []]); // and an answer that nobody asked for says nothing
});

test("an answer is an event with the package; the same one again is none, and another content is", () => {
  const { owners } = run([
    ...ls,
    answer(),
    answer(),
    answer({ found: "unchanged" }),
    answer({ found: "differs", sha256: B, stamp: "1.2.4" }),
  ]);
  expect(owners).toMatchObject([
    {
      event: { category: ["file", "package"], type: ["info"] },
      file: { path: "/bin/ls", name: "ls", hash: { sha256: A } },
      package: { name: "coreutils", version: "9.1-1" },
      stakeout: { ownership: { state: "owned", host: "same", manager: "dpkg", file: "/usr/bin/ls" } },
    },
    { file: { hash: { sha256: B } }, stakeout: { ownership: { state: "owned", host: "differs" } } },
  ]);
  expect(owners[0]?.stakeout.ownership).not.toHaveProperty("console"); // no list, no comparison
});

test("none and not known are two things, and neither has a package", () => {
  const none = answer({ found: "none" });
  const unknown = answer({ found: "unknown", why: text("no package database") });
  for (const one of [none, unknown])
    if (one.kind === "file-owner") for (const key of ["package", "version", "manager"] as const) delete one[key];
  expect(run([...ls, none]).owners).toMatchObject([{ stakeout: { ownership: { state: "none" } } }]);
  const [told] = run([...ls, unknown]).owners;
  expect(told?.stakeout.ownership).toMatchObject({ state: "unknown", why: "no package database" });
  expect(told).not.toHaveProperty("package");
});

test("the console's list is asked by what the path leads to, whatever the host's own list says", () => {
  const packages: PackageList = new Map([["/usr/bin/ls", [{ sha256: A, package: "coreutils", version: "9.1-1" }]]]);
  const compared = (more: object) => run([...ls, answer(more)], { packages }).owners[0]?.stakeout.ownership;
  expect(compared({})).toMatchObject({ host: "same", console: "same" });
  expect(compared({ sha256: B })).toMatchObject({ host: "same", console: "differs" }); // root edited the host's list
  expect(compared({ sha256: B, version: text("9.9") })).toMatchObject({ console: "other-version" });
});
