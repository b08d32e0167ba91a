import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import type { Range } from "#range/range";
import type { HostFacts } from "../isolation/facts/host-facts.ts";
import { ResponseRefused } from "../isolation/refused.ts";
import { facts } from "../testing/facts.ts";
import { isolationRange } from "../testing/isolation-range.ts";
import { applyBlock, type BlockPlan, type BlockSubject, planBlock } from "./block.ts";

const NONCE = "0123456789ab";
function planned(subject: BlockSubject, of: HostFacts = facts()): BlockPlan {
  const plan = planBlock(of, subject, [], NONCE);
  if (plan instanceof ResponseRefused) throw plan;
  return plan;
}

describe("a block", () => {
  it("lets the analysts' logins through before anything is dropped, even where it names their address or root", () => {
    for (const subject of [
      { kind: "address", ip: "192.0.2.9" },
      { kind: "user", uid: 0 },
    ] as const) {
      const chains = planned(subject)
        .script.split(/^ {2}chain /m)
        .slice(1);
      expect(chains.length).toBeGreaterThan(0);
      for (const chain of chains) expect(chain.indexOf("192.0.2.9 tcp")).toBeLessThan(chain.indexOf(" drop"));
    }
    expect(planned({ kind: "address", ip: "192.0.2.9" }).leaks.join()).toContain("an analyst's address");
  });

  it.each<[BlockSubject]>([
    [{ kind: "address", ip: "evil.example" }],
    [{ kind: "address", ip: "203.0.113.66", port: 70_000 }],
    [{ kind: "user", uid: -1 }],
    [{ kind: "cgroup", path: 'a"; flush ruleset; "' }],
  ])("is refused for %j", (subject) => expect(planBlock(facts(), subject, [], NONCE)).toBeInstanceOf(ResponseRefused));
});

describe.skipIf(rangeAvailable() !== undefined)("a block on a real host", () => {
  const stage = isolationRange();
  const real = ({ addresses, host }: Range) =>
    facts({ ours: { client: { ip: addresses.analyst, port: 5 }, server: { ip: host.address, port: 22 } } });

  it.each<[string, (range: Range) => BlockSubject, string, string]>([
    ["one port of one address", (r) => ({ kind: "address", ip: r.c2.address, port: 4444 }), "tcp", "udp"],
    ["one address", (r) => ({ kind: "address", ip: r.c2.address }), "tcp,udp,icmp", "udp6"],
    ["what an account sends", () => ({ kind: "user", uid: 0 }), "udp,udp6,icmp", "raw"],
  ])("stops %s and nothing else, and gives it back", async (_, subject, stopped, going) => {
    const host = await stage.connect();
    const beacon = await stage.beacon();
    const plan = planned(subject(stage.range), real(stage.range));
    expect(await applyBlock(host.runner, plan)).toMatchObject({ ok: true, said: "" });
    const at = async () => await beacon.heard();
    const first = await at();
    const key = (name: string) => name as keyof typeof first;
    await until("what is not blocked to go on", async () => (await at())[key(going)].count > first[key(going)].count + 200);
    const then = await at();
    for (const name of stopped.split(",")) expect(then[key(name)].count, name).toBe(first[key(name)].count);
    expect((await host.probeAccess()).ok).toBe(true);
    expect(await applyBlock(host.runner, plan, true)).toMatchObject({ ok: true, said: "" });
    await until(
      "all to come again",
      async () => (await at())[key(stopped.split(",")[0] as string)].count > then[key(stopped.split(",")[0] as string)].count,
    );
    expect(await stage.said("nft list tables")).toBe("");
  });
});
