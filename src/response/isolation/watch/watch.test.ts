import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import type { Beacon } from "../../testing/beacon.ts";
import { isolationRange } from "../../testing/isolation-range.ts";
import type { RangeHost } from "../../testing/range-host.ts";
import { TABLE } from "../methods/nft-ruleset.ts";
import type { IsolationPlan } from "../plan.ts";
import { WatchDecoder } from "./parse.ts";
import type { IsolationStatus, WatchFinding } from "./status.ts";
import { watchIsolation } from "./watch.ts";

const NONCE = "0123456789ab";

describe("what the watch tells", () => {
  const text = `@${NONCE} broken\n\n@${NONCE} back 0\n@${NONCE} gone yes\n@${NONCE} by 812 (nft)\nnoise\n@${NONCE} look\n\n${NONCE} inet\ntable inet x {\n}\n\n${NONCE} end\n\n@${NONCE} seen\n`;
  it("is the same however its bytes come", () => {
    const whole = new WatchDecoder(NONCE).push(Buffer.from(text));
    expect(whole.map((told) => told.kind)).toEqual(["broken", "back", "gone", "by", "look"]);
    expect(whole[4]).toMatchObject({
      sections: new Map([
        ["inet", "table inet x {\n}\n\n"],
        ["end", "\n"],
      ]),
    });
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const decoder = new WatchDecoder(NONCE);
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(at.slice(1).flatMap((end, i) => decoder.push(Buffer.from(text.slice(at[i], end))))).toEqual(whole);
      }),
    );
  });

  it("is nothing where the bytes are anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(new WatchDecoder(NONCE).push(Buffer.from(bytes))).toEqual([]);
      }),
    );
    const forged = new WatchDecoder(NONCE).push(Buffer.from(`@${NONCE} by -1 x\n@${NONCE} by x\n@${NONCE} seen\n@${NONCE} what\n`));
    expect(forged).toEqual([]);
  });
});

describe.skipIf(rangeAvailable() !== undefined)("the watch over an isolated host", () => {
  const stage = isolationRange();
  const { connect, isolate, root, atEnd } = stage;
  let host: RangeHost;
  let beacon: Beacon | undefined;
  let plan: IsolationPlan;
  let statuses: IsolationStatus[];
  let findings: WatchFinding[];
  let over: string | undefined;

  const isolated = async (method: string, withBeacon = true) => {
    statuses = [];
    findings = [];
    over = undefined;
    host = await connect();
    beacon = withBeacon ? await stage.beacon() : undefined;
    ({ plan } = await isolate(host, { method }));
    const watch = await watchIsolation(host.runner, plan, "2026-11-24T21:04:11Z", {
      onStatus: (status) => statuses.push(status),
      onFinding: (finding) => findings.push(finding),
      onEnd: (why) => {
        over = why;
      },
    });
    atEnd(() => watch.stop());
    await until("the first look", () => statuses.length > 0);
    expect(statuses.at(-1)).toMatchObject({ holds: true, wrong: [] });
  };
  const finding = (kind: WatchFinding["kind"]) => until(`the finding ${kind}`, () => findings.find((found) => found.kind === kind));

  it("lets not one packet out when root flushes the rules, puts them back, and says who it was", async () => {
    await isolated("nft inet+netdev");
    const before = await beacon?.heard();
    for (let i = 1; i <= 5; i++) {
      await root("nft flush ruleset");
      await until("the rules to be back", () => (statuses.at(-1)?.putBack ?? 0) >= i && statuses.at(-1)?.holds === true);
    }
    // the first can come before the host's monitor listens: then nobody can say who it was
    await until("who it was", () => findings.some(({ title }) => /^Somebody removed the isolation: process \d+ \(nft\)$/.test(title)));
    for (const { kind } of findings) expect(kind).toBe("isolation-removed");
    expect(await beacon?.heard()).toEqual(before);
    expect(statuses.at(-1)).toMatchObject({ holds: true, out: 0, guard: "up" });
    expect(statuses.at(-1)?.dropped).toBeGreaterThan(0);
    expect((await host.probeAccess()).ok).toBe(true);
  });

  it("puts the guard up again when its process is killed, while the rules stand", async () => {
    await isolated("nft inet+netdev");
    const before = await beacon?.heard();
    await root("for p in $(grep -lse stakeout-guard /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -9 $p; done 2>/dev/null");
    await finding("guard-ended");
    await until("the guard", () => statuses.at(-1)?.guard === "up");
    expect(await beacon?.heard()).toEqual(before);
  });

  it.each([
    ["an accepting rule is put in front", `nft insert rule inet ${TABLE} outgoing accept`],
    ["a chain is emptied", `nft flush chain inet ${TABLE} outgoing`],
    ["the table is put to sleep", `nft add table inet ${TABLE} '{ flags dormant; }'`],
    ["the set of analysts is widened", `nft add element inet ${TABLE} analysts4 '{ 203.0.113.66 }'`],
  ])("mends the rules when %s", async (_, tamper) => {
    await isolated("nft inet+netdev", false);
    expect(await root(tamper)).toMatchObject({ code: 0 });
    await finding("isolation-changed");
    await until("the rules to be as planned", () => statuses.at(-1)?.putBack && statuses.at(-1)?.holds);
    expect((await root(`nft list table inet ${TABLE}`)).stdout).not.toContain("203.0.113.66");
  });

  it.each([
    ["iptables-nft", "iptables-nft -t raw -F"],
    ["iptables-legacy", "iptables-legacy -t raw -F"],
    ["iptables-legacy", "iptables-legacy -t raw -I OUTPUT 1 -j ACCEPT"],
    ["routes", "ip rule del pref 999"],
    ["routes", "ip route add 203.0.113.66 dev eth0 table 850"],
  ])("puts %s back after '%s'", async (method, tamper) => {
    await isolated(method, false);
    const [, pref = "", table = ""] = /rule add pref (\d+) lookup (\d+)/.exec(plan.rules) ?? [];
    expect(await root(tamper.replace("999", pref).replace("850", table))).toMatchObject({ code: 0 });
    await until("the rules to be back", () => statuses.at(-1)?.putBack && statuses.at(-1)?.holds);
    expect((await host.probeAccess()).ok).toBe(true);
  });

  it("says so when the monitor is killed, and goes on", async () => {
    await isolated("nft inet+netdev", false);
    await root("pkill -9 -f 'nft [m]onitor'");
    await finding("watch-ended");
    await root("nft flush ruleset");
    await finding("isolation-removed");
  });

  it("is told apart: a release by another console, and its own death", async () => {
    await isolated("nft inet+netdev", false);
    const other = await connect();
    const release = await stage.prepare(other, { analyst: "else", session: "s-2", want: "release" });
    expect(release.preview.notes.join()).toContain("A console watches this isolation");
    expect((await release.execute({ probeAccess: other.probeAccess })).error).toBeUndefined();
    await until("the watch's end", () => over === "released");
    expect((await root("nft list tables")).stdout).toBe("");

    await isolated("nft inet+netdev", false);
    await root("kill -9 $(grep -lse 'stakeout-watch[-]' /proc/[0-9]*/cmdline | cut -d/ -f3)");
    await until("the watch's end", () => over === "lost");
    await finding("watch-ended");
  });

  it.each(["nft inet+netdev", "iptables-nft", "routes"])(
    "gives way to another console that isolates the host anew by %s",
    async (method) => {
      await isolated(method, false);
      const anew = await isolate(await connect(), { method, analyst: "else", session: "s-2" });
      await until("the watch's end", () => over === "replaced");
      expect(findings.filter(({ kind }) => kind !== "isolation-changed" && kind !== "isolation-removed")).toEqual([]);
      expect(await root(anew.plan.stands)).toMatchObject({ code: 0 });
      expect((await host.probeAccess()).ok).toBe(true);
    },
  );

  it("notices a new interface and a new address", async () => {
    await isolated("nft inet+netdev", false);
    await root("ip link add extra type bridge; ip addr add 10.99.1.1/24 dev extra");
    expect((await finding("interface")).title).toContain("extra");
    expect((await finding("address")).title).toContain("10.99.1.1");
    await root("ip link del extra");
  });
});
