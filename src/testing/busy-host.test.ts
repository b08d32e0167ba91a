import { expect, test } from "vitest";
import { Decoder } from "#sensors/decoder";
import { BusyHost } from "./busy-host.ts";

test("a busy host speaks as today's collector does: nothing that it tells is undecodable", () => {
  const host = new BusyHost({ processes: 500, perSecond: 2000 });
  const decoder = new Decoder();
  const kinds = new Map<string, number>();
  for (const lines of [host.begin(0), host.next(2000)])
    for (const { kind } of decoder.push(Buffer.from(lines, "latin1"))) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  expect(decoder.undecodable).toBe(0);
  expect(kinds.get("process")).toBe(500);
  for (const kind of ["exec", "exit", "fork", "socket", "file", "tick", "login-peer"]) expect(kinds.get(kind), kind).toBeGreaterThan(0);
});
