import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { isolationRange } from "../testing/isolation-range.ts";
import { isItCut } from "./ask.ts";
import type { IsolationPlan } from "./plan.ts";
import { REHEARSAL, rehearse } from "./rehearse.ts";

describe.skipIf(rangeAvailable() !== undefined)("on live traffic", () => {
  const stage = isolationRange();
  const { connect, prepare, carryOut, isolate, said } = stage;

  it("a rehearsal cuts nobody, names whom the cut would end, and leaves nothing", async () => {
    const host = await connect();
    const beacon = await stage.beacon();
    const { isolation } = await prepare(host);
    const before = await beacon.heard();
    const result = await rehearse(host.runner, isolation as IsolationPlan, "/usr/sbin/nft", 1);
    const after = await beacon.heard();
    for (const kind of ["tcp", "udp", "icmp", "raw"] as const) expect(after[kind].count - before[kind].count).toBeGreaterThan(50);
    expect(result).toMatchObject({ keepsUs: true, cleared: true });
    expect(result.droppedOut).toBeGreaterThan(100);
    expect(result.wouldCut).toContainEqual({ ip: stage.range.c2.address, transport: "udp", port: 5353 });
    expect(result.wouldCut).toContainEqual({ ip: stage.range.c2.address, transport: "tcp", port: 4444 });
    expect(result.wouldCut).toContainEqual({ ip: stage.range.c2.address, transport: "icmp" });
    expect(result.wouldCut.map((peer) => peer.ip)).not.toContain(stage.range.addresses.analyst);
    expect(await said("nft list tables")).not.toContain(REHEARSAL);
  });

  it("'is it really cut?' is answered in plain words: yes, no, and not known", async () => {
    const host = await connect();
    await stage.beacon();
    const prepared = await prepare(host);
    const plan = prepared.isolation as IsolationPlan;
    const early = await isItCut(host.runner, plan);
    expect(early.cut).toBe(false);
    expect(early.words[0]).toMatch(/^No, not for certain/);
    expect((await prepared.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    const yes = await isItCut(host.runner, plan);
    expect(yes.words.slice(0, 3).join(" ")).toMatch(
      /^Yes\. We looked at .* nobody but .*[1-9]\d* messages? that programs on the host tried to send.* No connection/,
    );
    expect(yes.cut).toBe(true);
    const lost = await isItCut({ open: () => Promise.reject(new Error("the connection is gone")) }, plan);
    expect(lost.words[0]).toMatch(/^It is not known/);
  });

  it("a server that is let through is reached, and nothing else of it", async () => {
    const host = await connect();
    const beacon = await stage.beacon();
    await isolate(host, { servers: [{ ip: stage.range.c2.address, port: 4444 }] });
    const first = await beacon.heard();
    let then = first;
    while (then.tcp.count < first.tcp.count + 200) then = await beacon.heard();
    expect(then.udp.count).toBe(first.udp.count);
    expect(then.bypass.count).toBe(first.bypass.count);
  });

  it("an isolation by somebody else's agent stays as it was, through ours and its release", async () => {
    const host = await connect();
    const edr = `table inet edr { chain out { type filter hook output priority -300; policy drop; ip daddr ${stage.range.addresses.analyst} accept; oif lo accept; } }`;
    await stage.root("nft -f -", `${edr}\n`);
    const before = await said("nft list ruleset");
    const { prepared } = await isolate(host);
    expect((await carryOut(host, { want: "release", before: prepared.facts.state })).error).toBeUndefined();
    expect(await said("nft list ruleset")).toBe(before);
  });
});
