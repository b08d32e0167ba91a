import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { Selection } from "#commands/command";
import type { HostString } from "#model/host-string";
import type { State } from "#state/state";
import { ago, FixtureState } from "#testing/fixture-state";
import { jumpTarget } from "../jump.ts";
import { loginRow } from "../panes/login-row.ts";
import { rowSentence } from "../plain/sentences.ts";
import type { Lists } from "../rows/cache.ts";
import { buildLogins } from "../rows/logins.ts";
import { buildSetUp } from "../rows/past.ts";
import { makeTheme } from "../theme.ts";
import { factsOf } from "./facts.ts";

const theme = makeTheme("none");
const host = (text: string) => text as HostString;
const ENTRY = { path: host("/etc/cron.d/kx"), line: host("* * * * * root (setsid /dev/shm/qz &)") };
const ID = `cron ${ENTRY.path} ${ENTRY.line}`;

/** An entry that a login wrote: its first run left a beacon, its latest is over and no longer kept. */
function planted(): { f: FixtureState; state: State; login: string; beacon: string } {
  const f = new FixtureState();
  const { state } = f;
  const init = f.process(1, undefined, "init");
  const login = f.login(40, init, "root", { ip: "185.220.101.7" });
  const shell = f.process(41, login, "-bash");
  f.binary("/etc/cron.d/kx", { writer: shell });
  const cron = f.process(43, init, "cron -f");
  const first = f.process(313, cron, "cron", { end: ago(100) });
  const beacon = f.process(321, first, "/dev/shm/qz -i 2", { start: ago(100) });
  f.connection(beacon, { ip: "203.0.113.66", port: 443 });
  state.origins.set(ID, {
    id: ID,
    type: "cron",
    login,
    entry: { ...ENTRY, written_by: { entity_id: shell, at: "2026-11-24T21:00:00Z" } },
    ttys: [],
    start: ago(100),
    last: ago(20),
    runs: 2,
    roots: [first, "boot-1:925:925"],
    live: 0,
  });
  state.setUp.set(ID, { category: "cron", id: ID, name: ENTRY.path, detail: ENTRY.line, status: "new", at: ago(150) });
  return { f, state, login, beacon };
}

const originRow = (state: State, showHidden = false) => {
  const row = buildLogins(state, showHidden).find(({ kind }) => kind === "origin");
  if (row === undefined) throw new Error("the job has no row");
  return row;
};
const tell = (state: State, selection: Selection) =>
  Object.fromEntries(factsOf(theme, state, selection, state.now).map(({ label, text }) => [label, text]));
const painted = (state: State) =>
  stripVTControlCharacters(loginRow(originRow(state), { theme, state, now: state.now, width: 120, selected: false, focused: false }));

describe("why it starts again", () => {
  test("its row tells the entry, that it stands, who wrote it, how often it began and what of it goes on, though its latest run is gone", () => {
    const { state } = planted();
    expect(tell(state, originRow(state).selection)).toMatchObject({
      cron: "/etc/cron.d/kx",
      says: "* * * * * root (setsid /dev/shm/qz &)",
      entry: "still there, new since 21:04:12: it starts this again",
      written: "by L1 root@185.220.101.7",
      began: "2 times since 21:05:02, last 20s ago",
      "goes on": "qz 321 since 21:05:02",
      network: expect.stringContaining("to 203.0.113.66:443"),
    });
    expect(painted(state)).toMatch(/×2 +runs/);
    const rows = buildLogins(state, false);
    const spoken = rowSentence(
      { logins: rows } as unknown as Lists,
      "logins",
      rows.findIndex(({ kind }) => kind === "origin"),
      state,
      state.now,
    );
    expect(spoken).toContain("2 times, goes on: qz pid 321");
  });

  test("when nothing of it is kept it is over, its row still tells all that is known, and it is judged as who wrote it", () => {
    const { state, login, beacon } = planted();
    for (const id of [beacon, "boot-1:313:313"]) state.processes.delete(id);
    expect(painted(state)).toMatch(/×2 +over/);
    expect(tell(state, originRow(state).selection)).toMatchObject({
      cron: "/etc/cron.d/kx",
      "goes on": "nothing of it that is known",
    });
    const found = state.logins.get(login);
    if (found) found.standing = "intruder";
    expect(originRow(state).selection.standing).toBe("intruder");
    if (found) found.standing = "responder"; // an entry that one of us wrote can have been changed since
    expect(originRow(state).selection.standing).toBe("unknown");
  });

  test("an entry that is gone starts nothing any more", () => {
    const { state } = planted();
    const thing = state.setUp.get(ID);
    if (thing) thing.status = "gone";
    expect(tell(state, originRow(state).selection)["entry"]).toBe("gone since 21:04:12: it starts nothing any more");
  });

  test("what it started goes back to who wrote it: process, connection and the entry in the baseline say so, and keys lead there", () => {
    const { state, login, beacon } = planted();
    const back = "none of its own: it goes back to L1 root@185.220.101.7";
    expect(tell(state, { kind: "process", id: beacon })).toMatchObject({ login: back, origin: expect.stringContaining("/etc/cron.d/kx") });
    expect(tell(state, { kind: "connection", id: "c0" })).toMatchObject({ login: back, origin: expect.stringContaining("/etc/cron.d/kx") });
    expect(tell(state, { kind: "process", id: "boot-1:43:43" })["login"]).toBe("none: a service");
    const [entry] = buildSetUp(state);
    if (entry === undefined) throw new Error("the entry has no row");
    expect(tell(state, entry.selection)).toMatchObject({
      written: "by -bash 41",
      login: expect.stringContaining("L1 root@185.220.101.7"),
      "goes on": "qz 321 since 21:05:02",
    });
    for (const selection of [originRow(state).selection, entry.selection]) {
      expect(jumpTarget(state, selection, "login")).toEqual({ pane: "tree", ids: [`l:${login}`] });
      expect(jumpTarget(state, selection, "process")).toMatchObject({ ids: expect.arrayContaining([`p:${beacon}`]) });
      expect(jumpTarget(state, selection, "connection")).toEqual({ pane: "connections", ids: ["c0"] });
    }
  });
});
