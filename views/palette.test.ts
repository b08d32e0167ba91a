import { describe, expect, test } from "vitest";
import type { CommandContext } from "#commands/command";
import { DEFAULT_KEYMAP, makeKeymap } from "#commands/keymap";
import { nightState } from "#testing/night-state";
import { findThings } from "./find.ts";
import { paletteEntries } from "./palette.ts";

const context = (more: Partial<CommandContext> = {}): CommandContext => ({
  state: nightState(),
  mode: "live",
  pane: "tree",
  selection: undefined,
  showHidden: false,
  keymap: DEFAULT_KEYMAP,
  ...more,
});
const titles = (text: string, more: Partial<CommandContext> = {}) => paletteEntries(context(more), text, [], []).map(({ title }) => title);

describe("the palette", () => {
  test("finds a command by some letters of its title, before those whose help has them", () => {
    expect(titles("iso")[0]).toBe("Isolate");
    expect(titles("shhid")[0]).toBe("Show hidden");
    expect(titles("rep")[0]).toBe("Report");
    expect(titles("xyzzy")).toEqual([]);
  });

  test("says which changes the host, which cannot be used now and why, and its own keys", () => {
    const [isolate] = paletteEntries(context({ mode: "replay", keymap: makeKeymap({ isolate: ["ctrl-o"] }) }), "isolate", [], []);
    expect(isolate).toMatchObject({
      title: "Isolate",
      dangerous: true,
      keys: "Ctrl-O",
      disabled: expect.stringContaining("this is a replay"),
    });
  });

  test("with nothing typed it lists all there is, what cannot be used now at its end", () => {
    const entries = paletteEntries(
      context(),
      "",
      [{ name: "abroad", text: "-country:de" }],
      [{ pane: "tree", key: "p:1", name: "process 1 init" }],
    );
    expect(entries.map(({ title }) => title)).toEqual(
      expect.arrayContaining(["Tour", "Filter abroad", "Go to your mark: process 1 init", "Up"]),
    );
    const off = entries.findIndex(({ disabled }) => disabled !== undefined);
    expect(off).toBeGreaterThan(0);
    for (const entry of entries.slice(off)) expect(entry.disabled).toBeDefined();
  });

  test("digits, dots and slashes find things: a pid, an address, a port, a path", () => {
    expect(titles("4802")[0]).toMatch(/^Go to process 4802 /);
    expect(titles("185.220")[0]).toBe("Go to login L1 root@185.220.101.47");
    expect(titles("l1")[0]).toBe("Go to login L1 root@185.220.101.47");
    expect(titles("203.0.113.66:443")[0]).toBe("Go to connection 203.0.113.66:443");
    expect(titles(":443")).toContain("Go to connection 203.0.113.66:443");
    expect(titles("/dev/shm/qz")[0]).toBe("Go to new binary B3 /dev/shm/qzjw81xk");
    expect(findThings(nightState(), "xyzzy", 6)).toEqual([]);
    expect(findThings(nightState(), "x", 6)).toEqual([]);
    expect(findThings(nightState(), "s", 6)).toEqual([]);
    expect(findThings(nightState(), "sh", 3)).toHaveLength(3);
  });
});
