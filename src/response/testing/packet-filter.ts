/** A packet as a rule can see it. */
export interface Packet {
  kind: "ip" | "ip6" | "arp";
  src: string;
  dst: string;
  lo?: boolean;
  tcp?: { sport: number; dport: number };
  udp?: { sport: number; dport: number };
  arp?: "request" | "reply";
  icmpv6?: string;
  hoplimit?: number;
  length?: number;
}

type Words = string[];

/** Reads the rulesets that the planner writes and says what they do with a packet. Throws for a word that it does not know. */
export class PacketFilter {
  readonly #chains = new Map<string, string[]>();
  readonly #sets = new Map<string, string[]>();

  constructor(rules: string) {
    let table = "";
    let chain = "";
    for (const raw of rules.split("\n")) {
      const line = raw.trim();
      const opened = /^table (inet|netdev) \S+ \{$/.exec(line);
      const set = /^set (\w+) \{ type \w+;(?: elements = \{ (.*) \};)? \}$/.exec(line);
      const started = /^chain (\w+) \{$/.exec(line);
      if (opened) table = opened[1] as string;
      else if (set) this.#sets.set(`${table} ${set[1]}`, set[2]?.split(", ") ?? []);
      else if (started) {
        chain = `${table} ${started[1]}`;
        this.#chains.set(chain, []);
      } else if (line === "}") chain = "";
      else if (/^(type filter hook .*policy drop;|(create|delete) table .*|counter \w+ \{ \}|)$/.test(line)) continue;
      else if (chain !== "" && table !== "") (this.#chains.get(chain) as string[]).push(line);
      else throw new Error(`Not understood: ${line}`);
    }
  }

  has(table: "inet" | "netdev"): boolean {
    return [...this.#chains.keys()].some((name) => name.startsWith(`${table} `));
  }

  passes(table: "inet" | "netdev", chain: string, packet: Packet): boolean {
    const rules = this.#chains.get(`${table} ${chain}`);
    if (!rules) throw new Error(`No chain ${table} ${chain}.`);
    for (const rule of rules) {
      const words = (rule.match(/"[^"]*"|\{[^}]*\}|\S+/g) ?? []) as Words;
      const verdict = words.pop();
      if (verdict !== "accept" && verdict !== "drop") throw new Error(`Not understood: ${rule}`);
      if (this.#matches(table, words, packet, rule)) return verdict === "accept";
    }
    return false;
  }

  #matches(table: string, words: Words, packet: Packet, rule: string): boolean {
    const next = () => words.shift() ?? "";
    const among = (value: string | undefined, wanted: string) =>
      value !== undefined && this.#members(table, wanted).some((m) => inside(value, m));
    let all = true;
    const holds = (condition: boolean) => {
      all = all && condition;
    };
    while (words.length > 0) {
      const key = next();
      if (key === "counter") words.splice(0, 2);
      else if (key === "icmp" || key.startsWith("@th,"))
        return false; // errors that quote a login: no such packet is made up here
      else if (key === "iif" || key === "oif") {
        const device = next();
        holds(device === '"lo"' && packet.lo === true);
      } else if (key === "ip" || key === "ip6" || key === "arp" || key === "tcp" || key === "udp" || key === "icmpv6" || key === "meta") {
        let field = next();
        if (key === "meta") next(); // meta length <=
        if (key === "arp" && field !== "operation") field = `${field}-${next()}`; // arp saddr ip
        const operand = next();
        if (field === "saddr" || field === "saddr-ip") holds(packet.kind === key && among(packet.src, operand));
        else if (field === "daddr" || field === "daddr-ip") holds(packet.kind === key && among(packet.dst, operand));
        else if (field === "hoplimit") holds(packet.hoplimit === Number(operand));
        else if (field === "operation") holds(packet.arp === operand);
        else if (field === "type") holds(among(packet.icmpv6, operand));
        else if (field === "length") holds((packet.length ?? 0) <= Number(operand));
        else if ((key === "tcp" || key === "udp") && (field === "sport" || field === "dport"))
          holds(packet[key]?.[field] === Number(operand));
        else throw new Error(`Not understood: '${key} ${field}' in ${rule}`);
      } else throw new Error(`Not understood: '${key}' in ${rule}`);
    }
    return all;
  }

  #members(table: string, wanted: string): string[] {
    if (!wanted.startsWith("@"))
      return wanted
        .replace(/[{}]/g, "")
        .split(",")
        .map((m) => m.trim());
    const set = this.#sets.get(`${table} ${wanted.slice(1)}`);
    if (!set) throw new Error(`No set ${wanted}.`);
    return set;
  }
}

function inside(value: string, member: string): boolean {
  return member === "fe80::/10" ? /^fe[89ab][0-9a-f]:/.test(value) : value === member;
}
