import fc from "fast-check";
import { expect, test } from "vitest";
import type { Shipped } from "./answer.ts";
import { packagesOf, TEN_MINUTES } from "./package-log.ts";

const clock = { zone: 0, now: Date.UTC(2024, 5, 1) } as Parameters<typeof packagesOf>[1];
const file = (path: string, lines: string[]) => ({ path, bytes: Buffer.from(`${lines.join("\n")}\n`) }) as Shipped;
const START = Date.UTC(2024, 4, 1, 10);
const dnf = (name: string, at: number) => `${new Date(START + at).toISOString().slice(0, 19)}Z INFO Installed: ${name}-1-1.x86_64`;
const rpm = (name: string, at: number) => `${(START + at) / 1000}\t${name}\t1-1\tx86_64`;

test("of a log with more changes than are kept the newest are", () => {
  const lines = Array.from({ length: 7000 }, (_, i) => `2024-05-01 10:00:00 install p${i} <none> 1`);
  const names = packagesOf([file("/var/log/dpkg.log", lines)], clock).map(({ name }) => name);
  expect(names).toHaveLength(5000);
  expect(names.at(-1)).toBe("p6999");
});

test("what rpm has is told beside the logs where none of them tells of it within ten minutes", () => {
  const seconds = fc.integer({ min: 0, max: 4000 }).map((s) => s * 1000);
  const things = fc.array(fc.tuple(fc.constantFrom("a", "b"), seconds), { maxLength: 12 });
  fc.assert(
    fc.property(things, things, (logged, had) => {
      const told = packagesOf(
        [
          file(
            "/var/log/dnf.rpm.log",
            logged.map(([name, at]) => dnf(name, at)),
          ),
          file(
            "rpm",
            had.map(([name, at]) => rpm(name, at)),
          ),
        ],
        clock,
      );
      const alone = had.filter(([name, at]) => !logged.some(([other, when]) => other === name && Math.abs(when - at) < TEN_MINUTES));
      expect(told.filter(({ from }) => from === "rpm's database")).toHaveLength(alone.length);
    }),
  );
});

test("a forged answer that names one package over and over is read all the same", () => {
  const lines = Array.from({ length: 5000 }, () => "2024-05-01 10:00:00 install a <none> 1");
  const logs = Array.from({ length: 40 }, (_, i) => file(`/var/log/dpkg.log.${i}`, lines));
  const had = Array.from({ length: 5000 }, () => rpm("a", 0));
  expect(packagesOf([...logs, file("rpm", had)], clock)).toHaveLength(205_000);
});
