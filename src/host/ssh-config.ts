import { homedir, hostname, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { HostError } from "./errors.ts";
import { matchesPatternList } from "./host-pattern.ts";
import { parseJumps } from "./jump.ts";
import { type ConfigLine, configError, includedFiles, readConfigFile, readConfigLines } from "./ssh-config-lines.ts";
import { judgeMatch } from "./ssh-config-match.ts";
import { parsePort, type Target } from "./target.ts";

/** What ssh_config(5) says about one host, for what we use of it. What is not set there is left out. */
export interface HostSettings {
  hostName: string;
  user: string;
  port: number;
  /** Absolute; in the order in which they are tried. Undefined: nothing is said, the defaults are meant. */
  identityFiles?: string[];
  identitiesOnly: boolean;
  /** A socket's path, `none`, or undefined for SSH_AUTH_SOCK. */
  identityAgent?: string;
  userKnownHostsFiles: string[];
  globalKnownHostsFiles: string[];
  hostKeyAlias?: string;
  connectTimeoutMs?: number;
  addressFamily: 0 | 4 | 6;
  /** HashKnownHosts; undefined where nothing is said. */
  hashKnownHosts?: boolean;
  /** Compression; undefined where nothing is said: then it is for us to choose (ssh-session.ts). */
  compression?: boolean;
  /** Jump hosts in the order in which they are visited; empty: directly. */
  jumps: Target[];
  /** What stands in the files and is not used, a sentence each. */
  notes: string[];
}
export interface ResolveOptions {
  /** The analyst's own file; it must exist if it is named. Default: `~/.ssh/config`, if there is one. */
  configFile?: string | undefined;
  /** Default: /etc/ssh/ssh_config. */
  systemFile?: string;
  home?: string;
  localUser?: string;
  /** From the command line: they win over every file. */
  user?: string | undefined;
  port?: number | undefined;
  /** As `-J`: jump hosts, or `none`. */
  jump?: string | undefined;
}

const MAX_DEPTH = 16; // of Include, as in OpenSSH (READCONF_MAX_DEPTH)
/** In effect these would change how we connect, and we do not do what they say. */
const NOT_USED = new Set([
  "bindaddress",
  "bindinterface",
  "certificatefile",
  "pkcs11provider",
  "preferredauthentications",
  "canonicalizehostname",
  "hostkeyalgorithms",
  "kexalgorithms",
  "ciphers",
  "macs",
  "stricthostkeychecking",
  "revokedhostkeys",
  "knownhostscommand",
]);

type Found = Map<string, ConfigLine[]>;
interface Walk {
  alias: string;
  home: string;
  options: ResolveOptions;
  found: Found;
  notes: string[];
}

/**
 * Reads the analyst's and then the system's configuration for `alias`: the first value wins, IdentityFile collects.
 * @throws HostError `config`, with file and line; also when the host is reached by a ProxyCommand, which is not run here
 */
export function resolveHost(alias: string, options: ResolveOptions = {}): HostSettings {
  const home = options.home ?? homedir();
  const walk: Walk = { alias, home, options, found: new Map(), notes: [] };
  const userFile = options.configFile ?? join(home, ".ssh/config");
  const text = readConfigFile(userFile);
  if (text === undefined && options.configFile !== undefined) {
    throw new HostError("config", `The ssh configuration ${userFile} does not exist`, "Name a file that exists, or leave it out.");
  }
  if (text !== undefined) apply(readConfigLines(text, userFile), true, join(home, ".ssh"), [userFile], walk);
  const systemFile = options.systemFile ?? "/etc/ssh/ssh_config";
  const systemText = readConfigFile(systemFile);
  if (systemText !== undefined) apply(readConfigLines(systemText, systemFile), true, dirname(systemFile), [systemFile], walk);
  return settle(walk, options);
}

/** Walks the lines of one file; `active` says whether the block around the Include that led here matched. */
function apply(lines: ConfigLine[], activeAtStart: boolean, folder: string, stack: string[], walk: Walk): void {
  let active = activeAtStart;
  for (const line of lines) {
    if (line.keyword === "host") active = activeAtStart && matchesPatternList(line.args, walk.alias);
    else if (line.keyword === "match") {
      const verdict = activeAtStart && judgeMatch(line, matchFacts(walk));
      if (typeof verdict === "string") walk.notes.push(`${line.file}:${line.line}: this Match block is skipped: ${verdict}.`);
      active = verdict === true;
    } else if (!active) continue;
    else if (line.keyword === "include") include(line, folder, stack, walk);
    else record(line, walk);
  }
}

/** What the lines read so far say of the host, for a Match line. */
function matchFacts({ alias, found, options }: Walk) {
  const localUser = options.localUser ?? localName();
  const first = (keyword: string) => found.get(keyword)?.[0];
  const hostName = first("hostname");
  const user = first("user");
  return {
    alias,
    hostName: hostName ? expand(value(hostName), { "%": "%", h: alias }, hostName) : alias,
    user: options.user ?? (user ? value(user) : localUser),
    localUser,
  };
}

function include(line: ConfigLine, folder: string, stack: string[], walk: Walk): void {
  for (const pattern of line.args) {
    for (const file of includedFiles(expandHome(pattern, walk.home, line), folder)) {
      if (stack.includes(file)) throw configError(line, `Include comes back to ${file}, which is being read already`);
      if (stack.length >= MAX_DEPTH) throw configError(line, `Include goes deeper than ${MAX_DEPTH} files`);
      const text = readConfigFile(file);
      if (text !== undefined) apply(readConfigLines(text, file), true, folder, [...stack, file], walk);
    }
  }
}

function record(line: ConfigLine, walk: Walk): void {
  const keyword = line.keyword === "proxycommand" ? "proxyjump" : line.keyword; // whichever comes first (ssh_config(5), ProxyJump)
  const before = walk.found.get(keyword);
  if (before === undefined) {
    walk.found.set(keyword, [line]);
    if (NOT_USED.has(keyword)) walk.notes.push(`${line.file}:${line.line}: ${line.keyword} is not used by this console.`);
  } else if (keyword === "identityfile") before.push(line);
}

function settle(walk: Walk, options: ResolveOptions): HostSettings {
  const first = (keyword: string) => walk.found.get(keyword)?.[0];
  const { hostName, user, localUser } = matchFacts(walk);
  const portLine = first("port");
  const port = options.port ?? (portLine ? (parsePort(value(portLine)) ?? wrong(portLine, "a port between 1 and 65535")) : 22);
  const tokens = {
    "%": "%",
    d: walk.home,
    h: hostName,
    i: String(process.getuid?.() ?? ""),
    L: hostname().split(".")[0] as string,
    l: hostname(),
    n: walk.alias,
    p: String(port),
    r: user,
    u: localUser,
  };
  const path = (text: string, line: ConfigLine) => expandHome(expand(expandEnvironment(text, line), tokens, line), walk.home, line);
  const paths = (keyword: string, fallback: string[]) => {
    const line = first(keyword);
    if (!line) return fallback;
    return line.args.length === 1 && value(line).toLowerCase() === "none" ? [] : line.args.map((arg) => path(arg, line));
  };

  const settings: HostSettings = {
    hostName,
    user,
    port,
    identitiesOnly: yes(first("identitiesonly")),
    userKnownHostsFiles: paths("userknownhostsfile", [join(walk.home, ".ssh/known_hosts"), join(walk.home, ".ssh/known_hosts2")]),
    globalKnownHostsFiles: paths("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]),
    addressFamily: family(first("addressfamily")),
    jumps: jumpsOf(first("proxyjump"), options.jump, { "%": "%", h: hostName, n: walk.alias, p: String(port), r: user }),
    notes: walk.notes,
  };
  const identities = walk.found.get("identityfile");
  if (identities)
    settings.identityFiles = identities.filter((line) => value(line).toLowerCase() !== "none").map((line) => path(value(line), line));
  const agent = first("identityagent");
  if (agent && value(agent) !== "SSH_AUTH_SOCK")
    settings.identityAgent = value(agent).toLowerCase() === "none" ? "none" : path(value(agent), agent);
  const alias = first("hostkeyalias");
  if (alias) settings.hostKeyAlias = value(alias);
  const hash = first("hashknownhosts");
  if (hash) settings.hashKnownHosts = yes(hash);
  const compression = first("compression");
  if (compression) settings.compression = yes(compression);
  const timeout = first("connecttimeout");
  if (timeout && value(timeout).toLowerCase() !== "none") {
    const seconds = /^\d{1,6}$/.test(value(timeout)) ? Number(value(timeout)) : wrong(timeout, "a number of seconds");
    if (seconds > 0) settings.connectTimeoutMs = seconds * 1000;
  }
  return settings;
}

/**
 * The command line wins over the files. A ProxyCommand is a program of the analyst's machine that brings the bytes from anywhere: who
 * is at its far end, and whether it hangs or floods, cannot be told from here, so it is refused; most of them are a ProxyJump.
 */
function jumpsOf(line: ConfigLine | undefined, asked: string | undefined, tokens: Record<string, string>): Target[] {
  if (asked !== undefined) return parseJumps(asked);
  if (line === undefined || line.args[0]?.toLowerCase() === "none") return [];
  if (line.keyword === "proxyjump") return parseJumps(expand(value(line), tokens, line));
  throw configError(
    line,
    `'${tokens["n"]}' is reached through a proxy command ('${line.rest}'), which this console does not run`,
    `If the command goes through a host that speaks SSH (ssh -W, nc), write "ProxyJump JUMP" in its place, or connect with -J JUMP; else forward a port yourself (-J none, and connect to the forwarded port).`,
  );
}

const value = (line: ConfigLine): string => line.args[0] as string;

function wrong(line: ConfigLine, wanted: string): never {
  throw configError(line, `'${line.args.join(" ")}' is not ${wanted} (${line.keyword})`);
}

function yes(line: ConfigLine | undefined): boolean {
  if (line === undefined) return false;
  const text = value(line).toLowerCase();
  if (text === "yes" || text === "true") return true;
  return text === "no" || text === "false" ? false : wrong(line, "yes or no");
}

function family(line: ConfigLine | undefined): 0 | 4 | 6 {
  if (line === undefined) return 0;
  const families: Record<string, 0 | 4 | 6> = { any: 0, inet: 4, inet6: 6 };
  return families[value(line).toLowerCase()] ?? wrong(line, "any, inet or inet6");
}

function expand(text: string, tokens: Record<string, string>, line: ConfigLine): string {
  return text.replace(/%(.?)/gs, (_, token: string) =>
    Object.hasOwn(tokens, token) ? (tokens[token] as string) : wrong(line, `a value here: it cannot expand %${token}`),
  );
}

function expandEnvironment(text: string, line: ConfigLine): string {
  return text.replace(
    /\$\{([^}]*)\}/g,
    (_, name: string) => process.env[name] ?? wrong(line, `a value here: ${name} is not set in the environment`),
  );
}

function expandHome(text: string, home: string, line: ConfigLine): string {
  if (text === "~" || text.startsWith("~/")) return join(home, text.slice(1));
  return text.startsWith("~") ? wrong(line, "a path here: only ~ for your own home is understood") : text;
}

function localName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? "root"; // a container's uid may have no name
  }
}
