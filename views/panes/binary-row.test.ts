import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { nightState } from "#testing/night-state";
import { columns } from "../HostText.ts";
import { buildBinaries } from "../rows/binaries.ts";
import { makeTheme } from "../theme.ts";
import { binaryRow } from "./binary-row.ts";

test("a new binary's row says where it lies: the gravest word where there is no room, all of them where there is", () => {
  const state = nightState();
  const path = "/dev/shm/qzjw81xk" as HostString;
  const binary = state.binaries.get(path);
  if (!binary) throw new Error("no such binary");
  const row = (width: number) => {
    const found = buildBinaries(state, true).find((one) => one.binary.path === path);
    if (!found) throw new Error("no row");
    const context = { theme: makeTheme("none"), state, now: state.now, width, selected: false, focused: false };
    const text = stripVTControlCharacters(binaryRow(found, context));
    expect(text).toHaveLength(width);
    return text;
  };
  expect(row(100)).toMatch(/random +deleted +\d/);
  expect(row(100)).not.toContain("dev-shm ");
  binary.mount = { point: "/dev/shm" as HostString, type: "tmpfs" as HostString };
  expect(row(160)).toMatch(/qzjw81xk +random +deleted mount dev-shm +\d/);
  binary.deleted = false;
  expect(row(100)).toMatch(/random +mount +\d/);
  binary.nameless = true;
  expect(row(160)).toMatch(/no name mount dev-shm/);
});

test("a path is not cut beside an empty column, and what stands behind it keeps its place", () => {
  const state = nightState();
  const path = "/opt/intranet/bin/healthcheck" as HostString;
  const [any] = state.binaries.values();
  if (!any) throw new Error("the night has no binary");
  const { random: _, ...plain } = any;
  state.binaries.set(path, { ...plain, path, deleted: false });
  const context = { theme: makeTheme("none"), state, now: state.now, width: 80, selected: false, focused: false };
  const rows = buildBinaries(state, true).map((one) => stripVTControlCharacters(binaryRow(one, context)));
  expect(rows.find((row) => row.includes("healthcheck"))).toContain(path);
  const runsEnd = (row: string) => columns(row.replace(/^(.*(?:not run|ran ×\d+)).*$/, "$1"));
  expect(new Set(rows.map(runsEnd)).size).toBe(1);
  for (const row of rows) expect(columns(row)).toBe(80);
});
