import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { AnyAuthMethod } from "ssh2";
import type { HostString } from "#model/host-string";
import { type AskPassword, Authentication } from "./authenticate.ts";
import type { Carrier } from "./carrier.ts";
import { HostError, quoted } from "./errors.ts";
import { fingerprint, keyTypeOf } from "./host-key.ts";
import { gatherIdentities } from "./identities.ts";
import { preferKnown, readKnownHosts } from "./known-hosts.ts";
import type { LegMade, Typed } from "./made.ts";
import type { HostSettings } from "./ssh-config.ts";
import { HOST_KEY_ALGORITHMS, openSession, type Session, type SessionOptions } from "./ssh-session.ts";
import { type AskHostKey, trustName, trustPinned } from "./trust.ts";

export interface LegOptions {
  /** Tried before those of the configuration. */
  identityFiles?: readonly string[] | undefined;
  /** In the place of the configured ones, the system's included. */
  knownHostsFile?: string | undefined;
  /** The agent's socket. Default: IdentityAgent of the configuration, else SSH_AUTH_SOCK. */
  agentSocket?: string | undefined;
  /** Undefined: there is no terminal, and an unknown host is refused. */
  askHostKey?: AskHostKey | undefined;
  askPassphrase?: ((file: string) => Promise<string | undefined>) | undefined;
  /** Asked only after keys and agent have failed. */
  askPassword?: AskPassword | undefined;
  /** For each stage of the connection and for the start of each command. Default: ConnectTimeout of the configuration, else 10 s. */
  timeoutMs?: number | undefined;
  /** Asks the host for a sign of life this often. Default 2 s. */
  keepaliveMs?: number | undefined;
  /** How many unanswered questions mean that the host is gone. Default 3. */
  keepaliveCount?: number | undefined;
  /** Keys that this session has met, by `host:port`. One that is not here yet is judged and put here; one that is has to be the same. */
  pins?: Map<string, string> | undefined;
}

/** What a second session to the same host shares with the first. */
export type Shared = Omit<SessionOptions, "trust" | "authenticate" | "dial">;

/** One authenticated SSH session on the way: to a jump host, or to the host itself. */
export interface Leg {
  session: Session;
  shared: Shared;
  notes: string[];
  /** What let us in, to be given again by a second session. */
  methods: AnyAuthMethod[];
  made: LegMade;
  typed: Typed[];
}

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

export function timeoutOf(settings: HostSettings, options: LegOptions): number {
  return options.timeoutMs ?? settings.connectTimeoutMs ?? 10_000;
}

/** Opens a session over what `dial` gives: trusts the host's key, or not; gives keys, then answers. @throws HostError */
export async function openLeg(settings: HostSettings, dial: () => Promise<Carrier>, options: LegOptions): Promise<Leg> {
  const { hostName: host, user, port } = settings;
  const userFiles = options.knownHostsFile === undefined ? settings.userKnownHostsFiles : [options.knownHostsFile];
  const known = readKnownHosts(options.knownHostsFile === undefined ? [...userFiles, ...settings.globalKnownHostsFiles] : userFiles);
  const trust = {
    host,
    port,
    alias: settings.hostKeyAlias,
    known,
    rememberIn: userFiles[0],
    hash: settings.hashKnownHosts,
    ask: options.askHostKey,
  };
  const notes = [...settings.notes];
  let authentication: Authentication | undefined;
  const shared: Shared = {
    host,
    port,
    user,
    timeoutMs: timeoutOf(settings, options),
    keepaliveMs: options.keepaliveMs ?? 2000,
    keepaliveCount: options.keepaliveCount ?? 3,
    compression: settings.compression,
    hostKeyAlgorithms: preferKnown(HOST_KEY_ALGORITHMS, known, trustName(trust)),
    problem: (message) => authentication?.problem(message),
    denied: (said) => denied(user, host, authentication, said),
  };
  const session = await openSession({
    ...shared,
    dial,
    trust: async (key, address) => {
      notes.push(...(await trustPinned(key, options.pins, { ...trust, address })));
    },
    authenticate: async (deadline) => {
      const { askPassphrase, askPassword } = options;
      const { files, named } = keyFiles(settings, options);
      const identities = await gatherIdentities({
        files,
        named,
        identitiesOnly: settings.identitiesOnly,
        agent: agentOf(settings, options),
        askPassphrase: askPassphrase && ((file) => deadline.waiting(askPassphrase(file))),
        waiting: (answer) => deadline.waiting(answer),
      });
      authentication = new Authentication({
        user,
        host,
        identities,
        ask: askPassword && ((question) => deadline.waiting(askPassword(question))),
      });
      return authentication.handler;
    },
  });
  const methods = authentication?.succeeded() ?? [];
  return {
    session,
    shared,
    notes,
    methods,
    made: {
      address: session.carrier.address,
      port,
      user,
      host_key: `${keyTypeOf(session.hostKey)} ${fingerprint(session.hostKey)}`,
      server: session.ident,
      authentication: authentication?.letIn ?? [],
    },
    typed: authentication?.typed ? [{ user, host, for: "login" }] : [],
  };
}

function keyFiles(settings: HostSettings, options: LegOptions): { files: string[]; named: Set<string> } {
  const named = (options.identityFiles ?? []).map((file) => resolve(file));
  const configured = settings.identityFiles ?? (named.length > 0 ? [] : DEFAULT_KEYS.map((name) => join(homedir(), ".ssh", name)));
  return { files: [...named, ...configured], named: new Set(named) };
}

function agentOf(settings: HostSettings, options: LegOptions): string | undefined {
  const configured = settings.identityAgent === "none" ? undefined : (settings.identityAgent ?? process.env["SSH_AUTH_SOCK"]);
  const agent = options.agentSocket ?? configured;
  return agent === "" ? undefined : agent;
}

function denied(user: string, host: string, authentication: Authentication | undefined, said: HostString | undefined): HostError {
  const tried = authentication?.tried ?? [];
  const offered = authentication?.offered ?? [];
  const what = tried.length > 0 ? `tried: ${tried.join("; ")}` : "there was no key to try";
  const accepts = offered.length > 0 ? ` It accepts ${offered.map(quoted).join(", ")}.` : "";
  return new HostError(
    "auth",
    `${host} does not let '${user}' in: ${what}.${accepts}`,
    "Name a key that the account accepts (-i), add it to the agent, or connect as another user.",
    { said },
  );
}
