import { expect, test } from "vitest";
import type { Ownership } from "#model/file";
import { standingFindings } from "#state/selectors";
import { text } from "#testing/events";
import { judgedFile, SEEN } from "#testing/judged-file";
import { ChangedFiles } from "./changed-file.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

/** A host on which a responder runs ls, and what is found when its package is told. */
function watched() {
  const { state, play, standing } = judgedFile(new ChangedFiles(), "/usr/bin/ls");
  const told = (path: string, sha256: string, ownership: Ownership) =>
    play({
      event: { action: "file.package" },
      file: { path: text(path), hash: { sha256 } },
      package: { name: text("coreutils"), version: text("9.1-1") },
      stakeout: { ...SEEN, ownership },
    });
  return { state, told, standing };
}

test("a changed file of a package is a finding with who runs it, once for each content, and a link to it is not another", () => {
  const { state, told, standing } = watched();
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
  expect(standing()).toBe("responder");
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
