import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { StakeoutEvent } from "#model/event";
import { createSession } from "#session/session-store";
import { text } from "#testing/events";
import { hello as HELLO } from "#testing/observed-host";
import type { Colleagues } from "./confirmations.ts";
import { Investigation } from "./investigation.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stakeout-people-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function investigate(colleagues?: Colleagues) {
  const session = await createSession(folder, { label: "devbox" }, Date.now());
  const investigation = await Investigation.open({
    folder: session,
    enricher: new Enricher(undefined, undefined),
    analyst: "jm",
    ...(colleagues ? { colleagues } : {}),
    connection: {},
    version: "0",
    now: Date.now,
    prepareResponse: async () => ({
      response: { kind: "isolate", plan: "p", plan_sha256: "h" },
      preview: { dies: [], survives: [], allowed: [] },
      execute: async () => ({ ok: true, durationNs: 1, response: { kind: "isolate" } }),
      dispose: () => {},
    }),
    askFileInfo: () => {},
    isOurs: () => false,
  });
  const recorded = async (): Promise<StakeoutEvent[]> => {
    await investigation.end("over");
    const lines = (await readFile(session.events, "utf8")).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as StakeoutEvent);
  };
  return { investigation, recorded };
}

test("every act is recorded under who did it, whoever's session it is", async () => {
  const { investigation: i, recorded } = await investigate();
  const facts = { startTicks: 1, comm: text("sshd"), executable: text("/usr/sbin/sshd") };
  i.observe([HELLO, { kind: "process", pid: 10, facts }, { kind: "snapshot-end", processes: 1, milliseconds: 1 }]);
  const login = { login: [...i.state.processes.keys()][0] ?? "" };
  expect(i.tag({ login: "B:10:1" }, "suspect", "who?", "kim")).toMatch(/not in the picture/);
  i.people.joined("kim", { seat: "s1", role: "spectator", key: "SHA256:k", address: "127.0.0.1" });
  i.tag(login, "suspect", "odd hours", "kim");
  i.tag(login, "intruder", "calls abroad", "jm"); // kim's tag is taken back, by jm
  i.tags.untag("t2", "kim");
  i.people.handedOver("jm", "jm", "kim");
  await i.planResponse("isolate", "kim");
  i.responses.dismiss(i.responses.progress?.id ?? "", "jm");
  await i.planResponse("isolate", "kim");
  await i.responses.confirm(i.responses.progress?.id ?? "", "h", "kim");
  expect(i.people.note("kim", "  ours?  ", { kind: "login", id: "B:10:1" })).toBeUndefined();
  i.people.claim("jm", { kind: "login", id: "B:10:1" }, "mine");
  i.people.left("kim", "s1", "the connection was lost");
  const events = await recorded();
  const acts = events.filter(({ stakeout }) => stakeout.analyst !== undefined);
  expect(acts.map(({ event, stakeout }) => `${event.action} ${stakeout.analyst}`)).toEqual([
    "session.start jm",
    "session.join kim",
    "tag.apply kim",
    "tag.remove jm",
    "tag.apply jm",
    "tag.remove kim",
    "session.handover jm",
    "response.proposed kim",
    "response.dismissed jm",
    "response.proposed kim",
    "response.confirmed kim",
    "response.succeeded kim",
    "note.add kim",
    "finding.claim jm",
    "session.leave kim",
    "session.end jm",
  ]);
  expect(events.find(({ event }) => event.action === "note.add")?.stakeout).toMatchObject({ note: "ours?", subject: { id: "B:10:1" } });
});

test("an empty note and an endless one are not taken, with the reason", async () => {
  const { investigation, recorded } = await investigate();
  expect(investigation.people.note("jm", " \n")).toBe("nothing was written");
  expect(investigation.people.note("jm", "x".repeat(2001))).toMatch(/at most 2000/);
  expect((await recorded()).some(({ event }) => event.action === "note.add")).toBe(false);
});

test("the two-person rule is recorded once, and cannot be taken away from who could confirm", async () => {
  const here = { partners: ["kim"] };
  const { investigation: i, recorded } = await investigate({
    refused: (analyst) => (analyst === "customer" ? "you were let in to watch" : undefined),
    partners: () => here.partners,
    samePerson: (a, b) => a === b,
  });
  expect(i.setTwoPeople(true, "customer")).toBe("you were let in to watch");
  expect(i.setTwoPeople(true, "jm")).toBeUndefined();
  expect(i.setTwoPeople(true, "kim")).toBeUndefined();
  expect(i.setTwoPeople(false, "jm")).toBe("the rule stays while kim can confirm");
  await i.planResponse("isolate", "jm");
  await i.responses.confirm(i.responses.progress?.id ?? "", "h", "jm");
  expect(i.responses.progress?.phase).toBe("review");
  here.partners = [];
  expect(i.setTwoPeople(false, "jm")).toBeUndefined();
  expect(i.state.twoPeople).toBe(false);
  const rules = (await recorded()).filter(({ event }) => event.action === "session.rule");
  expect(rules.map(({ stakeout }) => [stakeout.analyst, stakeout.rule])).toEqual([
    ["jm", { people: 2 }],
    ["jm", { people: 1 }],
  ]);
});
