import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { clear } from "../testing/clear.ts";
import { connectRange, type RangeHost } from "../testing/range-host.ts";
import { keepLease } from "./enter/lease.ts";
import { foreignIsolation } from "./foreign.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { detectIsolation, prepareIsolation } from "./prepare.ts";
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

describe.skipIf(rangeAvailable() !== undefined)("an isolation that is kept", { timeout: 120_000 }, () => {
  let range: Range;
  let host: RangeHost;
  beforeAll(async () => {
    range = await startRange();
  }, 600_000);
  afterAll(() => range?.stop());
  afterEach(async () => {
    host?.vanish();
    await clear(range);
  });
  const isolated = async () => (await range.onHost(["nft", "list", "tables"])).stdout.includes(TABLE);
  const isolate = async (leaseSeconds?: number) => {
    host = await connectRange(range);
    const keeps = leaseSeconds === undefined ? ({} as const) : ({ keeps: "reverts", leaseSeconds } as const);
    const plan = await prepareIsolation(host.runner, { analyst: "jm", session: "s", want: "isolate", ...keeps });
    const done = await plan.execute({ probeAccess: host.probeAccess });
    plan.dispose();
    expect(done.error).toBeUndefined();
    return { plan, done };
  };

  it("reverts when the console vanishes, stays while it beats, and leaves nothing behind", async () => {
    const { done } = await isolate(8);
    expect(done.lease).toBeDefined();
    const lease = await keepLease(host.runner, done.lease as NonNullable<typeof done.lease>);
    const began = performance.now();
    await until("two leases' time to pass", async () => performance.now() - began > 17_000, { timeoutMs: 60_000 });
    expect(await isolated()).toBe(true);
    lease.stop();
    host.vanish();
    await until("the host to revert", async () => !(await isolated()), { timeoutMs: 60_000 });
    const left = await range.onHost(["sh", "-c", "grep -lse 'stakeout-[glw]' /proc/[0-9]*/cmdline | wc -l"]);
    await until(
      "its processes to be gone",
      async () => (await range.onHost(["sh", "-c", "grep -lse 'stakeout-[glw]' /proc/[0-9]*/cmdline | wc -l"])).stdout.trim() === "0",
      {
        timeoutMs: 20_000,
      },
    );
    expect(left.code).toBe(0);
  });

  it("is made anew for a new interface, under the same mark, and one that was released is not", async () => {
    const { plan } = await isolate();
    const before = plan.isolation as NonNullable<typeof plan.isolation>;
    await range.onHost(["ip", "link", "add", "extra", "type", "bridge"]);
    try {
      const next = await renewIsolation(host.runner, before);
      expect(next).toMatchObject({ nonce: before.nonce, allowed: before.allowed });
      expect(next.devices).toContain("extra");
      const netdev = (await range.onHost(["nft", "list", "table", "netdev", TABLE])).stdout;
      expect(netdev).toMatch(/devices = \{[^}]*extra/);
      expect((await range.onHost(["nft", "list", "table", "inet", "stakeout_guard"])).stdout).toContain(before.nonce);
      expect((await host.probeAccess()).ok).toBe(true);
      await clear(range);
      await expect(renewIsolation(host.runner, next)).rejects.toThrow(/no isolation any more/);
      expect(await isolated()).toBe(false);
    } finally {
      await range.onHost(["ip", "link", "del", "extra"]);
    }
  });

  it("is joined by the console that was slower: nothing is stacked on it", async () => {
    host = await connectRange(range);
    const slower = await prepareIsolation(host.runner, { analyst: "kim", session: "s-2", want: "isolate" });
    const other = await connectRange(range);
    const quicker = await prepareIsolation(other.runner, { analyst: "jm", session: "s-1", want: "isolate" });
    expect((await quicker.execute({ probeAccess: other.probeAccess })).error).toBeUndefined();
    quicker.dispose();
    const done = await slower.execute({ probeAccess: host.probeAccess });
    slower.dispose();
    expect(done.error).toMatch(/^jm isolated this host \(session s-1/);
    const { ours } = await detectIsolation(host.runner);
    expect(ours).toMatchObject({ analyst: "jm", iptables: [], routes: [] });
    other.vanish();
  });
});
