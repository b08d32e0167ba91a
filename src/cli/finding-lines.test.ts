import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { event, text } from "#testing/events";
import { nightState } from "#testing/night-state";
import { Narrator } from "./lines.ts";

const state = nightState();
const [ours] = [...state.logins.values()].filter((login) => login.ours);
const login = (part: string) => {
  const found = [...state.logins.values()].find(({ source, ours: own }) => !own && source?.ip.startsWith(part));
  if (!found) throw new Error(`no login from ${part}`);
  return found.id;
};
const processOf = (of: string) => {
  const found = [...state.processes.values()].find((process) => process.login === of && process.id !== of);
  if (!found) throw new Error(`no process of ${of}`);
  return found;
};

let made = 0;
function finding(seconds: number, rule: string, entities: string[], more: Partial<StakeoutEvent["stakeout"]["finding"]> = {}) {
  const id = `f${++made}`;
  return {
    ...event(made, {
      event: { action: "finding.create" },
      stakeout: {
        sensor: "analysis",
        tier: "trust",
        finding: { id, rule, title: `the title of ${rule}`, level: "medium", technique: ["T1552"], entities, ...more },
      },
    }),
    "@timestamp": new Date(Date.UTC(2026, 10, 27, 21, 0, 0) + seconds * 1000).toISOString(),
  };
}
const later = (seconds: number) => ({
  ...event(1000, { event: { action: "sensor.report" } }),
  "@timestamp": new Date(Date.UTC(2026, 10, 27, 21, 0, 0) + seconds * 1000).toISOString(),
});

const intruder = processOf(login("185."));

test("a finding says which process of which login did it, and to whom", () => {
  const narrator = new Narrator();
  const responder = processOf([...state.logins.values()].find(({ standing, ours: own }) => standing === "responder" && !own)?.id ?? "");
  const whose = state.logins.get(responder.login ?? "");
  expect(narrator.line(finding(0, "r", [intruder.id, responder.id]), state)).toBeUndefined();
  const told = narrator.line(later(2), state)?.replaceAll(/\s+/g, " ");
  expect(told).toMatch(/^21:00:00 finding medium: the title of r \(T1552\)/);
  expect(told).toContain(`${intruder.name} (pid ${intruder.pid}) of root@185.220.101.47 → ${whose?.user?.name}@${whose?.source?.ip}`);
});

test("who is not in the picture is 'not seen', and never a guess", () => {
  const narrator = new Narrator();
  narrator.line(finding(0, "r", ["gone:1:1", "gone:2:2"]), state);
  expect(narrator.end(state)[0]?.replaceAll(/\s+/g, " ")).toContain("process not seen → process not seen");
});

test("the same finding on the same pair is one line with a count; another rule, another doer, or a second later is a line of its own", () => {
  const narrator = new Narrator();
  for (let i = 0; i < 3; i++) expect(narrator.line(finding(i / 10, "r", [intruder.id, ours?.id ?? ""]), state)).toBeUndefined();
  const told = narrator.line(finding(0.4, "other", [intruder.id]), state);
  expect(told?.match(/the title of r/g)).toHaveLength(1);
  expect(told?.replaceAll(/\s+/g, " ")).toMatch(/→ this console ×3$/);
  expect(narrator.line(finding(0.5, "other", ["boot-1:1:1"]), state)).toContain("the title of other");
  expect(narrator.line(later(2), state)).not.toContain("×");
  expect(narrator.end(state).join("\n")).not.toContain("finding");
});

test("whom it concerns is named, each once, in lines that fit", () => {
  const narrator = new Narrator();
  const whom = [...state.logins.keys(), "gone:1:1"].slice(0, 8);
  for (const id of whom) narrator.line(finding(0, "r", [intruder.id, id]), state);
  const told = narrator.line(later(3), state) ?? "";
  expect(told).toContain("this console");
  if (whom.length > 4) expect(told.replaceAll(/\s+/g, " ")).toContain(`and ${whom.length - 4} more`);
  for (const line of told.split("\n")) expect(line.length).toBeLessThanOrEqual(128);
  expect(narrator.line(later(4), state)).toBeUndefined();
});

test("what the host calls a process cannot break the line", () => {
  const narrator = new Narrator();
  narrator.line(finding(0, "r", [], { by: { pid: 7, name: text("x\n21:00:00  \u001b[2J\u202e") } }), state);
  const [told = ""] = narrator.end(state);
  expect(told).toContain("(pid 7)");
  expect(told.split("\n")).toHaveLength(1);
  for (const control of ["\u001b", "\u202e"]) expect(told).not.toContain(control);
});
