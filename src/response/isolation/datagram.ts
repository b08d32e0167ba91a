/**
 * What the host's own tools say of the rules can be forged: a tool that was replaced loads nothing and lists everything. So the cut is tried
 * as well. One empty UDP datagram is sent to an address that nobody has (RFC 5737 and RFC 3849, set apart for documentation), by each family
 * of IP; where the cut stands it never leaves the host, and the kernel says so to the sender: EPERM from netfilter (ip_local_out behind
 * nf_hook, net/ipv4/ip_output.c), EINVAL from a route into a black hole (fib_props, net/ipv4/fib_semantics.c). Numbers are Linux's (errno-base.h).
 */

const EPERM = 1;
const EINVAL = 22;
/** There is no way there, or no address of that family, cut or not: it proves nothing. */
const NO_WAY = [97, 99, 100, 101, 113];
const NETS = ["192.0.2", "198.51.100", "203.0.113"] as const;

/** What of a plan says to whom nothing may go. */
export interface CutOff {
  nonce: string;
  allowed: readonly string[];
  own: readonly string[];
  servers: readonly { ip: string }[];
}

/** Where it goes: by the nonce, so that nobody knows the next one's, and to nobody whom the plan lets through. */
export function strangerOf({ nonce, allowed, own, servers }: CutOff): { v4: string; v6: string } {
  const known = [...allowed, ...own, ...servers.map(({ ip }) => ip)];
  const seed = Number.parseInt(nonce.slice(0, 8), 16);
  const v4 = NETS.flatMap((net) => Array.from({ length: 254 }, (_, i) => `${net}.${i + 1}`)).filter((ip) => !known.includes(ip));
  return { v4: v4[seed % v4.length] as string, v6: `2001:db8::${nonce.slice(0, 4)}:${nonce.slice(4, 8)}` };
}

/**
 * A function `datagram` for the host's shell: prints what became of it, a line `FAMILY NUMBER` each, 0 where it was sent; nothing where the
 * host has neither perl nor bash. Both are asked by the folders of the host's own administration last, as all tools are.
 */
export function datagramFunction(plan: CutOff): string {
  const { v4, v6 } = strangerOf(plan);
  const words = v6.slice("2001:db8::".length).split(":");
  const hex = `20010db8${"0".repeat(16)}${words.map((word) => word.padStart(4, "0")).join("")}`;
  const perl = `for ([4, 2, pack("SnC4x8", 2, 9, ${v4.replaceAll(".", ", ")})], [6, 10, pack("SnNH32N", 10, 9, 0, "${hex}", 0)]) {
my ($kind, $family, $to) = @$_; socket my $s, $family, 2, 17 or next; print "$kind ", (defined send($s, "", 0, $to) ? 0 : $! + 0), "\\n" }`;
  return `datagram() {
perl -e '${perl}' 2>/dev/null && return
c=$(LC_ALL=C bash -c 'exec 3>/dev/udp/${v4}/9 && echo >&3' 2>&1) && { echo "4 0"; return; }
case $c in *"not permitted"*) echo "4 ${EPERM}";; *"Invalid argument"*) echo "4 ${EINVAL}";; esac
}`;
}

export interface DatagramVerdict {
  /** The kernel itself refused one: the cut is not the word of a tool alone. */
  refused: boolean;
  /** One left the host, or would have: why that is so, for people. */
  left?: string;
  /** For people. */
  said: string;
}

/** Reads what {@link datagramFunction} printed. */
export function judgeDatagram(plan: CutOff, printed: string): DatagramVerdict {
  const stranger = strangerOf(plan);
  const told = [...printed.matchAll(/^([46]) (\d{1,4})$/gm)].map((match) => ({ kind: match[1], code: Number(match[2]) }));
  const to = (kind: string | undefined) => (kind === "6" ? stranger.v6 : stranger.v4);
  const sent = told.find(({ code }) => code === 0);
  const held = told.filter(({ code }) => code === EPERM || code === EINVAL);
  const said = [
    ...held.map(({ kind }) => `to ${to(kind)}: refused by the kernel`),
    ...told.filter(({ code }) => NO_WAY.includes(code)).map(({ kind }) => `IPv${kind}: the host has no way there, so it proves nothing`),
  ].join("; ");
  if (sent)
    return {
      refused: false,
      left: `an empty datagram of ours to ${to(sent.kind)}, which nobody has, was let out; what lists the rules on the host may have been replaced`,
      said: `to ${to(sent.kind)}: it was let out`,
    };
  return {
    refused: held.length > 0,
    said: said || "not tried: the host has no perl and no bash for it, so its tools alone vouch for the rules",
  };
}
