import { expect, test } from "vitest";
import type { Profile } from "#model/profile";
import { text } from "#testing/events";
import { FixtureState } from "#testing/fixture-state";
import { lookLikeOurs, suggest } from "./suggest.ts";

const profile = (more: Partial<Profile> = {}): Profile => ({
  name: "team",
  analysts: [{ name: "jm", keys: ["SHA256:k"], addresses: ["198.51.100.0/24"], users: ["responder"] }],
  customer: [],
  tools: ["*/tcpdump"],
  tags: [],
  ...more,
});

/** Logins from an address of jm's (100), as his account with a tool (200) and without (300), from elsewhere (400), and our own (500). */
function host() {
  const f = new FixtureState();
  const init = f.process(1, undefined, "/sbin/init");
  const login = (pid: number, user: string, ip: string, command: string, more = {}) => {
    const id = f.login(pid, init, user, { ip }, more);
    f.process(pid + 1, id, command, { login: id });
    return id;
  };
  return {
    state: f.state,
    ids: {
      address: login(100, "root", "198.51.100.9", "/bin/bash"),
      tool: login(200, "responder", "203.0.113.1", "/usr/sbin/tcpdump -i any"),
      user: login(300, "responder", "203.0.113.2", "/bin/bash"),
      other: login(400, "root", "203.0.113.3", "/usr/sbin/tcpdump"),
      own: login(500, "root", "198.51.100.8", "/usr/bin/perl", { ours: true }),
    },
  };
}

test("a login is suggested by its address, its key, or its account together with a tool, with the reason; an account or a tool alone is not", () => {
  const { state, ids } = host();
  const found = suggest(state, [profile()]);
  expect(found.map(({ selector, why }) => [selector, why])).toEqual([
    [{ login: ids.address }, "team.yml: 198.51.100.0/24 is an address of jm"],
    [{ login: ids.tool }, "team.yml: responder is an account of jm, and it runs */tcpdump"],
  ]);
  expect(found.every(({ verdict }) => verdict === "responder")).toBe(true);
  const keyed = suggest(state, [profile()], ({ id }) => (id === ids.other ? "SHA256:k" : undefined));
  expect(keyed.map(({ selector }) => selector)).toContainEqual({ login: ids.other });
  expect([...state.processes.values(), ...state.logins.values()].every(({ standing }) => standing === "unknown")).toBe(true);
});

test("who comes from the customer's network is suggested with a tool of the trade, never by that network alone", () => {
  const { state, ids } = host();
  const found = suggest(state, [profile({ analysts: [], customer: ["203.0.113.0/24"] })]);
  expect(found.map(({ selector, why }) => [selector, why])).toEqual([
    [{ login: ids.tool }, "team.yml: 203.0.113.0/24 is the customer's, and it runs */tcpdump"],
    [{ login: ids.other }, "team.yml: 203.0.113.0/24 is the customer's, and it runs */tcpdump"],
  ]);
});

test("what somebody judged is suggested no more; without profiles nothing is", () => {
  const { state, ids } = host();
  expect(suggest(state, [])).toEqual([]);
  const login = state.logins.get(ids.address);
  if (login) login.standing = "intruder";
  expect(suggest(state, [profile()]).map(({ selector }) => selector)).toEqual([{ login: ids.tool }]);
});

test("who comes from where another of ours does is suggested without a profile, and not a second time where one says so", () => {
  const { state, ids } = host();
  const tagged = state.logins.get(ids.tool);
  if (tagged) tagged.standing = "responder";
  const neighbour = state.logins.get(ids.user);
  if (neighbour) neighbour.source = { ip: "203.0.113.1" };
  const [found] = lookLikeOurs(state, []);
  expect(found).toEqual({
    key: `login ${ids.user}`,
    selector: { login: ids.user },
    verdict: "responder",
    reason: expect.stringMatching(/^from 203\.0\.113\.1, as another of ours/),
    why: found?.reason,
  });
  expect(lookLikeOurs(state, found ? [found] : [])).toEqual([]);
});

test("a tag of the team's is suggested where it would fit something, once, and not where it stands", () => {
  const { state } = host();
  const tags: Profile["tags"] = [
    { verdict: "known-good", selector: { command: "/sbin/init" }, reason: "init" },
    { verdict: "known-good", selector: { command: "/opt/none" }, reason: "none" },
  ];
  const two = [profile({ analysts: [], tags }), profile({ name: "other", analysts: [], tags })];
  expect(suggest(state, two).map(({ reason, why }) => [reason, why])).toEqual([["init", "team.yml: a tag of the team's"]]);
  state.tags.set("t1", {
    id: "t1",
    verdict: "known-good",
    selector: { command: "/sbin/init" },
    reason: text("x"),
    analyst: "jm",
    applied: 0,
    sequence: 0,
  });
  expect(suggest(state, two)).toEqual([]);
});
