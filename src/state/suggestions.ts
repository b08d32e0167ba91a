import type { HostString } from "#model/host-string";
import type { LoginState, State } from "./state.ts";

/** A login that is probably a responder's, and what speaks for it. Nothing is ever done with it but shown. */
export interface Suggestion {
  login: string;
  reasons: string[];
}

/** Programs with which people look at a host; an intruder uses them too, so they say nothing alone. */
const TOOLS = new Set(
  "ps ss lsof last lastb w who top htop journalctl dpkg apt rpm systemctl tcpdump strace tail netstat find df free stat ausearch debsums".split(
    " ",
  ),
);
const ENOUGH_TOOLS = 4;

/**
 * Logins that nobody has judged and that look like ours: from an address or with a key of the console's own login or of one that was tagged
 * as a responder's; or begun after the recording, and looking at the host with several tools of the trade. Whoever ran or wrote a new
 * binary, called abroad, or wrote a job or a key is never suggested.
 */
export function suggestions(state: State): readonly Suggestion[] {
  const key = `${Math.floor(state.now / 1000)} ${state.judged} ${state.counts.logins}`;
  const known = kept.get(state);
  if (known?.key === key) return known.found;
  const found = suggest(state);
  kept.set(state, { key, found });
  return found;
}
/** A screen asks with each picture; once a second of the host's time is soon enough for a suggestion. */
const kept = new WeakMap<State, { key: string; found: readonly Suggestion[] }>();

function suggest(state: State): Suggestion[] {
  const ours = [...state.logins.values()].filter((login) => login.ours || login.standing === "responder");
  const addresses = new Set(ours.flatMap(({ source }) => (source ? [source.ip] : [])));
  const keys = new Set(ours.flatMap(({ info }) => (info?.key === undefined ? [] : [info.key])));
  const tools = new Map<string, Set<HostString>>();
  for (const { login, name } of state.processes.values())
    if (login !== undefined && name !== undefined && TOOLS.has(name)) tools.set(login, (tools.get(login) ?? new Set()).add(name));
  const found: Suggestion[] = [];
  for (const login of state.logins.values()) {
    if (login.standing !== "unknown" || login.ours || speaksAgainst(state, login)) continue;
    const reasons: string[] = [];
    if (login.source && addresses.has(login.source.ip)) reasons.push(`from ${login.source.ip}, as another of ours`);
    if (login.info?.key !== undefined && keys.has(login.info.key)) reasons.push("with the key of another of ours");
    const known = reasons.length > 0;
    const used = tools.get(login.id)?.size ?? 0;
    const after = login.start > state.started;
    if (after) reasons.push("begun after the recording");
    if (used >= ENOUGH_TOOLS) reasons.push(`looks at the host with ${used} tools of the trade`);
    if (known || (after && used >= ENOUGH_TOOLS)) found.push({ login: login.id, reasons });
  }
  return found;
}

/** What a shell or a pager writes in its user's home by itself, as soon as he leaves. */
const HISTORY = /\/\.(?:\w+_history|lesshst|viminfo)$/;

function speaksAgainst(state: State, { id, info }: LoginState): boolean {
  if (info?.contradicts) return true;
  for (const binary of state.binaries.values()) {
    if (binary.runs === 0 && HISTORY.test(binary.path)) continue;
    const hands = [binary.writer, ...binary.writers, ...binary.runners];
    if (hands.some((hand) => hand !== undefined && state.processes.get(hand)?.login === id)) return true;
  }
  for (const { login, direction, destination } of state.connections.values())
    if (login === id && direction === "egress" && destination.geo?.country_iso_code !== undefined) return true;
  for (const origin of state.origins.values()) if (origin.login === id && (origin.type === "cron" || origin.type === "at")) return true;
  return false;
}

/** What speaks for a login's being ours, or nothing. */
export const suggestionFor = (state: State, login: string): Suggestion | undefined =>
  suggestions(state).find((suggestion) => suggestion.login === login);
