import { expect, test } from "vitest";
import { runLocal } from "#range/machine";
import { BASE } from "./base.ts";
import { KEPT } from "./kept.ts";

/** The collector's own text with a source in the place of auditing, whose record comes when the script says so. */
const perl = async (script: string) => {
  const source = `my %records; sub audit_told { delete $records{$_[0]} } $awaits = sub {}; $unheard = 0;`;
  const sent = `sub sent { settle(); my $t = $wire; $wire = ''; print "[$t]\\n" }`;
  const { code, stdout, stderr } = await runLocal(["perl", "-"], `${BASE}${KEPT}${source}${sent}${script}`);
  expect(code, stderr).toBe(0);
  return stdout.trim().split("\n");
};
const exec = (pid: number) => `later(${pid}, 1, 'file', sub { 'exec${pid} with ' . ($_[0] // 'nothing') . ' ' });`;

test("what is told after an exec waits with it for what comes later, and nothing changes its place", async () => {
  const script = `$out .= 'before '; ${exec(7)} $out .= 'between '; ${exec(8)} $out .= 'after';
    $_->[5] = 9e18 for @later; sent(); $records{8} = 'B'; sent(); $records{7} = 'A'; sent();`;
  expect(await perl(script)).toEqual(["[]", "[]", "[before exec7 with A between exec8 with B after]"]);
});

test("a record that does not come is not waited for long, or for ever once its source has gone; twice in a row of programs of ours it is missed", async () => {
  const patience = `my $began = boot(); settle() until length $wire; print boot() - $began >= 90_000_000 ? 'waited' : 'did not wait', "\\n";`;
  expect(await perl(`$tested = 7; ${exec(7)} ${patience} sent(); ${exec(7)} settle() while @later; print "$unheard\\n";`)).toEqual([
    "waited",
    "[exec7 with nothing ]",
    "2",
  ]);
  expect(await perl(`${exec(7)} undef $awaits; sent(); ${exec(9)} $records{9} = 'late'; sent();`)).toEqual([
    "[exec7 with nothing ]",
    "[exec9 with late ]",
  ]);
});
