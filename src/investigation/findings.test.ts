import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { whoDidWhat } from "#state/selectors";
import { teller } from "#testing/events";
import { FindingDesk } from "./findings.ts";

function desk() {
  const [state, tell] = [emptyState(), teller()];
  const log: StakeoutEvent[] = [];
  const append = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    log.push(event);
    reduce(state, event);
  };
  for (const id of ["f1", "f2"])
    append({
      event: { action: "finding.create" },
      stakeout: {
        sensor: "analysis",
        tier: "trust",
        finding: { id, rule: "r", title: "a title", level: "low", technique: [], entities: [] },
      },
    });
  let changes = 0;
  const findings = new FindingDesk({ state, append, hostNow: () => "2026-11-27T21:00:01.000Z", changed: () => void changes++ });
  const dismissed = () => [...state.findings.values()].filter((one) => one.dismissed).map(({ id }) => id);
  return { state, log, findings, dismissed, changes: () => changes };
}

test("a dismissal is an event with who and why; without a reason, or for what is not known, nothing is recorded", () => {
  const { findings, dismissed, log, state, changes } = desk();
  expect(findings.dismiss(["f1"], "  ", "jm")).toMatch(/write a reason/);
  expect(findings.dismiss(["nothing"], "why", "jm")).toMatch(/not known/);
  expect(log).toHaveLength(2);
  expect(findings.dismiss(["f1", "f2", "f1"], " our backup ", "jm")).toBeUndefined();
  expect(dismissed()).toEqual(["f1", "f2"]);
  expect(log).toHaveLength(4);
  expect(log[2]).toMatchObject({
    event: { action: "finding.dismiss", reason: "our backup" },
    stakeout: { analyst: "jm", finding: { id: "f1", rule: "r" } },
  });
  expect(state.findings.get("f1")?.dismissed).toMatchObject({ analyst: "jm", reason: "our backup" });
  expect(changes()).toBe(2);
  expect(findings.dismiss(["f1"], "again", "kim")).toMatch(/already/);
  expect(whoDidWhat(state)[0]?.what).toBe("dismissed the finding: a title: our backup");
});

test("undo takes back one's own last act, with the reason it had, and never another's", () => {
  const { findings, dismissed, state } = desk();
  findings.dismiss(["f1"], "one", "jm");
  findings.dismiss(["f2"], "two", "kim");
  expect(findings.undo("jm")).toBe("undone: a title");
  expect(dismissed()).toEqual(["f2"]);
  expect(findings.undo("jm")).toMatch(/nothing with findings/);
  expect(findings.restore(["f2"], "jm")).toBeUndefined();
  expect(findings.restore(["f2"], "jm")).toBe("it stands");
  expect(findings.undo("kim")).toMatch(/somebody has changed that/);
  expect(findings.undo("jm")).toBe("undone: a title");
  expect(state.findings.get("f2")?.dismissed?.reason).toBe("two");
});
