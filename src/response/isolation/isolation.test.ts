import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { anyCase, ETH0 } from "../testing/facts.ts";
import { isolationRange } from "../testing/isolation-range.ts";
import type { RangeHost, RangeHostOptions } from "../testing/range-host.ts";
import { normaliseRuleset } from "./facts/state.ts";
import { METHODS } from "./methods/methods.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { planIsolation } from "./plan.ts";
import { type Prepared, type PrepareOptions, prepareIsolation } from "./prepare.ts";
import { ResponseRefused } from "./refused.ts";

describe.skipIf(rangeAvailable() !== undefined)("isolating a real host", () => {
  const stage = isolationRange();
  let host: RangeHost;
  const connect = async (options: RangeHostOptions = {}) => {
    host = await stage.connect(options);
  };
  /** What is wanted is left to the state of the host, unless a test says it. */
  const prepare = async (more: Partial<PrepareOptions> = {}): Promise<Prepared> => {
    const prepared = await prepareIsolation(host.runner, { analyst: "jm", session: "2026-11-24-devbox", ...more });
    stage.atEnd(() => prepared.dispose());
    return prepared;
  };
  const said = async (...argv: string[]) => (await stage.range.onHost(argv)).stdout;
  const tables = () => said("nft", "list", "tables");
  const network = async () => ({
    ruleset: normaliseRuleset(await said("nft", "list", "ruleset")),
    routes: await said("ip", "route"),
    routes6: await said("ip", "-6", "route"),
    rules: await said("ip", "rule"),
    addresses: (await said("ip", "addr")).replace(/_lft \w+/g, "").replace(" tentative", ""),
  });
  const isIsolated = async () => (await tables()).includes(TABLE);
  const deadMen = async () => (await stage.range.onHost(["sh", "-c", "grep -l 'q nonce[=]' /proc/[0-9]*/cmdline | wc -l"])).stdout.trim();

  it("cuts the beacon, keeps the analysts in, and releases to what was before", async () => {
    await connect();
    await stage.range.onHost(["nft", "-f", "-"], "table ip customer { chain c { type filter hook input priority 0; counter accept; } }\n");
    const before = await network();
    const beacon = await stage.beacon();

    const isolate = await prepare();
    expect(isolate.kind).toBe("isolate");
    expect(isolate.preview.allowed).toEqual([stage.range.addresses.analyst]);
    expect(isolate.preview.dies.map((c) => `${c.transport} ${c.remote.ip}`)).toContain(`tcp ${stage.range.c2.address}`);
    expect(isolate.preview.survives.map((c) => c.remote.ip)).toContain(stage.range.addresses.analyst);
    expect(await isIsolated()).toBe(false);
    const done = await isolate.execute({ probeAccess: host.probeAccess });
    expect(done.error).toBeUndefined();
    expect(done).toMatchObject({ ok: true, verified: { access: true, cut: true }, method: "nft inet+netdev" });
    const after = await beacon.heard();
    expect(await deadMen()).toBe("0");

    // a new login from the analyst's address works, one from anywhere else does not, and the beacon stays silent meanwhile
    expect((await host.login(stage.range.netns.analyst, stage.range.keyFile, "root", "echo in")).stdout).toBe("in\n");
    const responder = await host.login(stage.range.netns.responders[0], stage.range.keys.responders[0], "root", "echo in");
    expect(responder).toEqual({ code: 255, stdout: "" });
    expect(await beacon.heard()).toEqual(after);

    const release = await prepare({ analyst: "else" });
    expect(release.kind).toBe("release");
    expect(release.preview.notes[0]).toContain("Isolated by jm, session 2026-11-24-devbox");
    const released = await release.execute({ probeAccess: host.probeAccess });
    expect(released.error).toBeUndefined();
    expect(released.ok).toBe(true);
    expect(await network()).toEqual(before);
    await until("the beacon to come back", async () => (await beacon.heard()).udp.count > after.udp.count);
  });

  it.each([
    ["over IPv6", { v6: true }],
    ["by an account with sudo", { user: "ops", sudo: true }],
  ])("works %s", async (_, options) => {
    await connect(options);
    const isolate = await prepare({ partners: [stage.range.addresses.responders[0]] });
    const done = await isolate.execute({ probeAccess: host.probeAccess });
    expect(done.error).toBeUndefined();
    expect(done.verified).toEqual({ access: true, cut: true });
    await stage.range.onHost(["ip", "neigh", "flush", "all"]);
    expect((await host.probeAccess()).ok).toBe(true);
  });

  it("keeps the analysts in over a bridge on a second interface, and hooks every interface", async () => {
    const at = async (netns: string, ...argv: string[]) => {
      const { code, stderr } = await runLocal(["ip", "-n", netns, ...argv]);
      if (code !== 0) throw new Error(`ip ${argv.join(" ")}: ${stderr}`);
    };
    const { host: inside, analyst } = stage.range.netns;
    await at(inside, "link", "add", "br7", "type", "bridge", "forward_delay", "0");
    await at(inside, "link", "add", "trunk", "master", "br7", "type", "veth", "peer", "name", "trunk", "netns", analyst);
    await at(inside, "addr", "add", "10.99.0.11/24", "dev", "br7");
    await at(analyst, "addr", "add", "10.99.0.250/24", "dev", "trunk");
    for (const [netns, device] of [
      [analyst, "trunk"],
      [inside, "trunk"],
      [inside, "br7"],
    ] as const)
      await at(netns, "link", "set", device, "up");
    try {
      await connect({ address: "10.99.0.11" });
      const isolate = await prepare();
      expect(isolate.preview.allowed).toEqual(["10.99.0.250"]);
      expect(isolate.plan.plan?.match(/devices = \{ "br7", "eth0", "trunk" \}/g)).toHaveLength(4); // ingress and egress, of the tables and of the guard
      const done = await isolate.execute({ probeAccess: host.probeAccess });
      expect(done.error).toBeUndefined();
      expect(done.ok).toBe(true);
      await at(inside, "neigh", "flush", "dev", "br7");
      await at(analyst, "neigh", "flush", "dev", "trunk");
      expect((await host.probeAccess()).ok).toBe(true);
    } finally {
      await at(inside, "link", "del", "trunk");
      await at(inside, "link", "del", "br7");
    }
  });

  it("writes rules that the host's nft takes, for every kind of host", async () => {
    let taken = 0;
    for (const { facts, request } of fc.sample(anyCase, { numRuns: 200, seed: 7 })) {
      // a device that is not there is refused by kernels before 6.16, and a table that is not there cannot be replaced
      const { isolation: _, ...rest } = facts;
      const named = { ...rest, interfaces: facts.interfaces.map((i) => (i.name === "lo" ? i : { ...i, name: ETH0.name })).slice(0, 2) };
      const routes = Object.fromEntries(Object.entries(facts.routes).map(([ip, route]) => [ip, { ...route, device: "eth0" }]));
      const plan = planIsolation({ ...named, routes }, request, METHODS[0] as (typeof METHODS)[number]);
      if (plan instanceof ResponseRefused || taken >= 25) continue;
      expect(await stage.range.onHost(["nft", "-c", "-f", "-"], plan.rules), plan.rules).toMatchObject({ code: 0, stderr: "" });
      taken += 1;
    }
    expect(taken).toBe(25);
  });

  it("keeps a partner in, and lets a second console isolate again without locking out the first", async () => {
    await connect();
    const partner = stage.range.addresses.responders[0];
    const first = await prepare({ partners: [partner] });
    const late = await prepare({ analyst: "late" });
    expect((await first.execute({ probeAccess: host.probeAccess })).ok).toBe(true);
    expect((await host.login(stage.range.netns.responders[0], stage.range.keys.responders[0], "root", "echo in")).stdout).toBe("in\n");

    const beaten = await late.execute({ probeAccess: host.probeAccess });
    expect(beaten.ok).toBe(false);
    expect(beaten.error).toMatch(/^jm isolated this host .* while this plan was made/);
    expect(await said("nft", "list", "table", "inet", TABLE)).toContain("analyst=jm");

    const again = await prepare({ analyst: "second", want: "isolate" });
    expect(again.preview.notes[0]).toContain("Already isolated by jm");
    expect([...again.preview.allowed].sort()).toEqual([stage.range.addresses.analyst, partner].sort());
    expect((await again.execute({ probeAccess: host.probeAccess })).ok).toBe(true);
    expect(await said("nft", "list", "table", "inet", TABLE)).toContain("analyst=second");
  });

  it("reverts by the dead man when the console vanishes before access is proven", async () => {
    await connect();
    const isolate = await prepare({ deadManSeconds: 2 });
    const running = isolate.execute({
      probeAccess: async () => {
        expect(await isIsolated()).toBe(true);
        host.vanish();
        return { ok: false, milliseconds: 1, error: "the console vanished" };
      },
    });
    expect(await running).toMatchObject({ ok: false, verified: { access: false } });
    await until("the dead man to revert", async () => !(await isIsolated()));
  });

  it("leaves the dead man to revert when no second way in can be opened, and says so", async () => {
    await connect();
    const isolate = await prepare({ deadManSeconds: 3 });
    const done = await isolate.execute({ probeAccess: async () => ({ ok: false, milliseconds: 5, error: "refused" }) });
    expect(done.error).toContain("Access is not proven");
    expect(done.error).toContain("reverts 3 s after");
    await until("the dead man to revert", async () => !(await isIsolated()));
  });

  it("takes a second way in that never answers as none", async () => {
    await connect();
    const isolate = await prepare({ deadManSeconds: 2 });
    const done = await isolate.execute({ probeAccess: () => new Promise(() => {}) });
    expect(done.error).toContain("no answer within");
    await until("the dead man to revert", async () => !(await isIsolated()));
  });

  it("spares an isolation that is not his own", async () => {
    await connect();
    const first = await prepare({ deadManSeconds: 25 });
    await first.execute({ probeAccess: async () => ({ ok: false, milliseconds: 1 }) });
    // The second is prepared and carried out before the first's dead man acts: a ruleset that changes under the preparation is refused
    const second = await prepare({ want: "isolate" });
    expect(await second.execute({ probeAccess: host.probeAccess })).toMatchObject({ ok: true });
    await until("the first dead man to end", async () => (await deadMen()) === "0");
    expect(await isIsolated()).toBe(true);
  });

  it("releases a host that is not isolated, and does nothing", async () => {
    await connect();
    const before = await network();
    const release = await prepare({ want: "release" });
    expect(release.preview.notes[0]).toContain("nothing to release");
    expect((await release.execute({ probeAccess: host.probeAccess })).ok).toBe(true);
    expect(await network()).toEqual(before);
  });

  describe("where nft cannot be trusted", () => {
    const REAL = "/usr/sbin/nft";
    const fake = async (script: string) => {
      await stage.range.onHost(
        ["sh", "-c", "mkdir -p /run/fake; rm -f /run/fake/go; cat >/run/fake/nft; chmod 755 /run/fake/nft"],
        `#!/bin/sh\n${script}\n`,
      );
      await connect({ path: "/run/fake" });
    };
    const unchanged = async () => {
      expect(await isIsolated()).toBe(false);
      expect((await host.probeAccess()).ok).toBe(true);
    };
    /** Behaves until the file `go` is there: an nft that turns after the plan was made. */
    const turning = (then: string) => fake(`[ -e /run/fake/go ] || exec ${REAL} "$@"\n${then}`);
    const turn = () => stage.range.onHost(["touch", "/run/fake/go"]);

    it.each([
      ["hangs", "sleep 1000"],
      ["prints garbage", "head -c 300000 /dev/urandom"],
      ["fails", "echo 'Operation not permitted' >&2; exit 1"],
    ])("does without an nft that %s, and says so", async (_, script) => {
      await fake(script);
      const isolate = await prepare();
      expect(isolate.plan.method).toBe("iptables-nft");
      expect(isolate.preview.notes[0]).toContain("/run/fake/nft");
      await unchanged();
      const done = await isolate.execute({ probeAccess: host.probeAccess });
      expect(done.error).toBeUndefined();
      expect(done.verified).toEqual({ access: true, cut: true });
    });

    it("refuses where there is no tool at all, or no root", async () => {
      await connect();
      const tools = "cd /usr/sbin; for f in nft iptables* ip6tables* ip";
      await stage.range.onHost(["sh", "-c", `${tools} ../bin/ip; do [ -e $f ] && mv $f $f.away; done`]);
      const refusal = await prepare().catch((error: unknown) => error);
      await stage.range.onHost(["sh", "-c", "cd /usr/sbin; for f in *.away ../bin/ip.away; do mv $f $(echo $f | sed s/.away$//); done"]);
      expect((refusal as ResponseRefused).reason).toMatch(/no nft.*no iptables.*no ip|no route/);
      host.vanish();
      await connect({ user: "reader" });
      await expect(prepare()).rejects.toThrow("needs root");
    });

    it.each([
      ["fails", "echo 'Error: Operation not permitted' >&2; exit 1", "nft refused the transaction"],
      ["hangs", "sleep 1000", "nft refused the transaction"],
      ["says yes and does nothing", "cat >/dev/null; echo fine", "our inet table is not in the kernel"],
      ["prints garbage", "head -c 3000000 /dev/urandom", "our inet table is not in the kernel"],
    ])("says that the host is not cut when nft %s after the plan", async (_, script, expected) => {
      await turning(script);
      const isolate = await prepare();
      await turn();
      const done = await isolate.execute({ probeAccess: host.probeAccess });
      expect(done.ok).toBe(false);
      expect(done.verified?.cut).toBe(false);
      expect(done.error).toContain(expected);
      await unchanged();
      expect(await deadMen()).toBe("0");
    });

    it("falls back to the inet table alone, and names what leaks, where netdev is refused", async () => {
      await fake(`if [ "$1" = list ] || [ "$1" = --version ]; then exec ${REAL} "$@"; fi
t=$(cat); case $t in *"hook egress"*) echo 'Error: unknown chain hook' >&2; exit 1;; esac; printf '%s\\n' "$t" | ${REAL} "$@"`);
      const beacon = await stage.beacon();
      const isolate = await prepare();
      expect(isolate.plan.method).toBe("nft inet");
      expect(isolate.plan.leaks?.join()).toContain("AF_PACKET");
      expect(isolate.preview.notes[0]).toContain("unknown chain hook");
      const done = await isolate.execute({ probeAccess: host.probeAccess });
      expect(done.error).toBeUndefined();
      expect(done.ok).toBe(true);
      expect((await tables()).trim()).toBe(`table inet ${TABLE}`);
      // what is said to leak does leak, and nothing else
      const first = await beacon.heard();
      await until("frames to leak", async () => (await beacon.heard()).raw.count > first.raw.count + 100);
      expect(await beacon.heard()).toMatchObject({ udp: first.udp, tcp: first.tcp, udp6: first.udp6, icmp: first.icmp });
    });
  });
});
