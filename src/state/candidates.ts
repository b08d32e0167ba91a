import ipaddr from "ipaddr.js";
import type { Selector } from "#model/event";
import { selectorKey, selectorProblem } from "./criteria.ts";
import type { LoginState, ProcessState, State } from "./state.ts";

/** What a thing is of which more than itself can be tagged. */
export interface Subject {
  kind: string;
  id: string;
}

/**
 * What a tag on a thing can be on, `first` first: it with all below it, its login, the account, the address, the network, the program's
 * content, the unit, the container, the cron entry, the command.
 */
export function candidates(state: State, first: Selector, subject: Subject | undefined): Selector[] {
  const login = loginOf(state, first, subject);
  const process = processOf(state, first, subject);
  const binary =
    subject?.kind === "binary"
      ? state.binaries.get(subject.id)
      : process?.executable === undefined
        ? undefined
        : state.binaries.get(process.executable);
  const all: (Selector | undefined)[] = [
    first,
    process && { process: process.id },
    login && { login: login.id },
    ...(login ? ofLogin(login) : process?.uid === undefined ? [] : [{ user: state.users.get(process.uid) ?? String(process.uid) }]),
    binary?.sha256 === undefined ? undefined : { sha256: binary.sha256 },
    process?.unit === undefined ? undefined : { unit: process.unit },
    process?.container === undefined ? undefined : { container: process.container },
    process?.cron === undefined ? undefined : { cron: process.cron },
    process?.executable === undefined || process.id === login?.id ? undefined : { command: process.executable },
  ];
  const seen = new Set<string>();
  return all.filter((one): one is Selector => {
    if (!one || selectorProblem(one) !== undefined || seen.has(selectorKey(one))) return false;
    seen.add(selectorKey(one));
    return true;
  });
}

function ofLogin({ user, source }: LoginState): (Selector | undefined)[] {
  const name = user?.name ?? user?.id;
  return [
    source && { source: source.ip },
    source && name !== undefined ? { source: source.ip, user: name } : undefined,
    source && { source: networkOf(source.ip) },
    name === undefined ? undefined : { user: name },
  ];
}

/** The network that an address is usually in: /24 of IPv4, /64 of IPv6. */
function networkOf(ip: string): string {
  const bare = ip.replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return ip;
  const address = ipaddr.process(bare);
  if (address.kind() === "ipv4") return `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/24`)}/24`;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`;
}

function loginOf(state: State, first: Selector, subject: Subject | undefined): LoginState | undefined {
  if ("login" in first) return state.logins.get(first.login);
  const id = processOf(state, first, subject)?.login;
  return id === undefined ? undefined : state.logins.get(id);
}

function processOf(state: State, first: Selector, subject: Subject | undefined): ProcessState | undefined {
  if ("process" in first) return state.processes.get(first.process);
  return subject?.kind === "process" ? state.processes.get(subject.id) : undefined;
}
