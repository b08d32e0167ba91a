import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { callerOf } from "#state/callers";
import { effectOf } from "#state/effect";
import type { State } from "#state/state";
import { text as named } from "#testing/events";
import { FixtureState, judge } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { factsOf } from "../facts/facts.ts";
import { jumpTarget } from "../jump.ts";
import { treeRow } from "../panes/tree-row.ts";
import { makeTheme } from "../theme.ts";
import { activityBuckets, activityTimes, buildActivity } from "./activity.ts";
import { buildBinaries } from "./binaries.ts";
import { buildConnections } from "./connections.ts";
import { SORT_WORDS, type Sort } from "./list.ts";
import { loginNumber } from "./login-number.ts";
import { buildLogins } from "./logins.ts";
import { buildPlaces } from "./places.ts";
import { inSight } from "./standing.ts";
import { buildTree, type TreeRow } from "./tree.ts";

const INTRUDER = "boot-1:4711:4711";
const tree = (state: ReturnType<typeof nightState>, showHidden = false, ...toggled: string[]) =>
  buildTree(state, { showHidden, toggled: new Set(toggled) });
const headings = (rows: TreeRow[]) => rows.filter((row) => row.kind === "login" || row.kind === "group").map((row) => row.key);
const text = (state: ReturnType<typeof nightState>, row: TreeRow, width = 120) =>
  stripVTControlCharacters(treeRow(row, { theme: makeTheme("none"), state, now: state.now, width, selected: false, focused: false }));

describe("the process tree", () => {
  test("unknown logins come first, newest activity on top, then services, then kernel threads; responders are hidden", () => {
    const state = nightState();
    expect(headings(tree(state))).toEqual([`l:${INTRUDER}`, "l:boot-1:1402:1402", "g:services", "g:kernel"]);
  });

  test("what nobody saw the origin of stands by itself above the services", () => {
    const state = nightState();
    const f = new FixtureState();
    const orphan = f.process(9000, undefined, "/usr/bin/x");
    const child = f.process(9001, orphan, "/usr/bin/y");
    for (const id of [orphan, child]) state.processes.set(id, f.state.processes.get(id) as never);
    const rows = tree(state);
    expect(headings(rows)).toEqual([`l:${INTRUDER}`, "l:boot-1:1402:1402", "g:unseen", "g:services", "g:kernel"]);
    const at = (key: string) => rows.findIndex((row) => row.key === key);
    expect(text(state, rows[at("g:unseen")] as TreeRow)).toMatch(/origin not seen +2 processes/);
    expect([at(`p:${orphan}`), at(`p:${child}`)]).toEqual([at("g:unseen") + 1, at("g:unseen") + 2]);
  });

  test("what tags hide is counted, and shown in its place on demand", () => {
    const state = nightState();
    expect(inSight(state).hidden).toEqual({ processes: 100, connections: 2, files: 1, logins: 2 });
    expect(headings(tree(state, true))).toEqual([
      `l:${INTRUDER}`,
      "l:boot-1:1402:1402",
      "g:services",
      "g:kernel",
      "l:boot-1:3000:3000",
      "l:boot-1:3100:3100",
    ]);
  });

  test("an intruder's login stays on top even if another is more active", () => {
    const state = nightState();
    judge(state, "boot-1:1402:1402", "intruder", "t9");
    expect(headings(tree(state))[0]).toBe("l:boot-1:1402:1402");
  });

  test("a login that nobody judged and that brought something with a flag stands before the others, though it has left", () => {
    const f = new FixtureState();
    const sshd = f.process(690, undefined, "/usr/sbin/sshd -D");
    const comes = (pid: number, start: number, more = {}) =>
      f.login(
        pid,
        sshd,
        "root",
        { ip: `10.0.4.${pid % 100}`, port: 5000 },
        { start: f.state.now - start, active: f.state.now - start, ...more },
      );
    const quiet = comes(801, 10);
    const drops = comes(802, 300, { end: f.state.now - 200 });
    const suspect = comes(803, 400, { standing: "suspect" });
    const beacon = f.process(810, drops, "/tmp/xq3zk9");
    const order = () => headings(tree(f.state)).filter((key) => key.startsWith("l:"));
    const logins = () => buildLogins(f.state, false).map(({ key }) => key);
    expect(order()).toEqual([`l:${suspect}`, `l:${quiet}`, `l:${drops}`]);
    f.binary("/tmp/xq3zk9", { runners: [beacon], runs: 1, random: 0.99 });
    expect(order()).toEqual([`l:${suspect}`, `l:${drops}`, `l:${quiet}`]);
    expect(logins()).toEqual([`l:${suspect}`, `l:${drops}`, `l:${quiet}`]);
  });

  test("exited leaves of one name fold into a count that opens again", () => {
    const state = nightState();
    const folded = tree(state).find((row) => row.kind === "repeat" && row.name === "ls");
    expect(folded).toMatchObject({ count: 14, expandable: true, expanded: false });
    expect(text(state, folded as TreeRow)).toMatch(/ls ×14 +-la \/home\/dev/);
    const opened = tree(state, false, folded?.key ?? "");
    expect(opened.filter((row) => row.kind === "process" && row.process.name === "ls")).toHaveLength(14);
  });

  test("counts of leaves that the state no longer keeps are added", () => {
    const state = nightState();
    const shell = state.processes.get("boot-1:4715:4715");
    if (shell) shell.folded = { ls: 100, awk: 3 };
    const repeats = tree(state).filter((row) => row.kind === "repeat");
    expect(repeats.find((row) => row.kind === "repeat" && row.name === "ls")).toMatchObject({ count: 114 });
    // what is told of them is the same number, whether the state keeps some, all or none
    const told = (name: string) => {
      const row = repeats.find((one) => one.kind === "repeat" && one.name === name);
      return row?.selection
        ? factsOf(makeTheme("none"), state, row.selection, state.now)
            .slice(0, 2)
            .map((fact) => fact.text)
        : [];
    };
    expect(told("ls")).toEqual([
      "114 programs of one name that ended, newest first",
      expect.stringMatching(/^100 older ones by number alone/),
    ]);
    expect(told("awk")).toEqual(["3 programs of one name that ended", expect.stringMatching(/^by number alone/)]);
    expect(repeats.find((row) => row.kind === "repeat" && row.name === "awk")).toMatchObject({ count: 3, expandable: false });
  });

  test("something worse under a hidden login is not hidden with it", () => {
    const state = nightState();
    const bad = state.processes.get("boot-1:3001:3001");
    if (bad) bad.standing = "intruder";
    expect(tree(state).some((row) => row.kind === "process" && row.process.pid === 3001)).toBe(true);
  });

  test("every process that is not hidden has exactly one row once all is open", () => {
    const state = nightState();
    const all = new Set(
      tree(state)
        .filter((row) => row.kind === "repeat")
        .map((row) => row.key),
    );
    const shown = tree(state, false, "g:kernel", ...all).flatMap((row) =>
      row.kind === "process" ? [row.process.id] : row.kind === "login" ? [row.login.id] : [],
    );
    const wanted = [...state.processes.values()].filter((p) => p.standing !== "responder").map((p) => p.id);
    expect(shown.toSorted()).toEqual(wanted.toSorted());
  });

  test("10,000 levels, a circle of parents and missing parents are survived", () => {
    const f = new FixtureState();
    let parent = f.process(1, undefined, "/sbin/init");
    for (let pid = 2; pid < 10_000; pid++) parent = f.process(pid, parent, `/bin/sh -c ${pid}`);
    f.process(20_000, "gone", "/bin/orphan");
    const a = f.process(30_000, undefined, "/bin/a");
    const b = f.process(30_001, a, "/bin/b");
    const circle = f.state.processes.get(a);
    if (circle) Object.assign(circle, { parent: b });
    const rows = tree(f.state);
    expect(rows.filter((row) => row.kind === "process").length).toBeGreaterThanOrEqual(10_000);
    expect(text(f.state, rows.at(-1) as TreeRow, 80)).toHaveLength(80);
    expect(rows.some((row) => row.kind === "process" && row.process.pid === 20_000)).toBe(true);
  });

  test("hostile names are shown, and can do nothing", () => {
    const state = nightState();
    const row = tree(state).find((r) => r.kind === "process" && r.process.pid === 4831) as TreeRow;
    expect(text(state, row)).toContain("·[2J·]0;owned··");
    expect(text(state, row)).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });
});

const ownLogins = (state: State, showHidden: boolean) =>
  buildLogins(state, showHidden).flatMap((row) => (row.kind === "login" ? [row] : []));

describe("logins, places and activity", () => {
  test("a login keeps its number, and who is worst and still in comes first", () => {
    const state = nightState();
    expect(ownLogins(state, false).map(({ number, login }) => [number, login.user?.name])).toEqual([
      [1, "root"],
      [2, "dev0"],
    ]);
    judge(state, "boot-1:1402:1402", "intruder", "t9");
    expect(ownLogins(state, false).map(({ number }) => number)).toEqual([2, 1]);
    expect(ownLogins(state, true).map(({ number }) => number)).toEqual([2, 1, 3, 4]);
    expect(loginNumber(state, "boot-1:1402:1402")).toBe(2);
  });

  test("a place has all that goes there or comes from there, and counts the attempts at one far end once", () => {
    const state = nightState();
    const connections = buildConnections(state, false);
    const places = buildPlaces(state, connections);
    expect(places.map(({ title }) => title)).toEqual(["China", "Russia", "private"]);
    const [china, russia] = places;
    expect(china).toMatchObject({ code: "CN", goes: true, comes: false, ends: 1, attempts: 32, live: 2, cities: ["Guangzhou"] });
    expect(russia).toMatchObject({ code: "RU", goes: false, comes: true, attempts: 1 });
    expect(new Set(china?.selection.members)).toEqual(
      new Set([...state.connections.values()].filter(({ destination }) => destination.geo?.country_iso_code === "CN").map(({ id }) => id)),
    );
    expect(jumpTarget(state, china?.selection ?? { kind: "group", id: "" }, "connection")).toMatchObject({ pane: "connections" });
  });

  test("activity is told by who did it, and a tag colours what came before it", () => {
    const state = nightState();
    const doers = () => Object.fromEntries(buildActivity(state, true).map(({ title, doer }) => [title, doer]));
    expect(doers()).toMatchObject({ "L1 root@185.220.101.47": "unknown", "L3 root@10.0.4.2": "responder", services: "service" });
    const before = activityBuckets(state);
    judge(state, INTRUDER, "intruder", "t3");
    expect(doers()["L1 root@185.220.101.47"]).toBe("intruder");
    const after = activityBuckets(state);
    expect(after.map(({ intruder = 0 }) => intruder)).toEqual(before.map(({ unknown = 0 }) => unknown));
    expect(buildActivity(state, false).map(({ title }) => title)).toEqual(["L1 root@185.220.101.47", "services"]);
    for (const { counts } of buildActivity(state, true)) expect(counts).toHaveLength(activityTimes(state).length);
  });
});

test("of those that nobody judged, who brought what has a flag did it first in the activity as well, however long ago", () => {
  const state = nightState();
  const { sources } = state.activity;
  const intruders = [...sources.values()].find(({ login }) => login === INTRUDER);
  if (!intruders) throw new Error("the intruder did nothing");
  sources.set("dev0", { ...intruders, login: "boot-1:1402:1402", first: intruders.first + 30 });
  const titles = buildActivity(state, false).map(({ title }) => title);
  expect(titles.slice(0, 2)).toEqual(["L1 root@185.220.101.47", "L2 dev0 (console)"]);
  expect(buildActivity(state, false, "newest")[0]?.title).toBe("L2 dev0 (console)");
});

describe("connections and binaries", () => {
  test("every order holds the same rows", () => {
    const state = nightState();
    const keys = (rows: readonly { key: string }[]) => rows.map(({ key }) => key).sort();
    for (const sort of Object.keys(SORT_WORDS) as Sort[]) {
      expect(keys(buildConnections(state, true, sort))).toEqual(keys(buildConnections(state, true)));
      expect(keys(buildBinaries(state, true, sort))).toEqual(keys(buildBinaries(state, true)));
      expect(keys(buildLogins(state, true, sort))).toEqual(keys(buildLogins(state, true)));
      expect(keys(buildTree(state, { showHidden: true, toggled: new Set(), sort }))).toEqual(keys(tree(state, true)));
    }
    const starts = buildTree(state, { showHidden: false, toggled: new Set(), sort: "newest" }).filter(
      ({ kind, lines }) => kind !== "login" && lines.length === 2,
    );
    expect(starts.slice(0, 12).map(({ at }) => at)).toEqual(
      starts
        .slice(0, 12)
        .map(({ at }) => at)
        .toSorted((a, b) => b - a),
    );
    expect(buildBinaries(state, false, "size")[0]?.binary.size).toBe(1_204_224);
  });

  test("a beacon is one row with its attempts, not a row an attempt", () => {
    const state = nightState();
    const beacons = buildConnections(state, false).filter((row) => row.far.ip === "203.0.113.66" && row.far.port === 443);
    expect(beacons).toHaveLength(1);
    expect(beacons[0]).toMatchObject({ owner: ".kx9fq2vz", attempts: 31, latest: { phase: "attempt" } });
  });

  test("of two programs that call one far end each row tells its own attempts, and their place the sum", () => {
    const state = nightState();
    const peer = state.peers.get("203.0.113.66 443");
    const other = state.processes.get("boot-1:4902:4902");
    if (!peer?.callers || !other) throw new Error("the night has no beacon");
    const before = peer.callers.get(callerOf(other));
    other.name = named("other");
    peer.callers.set(callerOf(other), before ?? { attempts: 1, tries: peer.tries });
    const rows = buildConnections(state, false).filter((row) => row.far.ip === "203.0.113.66" && row.far.port === 443);
    expect(rows.map(({ owner, attempts }) => [owner, attempts]).sort()).toEqual([
      [".kx9fq2vz", 30],
      ["other", 1],
    ]);
    expect(buildPlaces(state, rows)[0]?.attempts).toBe(31);
  });

  test("open connections come before closed ones, listeners last; the intruder's come first once tagged", () => {
    const state = nightState();
    expect(buildConnections(state, false).map((row) => row.latest.phase)).toEqual([
      "attempt",
      "established",
      "established",
      "established",
      "listening",
      "listening",
    ]);
    judge(state, INTRUDER, "intruder", "t3");
    expect(buildConnections(state, false)[0]?.latest.standing).toBe("intruder");
  });

  test("a connection's tag is that of its process; without one there is nothing to tag", () => {
    const state = nightState();
    const [first] = buildConnections(state, false);
    expect(first?.selection.selector).toEqual({ process: first?.latest.process });
    for (const c of state.connections.values()) {
      delete c.process;
      delete c.login;
    }
    expect(buildConnections(state, false)[0]?.selection.selector).toBeUndefined();
  });

  test("binaries hide with their tag and say whom they belong to", () => {
    const state = nightState();
    expect(buildBinaries(state, false)).toHaveLength(4);
    expect(buildBinaries(state, true)).toHaveLength(5);
    expect(buildBinaries(state, false)[0]?.selection.selector).toEqual({ login: INTRUDER });
  });

  test("the reach of a tag is what it would hide", () => {
    const state = nightState();
    expect(effectOf(state, { login: INTRUDER }, "responder")).toMatchObject({ processes: 30, connections: 14, binaries: 3 }); // one that somebody else ran, too, stays
    expect(effectOf(state, { process: "boot-1:4811:4811" }, "responder").processes).toBe(3);
  });
});
