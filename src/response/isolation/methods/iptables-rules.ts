import { canonical, family } from "../addresses.ts";
import type { FoundClaim } from "../facts/host-facts.ts";
import type { MethodInput } from "./method.ts";
import { about, printed } from "./shell-words.ts";

/** Our chains in the table raw; the nonce comes behind (28 characters are the most, XT_EXTENSION_MAXNAMELEN). */
export const CHAIN_IN = "STAKEOUT_IN_";
export const CHAIN_OUT = "STAKEOUT_OUT_";
/**
 * One chain of a fixed name that nothing leads to. Whoever's rule is the first in it, in IPv4, has isolated the host: of two consoles at
 * once the kernel has put one before the other. A transaction that makes it fails where it is there; but iptables-nft asks the kernel for
 * that only at its first attempt, not when it tries again because the rules have changed meanwhile, so it has to be read back too.
 */
const CLAIM = "STAKEOUT_CLAIM";
/** How the rule of a claim begins, as iptables-save(8) prints it; the nonce comes behind. */
export const CLAIMED = `-A ${CLAIM} -m comment --comment `;

export const toolOf = (variant: string, kind: 4 | 6, what: "restore" | "save") =>
  `${kind === 4 ? variant : variant.replace("ip", "ip6")}-${what}`;

/**
 * Takes the chains of the isolation `nonce` away, and its claim; nothing else is touched. In one transaction; where somebody has changed
 * them that is refused, and they go piece by piece. Exits with 0 if none is there. Holds no single quote.
 */
export function removeChains(variant: string, nonce: string, kind: 4 | 6): string {
  const [into, out] = [`${CHAIN_IN}${nonce}`, `${CHAIN_OUT}${nonce}`];
  const emptied = (chain: string) => [`-F ${chain}`, `-X ${chain}`];
  const claim = [CLAIMED.replace("-A", "-D") + nonce, `-X ${CLAIM}`];
  const pieces = [[`-D PREROUTING -j ${into}`], [`-D OUTPUT -j ${out}`], emptied(into), emptied(out), ...claim.map((line) => [line])];
  const fed = `${toolOf(variant, kind, "restore")} --noflush 2>/dev/null`;
  const each = pieces.map((lines) => `"${lines.join("\\n")}"`).join(" ");
  return `{ ${printed(["*raw", ...pieces.flat(), "COMMIT"])} | ${fed} || { for l in ${each}; do printf "*raw\\n$l\\nCOMMIT\\n" | ${fed}; done; l=$(${toolOf(variant, kind, "save")} -t raw) && case $l in *_${nonce}*) false;; esac; }; }`;
}

/** Takes the chain of the claims away, whatever is in it: it stops nothing, and nobody is isolating. Holds no single quote. */
export function removeClaim({ variant, kind }: FoundClaim): string {
  return `{ ${printed(["*raw", `-F ${CLAIM}`, `-X ${CLAIM}`, "COMMIT"])} | ${toolOf(variant, kind, "restore")} --noflush; } 2>/dev/null; :`;
}

/** More than this is no isolation, it is an attack on us. */
const MOST = 16;

/**
 * The isolations that stand in the output of an iptables-save(8), that which comes first on the way out first: their nonces, what they say of
 * themselves, and whom they let in.
 */
export function chainsIn(saved: string): { nonce: string; about: string; allowed: string[] }[] {
  const nonces = (pattern: string) => [...saved.matchAll(new RegExp(`^${pattern}`, "gm"))].map((found) => found[1] as string);
  const there = new Set(nonces(`:${CHAIN_IN}([0-9a-f]{12}) `));
  const inOrder = nonces(`-A OUTPUT -j ${CHAIN_OUT}([0-9a-f]{12})$`).filter((nonce) => there.has(nonce));
  return [...new Set([...inOrder, ...there])].slice(0, MOST).map((nonce) => {
    const mine = saved.split("\n").filter((line) => line.startsWith(`-A ${CHAIN_IN}${nonce} `));
    const allowed = mine.map((line) => canonical(/ -s (\S+)\/(?:32|128) -d \S+ -p tcp .* --dport \d+ -j ACCEPT$/.exec(line)?.[1] ?? ""));
    return {
      nonce,
      about: mine.find((line) => line.includes("--comment")) ?? "",
      allowed: [...new Set(allowed.filter((ip) => ip !== undefined))],
    };
  });
}

/** Who claims the host in the output of an iptables-save(8); no nonce where what is there is none of our claims, undefined without the chain. */
export function claimIn(saved: string): Pick<FoundClaim, "nonce"> | undefined {
  if (!new RegExp(`^:${CLAIM} `, "m").test(saved)) return undefined;
  const rules = saved.split("\n").filter((line) => line.startsWith(`-A ${CLAIM} `));
  const nonce = rules.length === 1 ? new RegExp(`^${CLAIMED}([0-9a-f]{12})$`).exec(rules[0] as string)?.[1] : undefined;
  return nonce === undefined ? {} : { nonce };
}

/** The lines that claim the host: for the first that comes, or for him who replaces the one that was seen. */
export function claiming(nonce: string, found: Pick<FoundClaim, "nonce"> | undefined): string[] {
  const first = !found ? `-N ${CLAIM}` : found.nonce === undefined ? `-F ${CLAIM}` : CLAIMED.replace("-A", "-D") + found.nonce;
  return [first, CLAIMED + nonce];
}

/** One family's transaction, with `before` at its head, in the words in which iptables-save(8) prints it again, so that it can be compared. */
export function restoreText(input: MethodInput, kind: 4 | 6, before: readonly string[]): string {
  const { nonce } = input;
  const [into, out] = [`${CHAIN_IN}${nonce}`, `${CHAIN_OUT}${nonce}`];
  return [
    "*raw",
    ...before,
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

/** The same for him who has won already, in the other family: whoever claims it there, gives way. */
export function taking(nonce: string): string[] {
  return [`:${CLAIM} - [0:0]`, CLAIMED + nonce];
}

/** For {@link restoreText}: the chains stand and are filled anew, and come first again. */
export function again(nonce: string): string[] {
  return [`-D PREROUTING -j ${CHAIN_IN}${nonce}`, `-D OUTPUT -j ${CHAIN_OUT}${nonce}`];
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
