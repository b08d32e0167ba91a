import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { clear } from "../../testing/clear.ts";
import { isolationRange } from "../../testing/isolation-range.ts";
import { FAKE, fakeSystemd } from "../../testing/systemd.ts";
import type { IsolationPlan } from "../plan.ts";
import { detectIsolation } from "../prepare.ts";
import { renewIsolation } from "../renew.ts";
import { watchIsolation } from "../watch/watch.ts";

/** What a real host's disk has of an isolation, from its Enter to its release; that a boot reads it is for a virtual machine to show. */
describe.skipIf(rangeAvailable() !== undefined)("an isolation that is to stand through a reboot", () => {
  const stage = isolationRange();
  const { prepare, carryOut, isolate, root, said, atEnd } = stage;
  beforeAll(() => fakeSystemd(stage.range));
  afterEach(() => root("rm -rf /run/refuses /etc/systemd/system/stakeout* /etc/systemd/system/*/stakeout*"));
  const connect = () => stage.connect({ path: FAKE });
  const onDisk = async () =>
    (await root("ls -d /etc/systemd/system/stakeout* /etc/systemd/system/*/stakeout*")).stdout.split("\n").filter(Boolean);

  it("is on the disk only once access is proven, and a release takes it off and proves that", async () => {
    const host = await connect();
    const prepared = await prepare(host, { keeps: "boot" });
    let meanwhile: string[] | undefined;
    const done = await prepared.execute({
      probeAccess: async () => {
        meanwhile = await onDisk();
        return host.probeAccess();
      },
    });
    expect(meanwhile).toEqual([]);
    expect(done.error).toBeUndefined();
    expect(done.steps?.slice(-2)).toMatchObject([
      { name: "dead man stood down", ok: true },
      { name: "stands through a reboot", ok: true },
    ]);
    const { nonce } = prepared.isolation as IsolationPlan;
    const name = `stakeout-isolation-${nonce}`;
    const files = [".nft", ".service"].map((ending) => `/etc/systemd/system/${name}${ending}`);
    expect(await onDisk()).toEqual([...files, `/etc/systemd/system/sysinit.target.wants/${name}.service`]);
    expect([...(done.on_disk ?? [])].sort()).toEqual(files);
    const { ours, onDisk: found } = await detectIsolation(host.runner);
    expect(ours).toMatchObject({ nonce, analyst: "jm", inet: true, netdev: true });
    expect(found).toMatchObject([{ nonce, analyst: "jm", session: "s-1" }]);

    const released = await carryOut(host, { want: "release" });
    expect(released.error).toBeUndefined();
    expect(released.steps).toContainEqual(expect.objectContaining({ name: "the files on its disk are gone", ok: true }));
    expect(await onDisk()).toEqual([]);
  });

  it("where no second way in could be opened, nothing of it is ever written", async () => {
    const prepared = await prepare(await connect(), { keeps: "boot" });
    const done = await prepared.execute({ probeAccess: async () => ({ ok: false, milliseconds: 1, error: "refused" }) });
    expect(done).toMatchObject({ ok: false, error: expect.stringMatching(/Access is not proven/) });
    expect(done.on_disk).toBeUndefined();
    expect(await onDisk()).toEqual([]);
  });

  it("where systemd does not start it, the host is isolated, and it is said that it would not survive a reboot", async () => {
    const host = await connect();
    await root("touch /run/refuses");
    const done = await carryOut(host, { keeps: "boot" });
    expect(done).toMatchObject({ ok: true, verified: { access: true, cut: true } });
    expect(done.error).toBe("The host is isolated, but it would not survive a reboot: refused.");
    expect(done.on_disk).toBeUndefined();
    expect(await onDisk()).toEqual([]);
  });

  it("the watch writes again what somebody changes, and says so when it cannot", async () => {
    const host = await connect();
    const { plan } = await isolate(host, { keeps: "boot" });
    const unit = plan.boot?.unit.path ?? "";
    const found: string[] = [];
    const states: (string | undefined)[] = [];
    const watch = await watchIsolation(host.runner, plan, plan.request.since, {
      onStatus: (status) => states.push(status.boot),
      onFinding: (finding) => found.push(finding.kind),
      onEnd: () => {},
    });
    atEnd(() => watch.stop());
    const all = await onDisk();
    await root(`rm -f ${all.join(" ")}`);
    await until("them to be back", () => found.includes("boot-changed"));
    expect(await onDisk()).toEqual(all);
    expect(await said(`cat ${unit}`)).toBe(plan.boot?.unit.text.trim());
    await root(`mkdir ${unit}.d`);
    await until("that to be told", () => found.includes("boot-lost") && states.at(-1) === "lost");
    expect(found).toEqual(["boot-changed", "boot-lost"]);
    await root(`rmdir ${unit}.d`);
  });

  it("made anew for a new address, the rules on the disk follow", async () => {
    const host = await connect();
    const { plan } = await isolate(host, { keeps: "boot" });
    const rules = plan.boot?.rules.path;
    const device = plan.devices[0];
    expect(await said(`grep -c 10.99.0.7 ${rules} || :`)).toBe("0");
    await root(`ip addr add 10.99.0.7/24 dev ${device}`);
    try {
      const next = await renewIsolation(host.runner, plan);
      expect(next.own).toContain("10.99.0.7");
      expect(await said(`sha256sum <${rules} | cut -d' ' -f1`)).toBe(next.boot?.rules.sha256);
      expect(await said(`grep -c 10.99.0.7 ${rules}`)).not.toBe("0");
    } finally {
      await root(`ip addr del 10.99.0.7/24 dev ${device}`);
    }
  });

  it("isolated anew without that choice, nothing of the first is left on the disk", async () => {
    const host = await connect();
    await isolate(host, { keeps: "boot" });
    const { prepared } = await isolate(host);
    expect(prepared.preview.notes.join()).toMatch(/isolated at its next boot \(jm, [0-9a-f]{12}\): this takes them away/);
    expect(await onDisk()).toEqual([]);
  });

  it("what is on the disk of a host whose rules are gone is found, and released", async () => {
    const host = await connect();
    await isolate(host, { keeps: "boot" });
    await clear(stage.range);
    const { ours, onDisk: found } = await detectIsolation(host.runner);
    expect([ours, found.length]).toEqual([undefined, 1]);
    const release = await prepare(host, { want: "release" });
    expect(release.preview.notes.join()).toMatch(/not isolated now, but it would be at its next boot/);
    expect((await release.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    expect(await onDisk()).toEqual([]);
  });
});
