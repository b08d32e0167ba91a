import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { until } from "#range/machine";
import { isolationRange } from "../../testing/isolation-range.ts";
import type { IsolationStatus } from "./status.ts";
import { watchIsolation } from "./watch.ts";

const reason = rangeAvailable();

const FILTER = "table inet filter {\nchain output { type filter hook output priority filter; policy accept; }\n}";

/**
 * What keepers of a host's own rules do when they are restarted, as their sources and manuals have it: none of it means us, all of it can
 * open a hole. `own` is what has to be there of theirs afterwards: it is not ours to take away.
 */
const KEEPERS: Record<string, { restart: string; own: [look: string, is: RegExp] }> = {
  "nftables.service: everything is flushed, then its file is loaded": {
    restart: `nft flush ruleset; nft -f - <<'E'\n${FILTER}\nE`,
    own: ["nft list table inet filter", /policy accept/],
  },
  "nft -f with a flush at its head: all is flushed and loaded in one transaction": {
    restart: `nft -f - <<'E'\nflush ruleset\n${FILTER}\nE`,
    own: ["nft list table inet filter", /policy accept/],
  },
  "firewalld: its table is made anew, with all that goes out accepted": {
    restart: [
      "nft -f - <<'E'",
      "add table inet firewalld",
      "delete table inet firewalld",
      "table inet firewalld {",
      "chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ct state established,related accept; }",
      'chain filter_OUTPUT { type filter hook output priority filter + 10; policy accept; oifname "lo" accept; }',
      "chain nat_POSTROUTING { type nat hook postrouting priority srcnat + 10; }",
      "}",
      "E",
    ].join("\n"),
    own: ["nft list table inet firewalld", /filter_OUTPUT/],
  },
  "ufw: policies are opened, its chains are emptied and filled again": {
    restart: [
      "iptables -P OUTPUT ACCEPT; iptables -P INPUT ACCEPT; iptables -F; iptables -X",
      "iptables-restore -n <<'E'",
      "*filter",
      ":ufw-before-output - [0:0]",
      "-A ufw-before-output -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT",
      "-A OUTPUT -j ufw-before-output",
      "COMMIT",
      "E",
    ].join("\n"),
    own: ["iptables -S OUTPUT", /-j ufw-before-output/],
  },
  "docker: its bridge comes, its chains accept and masquerade": {
    restart: [
      "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up",
      "iptables -t nat -N DOCKER; iptables -N DOCKER; iptables -I FORWARD -o docker0 -j DOCKER; iptables -I FORWARD -i docker0 -j ACCEPT",
      "iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    ].join("\n"),
    own: ["iptables -t nat -S", /-s 172\.17\.0\.0\/16 ! -o docker0 -j MASQUERADE/],
  },
  "NetworkManager: the connection is taken down to its addresses and brought up again": {
    restart: [
      "a=$(ip -4 -o addr show dev eth0 | awk '{ print $4; exit }'); r=$(ip -4 route show default)",
      "ip addr flush dev eth0 scope global; ip addr add $a dev eth0; ip route replace $r",
    ].join("\n"),
    own: ["ip -4 route show default; ip -4 -o addr show dev eth0", /^default [\s\S]*inet /],
  },
};

describe.skipIf(reason !== undefined)(
  `an isolation among others' rules${reason ? ` (skipped: ${reason})` : ""}`,
  { timeout: 120_000 },
  () => {
    const { connect, isolate, beacon, root, said, atEnd } = isolationRange();

    it.each(Object.entries(KEEPERS))(
      "nothing gets out when it is restarted, and what is theirs stays (%s)",
      async (_, { restart, own }) => {
        const statuses: IsolationStatus[] = [];
        const host = await connect();
        const implant = await beacon();
        const { plan } = await isolate(host, { method: "nft inet+netdev" });
        atEnd(() => root("ip link del docker0 2>/dev/null; iptables -F; iptables -X; iptables -t nat -F; iptables -t nat -X"));
        const watch = await watchIsolation(host.runner, plan, plan.request.since, {
          onStatus: (status) => statuses.push(status),
          onFinding: () => {},
          onEnd: () => {},
        });
        atEnd(() => watch.stop());
        await until("the first look", () => statuses.length > 0);
        const before = await implant.heard();
        for (let i = 0; i < 3; i++) {
          const done = await root(restart.replaceAll("-N DOCKER", i > 0 ? "-F DOCKER" : "-N DOCKER"));
          expect(done.stderr).toMatch(/^(?:RTNETLINK answers: File exists\s*|Error: ipv4: Address already assigned\.\s*)*$/);
        }
        const looked = statuses.length;
        await until("two more looks", () => statuses.length > looked + 1 && statuses.at(-1)?.holds === true);
        expect(await implant.heard()).toEqual(before);
        expect(statuses.at(-1)).toMatchObject({ holds: true, out: 0 });
        expect((await host.probeAccess()).ok).toBe(true);
        const [look, is] = own;
        expect(await said(look)).toMatch(is);
      },
    );
  },
);
