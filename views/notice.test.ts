import { expect, test } from "vitest";
import { Notice } from "./notice.ts";
import { scrubberLine } from "./panes/scrubber.ts";
import type { Message, ViewStore } from "./store.ts";
import { makeTheme } from "./theme.ts";

test("a key puts a message away, but not one that says what is so just now", () => {
  const store = { message: undefined as Message | undefined };
  const notice = new Notice(store as unknown as ViewStore);
  store.message = { text: "written to report.md", level: "info" };
  expect(notice.message?.text).toBe("written to report.md");
  notice.read();
  expect(notice.message).toBeUndefined();
  store.message = { text: "Reading the session: 0 of about 9 events", level: "info", lasting: true };
  notice.read();
  expect(notice.message?.text).toMatch(/^Reading/);
});

test("the last event that is read is not called the end while the session is read", () => {
  const replay = { at: 0, from: 0, to: 0, position: 0, length: 0, playing: false, speed: 1, marks: [] };
  expect(scrubberLine(makeTheme("none"), 120, { ...replay, reading: true })).toMatch(/reading/);
  expect(scrubberLine(makeTheme("none"), 120, { ...replay, reading: true })).not.toContain("at the end");
  expect(scrubberLine(makeTheme("none"), 120, { ...replay, reading: false })).toContain("at the end");
});
