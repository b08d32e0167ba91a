import { expect, test } from "vitest";
import { undoAll } from "./undo.ts";

test("all parts go, the last made first; one that hangs or fails keeps no other from going, and is named", async () => {
  const gone: string[] = [];
  const part = (what: string) => ({ what, run: async () => void gone.push(what) });
  await undoAll([part("network"), part("host")]);
  expect(gone).toEqual(["host", "network"]);
  gone.length = 0;
  const hangs = { what: "a process that hangs", run: () => new Promise<void>(() => {}) };
  const fails = { what: "a mount", run: () => Promise.reject(new Error("busy")) };
  const failed = undoAll([part("network"), fails, part("names"), hangs, part("host")], 1);
  await expect(failed).rejects.toThrow("a process that hangs: not gone within 0.001 s; a mount: busy");
  expect(gone).toEqual(["host", "names", "network"]);
});
