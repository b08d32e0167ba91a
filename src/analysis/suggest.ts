import type { Criteria } from "#model/event";
import type { Profile, ProfileAnalyst, Suggestion } from "#model/profile";
import { fits, matcher, network, networkProblem, selectorKey } from "#state/criteria";
import { isHidden } from "#state/lineage";
import type { LoginState, State } from "#state/state";

/** Suggestions that are made at once: more would be read by nobody. */
const MOST = 50;
/** Of each login the first processes say what it is there for. */
const MOST_TOOLS_LOOKED_AT = 500;

/**
 * What is probably ours and nobody has judged yet, drawn from profiles: logins from an analyst's address, with his key, as his account and
 * running tools of the trade, and the team's own tags that fit something here. An account or a tool alone says too little: an intruder has
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

function reasonsFor(
  state: State,
  login: LoginState,
  profile: Profile,
  key: string | undefined,
): { reason: string; why: string } | undefined {
  for (const analyst of profile.analysts) {
    if (key !== undefined && analyst.keys.includes(key)) return { reason: `the key of ${analyst.name}`, why: `the key of ${analyst.name}` };
    const address = addressOf(login, analyst);
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
  return undefined;
}

function addressOf({ source }: LoginState, { addresses }: ProfileAnalyst): string | undefined {
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
