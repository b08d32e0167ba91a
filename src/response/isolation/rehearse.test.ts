import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { type Beacon, startBeacon } from "../testing/beacon.ts";
import { clear } from "../testing/clear.ts";
import { connectRange, type RangeHost } from "../testing/range-host.ts";
import { isItCut } from "./ask.ts";
import type { IsolationPlan } from "./plan.ts";
import { prepareIsolation } from "./prepare.ts";
import { REHEARSAL, rehearse } from "./rehearse.ts";

describe.skipIf(rangeAvailable() !== undefined)("on live traffic", { timeout: 120_000 }, () => {
  let range: Range;
  let host: RangeHost;
  let beacon: Beacon | undefined;
  beforeAll(async () => {
    range = await startRange();
  }, 600_000);
  afterAll(() => range?.stop());
  afterEach(async () => {
    beacon?.stop();
    host?.vanish();
    await clear(range);
  });

  it("a rehearsal cuts nobody, names whom the cut would end, and leaves nothing", async () => {
    host = await connectRange(range);
    beacon = await startBeacon(range);
    const isolate = await prepareIsolation(host.runner, { analyst: "jm", session: "s" });
    const before = await beacon.heard();
    const result = await rehearse(host.runner, isolate.isolation as IsolationPlan, "/usr/sbin/nft", 1);
    const after = await beacon.heard();
    for (const kind of ["tcp", "udp", "icmp", "raw"] as const) expect(after[kind].count - before[kind].count).toBeGreaterThan(50);
    expect(result).toMatchObject({ keepsUs: true, cleared: true });
    expect(result.droppedOut).toBeGreaterThan(100);
    expect(result.wouldCut).toContainEqual({ ip: range.c2.address, transport: "udp", port: 5353 });
    expect(result.wouldCut).toContainEqual({ ip: range.c2.address, transport: "tcp", port: 4444 });
    expect(result.wouldCut).toContainEqual({ ip: range.c2.address, transport: "icmp" });
    expect(result.wouldCut.map((peer) => peer.ip)).not.toContain(range.addresses.analyst);
    expect((await range.onHost(["nft", "list", "tables"])).stdout).not.toContain(REHEARSAL);
    isolate.dispose();
  });

  it("'is it really cut?' is answered in plain words: yes, no, and not known", async () => {
    host = await connectRange(range);
    beacon = await startBeacon(range);
    const isolate = await prepareIsolation(host.runner, { analyst: "jm", session: "s" });
    const plan = isolate.isolation as IsolationPlan;
    const early = await isItCut(host.runner, plan);
    expect(early.cut).toBe(false);
    expect(early.words[0]).toMatch(/^No, not for certain/);
    expect((await isolate.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    const yes = await isItCut(host.runner, plan);
    expect(yes.words.slice(0, 3).join(" ")).toMatch(
      /^Yes\. We looked at .* nobody but .*[1-9]\d* messages? that programs on the host tried to send.* No connection/,
    );
    expect(yes.cut).toBe(true);
    isolate.dispose();
    host.vanish();
    const lost = await isItCut({ open: () => Promise.reject(new Error("the connection is gone")) }, plan);
    expect(lost.words[0]).toMatch(/^It is not known/);
  });

  it("a server that is let through is reached, and nothing else of it", async () => {
    host = await connectRange(range);
    beacon = await startBeacon(range);
    const isolate = await prepareIsolation(host.runner, { analyst: "jm", session: "s", servers: [{ ip: range.c2.address, port: 4444 }] });
    expect((await isolate.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    const first = await beacon.heard();
    let then = first;
    while (then.tcp.count < first.tcp.count + 200) then = await beacon.heard();
    expect(then.udp.count).toBe(first.udp.count);
    expect(then.bypass.count).toBe(first.bypass.count);
    isolate.dispose();
  });

  it("an isolation by somebody else's agent stays as it was, through ours and its release", async () => {
    host = await connectRange(range);
    const edr = `table inet edr { chain out { type filter hook output priority -300; policy drop; ip daddr ${range.addresses.analyst} accept; oif lo accept; } }`;
    await range.onHost(["nft", "-f", "-"], `${edr}\n`);
    const listed = async () => (await range.onHost(["nft", "list", "ruleset"])).stdout;
    const before = await listed();
    const isolate = await prepareIsolation(host.runner, { analyst: "jm", session: "s" });
    expect((await isolate.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    const release = await prepareIsolation(host.runner, { analyst: "jm", session: "s", before: isolate.facts.state });
    expect((await release.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    expect(await listed()).toBe(before);
    for (const p of [isolate, release]) p.dispose();
  });
});
