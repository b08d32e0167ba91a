import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromProcNet, fromSs } from "../addresses.ts";
import { parseConnection, parseFacts, parseRoutes } from "./parse.ts";

const NONCE = "00112233445566778899aabbccddeeff";
const answer = (sections: Record<string, string>) =>
  Object.entries(sections)
    .map(([name, text]) => `\n${NONCE} ${name}\n${text}\n`)
    .join("");

const ROOT = {
  uid: "0",
  kernel: "6.1.0-13",
  init: "systemd",
  tools: "nft\nss\nsetsid",
  interfaces: "lo\t1\tunknown\t00:00:00:00:00:00\t772\t\t\neth0.5\t3\tup\t02:77:00:00:00:0b\t1\tvlan\t eth0",
  addresses:
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n3: eth0.5@eth0    inet 10.0.0.5/24 scope global dynamic eth0.5\\       valid_lft 3000sec preferred_lft 3000sec",
  environment: "",
  ancestors: "99\tsh\t\n98\tsshd-session\t3:111 7:222\n1\tsystemd\t9:333",
  established:
    "   1: 0500000A:9C40 420071CB:01BB 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0000000000000000\n   2: 0500000A:0016 090200C0:C350 01 00000000:00000000 02:00000000 00000000     0        0 111 2 0000000000000000",
  listening: "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0000000000000000",
  nft: "/usr/sbin/nft",
  version: "nftables v1.0.6",
  ruleset: "table ip x {\n}",
  "ruleset-code": "0",
  tables: "table ip x",
  table: "",
};

describe("the facts of a host", () => {
  it("are read from the collector's answer", () => {
    const facts = parseFacts(answer(ROOT), NONCE);
    expect(facts).toMatchObject({
      root: true,
      init: "systemd",
      nft: { path: "/usr/sbin/nft", version: "nftables v1.0.6" },
      ruleset: expect.stringContaining("table ip x"),
    });
    expect(facts.interfaces[1]).toEqual({
      name: "eth0.5",
      index: 3,
      state: "up",
      mac: "02:77:00:00:00:0b",
      type: 1,
      kind: "vlan",
      lower: ["eth0"],
    });
    expect(facts.addresses[1]).toEqual({ interface: "eth0.5", ip: "10.0.0.5", dynamic: true, validSeconds: 3000 });
    expect(facts.isolation).toBeUndefined();
  });

  it("know our connection by the socket of our own sshd, not by a port forward or by what an environment says", () => {
    const facts = parseFacts(answer({ ...ROOT, environment: "198.51.100.1 1 10.0.0.5 22" }), NONCE);
    expect(facts.ours).toEqual({ client: { ip: "192.0.2.9", port: 50_000 }, server: { ip: "10.0.0.5", port: 22 } });
    const elsewhere = parseFacts(answer({ ...ROOT, ancestors: "99\tsh\t", environment: "192.0.2.7 5 10.0.0.5 22" }), NONCE);
    expect(elsewhere.ours?.client).toEqual({ ip: "192.0.2.7", port: 5 });
    expect(parseFacts(answer({ ...ROOT, ancestors: "99\tsh\t" }), NONCE).ours).toBeUndefined();
  });

  it("show an isolation that is there, by whom and whom it lets in", () => {
    const table = `table inet stakeout_isolation {\n\tset analysts4 {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.9,\n\t\t\t     192.0.2.10 }\n\t}\n\tchain about {\n\t\treturn comment "stakeout analyst=jm session=s-1 since=2026-11-24T21:04:11Z nonce=0123456789ab"\n\t}\n}`;
    const { isolation } = parseFacts(answer({ ...ROOT, tables: "table inet stakeout_isolation", table }), NONCE);
    expect(isolation).toEqual({
      inet: true,
      netdev: false,
      guard: false,
      iptables: [],
      routes: [],
      watches: [],
      allowed: ["192.0.2.9", "192.0.2.10"],
      analyst: "jm",
      session: "s-1",
      since: "2026-11-24T21:04:11Z",
      nonce: "0123456789ab",
    });
  });

  it("take what is no ruleset as unreadable", () => {
    for (const ruleset of ["Operation not permitted", "\u0001\u0002garbage", "tables of stone"]) {
      const facts = parseFacts(answer({ ...ROOT, ruleset }), NONCE);
      expect(facts.ruleset).toBeUndefined();
      expect(facts.rulesetError).toContain(ruleset);
    }
  });

  it("cannot be forged by a tool that does not know the nonce, and a section counts once", () => {
    const forged = parseFacts(answer({ ...ROOT, uid: "1000\n\nffff uid\n0" }) + answer({ uid: "0" }), NONCE);
    expect(forged.root).toBe(false);
  });

  it("survive any bytes in any section", () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b).toString("latin1"));
    const mutated = fc.tuple(fc.constantFrom(...Object.keys(ROOT)), bytes, fc.nat(200));
    fc.assert(
      fc.property(fc.array(mutated, { maxLength: 5 }), fc.nat(3000), (changes, end) => {
        const sections: Record<string, string> = { ...ROOT };
        for (const [name, text, at] of changes)
          sections[name] = `${(sections[name] ?? "").slice(0, at)}${text}${(sections[name] ?? "").slice(at)}`;
        const facts = parseFacts(answer(sections).slice(0, end), NONCE);
        for (const { ip } of facts.addresses) expect(ip).toMatch(/^[0-9a-f.:]+$/);
        if (facts.ours) expect(facts.ours.client.ip).toMatch(/^[0-9a-f.:]+$/);
        if (facts.nft) expect(facts.nft.path).toMatch(/^\/[\w./-]+$/);
      }),
    );
  });
});

describe("addresses of the host", () => {
  it.each([
    ["0B004D0A:0016", { ip: "10.77.0.11", port: 22 }],
    ["0000000000000000FFFF00000B004D0A:0016", { ip: "10.77.0.11", port: 22 }],
    ["000077FD000000000000000011000000:0016", { ip: "fd77::11", port: 22 }],
  ])("of /proc/net: %s", (text, expected) => expect(fromProcNet(text)).toEqual(expected));

  it.each([
    ["10.0.0.1:22", { ip: "10.0.0.1", port: 22 }],
    ["[fd00::1]:22", { ip: "fd00::1", port: 22 }],
    ["[fe80::1]%eth0:22", { ip: "fe80::1", port: 22 }],
    ["[::ffff:10.0.0.1]:22", { ip: "10.0.0.1", port: 22 }],
    ["0.0.0.0%lo:68", { ip: "0.0.0.0", port: 68 }],
    ["*:*", undefined],
    ["10.0.0.1:99999", undefined],
  ])("of ss: %s", (text, expected) => expect(fromSs(text)).toEqual(expected));
});

it("reads a connection and its owner, whatever the owner calls itself", () => {
  const line = (users: string) => parseConnection(`tcp   ESTAB 0      0      10.0.0.5:40000 203.0.113.66:443 ${users}`);
  expect(line('users:(("xq7",pid=812,fd=3))')).toMatchObject({ remote: { ip: "203.0.113.66", port: 443 }, pid: 812, name: "xq7" });
  expect(line('users:(("a",pid=1,fd=2)",pid=812,fd=3))')).toMatchObject({ remote: { ip: "203.0.113.66", port: 443 } });
  expect(line("")).not.toHaveProperty("pid");
  expect(parseConnection("tcp ESTAB x y z")).toBeUndefined();
});

it("reads routes on the wire, behind a gateway, and that there is none", () => {
  const peers = ["192.0.2.9", "10.0.0.9", "fd00::9", "10.9.9.9"];
  const text = `\n${NONCE} 192.0.2.9\n192.0.2.9 from 10.0.0.5 via 10.0.0.1 dev eth0 uid 0 \\    cache \n\n${NONCE} 10.0.0.9\n10.0.0.9 dev eth1 src 10.0.0.5 uid 0 \n\n${NONCE} fd00::9\nfd00::9 from :: via fe80::1 dev eth0 proto ra src fd00::5 metric 256 pref medium\n\n${NONCE} 10.9.9.9\nunreachable 10.9.9.9\n\n${NONCE} end\n`;
  expect(parseRoutes(text, NONCE, peers)).toEqual({
    "192.0.2.9": { device: "eth0", via: "10.0.0.1" },
    "10.0.0.9": { device: "eth1" },
    "fd00::9": { device: "eth0", via: "fe80::1" },
  });
});
