import ipaddr from "ipaddr.js";
import type { Criteria, Selector } from "#model/event";
import type { LoginState, ProcessState, State } from "./state.ts";

/** Longest value of a selector, in characters: it is typed or comes from a profile. */
export const LONGEST_VALUE = 1000;
/** How much of a command line a pattern is held against, in characters. */
const LOOKED_AT = 4096;

export const CRITERIA = ["user", "source", "sha256", "package", "unit", "container", "cron", "command"] as const;
export type Criterion = (typeof CRITERIA)[number];

/** Where something comes from: a tag by these holds for what is started there later, too. The others say what one program is. */
const WHENCE: ReadonlySet<Criterion> = new Set<Criterion>(["user", "source", "unit", "container", "cron"]);

/** A selector by what things have in common; undefined for one login or process. */
export const criteriaOf = (selector: Selector): Criteria | undefined =>
  "login" in selector || "process" in selector ? undefined : selector;

/** The criteria that a selector has. */
export const criterionNames = (criteria: Criteria): Criterion[] => CRITERIA.filter((name) => criteria[name] !== undefined);

/** It tells what a program is, and not where it comes from. */
export const isOfThings = (criteria: Criteria): boolean => criterionNames(criteria).every((name) => !WHENCE.has(name));

/** It names who logs in: only then can it vouch for what a login does. A unit can hold sshd, and a command be run by anybody. */
export const namesLogins = ({ user, source }: Criteria): boolean => user !== undefined || source !== undefined;

/** Two selectors mean the same. */
export const selectorKey = (selector: Selector): string =>
  "login" in selector
    ? selector.login
    : "process" in selector
      ? selector.process
      : JSON.stringify(CRITERIA.map((name) => selector[name] ?? 0));

/** What is wrong with a selector, in words; undefined when it can be used. */
export function selectorProblem(selector: Selector): string | undefined {
  const criteria = criteriaOf(selector);
  if (!criteria) return undefined;
  const names = criterionNames(criteria);
  if (names.length === 0) return "it selects nothing";
  for (const name of names) {
    const value: string = criteria[name] ?? "";
    if (value.trim() === "") return `${name} is empty`;
    if (value.length > LONGEST_VALUE) return `${name} has more than ${LONGEST_VALUE} characters`;
  }
  if (criteria.source !== undefined) {
    const wrong = networkProblem(criteria.source);
    if (wrong) return wrong;
  }
  if (criteria.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(criteria.sha256)) return "a sha256 has 64 hexadecimal digits";
  if (criteria.package !== undefined && names.length === 1)
    return "that a package owns a file says nothing of who runs it: name the user, unit or command as well";
  if (criteria.container !== undefined && !/^[0-9a-zA-Z][\w.-]{3,}$/.test(criteria.container))
    return "a container id has at least four letters or digits";
  if (criteria.command !== undefined && !/^[/*]/.test(criteria.command))
    return `a command pattern begins with / or *: such as */rsync, or /usr/bin/rsync --server *`;
  return undefined;
}

/** What is wrong with an address or a CIDR, in words. */
export function networkProblem(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  if (rest.length > 0 || !isAddress(address))
    return `"${text}" is no address and no network: such as 198.51.100.7, 198.51.100.0/24 or 2001:db8::/64`;
  if (bits === undefined) return undefined;
  const most = ipaddr.parse(address).kind() === "ipv4" ? 32 : 128;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return `"/${bits}" is no length of a network: it is a number from 0 to ${most}`;
  if (Number(bits) === 0) return `"${text}" is every address there is`;
  return undefined;
}

/** Four whole decimal numbers, or IPv6 without a zone: `127.1` and `0x7f.1`, which ipaddr.js reads too, are nobody's way to write one. */
const isAddress = (text: string): boolean =>
  /^\d+\.\d+\.\d+\.\d+$/.test(text)
    ? ipaddr.IPv4.isValidFourPartDecimal(text)
    : text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text);

type Match = (state: State, process: ProcessState) => boolean;

/** Whether a process has all that the criteria ask for; nothing where they are wrong. To be made once and kept: it is asked for every event. */
export function matcher(criteria: Criteria): Match {
  if (selectorProblem(criteria) !== undefined) return () => false;
  const all = criterionNames(criteria).map((name) => MATCHERS[name](criteria[name] ?? ""));
  const [only] = all;
  if (only && all.length === 1) return only;
  return (state, process) => all.every((match) => match(state, process));
}

const MATCHERS: Record<Criterion, (value: string) => Match> = {
  user: (value) => {
    const id = /^\d+$/.test(value) ? Number(value) : undefined;
    // another login's su to that account does not make its doings those of that account's people
    const ofLogin = perLogin(({ user }) => user !== undefined && (user.name === value || (id !== undefined && user.id === value)));
    return (state, process) => {
      if (process.login !== undefined) return ofLogin(state.logins.get(process.login));
      return process.uid !== undefined && (process.uid === id || state.users.get(process.uid) === value);
    };
  },
  source: (value) => {
    const holds = network(value);
    const ofLogin = perLogin(({ source }) => source !== undefined && holds(source.ip));
    return (state, process) => process.login !== undefined && ofLogin(state.logins.get(process.login));
  },
  sha256: (value) => {
    const wanted = value.toLowerCase();
    return (state, process) => {
      const binary = process.executable === undefined ? undefined : state.binaries.get(process.executable);
      // what was written to after it was hashed, or had another content before, is not known to be what this process runs
      return binary?.sha256 === wanted && binary.rewritten !== true;
    };
  },
  package: () => (state, process) => {
    if (process.executable === undefined) return false;
    const binary = state.binaries.get(process.executable);
    if (binary?.rewritten === true) return false;
    // by the console's list alone: root on the host can edit the host's own
    return state.owners.get(process.executable)?.console === "same" || binary?.package?.unchanged === true;
  },
  unit: (value) => (_, process) => process.unit === value,
  container: (value) => (_, process) => process.container?.startsWith(value) === true,
  cron: (value) => (_, process) => process.cron === value,
  command: (value) => {
    const withArguments = value.includes(" ");
    const named = perText((executable) => fits(executable, value));
    return (_, { executable, args }) => {
      if (executable === undefined) return false;
      if (!withArguments) return named(executable);
      // the first argument is whatever the caller says; what was executed is the kernel's word
      return args !== undefined && fits([executable, ...args.slice(1)].join(" ").slice(0, LOOKED_AT), value);
    };
  },
};

/** The answer for a login, worked out anew only when another user or source of it is known: every process of it asks. */
function perLogin(answer: (login: LoginState) => boolean): (login: LoginState | undefined) => boolean {
  interface Answer {
    login: LoginState;
    user: LoginState["user"];
    source: LoginState["source"];
    yes: boolean;
  }
  const known = new WeakMap<LoginState, Answer>();
  let last: Answer | undefined;
  return (login) => {
    if (!login) return false;
    const found = last?.login === login ? last : known.get(login);
    if (found && found.user === login.user && found.source === login.source) {
      last = found;
      return found.yes;
    }
    last = { login, user: login.user, source: login.source, yes: answer(login) };
    known.set(login, last);
    return last.yes;
  };
}

/** Texts for which an answer is remembered: a host runs the same programs over and over. */
const MOST_ANSWERS = 2000;
function perText(answer: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= MOST_ANSWERS) known.clear();
    const yes = answer(text);
    known.set(text, yes);
    return yes;
  };
}

/** A test for addresses in a network that {@link networkProblem} takes; remembers the last answer, since many processes of one login ask. */
export function network(text: string): (ip: string) => boolean {
  const [address = "", bits] = text.split("/");
  const base = ipaddr.process(address);
  const plain = ipaddr.parse(address);
  // ::ffff:198.51.100.0/120 is 198.51.100.0/24
  const length = bits === undefined ? (base.kind() === "ipv4" ? 32 : 128) : Number(bits) - (plain.kind() !== base.kind() ? 96 : 0);
  let last = "";
  let answer = false;
  return (ip) => {
    if (ip === last) return answer;
    last = ip;
    answer = false;
    const bare = ip.replace(/%.*$/, "");
    if (!ipaddr.isValid(bare) || length < 0) return answer;
    const given = ipaddr.process(bare);
    if (given.kind() !== base.kind()) return answer;
    answer = (given as ipaddr.IPv4).match(base as ipaddr.IPv4, length);
    return answer;
  };
}

/**
 * Whether a text fits a pattern as a whole: `*` is any run of characters, `?` is one. Goes back to the last `*` alone, so that no text of a
 * host can make it slow: at most length of the text times length of the pattern.
 */
export function fits(text: string, pattern: string): boolean {
  let [t, p, star, from] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      t++;
      p++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
