import { describe, expect, it } from "vitest";
import type { HostRunner, RemoteProcess } from "#host/runner";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { isolationRange } from "../testing/isolation-range.ts";
import type { RangeHost } from "../testing/range-host.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { detectIsolation } from "./prepare.ts";
import { endLeases } from "./processes.ts";

/** Cuts the channel when the host's `nth` step of an isolation has arrived here. */
function losing(runner: HostRunner, step: string, vanish: () => void): HostRunner {
  return {
    async open(argv): Promise<RemoteProcess> {
      const process = await runner.open(argv);
      let tail = "";
      process.stdout.on("data", (chunk: Buffer) => {
        tail = (tail + chunk.toString("latin1")).slice(-4096);
        if (new RegExp(`^@[0-9a-f]{12} ${step} 0$`, "m").test(tail)) vanish();
      });
      return process;
    },
  };
}

describe.skipIf(rangeAvailable() !== undefined)("on a host that is against us", () => {
  const stage = isolationRange();
  const { connect, prepare, carryOut, isolate, said, atEnd } = stage;
  const rules = () => said("nft list ruleset; ip rule; ip -6 rule");
  const chains = () => said("iptables-legacy-save; ip6tables-legacy-save");
  const isolated = async () => /stakeout_|STAKEOUT_|lookup 1(39|40)\d{7}/.test((await rules()) + (await chains()));
  // the dead man is the only one whose arguments speak of guards like this
  const deadMen = () => said("grep -lse 'stakeout-guard[[]-' /proc/[0-9]*/cmdline | wc -l");

  it.each(
    ["armed", "cut", "sockets", "guard"]
      .flatMap((step) => ["nft inet+netdev", "iptables-legacy", "routes"].map((method) => ({ step, method })))
      .filter(({ step, method }) => step !== "guard" || method.startsWith("nft")),
  )("reverts by itself when ssh is lost at the step '$step' of $method", async ({ step, method }) => {
    const host = await connect();
    const before = await rules();
    const runner = losing(host.runner, step, () => host.vanish());
    expect((await carryOut({ ...host, runner }, { method, deadManSeconds: 4 })).ok).toBe(false);
    await until("the dead man to end", async () => (await deadMen()) === "0");
    expect(await isolated()).toBe(false);
    expect((await host.probeAccess()).ok).toBe(true);
    expect(await rules()).toBe(before);
  });

  /** One that would be undone if its console vanished; nobody waits for that. */
  const leased = (host: RangeHost) => {
    atEnd(() => stage.root(endLeases));
    return isolate(host, { keeps: "reverts" });
  };

  /** A console whose shell has a tool that lies before the host's own in its PATH. */
  const fooled = async (name: string, script: string): Promise<RangeHost> => {
    const file = `/run/fake/${name}`;
    await stage.root(`mkdir -p /run/fake; cat >${file}; chmod 755 ${file}`, `#!/bin/sh\n${script}\n`);
    atEnd(() => stage.root("rm -rf /run/fake"));
    return connect({ path: "/run/fake" });
  };

  // refused after the plan was made
  it.each(["iptables-legacy-restore", "ip6tables-legacy-restore"])(
    "leaves nothing of a fallback of which one half fails: %s",
    async (half) => {
      const host = await fooled(
        half,
        `case $1 in --test) exec /usr/sbin/${half} "$@";; esac\ncat >/dev/null; echo "Bad argument" >&2; exit 2`,
      );
      const done = await carryOut(host, { method: "iptables-legacy" });
      expect(done.error).toContain("refused the transaction: nothing of it was applied");
      expect(await isolated()).toBe(false);
    },
  );

  it.each([
    ["fails in its second half", 'head -n 1 | /usr/sbin/ip -6 -batch -; echo "RTNETLINK answers: no"; echo "Command failed -:2"; exit 1'],
    ["hangs in its second half", "head -n 1 | /usr/sbin/ip -6 -batch -; exec sleep 60"],
    ["talks of options in its second half", 'echo "Option unknown"; exit 1'],
  ])("leaves nothing of routes whose ip %s", async (_, second) => {
    const before = await rules();
    const host = await fooled("ip", `case $* in "-6 -batch -") ${second};; esac\nexec /usr/sbin/ip "$@"`);
    const done = await carryOut(host, { method: "routes" });
    expect(done.error).toContain("refused the transaction: nothing of it was applied");
    expect(await rules()).toBe(before);
  });

  it("isolates by routes line by line where ip knows no batch", async () => {
    const host = await fooled(
      "ip",
      `case $* in *-batch*) echo 'Option "-batch" is unknown, try "ip -help".' >&2; exit 255;; esac\nexec /usr/sbin/ip "$@"`,
    );
    await isolate(host, { method: "routes" });
  });

  const METHODS = ["nft inet+netdev", "iptables-nft", "iptables-legacy", "routes"];
  /** Two consoles at two addresses, each with a plan that lets the other in, press Enter at once. */
  const atOnce = async (method: string) => {
    const { addresses, netns } = stage.range;
    const [one, two] = [await connect(), await connect({ netns: netns.responders[0] })];
    const plans = await Promise.all([
      prepare(one, { method, partners: [addresses.responders[0]] }),
      prepare(two, { method, partners: [addresses.analyst], analyst: "kim" }),
    ]);
    const done = await Promise.all([
      plans[0].execute({ probeAccess: one.probeAccess }),
      plans[1].execute({ probeAccess: two.probeAccess }),
    ]);
    expect((await one.probeAccess()).ok).toBe(true);
    expect((await two.probeAccess()).ok).toBe(true);
    return { one, done, won: done.map(({ ok }, i) => (ok ? ["jm", "kim"][i] : "")).join("") };
  };

  it.each(METHODS)("of two consoles that isolate at once by %s exactly one does, and the other is told who", async (method) => {
    const { one, done, won } = await atOnce(method);
    expect(won, done.map(({ error }) => error).join("; ")).toMatch(/^(?:jm|kim)$/);
    const { error } = done.find(({ ok }) => !ok) as (typeof done)[number];
    const who = method === "routes" ? "Another console" : won; // routes bear no name
    expect(error).toMatch(new RegExp(`^${who} isolated this host .* while this plan was made`));
    const { ours } = await detectIsolation(one.runner);
    expect(ours?.iptables.length).toBe(method.startsWith("iptables") ? 1 : 0);
    if (method !== "routes") expect(ours?.analyst).toBe(won);
  });

  it.each(METHODS)("of two consoles that replace an isolation at once by %s, one does", async (method) => {
    await isolate(await connect(), { method, partners: [stage.range.addresses.responders[0]] });
    const { done, won } = await atOnce(method);
    expect(won, done.map(({ error }) => error).join("; ")).toMatch(/^(?:jm|kim)$/);
  });

  it.each(["nft inet+netdev", "iptables-legacy"])("works by %s where /run is read-only, and writes nothing to any disk", async (method) => {
    const host = await connect();
    // laid over the other, in which files are open; sshd lets nobody in without its folder
    await said("mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mount -o remount,ro /run");
    atEnd(() => said("umount -l /run"));
    const files = () => said("find / -xdev -newer /tmp/mark -type f -not -path '/var/log/*' 2>/dev/null; ls -a /root");
    await said("touch /tmp/mark");
    const before = await files();
    await isolate(host, { method });
    expect(await files()).toBe(before);
  });

  describe("where nft prints what only our script is to print", () => {
    const steps = "process 1 1 1\\n@$n lease 0\\n@$n cut 0\\n@$n guard 0\\n";
    const nonce = `rules=$(cat); n=$(echo "$rules" | sed -n 's/.*nonce=\\([0-9a-f]*\\).*/\\1/p' | head -n 1)`;
    const forging = (does: string) =>
      `case "$*" in "-f -") ${nonce}; [ -z "$n" ] || { ${does}; c=$?; printf "${steps}"; exit $c; }; echo "$rules" | /usr/sbin/nft -f -; exit;; esac\nexec /usr/sbin/nft "$@"`;

    it("takes no such step for ours", async () => {
      const host = await fooled("nft", forging('echo "$rules" | /usr/sbin/nft -f -'));
      const { done } = await leased(host);
      expect(done.lease).not.toMatchObject({ process: 1 });
      expect(done.steps?.filter(({ name }) => name === "guard")).toHaveLength(1);
    });

    it("says that the cut failed, and what of", async () => {
      const host = await fooled("nft", forging('echo "Error: no room"; false'));
      const done = await carryOut(host);
      expect(done.error).toContain("refused the transaction: nothing of it was applied");
      expect(done.steps?.find(({ name }) => name === "cut")).toMatchObject({ ok: false, said: expect.stringContaining("Error: no room") });
      expect(await deadMen()).toBe("0");
    });
  });

  it("is undone by nobody whom a slow service manager begins after we gave him up", async () => {
    const fake = (name: string, script: string) =>
      stage.root(`cat >/run/fake/${name}; chmod 755 /run/fake/${name}`, `#!/bin/sh\n${script}\n`);
    await said("mkdir -p /run/fake");
    atEnd(() => stage.root("rm -rf /run/fake"));
    await fake("cat", '[ "$*" = /proc/1/comm ] && { echo systemd; exit; }; exec /bin/cat "$@"');
    // systemd-run --quiet --collect --unit=NAME PROGRAM..., which never hears back
    const unit = 'u=$(echo "$3" | cut -d= -f2); shift 3; setsid "$@" </dev/null >/dev/null 2>&1 & echo $! >/run/fake/$u; exec sleep 60';
    await fake("systemd-run", unit);
    await fake("systemctl", 'case $1 in kill) kill -9 -"$(/bin/cat /run/fake/$3)";; *) exit 3;; esac');
    const host = await connect({ path: "/run/fake" });
    const { done } = await leased(host);
    expect(done.lease).toHaveProperty("process");
    // whose arguments end guards: a dead man or a lease
    expect(await said("grep -lse 'stakeout-guard[[]-' /proc/[0-9]*/cmdline | cut -d/ -f3")).toBe(
      String((done.lease as { process: number }).process),
    );
  });

  it("cannot be run twice, and a second plan of the same console replaces the first", async () => {
    const host = await connect();
    const first = await prepare(host);
    const [once, twice] = await Promise.allSettled([
      first.execute({ probeAccess: host.probeAccess }),
      first.execute({ probeAccess: host.probeAccess }),
    ]);
    expect(once).toMatchObject({ status: "fulfilled", value: { ok: true } });
    expect(twice).toMatchObject({ status: "rejected", reason: new Error("This plan has been run already: prepare a new one.") });
    await isolate(host);
    const listed = await rules();
    expect(listed.match(new RegExp(`table inet ${TABLE} `, "g"))).toHaveLength(1);
    expect(listed.match(/table inet stakeout_guard /g)).toHaveLength(1);
  });

  it("reverts in time though the host's tools believe in another time", async () => {
    // date(1) and all that asks the wall clock are a year off; sleep(1) counts on the monotonic clock
    const host = await connect();
    const isolate = await prepare(host, { deadManSeconds: 2, now: () => new Date("2031-01-01T00:00:00Z") });
    const done = await isolate.execute({ probeAccess: async () => ({ ok: false, milliseconds: 1 }) });
    expect(done.ok).toBe(false);
    await until("the dead man to revert", async () => !(await isolated()));
  });
});
