import { canonical, family } from "../addresses.ts";
import type { FoundRoutes, RouteClaim } from "../facts/host-facts.ts";
import type { MethodInput } from "./method.ts";

/** Routing tables that may become a black hole of ours, and that of the claims: busybox's ip knows none above 1023 (networking/libiproute). */
const HOLES = { first: 830, last: 959 };
export const CLAIMS = 960;
/** The same for case of sh(1). */
export const HOLES_PATTERN = "8[3-9][0-9]|9[0-5][0-9]";
/** The metrics that mark what is ours: 'S' in the highest byte, half of the nonce below. */
const MARK = 0x53_00_00_00;
const isMark = (metric: number) => metric >= MARK && metric <= MARK + 0xff_ff_ff;
export const markOf = (nonce: string) => MARK + Number.parseInt(nonce.slice(0, 6), 16);

/**
 * A claim is a route in a table of its own, to an address that nobody has (RFC 5737), so that it stops nothing. The kernel takes one
 * without a metric once: of two that isolate at once the other fails. That with a mark for its metric says who claims: he who replaces an
 * isolation takes its mark away, which again only one can.
 */
const CLAIMED = `blackhole 192.0.2.83/32 table ${CLAIMS}`;
const CLAIM = `ip -4 route add ${CLAIMED}`;
const markClaim = (mark: number) => `${CLAIM} metric ${mark}`;

/** What undoes a line: what was added is taken away, and the other way round. */
export const inverse = (line: string) => (line.includes(" add ") ? line.replace(" add ", " del ") : line.replace(" del ", " add "));

/** The lines by which one claims the host, as it was seen. What is there of claims but one with its mark is nobody's who isolates. */
export function claiming(mark: number, { held, marks }: RouteClaim): string[] {
  const [first] = marks;
  if (held && first !== undefined && marks.length === 1) return [inverse(markClaim(first)), markClaim(mark)];
  return [...marks.map((one) => inverse(markClaim(one))), ...(held ? [inverse(CLAIM)] : []), CLAIM, markClaim(mark)];
}

/** Reads back the claims in the output of `ip -4 route show table`. */
export function claimsIn(listed: string): RouteClaim {
  const found = [...listed.matchAll(/^blackhole 192\.0\.2\.83\s*(?:metric (\d{1,10}))?\s*$/gm)].slice(0, 8).map((match) => match[1]);
  return { held: found.includes(undefined), marks: found.filter((mark) => mark !== undefined).map(Number) };
}

/** Is this line of `ip route show table all` a route of ours? One that no rule leads to stops nothing. */
export function isOurs(line: string): boolean {
  const metric = /^blackhole default .*\bmetric (\d{1,10})\b/.exec(line)?.[1];
  return (metric !== undefined && isMark(Number(metric))) || (line.startsWith("blackhole 192.0.2.83 ") && line.includes(`table ${CLAIMS}`));
}

/** Takes the claim back: only he whose mark is still there may take that away which keeps others out. Holds no single quote. */
export const unclaim = (mark: number) => `${inverse(markClaim(mark))} 2>/dev/null && ${inverse(CLAIM)} 2>/dev/null`;

/** A table for the black hole that nobody uses; the same again for the isolation that has it. */
export function tableFor(mark: number, used: readonly number[], existing: readonly FoundRoutes[]): number | undefined {
  const mine = existing.find((found) => found.mark === mark)?.table;
  if (mine !== undefined) return mine;
  const free = Array.from({ length: HOLES.last - HOLES.first + 1 }, (_, i) => HOLES.first + i).filter((table) => !used.includes(table));
  return free[mark % free.length];
}

/** Numbers of tables that the host has a name, a rule or a route for. */
export function tablesIn(...texts: readonly string[]): number[] {
  const found = texts.flatMap((text) => [...text.matchAll(/(?:^[ \t]*|\b(?:lookup|table) )(0x[0-9a-f]{1,8}|\d{1,10})(?=\s)/gim)]);
  return [...new Set(found.map((match) => Number(match[1])))].filter((table) => table >= HOLES.first && table <= HOLES.last);
}

/** Each but the last lets one peer through; the hole is filled before the rule that leads into it. */
export function made(input: MethodInput, kind: 4 | 6, start: number, table: number): string[] {
  const peers = peersOf(input).filter((ip) => family(ip) === kind);
  return [
    `ip -${kind} route add blackhole default table ${table} metric ${markOf(input.nonce)}`,
    ...peers.map((ip, i) => `ip -${kind} rule add pref ${start + i} to ${ip} lookup ${input.routes[ip]?.table ?? "main"}`),
    `ip -${kind} rule add pref ${start + peers.length} lookup ${table}`,
  ];
}

export const peersOf = (input: MethodInput) => [...new Set([...input.allowed, ...input.servers.map((s) => s.ip)])];

/** Takes back what {@link made} says, the last first: at no moment is an analyst without his way. */
export function unmade(lines: readonly string[]): string {
  return [...lines]
    .reverse()
    .map((line) => `${inverse(line)} 2>/dev/null`)
    .join("; ");
}

/** Of the black holes that the facts list (`TABLE` before each route's line): the mark of each of ours by its table. */
export function marksIn(listed: string): Map<number, number> {
  const found = [...listed.matchAll(/^(\d{3}) blackhole default(?: dev lo)?\s+metric (\d{1,10})\b/gm)].map(
    (m) => [Number(m[1]), Number(m[2])] as const,
  );
  return new Map(found.filter(([, metric]) => isMark(metric)).slice(0, 16));
}

/** The isolations by routing rules in the output of `ip rule`: each hole of ours with the rules just before it, which lead the analysts past it. */
export function routesIn(listed: string, kind: 4 | 6, marks: ReadonlyMap<number, number>): FoundRoutes[] {
  const rules = [...listed.matchAll(/^(\d+):\s+from all (?:to (\S+) )?lookup (\S+)\s*$/gm)].map(([, pref, to, table]) => ({
    pref: Number(pref),
    to: to === undefined ? undefined : canonical(to),
    table: table as string,
  }));
  return rules.flatMap((hole) => {
    const mark = hole.to === undefined ? marks.get(Number(hole.table)) : undefined;
    if (mark === undefined) return [];
    const before: typeof rules = [];
    for (let pref = hole.pref - 1; pref > 0; pref--) {
      const rule = rules.find((r) => r.pref === pref && r.to !== undefined && /^[\w.-]+$/.test(r.table));
      if (!rule) break;
      before.unshift(rule);
    }
    const lines = [
      `ip -${kind} route add blackhole default table ${hole.table} metric ${mark}`,
      ...before.map((rule) => `ip -${kind} rule add pref ${rule.pref} to ${rule.to} lookup ${rule.table}`),
      `ip -${kind} rule add pref ${hole.pref} lookup ${hole.table}`,
    ];
    const revert = `${unmade(lines)}; ${kind === 4 ? `${unclaim(mark)}; ` : ""}:`;
    return [{ kind, table: Number(hole.table), mark, allowed: before.map((rule) => rule.to as string), revert }];
  });
}
