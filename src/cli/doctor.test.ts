import { expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import type { Examination } from "#sensors/doctor";
import { table } from "./doctor.ts";

const HOW = "secrets and logs alone: this kernel (before 6.7) gives no handle of terminals, and whoever opens one is not seen";
const found = {
  host: { name: "web\u001b[2J" as HostString, kernel: "6.1", arch: "x86_64", cpus: 2, processes: 9, uid: 0 },
  sights: [
    { what: "programs that run", seen: "yes", how: "every one" },
    { what: "who opens secrets, terminals, memory", seen: "partly", how: HOW, todo: "Look at them by hand." },
  ],
  tiers: [],
  footprint: ["the login itself"],
} as unknown as Examination;

test("no column runs into the next, and what is too long for the terminal goes on under where it began", () => {
  const lines = table(found, "standard", 80);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const at = lines.findIndex((line) => line.includes("memory"));
  const begins = lines[at]?.indexOf("secrets and logs") ?? -1;
  expect(lines[at]?.slice(begins - 2, begins)).toBe("  ");
  expect(lines[at + 1]?.search(/\S/)).toBe(begins);
  expect(lines.join(" ").replace(/\s+/g, " ")).toContain(HOW);
  expect(lines.join("")).not.toContain("\u001b");
});

test("where no terminal shows it, one thing is one line", () => {
  expect(table(found, "standard").filter((line) => line.includes(HOW))).toHaveLength(1);
});
