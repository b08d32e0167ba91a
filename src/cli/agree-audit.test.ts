import { expect, test } from "vitest";
import { auditChanges } from "./agree-audit.ts";

const HOST = { on: false, daemon: 0, rules: 4, queue: 64, readers: 0, ours: ["-a one", "-a two"] };

test("what is agreed to is what becomes of this host: its switch, its rules, who reads along, what stays", () => {
  const off = auditChanges(HOST).join("\n");
  expect(off).toMatch(/is off: it is switched on, and off again at the end/);
  expect(off).toMatch(/2 rules are added behind the 4 that are there, and taken away at the end:\n {4}-a one\n {4}-a two/);
  expect(off).toMatch(/18 % more CPU/);
  expect(off).toMatch(/queue of 64 records/);
  expect(off).toMatch(/Nobody else reads them, so the kernel writes some of them into its own log/);
  expect(off).toMatch(/slower until the next reboot/);
  const on = auditChanges({ ...HOST, on: true, daemon: 812, readers: 2 }).join("\n");
  expect(on).toMatch(/is on already, and stays on/);
  expect(on).toMatch(/auditd \(pid 812\), which writes them into its log on the host's disk, and 2 other readers/);
  expect(on).not.toMatch(/next reboot|Nobody else/);
});
