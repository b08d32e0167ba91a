import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nightState } from "#testing/night-state";
import { buildBinaries } from "../rows/binaries.ts";
import { buildConnections } from "../rows/connections.ts";
import { buildTree } from "../rows/tree.ts";
import { AllOpen, filterTree } from "./apply.ts";
import { filterKey, noFilter } from "./line.ts";
import { filterProblem, LONGEST_FILTER, matches, parseFilter } from "./parse.ts";
import { ofBinary, ofConnection } from "./subjects.ts";

const state = nightState();
const all = {
  tree: buildTree(state, { showHidden: false, toggled: new AllOpen() }),
  connections: buildConnections(state, false),
  binaries: buildBinaries(state, false),
};
const apply = (text: string) => {
  const filter = parseFilter(text);
  const tree = filterTree(filter, all.tree, state);
  const connections = all.connections.filter((row) => matches(filter, ofConnection(row, state)));
  const binaries = all.binaries.filter((row) => matches(filter, ofBinary(row, state)));
  return {
    rows: { tree: tree.rows, connections, binaries },
    found: { tree: tree.found, connections: connections.length, binaries: binaries.length },
  };
};
const far = (text: string) => new Set(apply(text).rows.connections.map((row) => row.far.ip));

describe("a filter", () => {
  test("is words, fields, exclusions and quotes", () => {
    expect(parseFilter('Bash user:root -ip:10. 203.0.113.66:443 "cat /etc" exe:"a b" - nosuch:x')).toEqual([
      { value: "bash", exclude: false },
      { field: "user", value: "root", exclude: false },
      { field: "ip", value: "10.", exclude: true },
      { value: "203.0.113.66:443", exclude: false },
      { value: "cat /etc", exclude: false },
      { field: "exe", value: "a b", exclude: false },
      { value: "-", exclude: false },
      { value: "nosuch:x", exclude: false },
    ]);
    expect(parseFilter('user: -as: ""')).toEqual([]);
  });

  test("never throws, reads a bounded length, and matching an exclusion is the opposite of matching", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), fc.string({ unit: "binary" }), (text, seen) => {
        const filter = parseFilter(text);
        for (const term of filter) expect(term.value.length).toBeLessThanOrEqual(LONGEST_FILTER * 3);
        const subject = { text: seen.toLowerCase(), fields: {} };
        for (const term of filter) expect(matches([term], subject)).toBe(!matches([{ ...term, exclude: !term.exclude }], subject));
      }),
    );
  });

  test("finds by what is seen and by field, in every pane", () => {
    expect(far("country:cn")).toEqual(new Set(["203.0.113.66"]));
    const callers = apply("country:cn").rows.tree.flatMap((row) => (row.kind === "process" ? [row.process.pid] : []));
    expect(callers).toEqual(expect.arrayContaining([4802, 4902])); // who called there, and what that hangs under
    expect(callers).not.toContain(4840);
    expect(apply("country:cn").rows.binaries.map((row) => row.binary.path)).toContain("/dev/shm/qzjw81xk");
    expect(far("as:4134 ip:203.")).toEqual(new Set(["203.0.113.66"]));
    expect(far("chinanet")).toEqual(new Set(["203.0.113.66"]));
    expect(far("-country:cn").has("203.0.113.66")).toBe(false);
    expect(apply("path:/dev/shm").rows.binaries.map((row) => row.binary.path)).toEqual(["/dev/shm/qzjw81xk"]);
    expect(apply("flag:dev-shm").rows.binaries.map((row) => row.binary.path)).toEqual(["/dev/shm/qzjw81xk"]);
    expect(apply("flag:dev-shm").found.tree).toBeGreaterThan(0); // what runs from there
    expect([...far("flag:dev")]).toEqual(["203.0.113.66"]); // and whom that calls
    expect(apply("flag:memfd").found).toEqual({ tree: 0, connections: 0, binaries: 0 });
    expect(apply("standing:intruder").found).toEqual({ tree: 0, connections: 0, binaries: 0 });
    const pid = apply("pid:4802").rows.tree;
    expect(pid.at(-1)).toMatchObject({ kind: "process", process: { pid: 4802 } });
    expect(apply("pid:4802").found.tree).toBe(1);
  });

  test("keeps the rows that a match hangs under, and looks into what is folded", () => {
    const shadow = apply("/etc/shadow");
    expect(shadow.found.tree).toBe(1);
    expect(shadow.rows.tree[0]).toMatchObject({ kind: "login" });
    expect(apply("kworker").found.tree).toBe(64);
    expect(apply('"ls -la"').found.tree).toBe(14);
    for (const row of apply("/etc/shadow").rows.tree)
      if (row.parent !== undefined) expect(shadow.rows.tree.map(({ key }) => key)).toContain(row.parent);
  });

  test("the line keeps what was typed before, Enter keeps it, Esc clears it", () => {
    const type = (line: ReturnType<typeof noFilter>, ...keys: string[]) =>
      keys.reduce((l, name) => filterKey(l, [...name].length === 1 ? { name, text: name } : { name }), line);
    const open = { ...noFilter(), typing: true };
    const first = type(open, "a", "b", "enter");
    expect(first).toMatchObject({ text: "ab", typing: false, history: ["ab"] });
    const again = type({ ...first, text: "", typing: true }, "c", "enter");
    const back = type({ ...again, typing: true }, "up", "up");
    expect(back.text).toBe("ab");
    expect(type(back, "down").text).toBe("c");
    expect(type(back, "backspace", "backspace", "x").text).toBe("x");
    expect(type(back, "escape")).toMatchObject({ text: "", typing: false, history: ["ab", "c"] });
    expect(filterKey(open, { name: "paste", text: `x\x1b]0;y\n${"z".repeat(1e6)}` }).text).toHaveLength(LONGEST_FILTER);
  });

  test("what is odd is said while it is typed, and what is fine is not", () => {
    for (const fine of [
      "",
      "ssh",
      "203.0.113.66:443",
      "pid:4802 -exe:sh",
      "ip:10.",
      "ip:fe80::",
      "fe80::1",
      "http://x",
      "standing:intr",
      '"ls -la"',
      "user:",
    ])
      expect(filterProblem(fine), fine).toBeUndefined();
    expect(filterProblem("usr:root")).toMatch(/no field usr:.*user: ip:/);
    expect(filterProblem("pid:sh")).toBe("pid: is a number, not sh");
    expect(filterProblem("ip:nginx")).toContain("an address");
    expect(filterProblem("standing:bad")).toContain("known-good");
    expect(filterProblem('"ls')).toContain("another one ends it");
    expect(filterProblem("/tmp/.*")).toContain("no regular expressions");
  });

  test("Tab goes through the filters that have a name, and round", () => {
    const saved = [
      { name: "abroad", text: "-country:de" },
      { name: "shells", text: "exe:sh" },
    ];
    const tab = (line: ReturnType<typeof noFilter>, name = "tab") => filterKey(line, { name }, saved);
    const first = tab({ ...noFilter(), typing: true });
    expect([first.text, tab(first).text, tab(tab(first)).text, tab(first, "shift-tab").text]).toEqual([
      "-country:de",
      "exe:sh",
      "-country:de",
      "exe:sh",
    ]);
    expect(filterKey({ ...noFilter(), text: "x", typing: true }, { name: "tab" }).text).toBe("x");
  });
});
