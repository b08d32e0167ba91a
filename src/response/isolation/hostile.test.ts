import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HostRunner, RemoteProcess } from "#host/runner";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { clear } from "../testing/clear.ts";
import { connectRange, type RangeHost } from "../testing/range-host.ts";
import { TABLE } from "./methods/nft-ruleset.ts";
import { type PrepareOptions, prepareIsolation } from "./prepare.ts";

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

describe.skipIf(rangeAvailable() !== undefined)("on a host that is against us", { timeout: 120_000 }, () => {
  let range: Range;
  let host: RangeHost;
  beforeAll(async () => {
    range = await startRange();
  }, 600_000);
  afterAll(() => range?.stop());
  afterEach(async () => {
    host?.vanish();
    await range.onHost(["sh", "-c", "mount -o remount,rw /run; rm -rf /run/fake"]);
    await clear(range);
  });
  const asked = (more: Partial<PrepareOptions> = {}): PrepareOptions => ({ analyst: "jm", session: "s", want: "isolate", ...more });
  const rules = async () => (await range.onHost(["sh", "-c", "nft list ruleset; ip rule; ip -6 rule"])).stdout;
  const chains = async () => (await range.onHost(["sh", "-c", "iptables-legacy-save; ip6tables-legacy-save"])).stdout;
  const isolated = async () => /stakeout_|STAKEOUT_|lookup 1(39|40)\d{7}/.test((await rules()) + (await chains()));
  // the dead man is the only one whose arguments speak of guards like this
  const deadMen = async () =>
    (await range.onHost(["sh", "-c", "grep -lse 'stakeout-guard[[]-' /proc/[0-9]*/cmdline | wc -l"])).stdout.trim();

  it.each(
    ["armed", "cut", "sockets", "guard"]
      .flatMap((step) => ["nft inet+netdev", "iptables-legacy", "routes"].map((method) => ({ step, method })))
      .filter(({ step, method }) => step !== "guard" || method.startsWith("nft")),
  )("reverts by itself when ssh is lost at the step '$step' of $method", async ({ step, method }) => {
    host = await connectRange(range);
    const before = await rules();
    const isolate = await prepareIsolation(
      losing(host.runner, step, () => host.vanish()),
      asked({ method, deadManSeconds: 4 }),
    );
    const done = await isolate.execute({ probeAccess: host.probeAccess });
    expect(done.ok).toBe(false);
    await until("the dead man to end", async () => (await deadMen()) === "0", { timeoutMs: 60_000 });
    expect(await isolated()).toBe(false);
    expect((await host.probeAccess()).ok).toBe(true);
    expect(await rules()).toBe(before);
  });

  /** A tool that lies before the host's own in our shell's PATH. */
  const fake = async (name: string, script: string) => {
    const file = `/run/fake/${name}`;
    await range.onHost(["sh", "-c", `mkdir -p /run/fake; cat >${file}; chmod 755 ${file}`], `#!/bin/sh\n${script}\n`);
    host = await connectRange(range, { path: "/run/fake" });
  };
  const carriedOut = async (method: string) => {
    const isolate = await prepareIsolation(host.runner, asked({ method }));
    const done = await isolate.execute({ probeAccess: host.probeAccess });
    isolate.dispose();
    return done;
  };

  // refused after the plan was made
  it.each(["iptables-legacy-restore", "ip6tables-legacy-restore"])(
    "leaves nothing of a fallback of which one half fails: %s",
    async (half) => {
      await fake(half, `case $1 in --test) exec /usr/sbin/${half} "$@";; esac\ncat >/dev/null; echo "Bad argument" >&2; exit 2`);
      const done = await carriedOut("iptables-legacy");
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
    await fake("ip", `case $* in "-6 -batch -") ${second};; esac\nexec /usr/sbin/ip "$@"`);
    const done = await carriedOut("routes");
    expect(done.error).toContain("refused the transaction: nothing of it was applied");
    expect(await rules()).toBe(before);
  });

  it("isolates by routes line by line where ip knows no batch", async () => {
    await fake(
      "ip",
      `case $* in *-batch*) echo 'Option "-batch" is unknown, try "ip -help".' >&2; exit 255;; esac\nexec /usr/sbin/ip "$@"`,
    );
    expect(await carriedOut("routes")).toMatchObject({ ok: true, verified: { access: true, cut: true } });
  });

  it.each(["nft inet+netdev", "iptables-nft", "routes"])(
    "of two consoles that isolate at once by %s, one wins, or says that neither did; both stay in",
    async (method) => {
      host = await connectRange(range);
      const other = await connectRange(range, { netns: range.netns.responders[0] });
      const plans = await Promise.all([
        prepareIsolation(host.runner, asked({ method, partners: [range.addresses.responders[0]] })),
        prepareIsolation(other.runner, asked({ method, partners: [range.addresses.analyst] })),
      ]);
      const done = await Promise.all([
        plans[0].execute({ probeAccess: host.probeAccess }),
        plans[1].execute({ probeAccess: other.probeAccess }),
      ]);
      for (const { ok, error } of done)
        if (!ok)
          expect(error).toMatch(
            /isolated this host .* while this plan was made|is not the one of this plan|not the first|as they were loaded/,
          );
      // iptables loads its two families one after the other: each can come first in one of them, and then neither is proven
      if (method !== "iptables-nft") expect(done.some(({ ok }) => ok)).toBe(true);
      else if (!done.some(({ ok }) => ok)) {
        const again = await prepareIsolation(host.runner, asked({ method, partners: [range.addresses.responders[0]] }));
        const { ok, error } = await again.execute({ probeAccess: host.probeAccess });
        expect(ok, error).toBe(true);
        again.dispose();
      }
      expect((await host.probeAccess()).ok).toBe(true);
      expect((await other.probeAccess()).ok).toBe(true);
      for (const plan of plans) plan.dispose();
      other.vanish();
    },
  );

  it("works where /run is read-only, and writes nothing to any disk", async () => {
    host = await connectRange(range);
    await range.onHost(["mount", "-o", "remount,ro", "/run"]);
    const files = async () =>
      (await range.onHost(["sh", "-c", "find / -xdev -newer /tmp/mark -type f -not -path '/var/log/*' 2>/dev/null; ls -a /root"])).stdout;
    await range.onHost(["touch", "/tmp/mark"]);
    const before = await files();
    const isolate = await prepareIsolation(host.runner, asked());
    expect((await isolate.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    expect(await files()).toBe(before);
    isolate.dispose();
  });

  it("cannot be run twice, and a second plan of the same console replaces the first", async () => {
    host = await connectRange(range);
    const isolate = await prepareIsolation(host.runner, asked());
    const [first, second] = await Promise.allSettled([
      isolate.execute({ probeAccess: host.probeAccess }),
      isolate.execute({ probeAccess: host.probeAccess }),
    ]);
    expect(first).toMatchObject({ status: "fulfilled", value: { ok: true } });
    expect(second).toMatchObject({ status: "rejected", reason: new Error("This plan has been run already: prepare a new one.") });
    const again = await prepareIsolation(host.runner, asked());
    expect((await again.execute({ probeAccess: host.probeAccess })).error).toBeUndefined();
    const listed = await rules();
    expect(listed.match(new RegExp(`table inet ${TABLE} `, "g"))).toHaveLength(1);
    expect(listed.match(/table inet stakeout_guard /g)).toHaveLength(1);
    for (const plan of [isolate, again]) plan.dispose();
  });

  it("reverts in time though the host's tools believe in another time", async () => {
    // date(1) and all that asks the wall clock are a year off; sleep(1) counts on the monotonic clock
    host = await connectRange(range);
    const isolate = await prepareIsolation(host.runner, asked({ deadManSeconds: 2, now: () => new Date("2031-01-01T00:00:00Z") }));
    const done = await isolate.execute({ probeAccess: async () => ({ ok: false, milliseconds: 1 }) });
    expect(done.ok).toBe(false);
    await until("the dead man to revert", async () => !(await isolated()), { timeoutMs: 60_000 });
    isolate.dispose();
  });
});
