import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { must, runLocal, until } from "#range/machine";
import { isolationRange } from "../testing/isolation-range.ts";

/** A second wire between the analyst and the host; `top` is what carries the address on both ends. */
const WIRES: Record<string, { top: string; lines: readonly string[] }> = {
  "a VLAN": { top: "wire.5", lines: ["link add link wire name wire.5 type vlan id 5"] },
  "a VLAN whose tag stands in the frame": { top: "wire.6", lines: ["link add link wire name wire.6 type vlan id 6 reorder_hdr off"] },
  "a VLAN on a bond": {
    top: "bond7.7",
    lines: [
      "link add bond7 type bond mode active-backup",
      "link set wire master bond7",
      "link set bond7 up",
      "link add link bond7 name bond7.7 type vlan id 7",
    ],
  },
  "a VLAN on a bridge": {
    top: "br8.8",
    lines: [
      "link add br8 type bridge forward_delay 0",
      "link set wire master br8",
      "link set br8 up",
      "link add link br8 name br8.8 type vlan id 8",
    ],
  },
  "a macvlan": { top: "mac9", lines: ["link add link wire name mac9 type macvlan mode bridge"] },
};

/** Whether this kernel can make the links of a wire: tried in a network namespace that ends with the try. */
function makes(lines: readonly string[]): boolean {
  const script = ["link add wire type veth peer name ewir", ...lines].map((line) => `ip ${line}`).join(" && ");
  return spawnSync("unshare", ["--net", "sh", "-c", script], { stdio: "ignore" }).status === 0;
}
const wires = Object.entries(WIRES).map(([name, wire]) => ({ name, ...wire, made: makes(wire.lines) }));

describe.skipIf(rangeAvailable() !== undefined)("a host with other wires", () => {
  const stage = isolationRange();
  const { connect, isolate, root, said, atEnd } = stage;

  for (const { name, made } of wires.filter((wire) => !wire.made))
    it.skip(`keeps the analyst in over ${name}: this kernel cannot make it`, () => made);
  it.each(wires.filter((wire) => wire.made))("keeps the analyst in over $name", async ({ top, lines }) => {
    const { host: inside, analyst } = stage.range.netns;
    atEnd(async () => {
      for (const name of ["wire", "bond7", "br8"]) await runLocal(["ip", "-n", inside, "link", "del", name]);
      for (const name of ["bond7", "br8"]) await runLocal(["ip", "-n", analyst, "link", "del", name]);
    });
    await must(["ip", "-n", inside, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", analyst]);
    for (const [netns, address] of [
      [inside, "10.99.5.11"],
      [analyst, "10.99.5.250"],
    ] as const) {
      const batch = [...lines, "link set wire up", `addr add ${address}/24 dev ${top}`, `link set ${top} up`];
      await must(["ip", "-n", netns, "-batch", "-"], batch.join("\n"));
    }
    const host = await connect({ address: "10.99.5.11" });
    const { prepared } = await isolate(host);
    expect(prepared.preview.allowed).toEqual(["10.99.5.250"]);
    for (const [netns, device] of [
      [inside, top],
      [analyst, top],
    ] as const)
      await must(["ip", "-n", netns, "neigh", "flush", "dev", device]);
    expect((await host.probeAccess()).ok).toBe(true);
  });

  it.each(["nft inet+netdev", "nft inet", "iptables-nft", "iptables-legacy", "routes"])(
    "stops what a container sends through the host, by %s",
    async (method) => {
      // a network namespace behind a bridge of the host's, with its addresses translated: as docker makes them
      const container = `ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
unshare --net sleep 1000 </dev/null >/dev/null 2>&1 & pid=$!; until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link add vethc type veth peer name ceth; ip link set ceth netns $pid; ip link set vethc master docker0 up
nsenter --net=/proc/$pid/ns/net sh -c 'ip addr add 172.17.0.2/16 dev ceth; ip link set ceth up; ip route add default via 172.17.0.1'
echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
nsenter --net=/proc/$pid/ns/net perl -e 'use IO::Socket::INET; $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "${stage.range.c2.address}", PeerPort => 9); while (1) { send $s, "x", 0; select undef, undef, undef, 0.002 }' </dev/null >/dev/null 2>&1 &
echo $pid $!`;
      const [pid, sender] = (await said(container)).split(" ");
      atEnd(() => root(`kill -9 ${sender} ${pid}; ip link del docker0; iptables -t nat -F`));
      const { inNetns, netns } = stage.range;
      const received = async () => Number(await must(inNetns(netns.c2, ["cat", "/sys/class/net/eth0/statistics/rx_packets"])));
      const sent = async () => Number(await said("cat /sys/class/net/vethc/statistics/rx_packets"));
      const start = await received();
      await until("the container's packets at the C2", async () => (await received()) > start + 100);
      await isolate(await connect(), { method });
      const [cut, before] = [await received(), await sent()];
      await until("the container to send more", async () => (await sent()) > before + 200);
      expect((await received()) - cut).toBeLessThan(10); // ARP and neighbour discovery of the C2's own wire
    },
  );
});
