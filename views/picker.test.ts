import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { columns } from "./HostText.ts";
import { Picker, type PickerRow } from "./picker.ts";
import { makeTheme } from "./theme.ts";

const when = Date.UTC(2026, 10, 24, 20, 57);
const ROWS: PickerRow[] = [
  { kind: "host", host: "web-01", when, sessions: 3, isolated: true },
  { kind: "session", host: "web-01", when, lasted: 660_000, events: 12_563, isolated: false, whole: true },
];

test("the list of recent hosts and sessions names its columns, each over what it names, at every width", () => {
  for (const width of [40, 80, 120, 200]) {
    const lines = new Picker(ROWS, makeTheme("none"), width, 24).frame().blocks[0]?.rows.map(stripVTControlCharacters) ?? [];
    for (const line of lines) expect(columns(line)).toBe(width);
    if (width < 80) continue;
    const at = lines.findIndex((line) => line.includes("began"));
    const [head = "", row = ""] = lines.slice(at);
    expect(head.indexOf("host")).toBe(row.indexOf("web-01"));
    expect(head.indexOf("lasted") + "lasted".length).toBe(row.indexOf("11m") + "11m".length);
    expect(head.indexOf("at its end")).toBe(row.indexOf("not isolated"));
    const hosts = lines.findIndex((line) => line.includes("last session"));
    expect((lines[hosts] ?? "").indexOf("was last")).toBe((lines[hosts + 1] ?? "").indexOf(" isolated "));
  }
});
