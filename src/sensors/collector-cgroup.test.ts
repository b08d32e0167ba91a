import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { FACTS } from "./collectors/facts.ts";
import { Decoder } from "./decoder.ts";

/** What the collector tells of a process whose /proc/PID/cgroup says this, as the decoder reads it. */
function told(cgroup: string | undefined): unknown[] {
  const [sub = ""] = /^sub cgroup \{[\s\S]*?\n\}/m.exec(FACTS) ?? [];
  const perl = `our $out = ''; sub slurp { $ENV{CGROUP} } sub esc { my $t = $_[0]; $t =~ s/([\\t\\n\\\\])/sprintf '\\\\x%02x', ord $1/ge; $t } ${sub} cgroup(7); print $out;`;
  const env = cgroup === undefined ? {} : { CGROUP: cgroup };
  return new Decoder().push(execFileSync("perl", ["-e", perl], { env: { PATH: process.env["PATH"] ?? "", ...env } }));
}
const at = (path: string) => [{ kind: "cgroup", pid: 7, path }];

test("the unified hierarchy tells a unit or a container; where it is not used, systemd's own does; the root is no place", () => {
  expect(told("0::/system.slice/nginx.service\n")).toEqual(at("/system.slice/nginx.service"));
  expect(told("12:pids:/a\n1:name=systemd:/user.slice/x.scope\n0::/\n")).toEqual(at("/user.slice/x.scope"));
  expect(told("1:name=systemd:/init.scope\n0::/system.slice/cron.service\n")).toEqual(at("/system.slice/cron.service"));
  expect(told("4:memory:/docker/abc\n")).toEqual([]);
  for (const nothing of ["0::/\n", "", undefined]) expect(told(nothing)).toEqual([]);
  expect(told("0::/a\tb\\c\n")).toEqual(at("/a\tb\\c"));
});
