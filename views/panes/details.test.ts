import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { judge } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { makeTheme } from "../theme.ts";
import { Details } from "./details.ts";

const INTRUDER = "boot-1:4711:4711";
const LOGIN = { kind: "login", id: INTRUDER, selector: { login: INTRUDER }, standing: "unknown" } as const;
const SIZE = { width: 100, height: 14, as: "pane" } as const;
const theme = makeTheme("none");
const plain = (rows: readonly string[]) => stripVTControlCharacters(rows.join("\n"));

test("details stay as they are until something may read differently; another thing and a tag are in them at once", () => {
  const state = nightState();
  const details = new Details(() => {});
  const rows = () => details.rows(theme, state, LOGIN, state.now, SIZE);
  const first = rows();
  expect(first).toHaveLength(SIZE.height);
  expect(rows()).toBe(first);
  expect(plain(rows())).toMatch(/standing +unknown/);
  judge(state, INTRUDER, "intruder");
  state.judged++;
  expect(plain(rows())).toMatch(/standing +intruder/);
  expect(details.rows(theme, state, undefined, state.now, SIZE).join("\n")).toContain("Nothing is selected");
  details.close();
});

test("what time alone changes may be put off, and is asked for again", async () => {
  const state = nightState();
  const due = Promise.withResolvers<void>();
  const details = new Details(due.resolve);
  const rows = (seconds: number) => details.rows(theme, state, LOGIN, state.now + seconds * 1000, SIZE);
  const first = rows(0);
  const later = rows(3600);
  if (later === first) await due.promise;
  expect(plain(first)).not.toMatch(/still in, 1h/);
  expect(plain(rows(3600))).toMatch(/still in, 1h/);
  details.close();
});
