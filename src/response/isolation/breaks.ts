import { printable } from "#model/host-string";
import type { HostFacts } from "./facts/host-facts.ts";

/** What a program on the host tells of whom its silence would alarm: names of processes, and what happens then. */
const ALARMED: readonly { names: RegExp; what: string }[] = [
  {
    names: /^(kubelet|k3s.*|k0s)$/,
    what: "This is a node of a Kubernetes cluster: after about 5 minutes of silence the cluster takes its work away and starts it elsewhere.",
  },
  {
    names: /^(corosync|pacemakerd|cman|sbd)$/,
    what: "This host belongs to a cluster that may switch off (fence) a member that falls silent: memory would be lost. Ask for maintenance mode first.",
  },
  {
    names: /^(keepalived|heartbeat|ucarp)$/,
    what: "The host shares an address with a partner (keepalived): the partner will take it over within seconds.",
  },
  {
    names: /^(patroni|repmgrd|mysqlrouter|mongod|redis-sentinel|etcd|consul|nomad)$/,
    what: "A database or coordination service runs here with partners on other hosts: they will elect another leader.",
  },
  {
    names: /^(ceph-osd|ceph-mon|glusterfsd?|drbd.*)$/,
    what: "The host holds a part of a distributed storage: the other hosts will start to rebuild it.",
  },
  {
    names: /^(zabbix_agentd?2?|node_exporter|telegraf|datadog-agent|nrpe|check_mk_agent|collectd|icinga2)$/,
    what: "Monitoring runs here: it will report the host as down. Tell whoever is on call.",
  },
  {
    names: /^(amazon-ssm-agen|google_guest_ag|waagent|walinuxagent|cloudbase-init)$/,
    what: "The cloud's own agent runs here and will lose its contact.",
  },
  {
    names: /^(falcon-sensor|cbagentd|sentinelone.*|s1-agent|osqueryd|wdavdaemon|elastic-agent|elastic-endpoin|traps_pmd|ds_agent)$/,
    what: "A security agent runs here: it will be cut from its console unless its server is let through, and it may have an isolation of its own.",
  },
];

/** Makers of machines that are virtual ones of a cloud, as DMI has them. */
const CLOUDS = /amazon ec2|google|microsoft corporation|digitalocean|alibaba|openstack|oraclecloud|hetzner|xen/i;

/**
 * What the cut may break, in words for the customer, from what the host shows: each a sentence. What is not seen here may be there all
 * the same: whoever shows it asks the customer.
 */
export function mayBreak(facts: HostFacts, allowed: readonly string[]): string[] {
  const found: string[] = [];
  for (const { names, what } of ALARMED) {
    const seen = facts.names.filter((name) => names.test(name));
    if (seen.length > 0) found.push(`${what} (seen: ${seen.slice(0, 3).map(printable).join(", ")})`);
  }
  for (const { port, clients, name } of clientsOf(facts, allowed)) {
    found.push(
      `${clients} ${clients === 1 ? "client is" : "clients are"} connected to port ${port}${name}: they are cut in the middle of what they do.`,
    );
  }
  if (/^(nfs4?|cifs|ceph|9p)$/.test(facts.rootType))
    found.push("The host's own disk is on the network: the whole host will hang, and our way in with it.");
  else if (facts.iscsi)
    found.push(
      "The host has disks over iSCSI: whatever uses them will hang. If the system's own disk is among them, the host hangs whole.",
    );
  if (facts.networkMounts.length > 0)
    found.push(`Programs that use the network folders ${facts.networkMounts.slice(0, 5).map(printable).join(", ")} will hang.`);
  if (CLOUDS.test(facts.vendor))
    found.push(
      "This is a virtual machine of a cloud: where a health check or a scaling group watches over it, it may be ended and replaced, its disk and memory lost. Take it out of the group first.",
    );
  return found;
}

/** Clients of the host's own services, without the analysts and what stays within the host; busiest first. */
function clientsOf(facts: HostFacts, allowed: readonly string[]): { port: number; clients: number; name: string }[] {
  const own = new Set(facts.addresses.map((a) => a.ip));
  const ports = new Map<number, { from: Set<string>; name: string }>();
  for (const c of facts.connections) {
    const served = c.transport === "tcp" && c.state === "ESTAB" && facts.listening.includes(c.local.port);
    if (!served || own.has(c.remote.ip) || c.remote.ip.startsWith("127.") || c.remote.ip === "::1") continue;
    if (c.local.port === facts.ours?.server.port && allowed.includes(c.remote.ip)) continue;
    const entry = ports.get(c.local.port) ?? { from: new Set(), name: c.name === undefined ? "" : ` (${printable(c.name)})` };
    entry.from.add(`${c.remote.ip} ${c.remote.port}`);
    ports.set(c.local.port, entry);
  }
  const counted = [...ports].map(([port, { from, name }]) => ({ port, clients: from.size, name }));
  return counted.sort((a, b) => b.clients - a.clients).slice(0, 8);
}
