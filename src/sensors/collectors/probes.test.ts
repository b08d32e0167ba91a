import { expect, test } from "vitest";
import { runLocal } from "#range/machine";
import { BASE } from "./base.ts";
import { KEPT } from "./kept.ts";
import { PROBES } from "./probes.ts";

/** The collector's own text; `full` and `twin` are records of one call by thread 7 as the kernel lays them out, `exec` takes what was kept. */
const perl = async (script: string) => {
  const layout = `
    sub trace_probe; sub whole; sub make; sub format_of; sub put; sub drain; sub stat_of; sub problem;
    $refill = sub {}; $by_old = 1; $close = 0;
    @argdecode = (['ex', [map { [16 * $_ + 8, 16 * $_ + 16] } 0 .. $MOST - 1], 16 * $MOST + 8], ['exx', [map { 8 + 64 * $_ } 0 .. $TWIN - 1], 0]);
    sub full { my ($ts, @args) = @_; my ($e, $data, $at) = (pack('LlQ0', 0, 7), '', 16 * $MOST + 16);
      for (0 .. $MOST - 1) { my $a = $args[$_]; $e .= defined $a ? pack('QLx4', 1, (length($a) + 1) << 16 | $at + length $data) : pack('QLx4', 0, 0); $data .= "$a\\0" if defined $a }
      probed_exec($ts, 0, $e . pack('Q', 0) . $data) }
    sub twin { my ($ts, @args) = @_; probed_exec($ts, 1, pack('Ll', 0, 7) . join '', map { pack 'a64', $args[$_] // '' } 0 .. $TWIN - 1) }
    sub exec_at { my $k = kept(8, 7, $_[0]); print $k ? (($k->[2] & 2 ? 'vanished ' : 'whole ') . join ' ', split /\\0/, $k->[4]) : 'nothing', "\\n" }`;
  const { code, stdout, stderr } = await runLocal(
    ["perl", "-"],
    `${BASE}${KEPT}my ($T, $PREFIX, $NAME, $ARCH, %inst, @keepers, @decode);${PROBES}${layout}${script}`,
  );
  expect(code, stderr).toBe(0);
  return stdout.trim().split("\n");
};
const LONG = "x".repeat(70);

test("a full record and its twin are one call, in either order, though the machine stands still between them", async () => {
  expect(await perl(`full(1, 'ls', '${LONG}'); twin(900_000_000, 'ls', '${LONG}'); exec_at(950_000_000)`)).toEqual([`whole ls ${LONG}`]);
  expect(await perl("twin(1, 'ls'); full(2, 'ls', ''); exec_at(3)")).toEqual(["whole ls"]);
});

test("of a call whose full record vanished its twin tells, whatever a call that failed before it left", async () => {
  const failed = "full(1, 'sh', '-c', 'true'); twin(2, 'sh', '-c', 'true');";
  expect(await perl(`${failed} twin(900, 'sh', '-c', 'evil'); exec_at(1000)`)).toEqual(["vanished sh -c evil"]);
  expect(await perl(`${failed} twin(900, 'sh', '-c', 'true'); exec_at(1000)`)).toEqual(["vanished sh -c true"]); // by its beginning the same
  expect(await perl("full(1, 'sh'); twin(900, 'evil'); exec_at(1000)")).toEqual(["vanished evil"]);
  expect(await perl("twin(1, 'evil'); exec_at(2); full(3, 'evil'); twin(4, 'evil'); exec_at(5)")).toEqual(["vanished evil", "whole evil"]);
});
