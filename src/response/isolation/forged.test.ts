import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { clear } from "../testing/clear.ts";
import { isolationRange } from "../testing/isolation-range.ts";
import { isItCut } from "./ask.ts";
import type { IsolationPlan } from "./plan.ts";
import type { IsolationStatus, WatchFinding } from "./watch/status.ts";
import { watchIsolation } from "./watch/watch.ts";

const TOOLS = [
  "nft",
  "ip",
  "ss",
  ...["iptables", "ip6tables"].flatMap((kind) => ["save", "restore"].map((what) => `${kind}-legacy-${what}`)),
];

/**
 * The host's tools are replaced by ones that do and list everything as they should, in a network of their own that has the same interfaces
 * and nothing in it: no word of theirs is wrong, and the host is as open as before.
 */
describe.skipIf(rangeAvailable() !== undefined)("tools that act in another network", () => {
  const stage = isolationRange();
  const { connect, prepare, isolate, said, atEnd } = stage;

  /** From when /run/elsewhere is there; until then they are the host's own. */
  const replaced = async () => {
    await said(`mkdir -p /run/fake; ip netns add elsewhere; for d in $(ls /sys/class/net); do ip -n elsewhere link add "$d" type dummy 2>/dev/null; ip -n elsewhere link set "$d" up; done
      ip -n elsewhere addr add 10.0.0.9/24 dev "$(ls /sys/class/net | grep -v lo | head -n 1)"
      for t in ${TOOLS.join(" ")}; do printf '#!/bin/sh\\n[ ! -e /run/elsewhere ] || exec /usr/bin/nsenter --net=/run/netns/elsewhere /usr/sbin/%s "$@"\\nexec /usr/sbin/%s "$@"\\n' $t $t >/run/fake/$t; chmod 755 /run/fake/$t; done
      ln -sf /usr/bin/ss /usr/sbin/ss 2>/dev/null; :`);
    atEnd(() => said("rm -rf /run/fake /run/elsewhere; ip netns del elsewhere"));
    return connect({ path: "/run/fake" });
  };
  const lie = () => said("touch /run/elsewhere");

  it.each(["nft inet+netdev", "nft inet", "iptables-legacy", "routes"])("prove nothing: %s", async (method) => {
    const host = await replaced();
    const beacon = await stage.beacon();
    const prepared = await prepare(host, { method, deadManSeconds: 20 });
    await lie();
    const done = await prepared.execute({ probeAccess: host.probeAccess });
    const before = (await beacon.heard()).udp.count;
    await until("the implant to call on", async () => (await beacon.heard()).udp.count > before);
    expect(done).toMatchObject({ ok: false, verified: { access: true, cut: false } });
    expect(done.error).toMatch(
      /^The cut is not proven: .*which nobody has, was let out; what lists the rules on the host may have been replaced/,
    );
    const answer = await isItCut(host.runner, prepared.isolation as IsolationPlan);
    expect(answer).toMatchObject({
      cut: false,
      words: [expect.stringMatching(/^No, not for certain/), ...Array(answer.words.length - 1).fill(expect.anything())],
    });
  });

  it("keep nothing up: what is listed in the place of rules that are gone is not called the cut", async () => {
    const host = await replaced();
    const { plan, done } = await isolate(host);
    expect(done.steps?.find(({ name }) => name === "a datagram to nobody")).toMatchObject({
      ok: true,
      said: expect.stringContaining("refused by the kernel"),
    });
    const statuses: IsolationStatus[] = [];
    const findings: WatchFinding[] = [];
    const watch = await watchIsolation(host.runner, plan, plan.request.since, {
      onStatus: (status) => statuses.push(status),
      onFinding: (finding) => findings.push(finding),
      onEnd: () => {},
    });
    atEnd(() => watch.stop());
    await until("it to hold", () => statuses.at(-1)?.holds === true);
    await lie();
    await clear(stage.range, { watches: false });
    await until("it to be told", () => findings.find(({ title }) => title.startsWith("The host is not cut off, whatever its tools say: ")));
    const told = statuses.length;
    await until("looks since", () => statuses.length > told + 7);
    expect(statuses.slice(told).filter(({ holds }) => holds)).toEqual([]);
    expect(findings.filter(({ title }) => title.startsWith("The host is not cut off"))).toHaveLength(1);
  });
});
