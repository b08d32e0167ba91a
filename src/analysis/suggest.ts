import type { Criteria } from "#model/event";
import type { Profile, Suggestion } from "#model/profile";
import { fits, matcher, network, networkProblem, selectorKey } from "#state/criteria";
import { isHidden } from "#state/lineage";
import type { LoginState, State } from "#state/state";
import { suggestions } from "#state/suggestions";

/** Suggestions that are made at once: more would be read by nobody. */
const MOST = 50;
/** Of each login the first processes say what it is there for. */
const MOST_TOOLS_LOOKED_AT = 500;

/**
 * What is probably ours and nobody has judged yet, drawn from profiles: logins from an analyst's address, with his key, as his account and
 * running tools of the trade, from the customer's network and running them, and the team's own tags that fit something here. An account or a tool alone says too little: an intruder has
 * those, too. Nothing of it is ever applied by itself.
 * @param keyOf fingerprint of the key that let a login in, where that is known
 */
export function suggest(
  state: State,
  profiles: readonly Profile[],
  keyOf: (login: LoginState) => string | undefined = () => undefined,
): Suggestion[] {
  const found: Suggestion[] = [];
  if (profiles.length === 0) return found;
  for (const login of state.logins.values()) {
    if (login.standing !== "unknown" || login.ours || found.length >= MOST) continue;
    for (const profile of profiles) {
      const why = reasonsFor(state, login, profile, keyOf(login));
      if (why === undefined) continue;
      found.push({
        key: `login ${login.id}`,
        selector: { login: login.id },
        verdict: "responder",
        reason: why.reason,
        why: `${profile.name}.yml: ${why.why}`,
      });
      break;
    }
  }
  const standing = new Set(
    [...state.tags.values()].filter(({ removed }) => removed === undefined).map(({ selector }) => selectorKey(selector)),
  );
  for (const profile of profiles)
    for (const { selector, verdict, reason } of profile.tags) {
      const key = selectorKey(selector);
      if (found.length >= MOST || standing.has(key) || !fitsSomething(state, selector as Criteria)) continue;
      standing.add(key); // two profiles may say the same
      found.push({ key: `tag ${key}`, selector, verdict, reason, why: `${profile.name}.yml: a tag of the team's` });
    }
  return found;
}

/** The logins that look like ours by what they do, of which no profile says so already. */
export function lookLikeOurs(state: State, said: readonly Suggestion[]): Suggestion[] {
  const known = new Set(said.map(({ key }) => key));
  return suggestions(state)
    .map(({ login, reasons }): Suggestion => {
      const why = reasons.join(", ");
      return { key: `login ${login}`, selector: { login }, verdict: "responder", reason: why, why };
    })
    .filter(({ key }) => !known.has(key))
    .slice(0, MOST);
}

function reasonsFor(
  state: State,
  login: LoginState,
  profile: Profile,
  key: string | undefined,
): { reason: string; why: string } | undefined {
  for (const analyst of profile.analysts) {
    if (key !== undefined && analyst.keys.includes(key)) return { reason: `the key of ${analyst.name}`, why: `the key of ${analyst.name}` };
    const address = addressIn(login, analyst.addresses);
    if (address !== undefined) {
      const reason = `${analyst.name}, from ${login.source?.ip ?? address}`;
      return { reason, why: `${address} is an address of ${analyst.name}` };
    }
    const user = login.user?.name;
    if (user === undefined || !analyst.users.includes(user)) continue;
    const tool = toolOf(state, login, profile.tools);
    if (tool !== undefined)
      return { reason: `${analyst.name}, as ${user}`, why: `${user} is an account of ${analyst.name}, and it runs ${tool}` };
  }
  // the customer's people help to look; but an intruder who is in their network already comes from there, too
  const range = addressIn(login, profile.customer);
  const tool = range === undefined ? undefined : toolOf(state, login, profile.tools);
  return tool === undefined
    ? undefined
    : { reason: `of the customer's, from ${login.source?.ip ?? range}`, why: `${range} is the customer's, and it runs ${tool}` };
}

function addressIn({ source }: LoginState, addresses: readonly string[]): string | undefined {
  return source && addresses.find((address) => inNetwork(source.ip, address));
}

const networks = new Map<string, (ip: string) => boolean>();
/** Whether an address is in a network; each network is read once. */
function inNetwork(ip: string, text: string): boolean {
  let test = networks.get(text);
  if (!test) {
    test = networkProblem(text) === undefined ? network(text) : () => false;
    if (networks.size > 1000) networks.clear();
    networks.set(text, test);
  }
  return test(ip);
}

function toolOf(state: State, login: LoginState, tools: readonly string[]): string | undefined {
  const todo = [login.id];
  for (let looked = 0; todo.length > 0 && looked < MOST_TOOLS_LOOKED_AT; looked++) {
    const process = state.processes.get(todo.pop() ?? "");
    if (!process) continue;
    const { executable } = process;
    const tool = executable === undefined ? undefined : tools.find((pattern) => fits(executable, pattern));
    if (tool !== undefined) return tool;
    todo.push(...process.children);
  }
  return undefined;
}

/** A team's tag is worth a line where it would change something. */
function fitsSomething(state: State, criteria: Criteria): boolean {
  const match = matcher(criteria);
  for (const process of state.processes.values()) if (!isHidden(process.standing) && match(state, process)) return true;
  return false;
}
