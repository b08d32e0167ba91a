import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { isolationRange } from "../../testing/isolation-range.ts";
import { isItCut } from "../ask.ts";

/** What root on the host leaves about, takes away or puts in between, against the methods that need no nft. */
describe.skipIf(rangeAvailable() !== undefined)("without nft", () => {
  const stage = isolationRange();
  const { connect, prepare, carryOut, isolate, root, said, beacon } = stage;
  const variants = ["iptables-nft", "iptables-legacy"];
  const six = (variant: string) => variant.replace("ip", "ip6");
  const feed = (tool: string, ...lines: string[]) => root(`${tool}-restore --noflush`, `*raw\n${lines.join("\n")}\nCOMMIT\n`);
  const left = async (variant: string) => (await said(`${variant}-save -t raw; ${six(variant)}-save -t raw`)).match(/^.*STAKEOUT_.*$/gm);

  it.each(variants)(
    "isolates by %s whatever claims and halves of isolations lie about, and a release leaves none of it",
    async (method) => {
      const dead = "aaaaaaaaaaaa";
      await feed(method, "-N STAKEOUT_CLAIM", "-A STAKEOUT_CLAIM -p tcp -j ACCEPT", `-A STAKEOUT_CLAIM -m comment --comment ${dead}`);
      const half = [
        `-N STAKEOUT_IN_${dead}`,
        `-N STAKEOUT_OUT_${dead}`,
        `-A STAKEOUT_OUT_${dead} -j DROP`,
        `-I OUTPUT 1 -j STAKEOUT_OUT_${dead}`,
      ];
      await feed(six(method), "-N STAKEOUT_CLAIM", `-A STAKEOUT_CLAIM -m comment --comment ${dead}`, ...half);
      const host = await connect();
      await isolate(host, { method });
      await isolate(host, { method });
      expect((await carryOut(host, { want: "release" })).error).toBeUndefined();
      expect(await left(method)).toBeNull();
    },
  );

  it.each(
    variants.flatMap((method) =>
      ["-D PREROUTING -j STAKEOUT_IN_", "-D OUTPUT -j STAKEOUT_OUT_", "-F STAKEOUT_IN_"].map((tamper) => ({ method, tamper })),
    ),
  )("takes away all of $method where root has done $tamper", async ({ method, tamper }) => {
    const host = await connect();
    const { plan } = await isolate(host, { method });
    expect((await feed(method, tamper + plan.nonce)).code).toBe(0);
    expect((await carryOut(host, { want: "release" })).error).toBeUndefined();
    expect(await left(method)).toBeNull();
  });

  it.each(variants)("the dead man reverts %s though root has taken a part of it away", async (method) => {
    const host = await connect();
    const prepared = await prepare(host, { method, deadManSeconds: 3 });
    const probeAccess = async () => {
      expect((await feed(method, `-D PREROUTING -j STAKEOUT_IN_${prepared.isolation?.nonce}`)).code).toBe(0);
      return { ok: false, milliseconds: 1 };
    };
    expect((await prepared.execute({ probeAccess })).ok).toBe(false);
    await until("the dead man to revert", async () => (await left(method)) === null);
  });

  it.each([...variants, "routes"])("is put there anew by %s, whole, and lets nothing out meanwhile", async (method) => {
    const host = await connect();
    const implant = await beacon();
    const { plan } = await isolate(host, { method });
    const { tcp, udp, udp6, icmp } = await implant.heard();
    for (let i = 0; i < 10; i++) expect(await root(plan.reapply)).toMatchObject({ code: 0 });
    expect(await implant.heard()).toMatchObject({ tcp, udp, udp6, icmp });
    expect(await isItCut(host.runner, plan)).toMatchObject({ cut: true });
  });

  it.each(variants)("whom an isolation by %s lets in over IPv6 stays in when another console replaces it", async (method) => {
    const { addresses } = stage.range;
    const [four, six] = [await connect(), await connect({ v6: true })];
    const { plan } = await isolate(six, { method, partners: [addresses.analyst] });
    const { plan: next } = await isolate(four, { method });
    expect(next.allowed).toEqual(expect.arrayContaining(plan.allowed));
    expect((await six.probeAccess()).ok).toBe(true);
  });

  it("a way out that root puts into the black hole is seen, and goes when it is put there anew", async () => {
    const host = await connect();
    const { plan } = await isolate(host, { method: "routes" });
    const table = /blackhole default table (\d+)/.exec(plan.rules)?.[1];
    const { c2 } = stage.range;
    for (const [kind, address] of [
      [4, c2.address],
      [6, c2.address6],
    ] as const) {
      const gateway = await said(`ip -${kind} route show default | sed 's/.*via \\([^ ]*\\).*/\\1/'`);
      await said(`ip -${kind} route add ${address} via ${gateway} dev eth0 table ${table}`);
      expect((await isItCut(host.runner, plan)).words[0]).toMatch(`the IPv${kind} table of our rules is no black hole`);
      expect((await root(plan.reapply)).code).toBe(0);
      expect(await isItCut(host.runner, plan)).toMatchObject({ cut: true });
    }
  });
});
