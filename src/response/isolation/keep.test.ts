import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { clear } from "../testing/clear.ts";
import { isolationRange } from "../testing/isolation-range.ts";
import { keepLease } from "./enter/lease.ts";
import { foreignIsolation } from "./foreign.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { detectIsolation } from "./prepare.ts";
import { renewIsolation } from "./renew.ts";

describe("rules of others", () => {
  const of = (ruleset: string, iptables = "", names: string[] = []) =>
    foreignIsolation({ ruleset, state: { iptables }, names: names as never });
  const table = (policy: string) =>
    `table inet edr {\n\tchain out {\n\t\ttype filter hook output priority filter; policy ${policy};\n\t}\n}\n`;

  it("are called an isolation where they drop what the host sends, with the agent that can do that", () => {
    expect(of(table("drop"), "", ["falcon-sensor"]).join()).toMatch(/nft table inet edr, chain out.*CrowdStrike Falcon runs here/);
    expect(of("", ":OUTPUT DROP [0:0]\n").join()).toMatch(/iptables, chain OUTPUT.*no agent/);
    expect(of(table("accept"))).toEqual([]);
    expect(of(table("drop").replace("inet edr", `inet ${TABLE}`))).toEqual([]);
  });
});

describe.skipIf(rangeAvailable() !== undefined)("an isolation that is kept", () => {
  const stage = isolationRange();
  const { connect, prepare, isolate, said } = stage;
  const isolated = async () => (await said("nft list tables")).includes(TABLE);

  it("reverts when the console vanishes, stays while it beats, and leaves nothing behind", async () => {
    const host = await connect();
    const { done } = await isolate(host, { keeps: "reverts", leaseSeconds: 8 });
    expect(done.lease).toBeDefined();
    const lease = await keepLease(host.runner, done.lease as NonNullable<typeof done.lease>);
    const began = performance.now();
    await until("two leases' time to pass", async () => performance.now() - began > 17_000);
    expect(await isolated()).toBe(true);
    lease.stop();
    host.vanish();
    await until("the host to revert", async () => !(await isolated()));
    const left = () => said("grep -lse 'stakeout-[glw]' /proc/[0-9]*/cmdline | wc -l");
    await until("its processes to be gone", async () => (await left()) === "0");
  });

  it("is made anew for a new interface, under the same mark, and one that was released is not", async () => {
    const host = await connect();
    const { plan: before } = await isolate(host);
    await said("ip link add extra type bridge");
    try {
      const next = await renewIsolation(host.runner, before);
      expect(next).toMatchObject({ nonce: before.nonce, allowed: before.allowed });
      expect(next.devices).toContain("extra");
      expect(await said(`nft list table netdev ${TABLE}`)).toMatch(/devices = \{[^}]*extra/);
      expect(await said("nft list table inet stakeout_guard")).toContain(before.nonce);
      expect((await host.probeAccess()).ok).toBe(true);
      await clear(stage.range);
      await expect(renewIsolation(host.runner, next)).rejects.toThrow(/no isolation any more/);
      expect(await isolated()).toBe(false);
    } finally {
      await said("ip link del extra");
    }
  });

  it("is joined by the console that was slower: nothing is stacked on it", async () => {
    const host = await connect();
    const slower = await prepare(host, { analyst: "kim", session: "s-2" });
    await isolate(await connect());
    const done = await slower.execute({ probeAccess: host.probeAccess });
    expect(done.error).toMatch(/^jm isolated this host \(session s-1/);
    const { ours } = await detectIsolation(host.runner);
    expect(ours).toMatchObject({ analyst: "jm", iptables: [], routes: [] });
  });
});
