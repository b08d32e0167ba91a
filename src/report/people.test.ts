import { expect, test } from "vitest";
import type { EventDraft, StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { reportOf } from "./report.ts";

type Played = [analyst: string, action: StakeoutEvent["event"]["action"], stakeout?: Partial<EventDraft["stakeout"]>];

async function sectionsOf(...played: Played[]) {
  const tell = teller();
  const events = [
    tell({ event: { action: "process.start" }, process: { entity_id: "B:7:1", pid: 7, args: [text("curl"), text("|x`<b>")] } }),
    ...played.map(([analyst, action, stakeout]) =>
      tell({ event: { action }, stakeout: { sensor: "console", tier: "analyst", analyst, ...stakeout } }),
    ),
  ];
  const state = emptyState();
  for (const event of events) reduce(state, event);
  async function* all() {
    yield* events;
  }
  const cover = {
    hostLabel: "devbox",
    chain: { ok: true, events: events.length, head: "ab".repeat(32), broken: 0 },
    sealed: true,
    version: "9",
  };
  const report = await reportOf(state, all(), cover);
  return (title: string) => report.split(/^## /m).find((part) => part.startsWith(title)) ?? `no section ${title}`;
}
const response = { id: "r1", kind: "isolate" as const, plan_sha256: "h", undo: "nft delete table inet x" };

test("each analyst's acts stand under their own name, with what they were done to", async () => {
  const section = await sectionsOf(
    ["jm", "session.start"],
    ["kim", "session.join", { joined: { seat: "s1", role: "spectator", address: "198.51.100.4", key: "SHA256:k" } }],
    ["kim", "tag.apply", { tag: { id: "t1", verdict: "intruder", selector: { process: "B:7:1" }, reason: "calls abroad" } }],
    ["jm", "note.add", { note: "ask them", subject: { kind: "process", id: "B:7:1" } }],
    ["jm", "finding.claim", { claim: "mine", subject: { kind: "binary", id: "/tmp/xq7" } }],
  );
  const [, jm = "", kim = ""] = section("Who did what").split(/^### /m);
  expect(jm).toMatch(/^jm\n\n3 acts between/);
  expect(jm).toContain("Opened the session");
  expect(jm).toMatch(/Noted: ask them.*, on pid 7 `curl /);
  expect(jm).toContain("Took it on, on `/tmp/xq7`");
  expect(kim).toMatch(/^kim\n\n2 acts/);
  expect(kim).toMatch(/Joined as spectator from.*198\.51\.100\.4.*SHA256:k/);
  expect(kim).toMatch(/Tagged intruder: calls abroad.*, on pid 7/);
  expect(kim).not.toContain("<b>");
});

test("by whom a response was confirmed, half, whole or alone, and by whom a plan was dropped", async () => {
  const whole = await sectionsOf(
    ["jm", "response.proposed", { response }],
    ["jm", "response.confirmed", { response, confirmation: { needed: 2, given: 1 } }],
    ["kim", "response.confirmed", { response, confirmation: { needed: 2, given: 2 } }],
    ["kim", "response.succeeded", { response }],
  );
  expect(whole("Responses")).toContain("undo, by hand");
  expect(whole("Responses")).toMatch(/Isolate .*: done[\s\S]*- confirmed .* by jm and kim\n/);
  expect(whole("Summary")).toMatch(/jm and kim cut the host off/i);
  expect(whole("Timeline")).toMatch(/jm \| \*\*Confirms: isolate \(1 of 2\)[\s\S]*kim \| \*\*Confirms: isolate now/);
  const half = await sectionsOf(["jm", "response.confirmed", { response, confirmation: { needed: 2, given: 1 } }]);
  expect(half("Responses")).toContain("confirmed by jm alone where two were needed, not carried out");
  const alone = await sectionsOf(["jm", "response.confirmed", { response, confirmation: { needed: 2, given: 1, override: "alone" } }]);
  expect(alone("Responses")).toMatch(/- confirmed .* by jm alone, where two were needed and nobody else was there/);
  const dropped = await sectionsOf(["jm", "response.proposed", { response }], ["kim", "response.dismissed", { response }]);
  expect(dropped("Responses")).toContain("planned, dropped by kim");
  expect(dropped("Summary")).toContain("jm planned to isolate the host at");
  expect(dropped("Timeline")).toMatch(/kim \| \*\*Drops the plan to isolate the host/);
  expect(dropped("Timeline")).not.toMatch(/succeeded/);
  const changed = await sectionsOf(
    ["jm", "response.proposed", { response }],
    ["jm", "response.dismissed", { response: { ...response, replaced_by: "r2" } }],
    ["jm", "response.proposed", { response: { ...response, id: "r2" } }],
  );
  expect(changed("Responses")).toContain("(r1): replaced by a later plan (r2)");
  expect(changed("Responses")).toContain("(r2): planned, not carried out");
  expect(changed("Summary").match(/planned to isolate/g)).toHaveLength(1); // one response was not carried out, not two
  expect(changed("Responses")).not.toContain("undo, by hand"); // nothing of them ran
  const given = await sectionsOf(
    ["jm", "response.proposed", { response }],
    ["jm", "response.dismissed", { response: { ...response, replaced_by: "r2" } }],
  );
  expect(given("Responses")).toContain("(r1): planned, dropped by jm"); // the later plan was given up while it was made
  expect(given("Summary")).toContain("jm planned to isolate the host at");
  expect(changed("Timeline")).toMatch(/jm \| \*\*Changes the plan to isolate the host/);
});

test("an analyst's words cannot become structure, and many acts are cut with a count", async () => {
  const evil = "| x |\n# heading <script> [a](http://x)";
  const section = await sectionsOf(...Array.from({ length: 130 }, (): Played => [evil, "note.add", { note: evil }]));
  const said = section("Who did what");
  expect(said).toMatch(/130 acts .*the last 100 are shown/);
  expect(said.match(/^\| /gm)).toHaveLength(102);
  const outsideOfCode = said.replace(/`[^`\n]*`/g, "");
  expect(outsideOfCode).not.toMatch(/heading|script|http/);
});
