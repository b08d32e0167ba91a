import { expect, test } from "vitest";
import { FixtureState } from "#testing/fixture-state";
import { footprintOf } from "./footprint.ts";

test("a look at all processes is one thing that we run, whatever their pids; another file of theirs, or another program, is another", () => {
  const f = new FixtureState();
  const sshd = f.process(690, undefined, "/usr/sbin/sshd -D");
  const ours = f.login(900, sshd, "root", { ip: "10.0.4.2", port: 5000 }, { ours: true, standing: "responder" });
  f.process(901, ours, "/usr/bin/cat /proc/1/comm /proc/182/comm");
  f.process(902, ours, "/usr/bin/cat /proc/1/comm /proc/7/comm /proc/9/comm");
  f.process(903, ours, "/usr/bin/cat /proc/1/cmdline");
  f.process(904, ours, "/usr/bin/grep x /proc/1/comm");
  const programs = footprintOf(f.state).programs.filter(({ process }) => process.id !== ours);
  expect(programs.map(({ process, times }) => [process.pid, times])).toEqual([
    [901, 2],
    [903, 1],
    [904, 1],
  ]);
});
