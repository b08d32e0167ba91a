import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { facts as anyFacts, REQUEST } from "../../testing/facts.ts";
import { isolationRange } from "../../testing/isolation-range.ts";
import { type Packet, PacketFilter } from "../../testing/packet-filter.ts";
import { FAKE, fakeSystemd } from "../../testing/systemd.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import { METHODS } from "../methods/methods.ts";
import { type IsolationPlan, planIsolation } from "../plan.ts";
import { ResponseRefused } from "../refused.ts";
import { planRelease } from "../release.ts";
import { watchScript } from "../watch/script.ts";
import { parseFiles } from "./found.ts";
import { bootObstacle } from "./obstacle.ts";
import { bootFunctions, removeFiles } from "./script.ts";

const SYSTEMD = { init: "systemd", tools: [...anyFacts().tools, "systemd-run", "systemctl", "sha256sum", "sync"] };
const facts = (more: Partial<HostFacts> = {}) => anyFacts({ ...SYSTEMD, ...more });
const REQUESTED = { ...REQUEST, keeps: "boot" as const };
const [nft, inetAlone] = METHODS as [(typeof METHODS)[number], (typeof METHODS)[number]];

function planned(more: Partial<HostFacts> = {}, request: typeof REQUEST = REQUESTED, method = nft): IsolationPlan {
  const plan = planIsolation(facts(more), request, method);
  if (plan instanceof ResponseRefused) throw plan;
  return plan;
}
const boot = (plan: IsolationPlan) => plan.boot as NonNullable<IsolationPlan["boot"]>;

describe("a plan that is to stand through a reboot", () => {
  it("shows the files whole, and writes nothing before all was proven", () => {
    const plan = planned();
    const { unit, rules } = boot(plan);
    expect(plan.script).toContain(unit.text);
    expect(plan.script).toContain(rules.text);
    expect(unit.path).toBe("/etc/systemd/system/stakeout-isolation-0123456789ab.service");
    expect(unit.text).toContain(`ExecStart=/usr/sbin/nft -f ${rules.path}\n`);
    expect(unit.text).toMatch(/^Before=network-pre.target$/m);
    expect(unit.text).toMatch(/^After=nftables.service$/m);
    // the last line alone is run by Enter, and it does not write
    expect(plan.script.trimEnd().split("\n").at(-1)).toBe("isolate");
    expect(/^isolate\(\) \{\n([\s\S]*?)^}$/m.exec(plan.script)?.[1]).not.toContain("/etc/systemd");
    expect(plan.script).toMatch(/^survive\(\) \{$/m);
    expect(plan.undo).toContain(`rm -f ${unit.path} ${rules.path}`);
    expect(plan.leaks.join()).toMatch(/raw frames .* after a reboot/);
    for (const script of [plan.script, watchScript(plan)])
      expect(spawnSync("/bin/sh", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("changes nothing of what is planned without it", () => {
    for (const keeps of ["stays", "reverts"] as const) {
      const plan = planned({}, { ...REQUEST, keeps });
      expect(plan.boot).toBeUndefined();
      expect(plan.script + plan.leaks.join() + watchScript(plan)).not.toMatch(/etc\/systemd|boot/);
    }
  });

  it("has the boot load the same inet rules under the same mark, and no device", () => {
    for (const method of [nft, inetAlone]) {
      const { rules } = boot(planned({}, REQUESTED, method));
      expect(rules.text).not.toMatch(/netdev|eth0/);
      expect(rules.text).toContain(`comment "stakeout analyst=jm`);
      const filter = new PacketFilter(rules.text.slice(rules.text.indexOf("table inet stakeout_isolation {")));
      const login: Packet = { kind: "ip", src: "192.0.2.9", dst: "10.0.0.5", tcp: { sport: 5000, dport: 22 } };
      const beacon: Packet = { kind: "ip", src: "10.0.0.5", dst: "203.0.113.66", tcp: { sport: 5000, dport: 443 } };
      expect([filter.passes("inet", "incoming", login), filter.passes("inet", "leaving", beacon)]).toEqual([true, false]);
    }
  });

  it("says that a leased address may be another after a boot", () => {
    const address = { interface: "eth0" as never, ip: "10.0.0.5", dynamic: true, validSeconds: 900 };
    expect(planned({ addresses: [address] }).notes.join()).toMatch(/should a boot bring another one, nobody can log in/);
    expect(planned().notes.join()).not.toMatch(/should a boot bring another/);
  });

  it.each<[string, Partial<HostFacts>, RegExp]>([
    ["without systemd", { init: "init" }, /process 1 of the host is 'init', not systemd/],
    ["without systemctl", { tools: anyFacts().tools }, /no systemctl, sha256sum, sync/],
    ["where the folder is read-only", { units: { state: "read-only", fileSystem: "ext4" } }, /cannot be written/],
    ["where something else makes the folder", { units: { state: "link", fileSystem: "ext4" } }, /is a link/],
    ["without the folder", { units: { state: "missing", fileSystem: "" } }, /no folder/],
    ["on a disk that is memory", { units: { state: "writable", fileSystem: "tmpfs" } }, /in memory/],
  ])("is refused %s, and the other choices are not", (_, more, reason) => {
    const plan = planIsolation(facts(more), REQUESTED, nft);
    expect(plan).toBeInstanceOf(ResponseRefused);
    expect((plan as ResponseRefused).reason).toMatch(reason);
    expect(bootObstacle(facts(more))).toMatch(reason);
    expect(planIsolation(facts(more), REQUEST, nft)).not.toBeInstanceOf(ResponseRefused);
  });

  it("is refused by a method that cannot be loaded so early", () => {
    for (const method of METHODS.filter(({ id }) => !id.startsWith("nft ")))
      expect(bootObstacle(facts(), method.id), method.id).toMatch(/only nft/);
    expect(bootObstacle(facts(), inetAlone.id)).toBeUndefined();
  });
});

describe("files on a host's disk", () => {
  const path = "/etc/systemd/system/stakeout-isolation-ba9876543210";
  const text = `${path}.nft\t# "stakeout analyst=kim session=s since=2026-11-24T21:04:11Z nonce=ba9876543210"\n${path}.service\t\n`;
  it("are read by name and mark, and no name that is not ours reaches a script", () => {
    const hostile = `/etc/systemd/system/stakeout-isolation-$(id).service\t\n/etc/passwd\t\n${path}.service.d\t\n`;
    const found = { nonce: "ba9876543210", analyst: "kim", session: "s", since: "2026-11-24T21:04:11Z" };
    expect(parseFiles(hostile + text)).toEqual([{ ...found, files: [`${path}.nft`, `${path}.service`] }]);
    const many = Array.from({ length: 900 }, (_, i) => `/etc/systemd/system/stakeout-isolation-${String(i).padStart(12, "0")}.nft\t`);
    expect(parseFiles(many.join("\n"))).toHaveLength(16);
  });

  it("are released where nothing stands in the kernel, and are taken away by an isolation that does not want them", () => {
    const onDisk = parseFiles(text);
    const release = planRelease(facts({ onDisk }), "0123456789ab");
    if (release instanceof ResponseRefused) throw release;
    expect(release.method).toBe("files on disk");
    expect(release.script).toContain(`rm -f /etc/systemd/system/sysinit.target.wants/stakeout-isolation-ba9876543210.service`);
    expect(release.notes.join(" ")).toMatch(/not isolated now, but it would be at its next boot.*ba9876543210\.nft/);
    const plan = planned({ onDisk }, REQUEST);
    expect(plan.script.indexOf("step cut")).toBeLessThan(plan.script.indexOf("stakeout-isolation-ba9876543210"));
    expect(plan.notes.join()).toMatch(/kim, ba9876543210/);
  });
});

describe.skipIf(rangeAvailable() !== undefined)("on a host's disk", () => {
  const stage = isolationRange();
  const functions = bootFunctions(boot(planned()));
  const sh = async (script: string) => {
    const { code, stdout, stderr } = await stage.root(`PATH=${FAKE}:$PATH\n${functions}\n${script}`);
    return { code, said: `${stdout}${stderr}`.trim() };
  };
  const { unit, rules, link } = boot(planned());
  beforeAll(() => fakeSystemd(stage.range));

  it("the files are written whole and found by the next console; what was put in their place is not followed", async () => {
    await sh(`echo precious >/run/precious; ln -s /run/precious ${unit.path}.new; ln -s /run/precious ${rules.path}`);
    expect(await sh("survive")).toEqual({ code: 0, said: `written and enabled: ${unit.path}, ${rules.path}` });
    expect((await sh("cat /run/precious")).said).toBe("precious");
    expect((await sh(`cat ${unit.path}`)).said).toBe(unit.text.trim());
    expect((await sh(`stat -c %a ${unit.path} ${rules.path}`)).said).toBe("644\n600");
    expect((await sh(`nft -c -f ${rules.path}`)).code).toBe(0);
  });

  it.each([
    ["unit", `rm ${unit.path}`],
    ["rules", `echo >>${rules.path}`],
    ["link", `rm ${link}`],
  ])("a change of the %s is noticed, and written again", async (_, tamper) => {
    expect((await sh("boot_write >/dev/null; boot_stands")).code).toBe(0);
    expect((await sh(`${tamper}; boot_stands`)).code).not.toBe(0);
    expect((await sh("boot_write && boot_stands")).code).toBe(0);
  });

  it("what overrides the unit is noticed, and cannot be mended by writing", async () => {
    expect((await sh(`boot_write; mkdir ${unit.path}.d; boot_stands`)).code).not.toBe(0);
    expect(await sh("boot_write")).toMatchObject({ code: 1, said: "not there as it was written" });
    await sh(`rmdir ${unit.path}.d`);
  });

  it("where systemd refuses to start it nothing is left, and it is said", async () => {
    expect((await sh("touch /run/refuses; survive")).code).toBe(1);
    expect((await sh("rm /run/refuses; ls -R /etc/systemd/system | grep stakeout")).said).toBe("");
  });

  it("a release leaves none of it, and says what it could not remove", async () => {
    expect((await sh("survive")).code).toBe(0);
    expect((await sh(removeFiles(["0123456789ab"], true))).code).toBe(0);
    expect((await sh("ls -R /etc/systemd/system | grep stakeout")).said).toBe("");
    expect((await sh(`mkdir ${rules.path}; ${removeFiles(["0123456789ab"], true)}`)).code).not.toBe(0);
    await sh(`rmdir ${rules.path}`);
  });
});
