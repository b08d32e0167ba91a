import { HostError } from "./errors.ts";
import { fingerprint, keyTypeOf } from "./host-key.ts";
import { type HostKeyVerdict, judgeHostKey, type KnownHosts, knownHostsName } from "./known-hosts.ts";
import { rememberHostKey } from "./known-hosts-add.ts";

/** What the analyst is asked about a host that was never seen before. */
export interface HostKeyQuestion {
  /** As the analyst named it. */
  host: string;
  address: string;
  port: number;
  keyType: string;
  /** As `ssh-keygen -l` shows it: compare it with one that came another way. */
  fingerprintSha256: string;
  /** The file that will remember the key. */
  rememberIn: string | undefined;
  /** known_hosts names an authority for this host, whose certificates cannot be checked: the plain key is all there is. */
  certAuthority: boolean;
}
export type AskHostKey = (question: HostKeyQuestion) => Promise<boolean>;

export interface TrustOptions {
  host: string;
  address: string;
  port: number;
  /** HostKeyAlias: the name to look for, without a port. */
  alias: string | undefined;
  known: KnownHosts;
  rememberIn: string | undefined;
  /** HashKnownHosts. */
  hash?: boolean | undefined;
  ask: AskHostKey | undefined;
}

/** The name under which the host's key is looked up. */
export function trustName(options: Pick<TrustOptions, "alias" | "host" | "port">): string {
  return options.alias?.toLowerCase() ?? knownHostsName(options.host, options.port);
}

/**
 * Decides on the host's key: known, or unknown and accepted by the analyst, who is then remembered to have done so.
 * @returns notes to show
 * @throws HostError `hostkey`
 */
async function trustHostKey(key: Buffer, options: TrustOptions): Promise<string[]> {
  const name = trustName(options);
  const verdict = judgeHostKey(options.known, name, key);
  if (verdict.kind === "known") return [];
  if (verdict.kind === "unknown" && options.port !== 22 && options.alias === undefined) {
    // As ssh does: the same key under the name without a port is the same host.
    const plain = judgeHostKey(options.known, options.host.toLowerCase(), key);
    if (plain.kind === "known") return [];
    if (plain.kind === "revoked") throw refusal(plain, key, options);
  }
  if (verdict.kind !== "unknown") throw refusal(verdict, key, options);
  return await ask(key, name, verdict, options);
}

/**
 * The same where this session may have met the host before (`pins`, by `host:port`): then its key has to be the one of that time, which was
 * known or accepted then, and only a revocation since can refuse it.
 * @throws HostError `hostkey`
 */
export async function trustPinned(key: Buffer, pins: Map<string, string> | undefined, options: TrustOptions): Promise<string[]> {
  const place = `${options.host}:${options.port}`;
  const [shown, met] = [`${keyTypeOf(key)} ${fingerprint(key)}`, pins?.get(place)];
  if (met === undefined) {
    const notes = await trustHostKey(key, options);
    pins?.set(place, shown);
    return notes;
  }
  if (met !== shown)
    throw new HostError(
      "hostkey",
      `${place} CAME BACK WITH ANOTHER KEY: it shows ${shown}, but this session began with ${met}`,
      "Someone may be answering in its place, or the host was installed anew. Nothing was sent to it. Ask its owner before you connect again.",
    );
  await trustHostKey(key, { ...options, ask: async () => true, rememberIn: undefined });
  return [];
}

async function ask(key: Buffer, name: string, verdict: HostKeyVerdict & { kind: "unknown" }, options: TrustOptions): Promise<string[]> {
  const shown = `${keyTypeOf(key)} ${fingerprint(key)}`;
  const { certAuthority: ca } = verdict;
  const byCa = ca
    ? ` ${ca.file}:${ca.line} names a certificate authority for it, but this console cannot ask for host certificates, only for plain keys.`
    : "";
  if (options.ask === undefined) {
    throw new HostError(
      "hostkey",
      `${name} is not known, its key is ${shown}, and there is no terminal to ask whether that is right.${byCa}`,
      `Compare the fingerprint with one that came another way, then connect once from a terminal to accept it${options.rememberIn ? `, or add the key to ${options.rememberIn}` : ""}.`,
    );
  }
  const { host, address, port, rememberIn } = options;
  const accepted = await options.ask({
    host,
    address,
    port,
    keyType: keyTypeOf(key),
    fingerprintSha256: fingerprint(key),
    rememberIn,
    certAuthority: verdict.certAuthority !== undefined,
  });
  if (!accepted)
    throw new HostError(
      "hostkey",
      `The key of ${name} (${shown}) was not accepted`,
      "Compare the fingerprint with one that came another way, and connect again.",
    );
  if (rememberIn === undefined) return ["The host key is not remembered: no known_hosts file is set."];
  const problem = rememberHostKey(rememberIn, name, key, options.hash);
  return problem === undefined ? [] : [problem];
}

function refusal(verdict: HostKeyVerdict & { kind: "changed" | "revoked" }, key: Buffer, options: TrustOptions): HostError {
  const { entry } = verdict;
  const line = `${entry.file}:${entry.line}`;
  const now = `${keyTypeOf(key)} ${fingerprint(key)}`;
  const name = trustName(options);
  if (verdict.kind === "revoked") {
    return new HostError(
      "hostkey",
      `THE KEY OF ${name} IS REVOKED: it shows ${now}, which ${line} revokes`,
      "Whoever answers holds a key that must not be trusted. Do not connect; ask whoever revoked it.",
    );
  }
  const before = `${entry.keyType} ${fingerprint(entry.key)}`;
  const how = verdict.sameType ? "IS NOT THE ONE WE KNOW" : "IS OF A TYPE WE DO NOT KNOW OF IT";
  return new HostError(
    "hostkey",
    `THE KEY OF ${name} ${how}: it shows ${now}, but ${line} has ${before}`,
    `Someone may be answering in its place, or the host was installed anew. Ask its owner for the fingerprint; only if it is right, remove line ${entry.line} of ${entry.file} and connect again.`,
  );
}
