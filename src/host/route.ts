import { type Carrier, dialCarrier } from "./carrier.ts";
import { findAddresses } from "./dial.ts";
import { HostError } from "./errors.ts";
import { nameOfJump } from "./jump.ts";
import { type Leg, type LegOptions, openLeg, timeoutOf } from "./leg.ts";
import { type HostSettings, resolveHost } from "./ssh-config.ts";
import type { Target } from "./target.ts";
import { openTunnel } from "./tunnel.ts";

/** One SSH server on the way. */
export interface Stop {
  /** As it was written; undefined for the host itself. */
  jump: string | undefined;
  settings: HostSettings;
}
/** A stop that we are logged in to, as the next one sees it. */
interface Passed {
  name: string;
  leg: Leg;
}

const MOST = 8; // more jump hosts than anybody has: a configuration that never ends

/**
 * The stops on the way to `target`, the host itself last. As ssh does it (ssh_config(5), ProxyJump): the first jump host may have jump
 * hosts of its own configuration, the others are reached through the one before.
 * @throws HostError `config`
 */
export function planRoute(
  target: Target,
  options: { configFile?: string | undefined; user?: string | undefined; port?: number | undefined; jump?: string | undefined },
): Stop[] {
  const visit = (at: Target, jump: string | undefined, name: string | undefined, below: readonly string[]): Stop[] => {
    const settings = resolveHost(at.host, { configFile: options.configFile, user: at.user, port: at.port, jump });
    const id = `${settings.user}@${settings.hostName}:${settings.port}`;
    if (below.includes(id) || below.length > MOST) {
      throw new HostError(
        "config",
        `The way to '${target.host}' never ends: jump host ${name ?? at.host} is to be reached through itself`,
        `Leave the jump host out of its own rule in ssh_config (Host * !${at.host}), or set "ProxyJump none" for it.`,
      );
    }
    const stops = settings.jumps.flatMap((hop, index) => visit(hop, index === 0 ? undefined : "none", nameOfJump(hop), [...below, id]));
    if (stops.length >= MOST) {
      throw new HostError("config", `The way to '${target.host}' has more than ${MOST} jump hosts`, "Check ProxyJump in ssh_config.");
    }
    return [...stops, { jump: name, settings }];
  };
  return visit({ ...target, ...pick(options) }, options.jump, undefined, []);
}

function pick({ user, port }: { user?: string | undefined; port?: number | undefined }): Partial<Target> {
  return { ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

/** The way to a host, with its jump hosts open. */
export interface Way {
  hops: readonly Leg[];
  host: HostSettings;
  /** A new carrier to the host, over the jump hosts that are open; straight, to `address` if it is given. @throws HostError */
  dial(options?: { timeoutMs?: number; address?: string }): Promise<Carrier>;
  close(): Promise<void>;
}

/** Logs in to each jump host in turn. @throws HostError, named with the jump host, with nothing left open */
export async function openWay(stops: readonly Stop[], options: LegOptions): Promise<Way> {
  const hops: Leg[] = [];
  let last: Passed | undefined;
  const host = (stops.at(-1) as Stop).settings;
  const close = async () => {
    for (const { session } of [...hops].reverse()) await session.close();
  };
  try {
    for (const [index, { jump, settings }] of stops.slice(0, -1).entries()) {
      const name = jump ?? settings.hostName;
      const before = last;
      const leg: Leg = await named(name, () =>
        openLeg(settings, () => reach(settings, before, timeoutOf(settings, options)), {
          ...options,
          // The nearer, the sooner: when one falls silent, it is the one that is named, and not what lies behind it.
          keepaliveMs: (options.keepaliveMs ?? 2000) * 0.8 ** (stops.length - 1 - index),
          identityFiles: undefined, // as with ssh, -i and --known-hosts are the host's own
          knownHostsFile: undefined,
        }),
      );
      hops.push(leg);
      last = { name, leg };
    }
  } catch (error) {
    await close();
    throw error;
  }
  const through = last;
  const dial: Way["dial"] = ({ timeoutMs, address } = {}) => reach(host, through, timeoutMs ?? timeoutOf(host, options), address);
  return { hops, host, close, dial };
}

async function reach(settings: HostSettings, before: Passed | undefined, timeoutMs: number, address?: string): Promise<Carrier> {
  const { hostName, port } = settings;
  if (!before) return dialCarrier(hostName, await findAddresses(address ?? hostName, settings.addressFamily, timeoutMs), port, timeoutMs);
  const { name, leg } = before;
  const carrier = await named(name, () => openTunnel(leg.session.client, hostName, port, timeoutMs));
  return { ...carrier, lost: leg.session.lost.then((error) => ofJump(name, error)) };
}

async function named<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof HostError ? ofJump(name, error) : error;
  }
}

/** An error of a jump host under its name; what lies behind several is named with the last. */
function ofJump(name: string, error: HostError): HostError {
  if (error.message.startsWith("jump host ")) return error;
  return new HostError(error.level, `jump host ${name}: ${error.message}`, error.hint, { said: error.said, cause: error });
}
