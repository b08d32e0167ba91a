import type { Endpoint } from "#model/event";
import type { ConnectionState, Standing, State } from "#state/state";
import type { Millis } from "#state/time";
import type { MapMarker } from "../charts/world-map.ts";
import { placeKind } from "../words.ts";
import type { ConnectionRow } from "./connections.ts";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { RANK } from "./standing.ts";

/** All that goes to, or comes from, one country; what is not abroad has rows of its own. */
export interface PlaceRow extends BaseRow {
  /** ISO 3166 code; undefined for what is in no country: the host itself, private networks, an unknown place. */
  code: string | undefined;
  title: string;
  cities: readonly string[];
  networks: readonly string[];
  /** Far ends by address. */
  ends: number;
  /** Attempts to get there. */
  attempts: number;
  /** Connections that are open or being tried now. */
  live: number;
  goes: boolean;
  comes: boolean;
  standing: Standing;
  markers: readonly MapMarker[];
}

interface Gathered extends Omit<PlaceRow, "cities" | "networks" | "ends" | "selection" | "key"> {
  cities: string[];
  networks: string[];
  ips: Set<string>;
  ids: string[];
  markers: MapMarker[];
  last: Millis;
}

type Order = (a: PlaceRow, b: PlaceRow) => number;
const most: Order = (a, b) => b.attempts - a.attempts || b.at - a.at;
const ORDERS: Partial<Record<Sort, Order>> = { newest: (a, b) => b.at - a.at, name: (a, b) => byText(a.title, b.title), count: most };
const story: Order = (a, b) =>
  Number(a.code === undefined) - Number(b.code === undefined) || RANK[a.standing] - RANK[b.standing] || b.live - a.live || most(a, b);

/** Places of the connections that are shown, made of their rows: what tags hide is not in them. Sockets that listen are nowhere yet. */
export function buildPlaces(state: State, connections: readonly ConnectionRow[], sort: Sort = "story"): PlaceRow[] {
  const places = new Map<string, Gathered>();
  for (const { latest, far, members, attempts: times, live } of connections) {
    if (latest.phase === "listening") continue;
    const code = far.geo?.country_iso_code;
    const title = code === undefined ? placeKind(far) : (far.geo?.country_name ?? code);
    const key = code ?? title;
    let place = places.get(key);
    if (!place) {
      place = {
        code,
        title,
        cities: [],
        networks: [],
        ips: new Set(),
        ids: [],
        attempts: 0,
        live: 0,
        goes: false,
        comes: false,
        ...nothingYet(),
      };
      places.set(key, place);
    }
    take(place, latest, far);
    place.live += live;
    place.ids.push(...members);
    place.attempts += times;
  }
  return [...places].map(([key, place]) => rowOf(key, place, state)).sort(ORDERS[sort] ?? story);
}

const nothingYet = () => ({ standing: "responder" as Standing, markers: [], at: 0, last: 0 });

function take(place: Gathered, latest: ConnectionState, far: Endpoint): void {
  place.ips.add(far.ip);
  const city = far.geo?.city_name;
  if (city !== undefined && !place.cities.includes(city)) place.cities.push(city);
  const network = far.as ? (far.as.organization?.name ?? `AS${far.as.number}`) : undefined;
  if (network !== undefined && !place.networks.includes(network)) place.networks.push(network);
  if (latest.direction === "egress") place.goes = true;
  else place.comes = true;
  if (RANK[latest.standing] < RANK[place.standing]) place.standing = latest.standing;
  place.at = Math.max(place.at, latest.start);
  const at = far.geo?.location;
  const { standing } = latest;
  if (at && !place.markers.some((one) => one.lat === at.lat && one.lon === at.lon && one.standing === standing))
    place.markers.push({ ...at, standing });
}

function rowOf(key: string, { ips, ids, last: _, ...place }: Gathered, state: State): PlaceRow {
  const newest = state.connections.get(ids.at(-1) ?? "");
  const selector = newest?.process !== undefined && ids.length === 1 ? { process: newest.process } : undefined;
  return {
    ...place,
    key: `w:${key}`,
    ends: ips.size,
    selection: { kind: "place", id: key, members: ids, standing: place.standing, ...(selector ? { selector } : {}) },
  };
}
