import { expect, test } from "vitest";
import type { Ownership } from "#model/file";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { standingFindings } from "#state/selectors";
import { teller, text } from "#testing/events";
import { ChangedFiles } from "./changed-file.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

/** A host on which a responder runs ls, and what is found when its package is told. */
function watched() {
  const tell = teller();
  const state = emptyState();
  const rule = new ChangedFiles();
  const seen = { sensor: "collector", tier: "tracefs+proc" };
  const play = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    reduce(state, event);
    const found = rule.look(state, event);
    for (const one of found) reduce(state, tell({ ...one, stakeout: { ...seen, ...one.stakeout } }));
    return found;
  };
  play({ event: { action: "process.start" }, process: { entity_id: "B:7:1", pid: 7, executable: text("/usr/bin/ls") }, stakeout: seen });
  play({
    event: { action: "tag.apply" },
    stakeout: { ...seen, tag: { id: "t1", verdict: "responder", selector: { process: "B:7:1" }, reason: "us" } },
  });
  const told = (path: string, sha256: string, ownership: Ownership) =>
    play({
      event: { action: "file.package" },
      file: { path: text(path), hash: { sha256 } },
      package: { name: text("coreutils"), version: text("9.1-1") },
      stakeout: { ...seen, ownership },
    });
  return { state, told };
}

test("a changed file of a package is a finding with who runs it, once for each content, and a link to it is not another", () => {
  const { state, told } = watched();
  expect(told("/usr/bin/ls", A, { state: "owned", host: "same" })).toEqual([]);
  const [finding] = told("/usr/bin/ls", B, { state: "owned", host: "differs" });
  expect(finding?.stakeout.finding).toMatchObject({
    rule: "package-file-changed",
    level: "high",
    technique: ["T1554"],
    title: "a file belongs to coreutils, changed: it differs from the host's own list",
    path: "/usr/bin/ls",
    entities: ["B:7:1"],
  });
  expect(told("/usr/bin/ls", B, { state: "owned", host: "differs" })).toEqual([]);
  expect(told("/usr/bin/dir", B, { state: "owned", host: "differs", file: text("/usr/bin/ls") })).toEqual([]);
  expect(told("/usr/bin/ls", "c".repeat(64), { state: "owned", host: "differs" })).toHaveLength(1);
  // that one of us ran it does not make it less of a finding
  expect(state.processes.get("B:7:1")?.standing).toBe("responder");
  expect(standingFindings(state)).toHaveLength(2);
});

test("the console's list alone is enough; another version, none and not known are no findings", () => {
  const { told } = watched();
  const of = (ownership: Ownership) => told("/usr/bin/ls", B, ownership).map(({ event }) => event.reason);
  for (const state of ["none", "unknown"] as const) expect(of({ state })).toEqual([]);
  expect(of({ state: "owned", host: "same", console: "other-version" })).toEqual([]);
  expect(of({ state: "owned", host: "undigested" })).toEqual([]);
  expect(of({ state: "owned", host: "same", console: "differs" })).toEqual([
    "a file belongs to coreutils, changed: it differs from the console's list",
  ]);
});
