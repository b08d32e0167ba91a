import { expect, test } from "vitest";
import type { Investigation } from "#investigation/investigation";
import { TagDesk } from "#investigation/tags";
import type { Profile } from "#model/profile";
import { reduce } from "#state/reduce";
import { event } from "#testing/events";
import { FixtureState } from "#testing/fixture-state";
import type { HostTags } from "./files.ts";
import { Team } from "./team.ts";

const profile: Profile = {
  name: "blue",
  analysts: [{ name: "jm", keys: [], addresses: ["198.51.100.0/24"], users: [] }],
  customer: [],
  tools: [],
  tags: [],
};

/** Two logins of jm's and one of somebody else, and a desk that records into the state itself. */
function session(kept: HostTags["tags"] = []) {
  const f = new FixtureState();
  const init = f.process(1, undefined, "/sbin/init");
  const logins = ["198.51.100.1", "198.51.100.2", "203.0.113.9"].map((ip, i) => f.login(100 * (i + 1), init, "root", { ip }));
  const { state } = f;
  const tags = new TagDesk({
    state,
    append: (draft) => void reduce(state, event(state.sequence + 1, draft as never)),
    hostNow: () => "2026-11-27T21:00:00.000000Z",
    changed: () => {},
  });
  const investigation = { state, tags } as unknown as Investigation;
  return { state, logins, team: new Team([profile], kept, () => investigation) };
}

test("a suggestion is told once, hides nothing by itself, and is a tag when an analyst accepts it", () => {
  const { state, logins, team } = session();
  expect(team.news(state, "v")).toBe(
    "Probably ours, 2 suggestions (blue.yml: 198.51.100.0/24 is an address of jm): v shows it, nothing is hidden yet",
  );
  expect(team.news(state, "v")).toBeUndefined();
  expect(state.tags.size).toBe(0);
  const [first] = team.suggestions(state);
  expect(team.accept([first?.key ?? ""], "kim")).toBeUndefined();
  expect([...state.tags.values()]).toMatchObject([{ verdict: "responder", selector: { login: logins[0] }, analyst: "kim" }]);
  expect(team.suggestions(state).map(({ selector }) => selector)).toEqual([{ login: logins[1] }]);
  expect(team.accept([first?.key ?? ""], "kim")).toBe("that is suggested no more");
  expect(state.logins.get(logins[2] ?? "")?.standing).toBe("unknown");
});

test("what was decided for this host is made again, said, and carries who decided it and when", () => {
  const since = "2026-11-01T00:00:00.000Z";
  const { state, logins, team } = session([
    { verdict: "responder", selector: { source: "203.0.113.9" }, reason: "the customer", analyst: "kim", since },
  ]);
  expect(team.apply("jm")).toBe("1 tag that was kept for this host is made again");
  expect([...state.tags.values()]).toMatchObject([
    { analyst: "jm", scope: "host", kept: { analyst: "kim", since }, reason: "the customer" },
  ]);
  expect(state.logins.get(logins[2] ?? "")?.standing).toBe("responder");
  expect(session().team.apply("jm")).toBeUndefined();
});
