import { isIPv6 } from "node:net";
import { HostError } from "./errors.ts";

/** What the analyst typed, taken apart. `host` may still be an alias of ssh_config. */
export interface Target {
  host: string;
  user?: string;
  port?: number;
}

/**
 * Takes apart `host`, `user@host`, `host:port`, `user@host:port`, `[v6]:port`, a bare v6 address, and `ssh://user@host:port` (ssh(1)).
 * @throws HostError of level `config`
 */
export function parseTarget(text: string): Target {
  const bad = (why: string) =>
    new HostError("config", `'${text}' is not a host to connect to: ${why}`, "Write host, user@host, user@host:port or [v6 address]:port.");
  const uri = /^ssh:\/\//i.test(text);
  let rest = (uri ? text.slice(6).replace(/\/$/, "") : text).trim();
  let user: string | undefined;
  const at = rest.lastIndexOf("@"); // a user name may hold an @ (Active Directory), a host name never
  if (at >= 0) {
    user = uri ? decode(rest.slice(0, at).replace(/;.*$/s, ""), bad) : rest.slice(0, at);
    rest = rest.slice(at + 1);
    if (user === "") throw bad("the part before @ is empty");
  }
  let host = rest;
  let port: string | undefined;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(rest);
  if (bracketed) {
    host = bracketed[1] as string;
    port = bracketed[2];
  } else if (!isIPv6(rest.replace(/%.*$/s, ""))) {
    const colon = rest.indexOf(":");
    if (colon >= 0) {
      host = rest.slice(0, colon);
      port = rest.slice(colon + 1);
    }
  }
  if (host === "") throw bad("it names no host");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  if (/[\s\u0000-\u001f\u007f/@]/.test(host) || host.startsWith("-")) throw bad("the host name holds a character that no host name has");
  const target: Target = { host };
  if (user !== undefined) target.user = user;
  if (port !== undefined) target.port = parsePort(port) ?? fail(bad(`'${port}' is not a port between 1 and 65535`));
  return target;
}

/** A decimal port from 1 to 65535, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function decode(text: string, bad: (why: string) => HostError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("a % in the user name is not followed by two hex digits");
  }
}

function fail(error: HostError): never {
  throw error;
}
