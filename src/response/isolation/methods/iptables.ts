import { canonical, family } from "../addresses.ts";
import type { BuiltMethod, Counts, Judgement, Method, MethodInput } from "./method.ts";
import { about, bounded, printed } from "./shell-words.ts";

/** Our chains in the table raw; the nonce comes behind (28 characters are the most, XT_EXTENSION_MAXNAMELEN). */
const CHAIN_IN = "STAKEOUT_IN_";
const CHAIN_OUT = "STAKEOUT_OUT_";

/** `iptables`, `iptables-nft` or `iptables-legacy`: the same text for each, through its own restore and save. */
function iptablesMethod(variant: string, title: string): Method {
  const tool = (kind: 4 | 6, what: "restore" | "save") => toolOf(variant, kind, what);
  return {
    id: variant,
    title,
    unusable(facts) {
      const missing = [tool(4, "restore"), tool(4, "save"), ...(facts.ipv6 ? [tool(6, "restore"), tool(6, "save")] : [])].filter(
        (name) => !facts.tools.includes(name),
      );
      return missing.length > 0 ? `the host has no ${missing.join(", ")}` : undefined;
    },
    build(input, facts): BuiltMethod {
      const bound = bounded(facts.tools.includes("timeout"), 5);
      const kinds: (4 | 6)[] = facts.ipv6 ? [4, 6] : [4];
      const { nonce } = input;
      const rules = kinds.map((kind) => ({ kind, text: restoreText(input, kind) }));
      const fed = (kind: 4 | 6, text: string, flags: string) =>
        `${bound}${tool(kind, "restore")} ${flags}--noflush 2>&1 <<'${nonce}'\n${text}${nonce}`;
      const away = (kind: 4 | 6) => removeChains(variant, nonce, kind);
      const found = input.existing?.iptables.filter((chain) => chain.variant === variant).length ?? 0;
      const save = (kind: 4 | 6, flags = "") => `${bound}${tool(kind, "save")} ${flags}-t raw`;
      const revert = kinds.map(away).join("; ");
      const [four, six] = [rules[0] as { kind: 4 | 6; text: string }, rules[1]];
      return {
        check: rules.map(({ kind, text }, i) => `${i > 0 ? "[ $? = 0 ] && " : ""}${fed(kind, text, "--test ")}`).join("\n"),
        // both families at once: one after the other, the second would go on for as long as the first takes
        apply: [
          `if [ "$(${save(4)} 2>/dev/null | grep -c '^:${CHAIN_IN}')" != ${found} ]; then echo 'File exists: chains of another isolation'; (exit 1); else`,
          ...(six ? [`{ ${fed(six.kind, six.text, "")}\n} & six=$!`] : []),
          fed(four.kind, four.text, ""),
          `c=$?; ${six ? "wait $six; " : ""}[ $c$? = 00 ] || { { ${revert}; } 2>/dev/null; (exit 1); }`,
          // two at once: who was first gives way, in both families, or each would be the first in one of them
          `[ $? = 0 ] && case $(${save(4)} 2>/dev/null | grep -m 1 -e '^-A OUTPUT ') in *${CHAIN_OUT}${nonce}) ;; *" ${CHAIN_OUT}"*) echo 'File exists: another isolation came meanwhile'; { ${revert}; } 2>/dev/null; (exit 1);; esac`,
          "fi",
        ].join("\n"),
        reapply: `{ ${revert}; } 2>/dev/null\n${rules.map(({ kind, text }, i) => `${i > 0 ? "[ $? = 0 ] && " : ""}${fed(kind, text, "")}`).join("\n")}`,
        intact: kinds
          .map(
            (kind) =>
              `${save(kind)} | { p= o=; while read -r l; do case $l in "-A PREROUTING "*) [ -n "$p" ] || echo "$l"; p=1;; "-A OUTPUT "*) [ -n "$o" ] || echo "$l"; o=1;; *${nonce}*) echo "$l";; esac; done; }`,
          )
          .join("; "),
        stands: `${save(4)} 2>/dev/null | grep -q -e "-j ${CHAIN_OUT}${nonce}"`,
        revert,
        look: kinds.map((kind) => `s v${kind}$1; ${save(kind, "-c ")} 2>&1`).join("; "),
        rules: rules.map(({ kind, text }) => `# ${tool(kind, "restore")} --noflush\n${text}`).join(""),
        leaks: [
          `raw frames (AF_PACKET), ARP and every protocol that is not IP${facts.ipv6 ? "" : " of version 4"}: iptables does not see them`,
          "frames that a bridge of the host hands from one of its ports to another",
        ],
        devices: [],
      };
    },
    judge: (plan, get) => judge(plan, get),
  };
}

/** Variants by name before the host's default: which one a plain `iptables` is, differs. */
export const IPTABLES: readonly Method[] = [
  iptablesMethod("iptables-nft", "iptables and ip6tables (nft), one transaction each"),
  iptablesMethod("iptables-legacy", "iptables and ip6tables (legacy), one transaction each"),
  iptablesMethod("iptables", "iptables and ip6tables, one transaction each"),
];

export const VARIANTS = IPTABLES.map((method) => method.id);

const toolOf = (variant: string, kind: 4 | 6, what: "restore" | "save") => `${kind === 4 ? variant : variant.replace("ip", "ip6")}-${what}`;

/** Takes the chains of the isolation `nonce` away, in one transaction; nothing else is touched, and nothing if they are not all there. */
export function removeChains(variant: string, nonce: string, kind: 4 | 6): string {
  const [into, out] = [`${CHAIN_IN}${nonce}`, `${CHAIN_OUT}${nonce}`];
  const lines = [`-D PREROUTING -j ${into}`, `-D OUTPUT -j ${out}`, `-F ${into}`, `-F ${out}`, `-X ${into}`, `-X ${out}`];
  return `${printed(["*raw", ...lines, "COMMIT"])} | ${toolOf(variant, kind, "restore")} --noflush`;
}

/** The isolations that stand in the output of an iptables-save(8): their nonces, what they say of themselves, and whom they let in. */
export function chainsIn(saved: string): { nonce: string; about: string; allowed: string[] }[] {
  return [...saved.matchAll(new RegExp(`^:${CHAIN_IN}([0-9a-f]{12}) `, "gm"))].map((found) => {
    const nonce = found[1] as string;
    const mine = saved.split("\n").filter((line) => line.startsWith(`-A ${CHAIN_IN}${nonce} `));
    const allowed = mine.map((line) => canonical(/ -s (\S+)\/(?:32|128) -d \S+ -p tcp .* --dport \d+ -j ACCEPT$/.exec(line)?.[1] ?? ""));
    return {
      nonce,
      about: mine.find((line) => line.includes("--comment")) ?? "",
      allowed: [...new Set(allowed.filter((ip) => ip !== undefined))],
    };
  });
}

/** One family's transaction, in the words in which iptables-save(8) prints it again, so that it can be compared. */
function restoreText(input: MethodInput, kind: 4 | 6): string {
  const { nonce } = input;
  const [into, out] = [`${CHAIN_IN}${nonce}`, `${CHAIN_OUT}${nonce}`];
  return [
    "*raw",
    `:${into} - [0:0]`,
    `:${out} - [0:0]`,
    ...chain(into, kind === 4 ? [`-m comment --comment "${about(input)}"`] : [], incoming(input, kind)),
    ...chain(out, [], outgoing(input, kind)),
    `-I PREROUTING 1 -j ${into}`,
    `-I OUTPUT 1 -j ${out}`,
    "COMMIT",
    "",
  ].join("\n");
}

const chain = (name: string, notes: string[], matches: string[]) =>
  [...notes, ...matches.map((match) => `${match} -j ACCEPT`), "-j DROP"].map((rule) => `-A ${name} ${rule}`);

const pairs = (input: MethodInput, kind: 4 | 6) =>
  input.allowed
    .filter((ip) => family(ip) === kind)
    .flatMap((peer) => input.own.filter((ip) => family(ip) === kind).map((own) => ({ peer, own })));
const width = (kind: 4 | 6) => (kind === 4 ? 32 : 128);

function incoming(input: MethodInput, kind: 4 | 6): string[] {
  const w = width(kind);
  return [
    "-i lo",
    ...pairs(input, kind).map(({ peer, own }) => `-s ${peer}/${w} -d ${own}/${w} -p tcp -m tcp --dport ${input.port}`),
    ...input.servers.filter((s) => family(s.ip) === kind).map((s) => `-s ${s.ip}/${w} -p tcp -m tcp --sport ${s.port}`),
    ...(kind === 6 && speaksIpv6(input) ? [134, 135, 136].map((type) => `-s fe80::/10 -p ipv6-icmp -m icmp6 --icmpv6-type ${type}`) : []),
    ...(kind === 6 ? near(input).map((ip) => `-s ${ip}/128 -p ipv6-icmp -m icmp6 --icmpv6-type 136`) : []),
    ...(kind === 6 ? near(input).map((ip) => `-s ${ip}/128 -p ipv6-icmp -m icmp6 --icmpv6-type 135`) : []),
    ...(kind === 4 && input.leased.v4 ? ["-p udp -m udp --sport 67 --dport 68"] : []),
    ...(kind === 6 && input.leased.v6 ? ["-s fe80::/10 -p udp -m udp --sport 547 --dport 546"] : []),
  ];
}

function outgoing(input: MethodInput, kind: 4 | 6): string[] {
  const w = width(kind);
  return [
    "-o lo",
    ...pairs(input, kind).map(({ peer, own }) => `-s ${own}/${w} -d ${peer}/${w} -p tcp -m tcp --sport ${input.port}`),
    ...input.servers.filter((s) => family(s.ip) === kind).map((s) => `-d ${s.ip}/${w} -p tcp -m tcp --dport ${s.port}`),
    ...(kind === 6 && speaksIpv6(input)
      ? [
          "-d fe80::/10 -p ipv6-icmp -m icmp6 --icmpv6-type 136",
          ...near(input).map((ip) => `-d ${ip}/128 -p ipv6-icmp -m icmp6 --icmpv6-type 136`),
          // the questions go to the solicited-node group of whoever is asked (RFC 4291, 2.7.1), or to himself
          "-d ff02::1:ff00:0/104 -p ipv6-icmp -m icmp6 --icmpv6-type 135",
          ...near(input).map((ip) => `-d ${ip}/128 -p ipv6-icmp -m icmp6 --icmpv6-type 135`),
        ]
      : []),
    ...(kind === 4 && input.leased.v4 ? ["-d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67"] : []),
    ...(kind === 6 && input.leased.v6 ? ["-d ff02::1:2/128 -p udp -m udp --sport 546 --dport 547"] : []),
  ];
}

const speaksIpv6 = (input: MethodInput) => near(input).length > 0;

/** Peers and gateways of version 6. */
function near(input: MethodInput): string[] {
  return [...new Set([...input.allowed, ...input.nextHops, ...input.servers.map((s) => s.ip)])].filter((ip) => family(ip) === 6);
}

function judge(plan: { rules: string; nonce: string }, get: (section: string) => string): Judgement {
  const wrong: string[] = [];
  const counts: Counts = { analysts: 0, neighbours: 0, servers: 0, droppedOut: 0, droppedIn: 0 };
  const kinds: (4 | 6)[] = plan.rules.includes("ip6tables") ? [4, 6] : [4];
  for (const kind of kinds) {
    const listed = get(`v${kind}`).split("\n");
    const text = plan.rules.split(/^# /m)[kinds.indexOf(kind) + 1] ?? "";
    const wanted = text.split("\n").filter((line) => line.startsWith("-A "));
    const rules = listed.map((line) => /^\[(\d+):\d+\] (-A .*)$/.exec(line)).filter((m) => m !== null);
    const mine = rules.filter((m) => new RegExp(`^-A STAKEOUT_(IN|OUT)_${plan.nonce} `).test(m[2] as string));
    const family = `IPv${kind}`;
    if (mine.map((m) => m[2]).join("\n") !== wanted.join("\n"))
      wrong.push(`our ${family} chains are not in the kernel as they were loaded`);
    for (const [hook, name] of [
      ["PREROUTING", CHAIN_IN],
      ["OUTPUT", CHAIN_OUT],
    ] as const) {
      const first = rules.find((m) => (m[2] as string).startsWith(`-A ${hook} `))?.[2];
      if (first !== `-A ${hook} -j ${name}${plan.nonce}`) wrong.push(`our ${family} chain is not the first of ${hook}`);
    }
    for (const m of mine) {
      const [packets, rule] = [Number(m[1]), m[2] as string];
      const out = rule.startsWith(`-A ${CHAIN_OUT}`);
      if (rule.endsWith("-j DROP")) counts[out ? "droppedOut" : "droppedIn"] += packets;
      else if (out && / --sport (?!68|546)/.test(rule)) counts.analysts += packets;
      else if (out && / -p tcp .* --dport /.test(rule)) counts.servers += packets;
      else if (out && !rule.includes(" -o lo ")) counts.neighbours += packets;
    }
  }
  return { wrong, counts };
}
