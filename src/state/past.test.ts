import { describe, expect, test } from "vitest";
import { event, teller, text } from "#testing/events";
import { FixtureState } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";
import { suggestions } from "./suggestions.ts";

const item = (id: string) => ({ id, name: text(id), detail: text("") });
const setUp = (action: "baseline.inventory" | "baseline.added" | "baseline.removed", ...ids: string[]) => ({
  event: { action },
  stakeout: { sensor: "look", tier: "files", inventory: { category: "user" as const, items: ids.map(item) } },
});

describe("what a look came to", () => {
  test("the past is kept with its own times, and moves no clock", () => {
    const state = emptyState();
    const tell = teller();
    reduce(state, tell({ event: { action: "sensor.start" } }));
    const { now } = state;
    reduce(
      state,
      event(1, {
        event: { action: "lookback.login", start: "2020-01-01T00:00:00.000Z", end: "2030-01-01T00:00:00.000Z" },
        user: { name: text("root") },
        source: { ip: "203.0.113.9" },
        stakeout: { sensor: "look", tier: "files", lookback: { kind: "login", from: ["wtmp"], count: 4, forgeable_by: "root" } },
      }),
    );
    expect(state.past.rows).toEqual([
      {
        id: "login:1",
        kind: "login",
        from: ["wtmp"],
        count: 4,
        first: Date.UTC(2020, 0, 1),
        last: Date.UTC(2030, 0, 1),
        user: "root",
        ip: "203.0.113.9",
        source: { ip: "203.0.113.9" },
      },
    ]);
    expect(state.now).toBe(now);
  });

  test("what came is new, what went is gone, and what went and came again is as it was", () => {
    const state = emptyState();
    const tell = teller();
    const status = () => Object.fromEntries([...state.setUp].map(([id, thing]) => [id, thing.status]));
    reduce(state, tell(setUp("baseline.inventory", "a", "b")));
    reduce(state, tell(setUp("baseline.added", "c")));
    reduce(state, tell(setUp("baseline.removed", "a")));
    expect(status()).toEqual({ a: "gone", b: "here", c: "new" });
    reduce(state, tell(setUp("baseline.added", "a")));
    reduce(state, tell(setUp("baseline.removed", "c")));
    expect(status()).toEqual({ a: "here", b: "here", c: "gone" });
    reduce(state, tell(setUp("baseline.added", "c")));
    expect(status()["c"]).toBe("new");
  });
});

/** A colleague from our own address, with one shell that writes files. */
function planted() {
  const f = new FixtureState();
  const init = f.process(1, undefined, "init");
  f.login(40, init, "root", { ip: "192.0.2.7" }, { ours: true, standing: "responder" });
  const colleague = f.login(50, init, "root", { ip: "192.0.2.7" });
  const shell = f.process(51, colleague, "-bash");
  return { state: f.state, colleague, write: (path: string) => f.binary(path, { writer: shell, writers: [shell] }) };
}

describe("this is us", () => {
  const INTRUDER = "boot-1:4711:4711";

  test("a login from our own address is suggested, one that did what intruders do never is", () => {
    const state = nightState();
    const ours = [...state.logins.values()].find((login) => login.ours);
    if (!ours?.source) throw new Error("the fixture has no login of ours with an address");
    const colleague = { ...ours, id: "boot-1:9000:9000", ours: false, standing: "unknown" as const };
    state.logins.set(colleague.id, colleague);
    const intruder = state.logins.get(INTRUDER);
    if (intruder) intruder.source = ours.source; // behind the same address
    expect(suggestions(state)).toEqual([
      { login: colleague.id, reasons: expect.arrayContaining([`from ${ours.source.ip}, as another of ours`]) },
    ]);
    expect(state.logins.get(colleague.id)?.standing).toBe("unknown");
  });

  test("a shell that writes its history as its user leaves says nothing against him; any other new file does", () => {
    const { state, ...f } = planted();
    const wrote = (path: string) => {
      state.binaries.clear();
      f.write(path);
      state.judged += 1;
      return suggestions(state).map(({ login }) => login);
    };
    expect(wrote("/root/.bash_history")).toEqual([f.colleague]);
    expect(wrote("/root/.ssh/authorized_keys")).toEqual([]);
    expect(wrote("/tmp/bash_history")).toEqual([]);
  });

  test("the same key counts, unless what the host says of the login contradicts its socket", () => {
    const state = nightState();
    const ours = [...state.logins.values()].find((login) => login.ours);
    if (!ours) throw new Error("the fixture has no login of ours");
    ours.info = { from: ["auth.log"], key: "SHA256:k" };
    const other = { ...ours, id: "boot-1:9001:9001", ours: false, standing: "unknown" as const, source: { ip: "192.0.2.77" } };
    state.logins.set(other.id, other);
    expect(suggestions(state).map(({ login }) => login)).toContain(other.id);
    state.judged += 1;
    other.info = { ...ours.info, contradicts: ["made up"] };
    expect(suggestions(state).map(({ login }) => login)).not.toContain(other.id);
  });
});
