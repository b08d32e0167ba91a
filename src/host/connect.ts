import { type HostConnection, openConnection } from "./connection.ts";
import type { HostError } from "./errors.ts";
import { type LegOptions, openLeg } from "./leg.ts";
import { findDoor } from "./privilege.ts";
import { openWay, planRoute } from "./route.ts";
import { parseTarget } from "./target.ts";

export interface ConnectOptions extends LegOptions {
  /** Default: ~/.ssh/config if there is one, then /etc/ssh/ssh_config. */
  configFile?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  /** As ssh's -J: jump hosts separated by commas, or `none`. Default: ProxyJump of the configuration. */
  jump?: string | undefined;
  /** Where the account is not root, commands run through sudo if it lets us. Default true. */
  sudo?: boolean | undefined;
  onLost?: ((error: HostError) => void) | undefined;
}

/**
 * Connects to a suspect host: `target` is `host`, `user@host`, `user@host:port`, `[v6]:port`, `ssh://user@host:port`, or an alias of
 * ssh_config. Of our side nothing is forwarded: no agent, no X11, no port; a channel that the host opens is refused.
 * @throws HostError; of a jump host its message begins with the jump host's name
 */
export async function connectHost(target: string, options: ConnectOptions): Promise<HostConnection> {
  const stops = planRoute(parseTarget(target), options);
  const way = await openWay(stops, options);
  try {
    const started = performance.now();
    const leg = await openLeg(way.host, () => way.dial(), options);
    const { user, host, timeoutMs } = leg.shared;
    try {
      return await openConnection({
        target,
        way,
        leg,
        connectMs: performance.now() - started,
        onLost: options.onLost,
        findDoor: (runner) => findDoor(runner, { user, host, ask: options.askPassword, sudo: options.sudo ?? true, timeoutMs }),
      });
    } catch (error) {
      await leg.session.close();
      throw error;
    }
  } catch (error) {
    await way.close();
    throw error;
  }
}
