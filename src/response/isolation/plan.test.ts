import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostString } from "#model/host-string";
import { anyCase, ETH0, facts, REQUEST } from "../testing/facts.ts";
import { type Packet, PacketFilter } from "../testing/packet-filter.ts";
import { chainPasses, routedBy } from "../testing/saved-rules.ts";
import { family, solicitedNode } from "./addresses.ts";
import { networkBlock } from "./block.ts";
import type { HostFacts } from "./facts/host-facts.ts";
import { METHODS } from "./methods/methods.ts";
import { type IsolationPlan, planIsolation } from "./plan.ts";
import { ResponseRefused } from "./refused.ts";

const [whole] = METHODS as [(typeof METHODS)[number]];
const anyMethod = fc.constantFrom(...METHODS);

function planned(more: Partial<HostFacts> = {}, request = REQUEST): IsolationPlan {
  const plan = planIsolation(facts(more), request, whole);
  if (plan instanceof ResponseRefused) throw plan;
  return plan;
}

/** What the plan's rules do with a packet, asked of readers of their own for each kind of rules. */
function ways(plan: IsolationPlan) {
  if (plan.method === "routes") {
    const open = (p: Packet) => p.kind === "arp" || p.icmpv6 !== undefined || routedBy(plan.rules, p.dst) !== "black hole";
    return { in: () => true, out: open, forward: open };
  }
  if (plan.method.startsWith("iptables")) {
    const asked = (chain: "IN" | "OUT") => (p: Packet) => p.kind === "arp" || chainPasses(plan.rules, chain, p);
    return { in: asked("IN"), out: asked("OUT"), forward: () => false };
  }
  const filter = new PacketFilter(plan.rules);
  const netdev = filter.has("netdev");
  return {
    in: (p: Packet) => (!netdev || filter.passes("netdev", "entering", p)) && (p.kind === "arp" || filter.passes("inet", "incoming", p)),
    out: (p: Packet) =>
      (p.kind === "arp" || (filter.passes("inet", "outgoing", p) && filter.passes("inet", "leaving", p))) &&
      (!netdev || filter.passes("netdev", "exiting", p)),
    forward: (p: Packet) => filter.passes("inet", "forwarded", p),
  };
}

const kindOf = (ip: string) => (family(ip) === 4 ? ("ip" as const) : ("ip6" as const));

describe("every plan", () => {
  it("keeps each analyst's whole path, or is refused with a reason and a remedy", () => {
    const plans = new Map<string, number>();
    fc.assert(
      fc.property(anyCase, anyMethod, fc.integer({ min: 1, max: 65_535 }), ({ facts, request }, method, anyPort) => {
        const plan = planIsolation(facts, request, method);
        if (plan instanceof ResponseRefused) {
          expect(plan.reason.length).toBeGreaterThan(10);
          expect(plan.remedy.length).toBeGreaterThan(10);
          return;
        }
        plans.set(method.id, (plans.get(method.id) ?? 0) + 1);
        const { server, client } = facts.ours as NonNullable<HostFacts["ours"]>;
        expect(plan.allowed).toEqual(expect.arrayContaining([client.ip, ...request.partners]));
        const way = ways(plan);
        for (const { ip, port } of plan.servers) {
          const kind = kindOf(ip);
          const own = plan.own.find((mine) => kindOf(mine) === kind) as string;
          expect(way.out({ kind, src: own, dst: ip, tcp: { sport: anyPort, dport: port } })).toBe(true);
          expect(way.in({ kind, src: ip, dst: own, tcp: { sport: port, dport: anyPort } })).toBe(true);
        }
        for (const peer of plan.allowed) {
          const kind = kindOf(peer);
          if (plan.method === "routes") expect(routedBy(plan.rules, peer)).toBe(facts.routes[peer]?.table ?? "main");
          for (const own of plan.own.filter((ip) => kindOf(ip) === kind)) {
            expect(way.in({ kind, src: peer, dst: own, tcp: { sport: anyPort, dport: server.port } })).toBe(true);
            expect(way.out({ kind, src: own, dst: peer, tcp: { sport: server.port, dport: anyPort } })).toBe(true);
            const hop = facts.routes[peer]?.via ?? peer;
            if (kind === "ip") {
              expect(way.out({ kind: "arp", arp: "request", src: own, dst: hop, length: 42 })).toBe(true);
              expect(way.in({ kind: "arp", arp: "reply", src: hop, dst: own })).toBe(true);
              expect(way.in({ kind: "arp", arp: "request", src: "10.0.0.250", dst: own })).toBe(true);
              expect(way.out({ kind: "arp", arp: "reply", src: own, dst: "10.0.0.250", length: 42 })).toBe(true);
            } else {
              const nd = { kind, hoplimit: 255 };
              expect(way.out({ ...nd, src: own, dst: solicitedNode(hop), icmpv6: "nd-neighbor-solicit" })).toBe(true);
              expect(way.in({ ...nd, src: hop, dst: own, icmpv6: "nd-neighbor-advert" })).toBe(true);
              expect(way.in({ ...nd, src: hop, dst: solicitedNode(own), icmpv6: "nd-neighbor-solicit" })).toBe(true);
              expect(way.out({ ...nd, src: own, dst: hop, icmpv6: "nd-neighbor-advert" })).toBe(true);
            }
          }
        }
      }),
      { numRuns: 1_000 },
    );
    for (const { id } of METHODS) expect(plans.get(id), id).toBeGreaterThan(10);
  });

  it("lets nobody else in or out, and the analysts to no other port", () => {
    const stranger = fc.oneof(fc.ipV4(), fc.constant("2001:db8::66"));
    fc.assert(
      fc.property(anyCase, anyMethod, stranger, fc.integer({ min: 1, max: 65_535 }), ({ facts, request }, method, other, port) => {
        const plan = planIsolation(facts, request, method);
        if (plan instanceof ResponseRefused || [...plan.allowed, ...plan.servers.map((s) => s.ip)].includes(other)) return;
        const way = ways(plan);
        const sshd = (facts.ours as NonNullable<HostFacts["ours"]>).server.port;
        const kind = kindOf(other);
        const own = plan.own.find((ip) => kindOf(ip) === kind) ?? (kind === "ip" ? "10.0.0.5" : "2001:db8::5");
        if (plan.method !== "routes") expect(way.in({ kind, src: other, dst: own, tcp: { sport: port, dport: sshd } })).toBe(false);
        expect(way.out({ kind, src: own, dst: other, tcp: { sport: sshd, dport: port } })).toBe(false);
        expect(way.out({ kind, src: own, dst: other, udp: { sport: port, dport: 53 } })).toBe(false);
        expect(way.out({ kind: "arp", arp: "request", src: "10.0.0.5", dst: "10.9.9.9", length: 42 })).toBe(plan.devices.length === 0);
        expect(way.out({ kind: "arp", arp: "reply", src: "10.0.0.5", dst: "10.9.9.9", length: 900 })).toBe(plan.devices.length === 0);
        // what the method says that it leaves open: every port of the analysts'
        const closed = plan.method === "routes" ? [] : plan.allowed.filter((ip) => !plan.servers.some((s) => s.ip === ip));
        for (const peer of closed.filter((ip) => kindOf(ip) === kind)) {
          if (port !== sshd) expect(way.in({ kind, src: peer, dst: own, tcp: { sport: 999, dport: port } })).toBe(false);
          if (port !== sshd) expect(way.out({ kind, src: own, dst: peer, tcp: { sport: port, dport: 999 } })).toBe(false);
          expect(way.forward({ kind, src: peer, dst: own, tcp: { sport: 999, dport: sshd } })).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("says its own sha256, is the same for the same facts, and carries no text of the host but quoted names", () => {
    fc.assert(
      fc.property(anyCase, ({ facts, request }) => {
        const plan = planIsolation(facts, request, whole);
        if (plan instanceof ResponseRefused) return;
        expect(plan.sha256).toBe(createHash("sha256").update(plan.script).digest("hex"));
        expect(planIsolation(facts, request, whole)).toEqual(plan);
        expect(plan.script).toMatch(/^[\n -~]*$/);
        expect(plan.script.split(`\n${request.nonce}\n`)).toHaveLength(2); // the guard's rules end once
        expect(plan.script).toContain(`rules='${plan.rules.replaceAll("'", `'\\''`)}'\n`); // and nothing in the isolation's ends them
        for (const quoted of plan.rules.match(/"[^"]*"/g) ?? []) expect(quoted).not.toMatch(/[*\\]/);
        const about = /comment "([^"]*)"/.exec(plan.rules)?.[1] ?? "";
        expect(Buffer.byteLength(about)).toBeLessThan(128);
        expect(about).toMatch(/^stakeout [\w.:@= -]+$/);
      }),
    );
  });
});

describe("a plan", () => {
  it.each(["systemd", "init"])("is a script that a POSIX shell reads, with %s as process 1", (init) => {
    const { script } = planned({ init, tools: [...facts().tools, "systemd-run", "systemctl"] });
    expect(script.includes("systemd-run")).toBe(init === "systemd");
    expect(spawnSync("/bin/sh", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("arms the dead man before the cut, and destroys sockets after it", () => {
    const { script } = planned();
    const at = (text: string) => script.indexOf(text);
    expect(at("{ arm ")).toBeGreaterThan(0);
    expect(at("{ arm ")).toBeLessThan(at(`printf '%s' "$rules"`));
    expect(at(`printf '%s' "$rules"`)).toBeLessThan(at("ss -KHtun"));
  });

  it("gives nft, which is started first, no rule when no dead man could be armed", () => {
    const folder = mkdtempSync(join(tmpdir(), "stakeout-arm-"));
    try {
      const tool = (name: string, does: string) => writeFileSync(join(folder, name), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
      tool("setsid", "exit 7");
      tool("nft", `cat >'${folder}/read'`);
      const { script } = planned({ nft: { path: join(folder, "nft"), version: "1.1.3" }, tools: ["setsid", "sleep", "grep"] });
      const ran = spawnSync("/bin/sh", [], { input: script, encoding: "utf8", env: { PATH: `${folder}:/usr/bin:/bin` } });
      expect(ran.stdout.match(/@\w+ .*/g)).toEqual([expect.stringMatching(/^@\w+ armed 7$/)]);
      expect(readFileSync(join(folder, "read"), "utf8")).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("hooks every interface but lo, and names one that nft cannot quote as a leak", () => {
    const named = (name: string) => ({ ...ETH0, name: name as HostString });
    const plan = planned({ interfaces: [{ ...named("lo"), type: 772 }, ETH0, named("eth1"), named('e"; x')] });
    expect(plan.devices).toEqual(["eth0", "eth1"]);
    expect(plan.rules.match(/devices = \{ "eth0", "eth1" \}/g)).toHaveLength(2);
    expect(plan.leaks.join()).toContain('e"; x');
  });

  it("shows what dies and what survives", () => {
    const connection = (local: string, port: number, remote: string) => ({
      transport: "tcp" as const,
      state: "ESTAB",
      local: { ip: local, port },
      remote: { ip: remote, port: 443 },
    });
    const plan = planned({
      connections: [
        connection("10.0.0.5", 22, "192.0.2.9"),
        connection("10.0.0.5", 40_000, "203.0.113.66"),
        connection("127.0.0.1", 5, "127.0.0.1"),
      ],
    });
    expect(plan.dies.map((c) => c.remote.ip)).toEqual(["203.0.113.66"]);
    expect(plan.survives.map((c) => c.remote.ip)).toEqual(["192.0.2.9", "127.0.0.1"]);
  });

  it("leaves the renewal of a leased address open on the wire, and nowhere else", () => {
    const leased = { interface: "eth0" as HostString, ip: "10.0.0.5", dynamic: true, validSeconds: 900 };
    const plan = planned({ addresses: [leased] });
    const renewal = (dst: string): Packet => ({ kind: "ip", src: "10.0.0.5", dst, udp: { sport: 68, dport: 67 } });
    expect(ways(plan).out(renewal("255.255.255.255"))).toBe(true);
    expect(ways(plan).out(renewal("203.0.113.66"))).toBe(false);
    expect(ways(planned()).out(renewal("255.255.255.255"))).toBe(false);
    expect(plan.notes.join()).toContain("leased for 900 s");
  });

  it("prints what to ask the network team for", () => {
    expect(networkBlock(planned()).join("\n")).toContain("allow tcp from 192.0.2.9 to port 22");
  });
});

describe("a plan is refused", () => {
  const wireguard = { ...ETH0, name: "wg0" as HostString, type: 65_534, kind: "wireguard" };
  const without = (key: "nft" | "ours" | "ruleset") => {
    const { [key]: _, ...rest } = facts();
    return rest;
  };
  const bridge = { ...ETH0, name: "br0" as HostString, kind: "bridge", lower: ["eth0", "wg0"] as HostString[] };
  it.each<[string, HostFacts, string]>([
    ["without root", facts({ root: false }), "needs root"],
    ["without nft", without("nft"), "no nft"],
    ["where nft shows no ruleset", without("ruleset"), "does not print"],
    ["where our own connection is not seen", without("ours"), "which connection"],
    ["without setsid", facts({ tools: ["nft", "sleep", "grep"] }), "no dead man"],
    ["with no route to the analyst", facts({ routes: {} }), "no route to 192.0.2.9"],
    ["through a tunnel", facts({ interfaces: [wireguard], routes: { "192.0.2.9": { device: "wg0" } } }), "'wg0', a tunnel"],
    [
      "through a bridge on a tunnel",
      facts({ interfaces: [ETH0, bridge, wireguard], routes: { "192.0.2.9": { device: "br0" } } }),
      "a tunnel",
    ],
    [
      "through an agent on the host",
      facts({ ours: { client: { ip: "127.0.0.1", port: 9 }, server: { ip: "127.0.0.1", port: 22 } } }),
      "from the host itself",
    ],
    [
      "through a redirect to loopback",
      facts({ ours: { client: { ip: "192.0.2.9", port: 9 }, server: { ip: "127.0.0.2", port: 22 } } }),
      "ends at 127.0.0.2",
    ],
    ["behind a redirect", facts({ ruleset: "tcp dport 2222 redirect to :22\n" }), "redirects connections"],
    ["behind a dnat to itself", facts({ ruleset: "tcp dport 2222 dnat to 10.0.0.5:22\n" }), "redirects connections"],
  ])("%s", (_, given, expected) => {
    const plan = planIsolation(given, REQUEST, whole);
    expect(plan).toBeInstanceOf(ResponseRefused);
    expect((plan as ResponseRefused).reason).toContain(expected);
  });

  it("for a partner whom only the host's own loopback could answer", () => {
    const addresses = [...facts().addresses, { interface: ETH0.name, ip: "::1", dynamic: false }];
    const given = facts({ addresses, routes: { ...facts().routes, "2001:db8::7": { device: "eth0" } } });
    const plan = planIsolation(given, { ...REQUEST, partners: ["2001:db8::7"] }, whole);
    expect((plan as ResponseRefused).reason).toContain("has no IPv6 address");
  });

  it.each(["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"])("for a partner or a server that is no one host: %s", (ip) => {
    for (const request of [{ partners: [ip] }, { servers: [{ ip, port: 53 }] }]) {
      const plan = planIsolation(facts({ routes: { ...facts().routes, [ip]: { device: "eth0" } } }), { ...REQUEST, ...request }, whole);
      expect((plan as ResponseRefused).reason).toContain("is not the address of one host");
    }
  });

  it("for a partner that is a name, but not for a container's dnat", () => {
    expect(planIsolation(facts(), { ...REQUEST, partners: ["jump.example"] }, whole)).toBeInstanceOf(ResponseRefused);
    expect(planned({ ruleset: "tcp dport 2222 dnat to 172.17.0.2:22\n" }).allowed).toEqual(["192.0.2.9"]);
  });
});
