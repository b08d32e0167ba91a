import { parseTarget, type Target } from "./target.ts";

/**
 * The jump hosts of `-J` and ProxyJump (ssh_config(5)): `[user@]host[:port]` or ssh://…, separated by commas, visited in this order.
 * `none` is an empty list: the host is reached directly. @throws HostError `config`
 */
export function parseJumps(text: string): Target[] {
  if (text.trim().toLowerCase() === "none") return [];
  return text.split(",").map((hop) => parseTarget(hop));
}

/** As the analyst would write it: the name of a hop in messages. */
export function nameOfJump({ user, host, port }: Target): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${port === undefined ? host : `${shown}:${port}`}`;
}
