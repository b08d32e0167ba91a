import { expect, test } from "vitest";
import { runLocal } from "#range/machine";
import { BASE } from "./base.ts";
import { FACTS } from "./facts.ts";
import { KEPT } from "./kept.ts";
import { LINEAGE } from "./lineage.ts";
import { RAW } from "./raw.ts";
import { TRACE } from "./trace.ts";

/** How many of `execs` (name, ms on the boot clock) are not read, by name: by the collector's own text. */
async function spared(execs: readonly (readonly [name: string, ms: number])[]): Promise<Record<string, number>> {
  const source = `${BASE}${KEPT}${FACTS}${TRACE}${LINEAGE}${RAW}my %n; for (<DATA>) { chomp; my ($n, $ms) = split; $n{$n} += often($n, $ms * 1e6) }
print join ' ', map { "$_=$n{$_}" } sort keys %n;\n__END__\n${execs.map(([name, ms]) => `${name} ${ms}\n`).join("")}`;
  const { code, stdout, stderr } = await runLocal(["perl", "-"], source);
  expect(code, stderr).toBe(0);
  return Object.fromEntries(stdout.split(" ").map((word) => [word.split("=")[0], Number(word.split("=")[1])]));
}
const flood = (name: string, perSecond: number, count: number) =>
  Array.from({ length: count }, (_, i) => [name, 1000 + (i * 1000) / perSecond] as const);

test("of a name that is run 200 times a second each is read, for ever; of a burst of two hundred, too", async () => {
  expect(await spared([...flood("steady", 200, 4000), ...flood("burst", 100_000, 200)])).toEqual({ steady: 0, burst: 0 });
});

test("of a flood of one name some 200 a second are read, and every one of the others that run meanwhile", async () => {
  const others = Array.from({ length: 50 }, (_, i) => ["curl", 1000 + i * 100] as const);
  const told = await spared([...flood("true", 1250, 6250), ...others].sort((a, b) => a[1] - b[1]));
  expect(told["curl"]).toBe(0);
  expect(6250 - (told["true"] ?? 0)).toBeGreaterThan(200 * 5);
  expect(6250 - (told["true"] ?? 0)).toBeLessThan(200 * 5 + 210);
});

test("a row of names without end takes no memory, and hides nothing", async () => {
  const names = Array.from({ length: 5000 }, (_, i) => [`n${i}`, 1000 + i / 100] as const);
  expect(Object.values(await spared(names)).filter((n) => n !== 0)).toEqual([]);
});
