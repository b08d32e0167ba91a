import type { Endpoint } from "#model/event";
import { type HostString, printable } from "#model/host-string";
import type { Suggestion } from "#model/profile";
import type { LiveConnection } from "#response/isolation/facts/host-facts";
import { originOf } from "#state/origins";
import type { LoginState, State } from "#state/state";
import { suggestions } from "#state/suggestions";

/** Where an address is, and whose network: nothing of what nobody knows. */
type Locate = (ip: string) => Pick<Endpoint, "geo" | "as">;

const host = (text: string) => printable(text as HostString);
/** "L2 root@203.0.113.9": by the number that a call uses. */
const loginName = ({ number, user, source }: LoginState) =>
  `L${number} ${host(user?.name ?? (user?.id === undefined ? "?" : `uid ${user.id}`))}@${source?.ip ?? "?"}`;

/**
 * The connections of a plan in words, what goes abroad first: the program, the far end and where that is, whose login it belongs to and how
 * that is judged. A host tells of a socket; what it is to the case the session knows.
 */
export function connectionsInWords(
  state: State,
  locate: Locate,
  connections: readonly LiveConnection[],
  ours: ReadonlySet<string> = likelyOurs(state),
): string[] {
  const direction = new Map(
    [...state.connections.values()].map((c) => [
      c.direction === "egress" ? ends(c.source, c.destination) : ends(c.destination, c.source),
      c.direction,
    ]),
  );
  const told = connections.map((connection) => {
    const { local, remote, transport, pid, name } = connection;
    const { geo, as } = locate(remote.ip);
    const way = direction.get(ends(local, remote));
    const far = `${remote.ip.includes(":") ? `[${remote.ip}]` : remote.ip}:${remote.port} ${transport}`;
    const place = geo?.country_iso_code && [geo.country_iso_code, geo.city_name ?? geo.country_name].filter(Boolean).join(" ");
    const network = as && [as.organization?.name, `AS${as.number}`].filter(Boolean).join(" ");
    const process = pid === undefined ? undefined : state.processes.get(state.pids.get(pid) ?? "");
    const login = process?.login === undefined ? undefined : state.logins.get(process.login);
    const standing = process?.standing ?? login?.standing;
    const judged = login?.ours ? "this console" : login !== undefined && ours.has(login.id) ? "looks like ours" : standing;
    const behind = process === undefined || login ? undefined : state.logins.get(originOf(state, process.id)?.login ?? "");
    const whose = login
      ? `${loginName(login)}, ${judged}`
      : [behind && `goes back to ${loginName(behind)}`, standing === "unknown" ? undefined : standing].filter(Boolean).join(", ");
    const owner = pid === undefined ? "" : `${host(name ?? "?")} ${pid} `;
    const arrow = way === undefined ? "" : way === "egress" ? "to " : "from ";
    const text = [`${owner}${arrow}${far}`, place, network, whose].filter(Boolean).join(", ");
    return { text, weight: Number(place !== undefined) * 2 + Number(way === "egress") };
  });
  return [...new Set(told.toSorted((a, b) => b.weight - a.weight).map(({ text }) => text))];
}

const ends = (local: { ip: string; port?: number }, remote: { ip: string; port?: number }) => `${local.port} ${remote.ip} ${remote.port}`;

/** Logins that probably are ours and that nobody judged, by what profiles say (`said`) or else by what they do. */
export const likelyOurs = (state: State, said?: readonly Suggestion[]): ReadonlySet<string> =>
  new Set(
    said === undefined
      ? suggestions(state).map(({ login }) => login)
      : said.flatMap(({ selector, verdict }) => (verdict === "responder" && "login" in selector ? [selector.login] : [])),
  );

/** Logins that are still in and look like ours, that nobody tagged, and whose address is not let in: the cut would take them along. */
export function colleaguesCut(state: State, allowed: readonly string[], ours: ReadonlySet<string> = likelyOurs(state)): string[] {
  const cut = [...ours].flatMap((login) => state.logins.get(login) ?? []);
  const names = cut.filter(({ end, source }) => end === undefined && source !== undefined && !allowed.includes(source.ip)).map(loginName);
  return [...new Set(names)];
}
