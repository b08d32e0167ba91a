import { expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { DigestList, type KnownFile, KnownFiles } from "#model/known-files";
import { processFlag } from "#state/flags";
import { knownWords } from "#state/known";
import { standingFindings } from "#state/selectors";
import { text } from "#testing/events";
import { judgedFile, SEEN } from "#testing/judged-file";
import { KnownBadFiles, recognise } from "./known-file.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);
const BAD: KnownFile = { verdict: "bad", list: "iocs.csv", words: "miner" };
const watched = (executable: string) => judgedFile(new KnownBadFiles(), executable);

test("what is on a list is stamped on the event before the append, and nothing else is changed", () => {
  const list = new DigestList("iocs.csv", "bad");
  list.add(A, "miner");
  const known = new KnownFiles([list]);
  const draft = (sha256?: string): EventDraft => ({
    "@timestamp": "2026-01-01T00:00:00.000000Z",
    event: { action: "file.info", category: ["file"], type: ["info"] },
    file: { path: text("/tmp/x"), ...(sha256 ? { hash: { sha256 } } : {}) },
    stakeout: SEEN,
  });
  expect(recognise(draft(A), known)).toEqual({ ...draft(A), stakeout: { ...SEEN, known: BAD } });
  for (const [one, lists] of [
    [draft(B), known],
    [draft(), known],
    [draft(A), undefined],
  ] as const)
    expect(recognise(one, lists)).toEqual(one);
});

test("a new binary that is known as bad is a critical finding with its hands, once for each content, and a tag does not hide it", () => {
  const { state, play, standing } = watched("/tmp/xq7");
  const info = (sha256: string, known?: KnownFile) =>
    play({
      event: { action: "file.info" },
      file: { path: text("/tmp/xq7"), hash: { sha256 } },
      stakeout: { ...SEEN, ...(known ? { known } : {}) },
    });
  expect(standing()).toBe("responder");
  const [found, ...more] = info(A, BAD);
  expect(more).toEqual([]);
  expect(found?.stakeout.finding).toMatchObject({
    rule: "known-bad-file",
    level: "critical",
    title: "a file is known as bad, by the list iocs.csv: miner",
    entities: ["B:7:1"],
    path: "/tmp/xq7",
  });
  expect(standing()).not.toBe("responder");
  expect(standingFindings(state).map(({ rule }) => rule)).toEqual(["known-bad-file"]);
  expect(info(A, BAD)).toEqual([]);
  // another content, of which nothing is known, is another matter
  expect(info(B)).toEqual([]);
  expect(state.binaries.get("/tmp/xq7")?.known).toBeUndefined();
  expect(info(A.replace("a", "c"), BAD)).toHaveLength(1);
});

test("what a list knows by MD5 or SHA-1 alone is told so, in the finding and of a file that is known as good", () => {
  const list = new DigestList("old.md5", "bad");
  list.add("d".repeat(32), "miner");
  const known = new KnownFiles([list]);
  const draft = {
    "@timestamp": "2026-01-01T00:00:00.000000Z",
    event: { action: "file.info" as const, category: ["file"], type: ["info"] },
    file: { path: text("/tmp/x"), hash: { sha256: A, md5: "d".repeat(32) } },
    stakeout: SEEN,
  };
  const stamped = recognise(draft, known).stakeout.known as KnownFile;
  expect(stamped).toEqual({ verdict: "bad", list: "old.md5", words: "miner", by: "md5" });
  const { play } = watched("/tmp/x");
  const [found] = play({ event: { action: "file.info" }, file: draft.file, stakeout: { ...SEEN, known: stamped } });
  expect(found?.stakeout.finding).toMatchObject({ title: "a file is known as bad, by the list old.md5 and its MD5: miner" });
  expect(knownWords({ verdict: "good", list: "rds", by: "sha1" })).toMatch(
    /^known by the list rds and its SHA-1 alone, which another file can/,
  );
});

test("a program of a package that is known as bad is found as well; one that is known as good is told so and vouches for nobody", () => {
  const { state, play, standing } = watched("/usr/bin/ls");
  const told = (sha256: string, known: KnownFile) =>
    play({
      event: { action: "file.package" },
      file: { path: text("/usr/bin/ls"), hash: { sha256 } },
      stakeout: { ...SEEN, ownership: { state: "owned", host: "same" }, known },
    });
  const good: KnownFile = { verdict: "good", list: "rds" };
  expect(told(A, good)).toEqual([]);
  expect(standing()).toBe("responder"); // by his tag
  expect(knownWords(good)).toMatch(/^known by the list rds \(which does not say who uses it/);
  expect(told(B, BAD)).toHaveLength(1);
  expect(standing()).not.toBe("responder");
  expect(processFlag(state, { executable: text("/usr/bin/ls") } as never)).toMatch(/known as bad/);
});
