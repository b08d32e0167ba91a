import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Evidence } from "#model/evidence";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { signal } from "../process/signal.ts";
import { isolationRange } from "../testing/isolation-range.ts";
import { grabBeforeCut } from "./grab.ts";

describe.skipIf(rangeAvailable() !== undefined)("before the cut", () => {
  const stage = isolationRange();

  /** A program that deletes itself and sleeps, as the intruder's does. */
  const suspect = async () => {
    const made = await stage.root("cp /bin/sleep /tmp/xq7; /tmp/xq7 1000 </dev/null >/dev/null 2>&1 & echo $!; sleep 0.2; rm /tmp/xq7");
    return Number(made.stdout.trim());
  };
  const stat = async (pid: number) => (await stage.root(`cat /proc/${pid}/stat`)).stdout.replace(/^.*\) /s, "").split(" ");

  it("takes the sockets, the map and the deleted executable of a suspect, whole", async () => {
    const host = await stage.connect();
    const pid = await suspect();
    const kept: Evidence[] = [];
    const result = await grabBeforeCut(host.runner, [{ pid }], { keep: async (evidence) => void kept.push(evidence) }, 20_000);
    expect(result).toMatchObject({ kept: 3, missed: [] });
    const truth = await stage.said("sha256sum /bin/sleep | cut -d' ' -f1");
    const of = (what: string) => kept.find((evidence) => evidence.what.includes(what)) as Evidence;
    expect(of("executable")).toMatchObject({ sha256: truth, complete: true, process: { pid } });
    expect(of("map").bytes.toString()).toContain("/tmp/xq7 (deleted)");
    expect(of("sockets").bytes.toString()).toContain("sshd");
    for (const evidence of kept) expect(evidence.sha256).toBe(createHash("sha256").update(evidence.bytes).digest("hex"));
    await stage.said(`kill -9 ${pid}`);
  });

  it("says what it could not have: a process that is gone, and time that was up", async () => {
    const host = await stage.connect();
    const kept: Evidence[] = [];
    const sink = { keep: async (evidence: Evidence) => void kept.push(evidence) };
    const gone = await grabBeforeCut(host.runner, [{ pid: 3_999_999 }], sink, 20_000);
    expect(gone.missed.join()).toMatch(/process 3999999: executable: the host said: .*No such file/);
    const late = await grabBeforeCut(host.runner, [{ pid: 1 }], sink, 0);
    expect(late.missed).toHaveLength(3);
    expect(late.missed.join()).toContain("no time was left");
  });

  it("freezes a process and lets it go on, and spares one that only has its pid", async () => {
    const host = await stage.connect();
    const pid = await suspect();
    const startTicks = Number((await stat(pid))[19]);
    expect(await signal(host.runner, "suspend", [{ pid, startTicks: startTicks + 5 }])).toEqual([
      { pid, startTicks: startTicks + 5, result: "gone" },
    ]);
    expect((await stat(pid))[0]).toBe("S");
    expect(
      await signal(host.runner, "suspend", [
        { pid, startTicks },
        { pid: 1, startTicks: 0 },
      ]),
    ).toEqual([{ pid, startTicks, result: "done" }]);
    expect((await stat(pid))[0]).toBe("T");
    expect(await signal(host.runner, "resume", [{ pid, startTicks }])).toEqual([{ pid, startTicks, result: "done" }]);
    await until("the process to go on", async () => (await stat(pid))[0] === "S");
    expect(await signal(host.runner, "kill", [{ pid, startTicks }])).toEqual([{ pid, startTicks, result: "done" }]);
    await until("the process to be gone", async () => ["Z", undefined, ""].includes((await stat(pid))[0]));
  });
});
