/** Both addresses of one side of the range. */
export interface Addresses {
  v4: string;
  v6: string;
}
export interface Side {
  role: string;
  addresses: Addresses;
  /** Prefix lengths and gateways of its wire. */
  gateway: Addresses;
  mac: string;
  /** On the office's switch, or on a wire of its own behind the router. */
  wire: "office" | "abroad";
}

/** The highest slot: it stands as the last octet of addresses whose gateway is .254. */
export const SLOTS = 250;

/**
 * Who has which address. Each live range of this machine has a slot (1 to {@link SLOTS}) and so addresses of its own: kernel
 * socket events carry no namespace, and two ranges must not be mistaken for one another.
 *
 * The C2's and the intruder's addresses look public, so that they have a country and an autonomous system in the DB-IP data:
 * CN, AS4134 (Chinanet) and DE, AS60729 (exits of an anonymising network). They exist inside the range alone: nothing in it has a
 * route to any network outside, and no packet can reach their owners. MACs are fixed: a host that comes back at its address with
 * a new one would cost its peers a minute of stale ARP entries.
 */
export function planSides(slot: number): Record<"host" | "analyst" | "responder1" | "responder2" | "c2" | "intruder", Side> {
  const office = (role: string, number: number): Side => ({
    role,
    addresses: { v4: `10.77.${slot}.${number}`, v6: `fd77:0:0:${slot.toString(16)}::${number}` },
    gateway: { v4: `10.77.${slot}.1`, v6: `fd77:0:0:${slot.toString(16)}::1` },
    mac: mac(slot, number),
    wire: "office",
  });
  const abroad = (role: string, number: number, net4: string, net6: string): Side => ({
    role,
    addresses: { v4: `${net4}.${slot}`, v6: `${net6}:${slot.toString(16)}::45` },
    gateway: { v4: `${net4}.254`, v6: `${net6}:${slot.toString(16)}::1` },
    mac: mac(slot, number),
    wire: "abroad",
  });
  return {
    host: office("host", 11),
    analyst: office("analyst", 250),
    responder1: office("responder1", 21),
    responder2: office("responder2", 22),
    c2: abroad("c2", 66, "61.177.172", "240e:0:1"),
    intruder: abroad("intruder", 67, "185.220.101", "2a03:4000:6"),
  };
}

/** A locally administered unicast MAC (second-lowest bit of the first octet set). */
function mac(slot: number, number: number): string {
  return `02:77:00:${slot.toString(16).padStart(2, "0")}:00:${number.toString(16).padStart(2, "0")}`;
}
