import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { StakeoutEvent } from "#model/event";
import type { Observation } from "#model/observation";
import { createSession } from "#session/session-store";
import { text } from "#testing/events";
import { Investigation } from "./investigation.ts";
import type { Executed, Prepared } from "./prepared.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stakeout-responses-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const host: Observation[] = [
  {
    kind: "hello",
    bootId: "B",
    hostname: text("devbox"),
    kernel: text("6.1"),
    arch: "x86_64",
    cpus: 1,
    ticksPerSecond: 100,
    pids: "init",
    self: 2,
    sshd: 3,
    uid: 0,
    tier: "tracefs+proc",
    kernelBufferBytes: 0,
    blind: [],
  },
  { kind: "clock", boot: 100e9, wallNs: 1_700_000_000_000_000_000n },
  { kind: "snapshot-end", processes: 0, milliseconds: 1 },
];
const through: Observation = {
  kind: "socket",
  ts: 101e9,
  from: "SYN_SENT",
  to: "ESTABLISHED",
  local: { ip: "10.0.0.5", port: 4000 },
  remote: { ip: "198.51.100.7", port: 443 },
};

/** An investigation whose responses are carried out by `during`, which may let the host say something meanwhile. */
async function investigate(during: (investigation: Investigation) => Executed) {
  const events: StakeoutEvent[] = [];
  let clock = 1_700_000_000_000;
  let investigation: Investigation | undefined;
  const prepared = (kind: "isolate" | "release"): Prepared => ({
    response: { kind, plan: "p", plan_sha256: "h" },
    preview: { dies: [], survives: [], allowed: [] },
    execute: async () => {
      clock += 5000;
      return during(investigation as Investigation);
    },
    dispose: () => {},
  });
  investigation = await Investigation.open({
    folder: await createSession(folder, { label: "devbox" }, clock),
    enricher: new Enricher(undefined, undefined),
    analyst: "jm",
    connection: {},
    version: "0",
    now: () => {
      clock += 10;
      return clock;
    },
    prepareResponse: async (kind) => prepared(kind as "isolate" | "release"),
    askFileInfo: () => {},
    isOurs: () => false,
    onEvent: (_line, event) => events.push(event),
  });
  investigation.observe(host);
  const carryOut = async (kind: "isolate" | "release") => {
    await investigation.planResponse(kind, "jm");
    const id = investigation.responses.progress?.id ?? "";
    await investigation.responses.confirm(id, "another", "jm");
    expect(investigation.responses.progress?.phase).toBe("review"); // only what was shown is carried out
    await investigation.responses.confirm(id, "h", "jm");
  };
  const actions = () => events.map(({ event }) => event.action).filter((action) => /^(response|network)\./.test(action));
  return { investigation, events, carryOut, actions };
}

test("what gets through because of a release stands behind it in the log, and is younger", async () => {
  const { investigation, events, carryOut, actions } = await investigate((running) => {
    running.observe([through]);
    return { ok: true, durationNs: 5e6, response: { kind: "release" } };
  });
  await carryOut("release");
  expect(actions()).toEqual(["response.proposed", "response.confirmed", "response.succeeded", "network.established"]);
  const [confirmed, released] = ["response.confirmed", "response.succeeded"].map((action) =>
    events.find(({ event }) => event.action === action),
  );
  const between = Date.parse(released?.["@timestamp"] ?? "") - Date.parse(confirmed?.["@timestamp"] ?? "");
  expect(between).toBeLessThan(5000); // dated from its beginning
  await investigation.end("over");
});

test("while a host is being isolated nothing is kept back: what got through until then stands before the proof", async () => {
  const { investigation, carryOut, actions } = await investigate((running) => {
    running.observe([through]);
    return { ok: true, durationNs: 5e6, response: { kind: "isolate", verified: { access: true, cut: true } } };
  });
  await carryOut("isolate");
  expect(actions()).toEqual(["response.proposed", "response.confirmed", "network.established", "response.succeeded"]);
  expect(investigation.state.isolated).toBeDefined();
  await investigation.end("over");
});

test("a release that fails lets go of what was kept back", async () => {
  const { investigation, carryOut, actions } = await investigate((running) => {
    running.observe([through]);
    throw new Error("the shell died");
  });
  await carryOut("release");
  expect(actions()).toEqual(["response.proposed", "response.confirmed", "response.failed", "network.established"]);
  expect(investigation.responses.progress?.error?.what).toMatch(/the shell died/);
  await investigation.end("over");
});

test("an isolation that is found stands in the log at the time at which it was found, whatever its rules claim", async () => {
  const { investigation, events } = await investigate(() => ({ ok: true, durationNs: 1, response: { kind: "isolate" } }));
  const { now } = investigation.state;
  investigation.found.isolated({ analyst: "kim", session: "s-1", since: "2099-01-01T00:00:00Z", allowed: [] });
  const found = events.find(({ event }) => event.action === "baseline.isolation");
  expect(Date.parse(found?.["@timestamp"] ?? "")).toBeLessThan(now + 60_000);
  expect(investigation.state.now).toBeLessThan(now + 60_000); // root wrote that time: it must not move the clock
  expect(investigation.state.responses.get("found")?.found).toEqual({ planned: Date.UTC(2099, 0, 1) });
  expect(Math.abs((investigation.state.isolated?.since ?? 0) - now)).toBeLessThan(60_000);
  await investigation.end("over");
});

test("a host that was started anew while it was isolated is called isolated no longer, and an alarm says why, once", async () => {
  const { investigation, events, carryOut } = await investigate(() => ({
    ok: true,
    durationNs: 5e6,
    response: { kind: "isolate", verified: { access: true, cut: true } },
  }));
  await carryOut("isolate");
  const isolation = investigation.state.isolated?.response;
  investigation.found.released(true);
  investigation.found.released(true); // a second look that came to the same
  expect(investigation.state.isolated).toBeUndefined();
  const found = events.filter(({ event }) => event.action === "finding.create").map(({ stakeout }) => stakeout.finding);
  expect(found).toEqual([
    expect.objectContaining({
      rule: "isolation-ended",
      level: "critical",
      title: expect.stringMatching(/started anew.*not isolated any more/),
    }),
  ]);
  expect(events.find(({ event }) => event.action === "baseline.isolation")).toMatchObject({
    event: { reason: expect.stringMatching(/started anew, and it ended with that/) },
    stakeout: { response: { id: isolation, kind: "release" } },
  });
  await investigation.end("over");
});
