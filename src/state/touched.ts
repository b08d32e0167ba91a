import type { StakeoutEvent } from "#model/event";
import { farEnd } from "./selectors.ts";
import type { Reach, SecretState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** What is remembered of each kind: a host can open and call without end. */
const MOST_SECRETS = 5000;
const MOST_HOSTS = 4000;
const MOST_HANDS = 64;
const MOST_LOGINS = 5000;
const MOST_UIDS = 64;

/** Folders and terminals are watched too; only a file of this kind is a secret, or a log. */
export function secretFound(state: State, event: StakeoutEvent): void {
  const { file, stakeout } = event;
  if (!file || !stakeout.secret) return;
  const known = secretAt(state, file.path);
  if (!known) return;
  Object.assign(known, stakeout.secret);
  if (file.uid !== undefined) known.uid = Number(file.uid);
  if (file.mode !== undefined) known.mode = file.mode;
  if (file.size !== undefined) known.size = file.size;
}

function secretAt(state: State, path: SecretState["path"]): SecretState | undefined {
  const { secrets } = state.touched;
  const known = secrets.get(path);
  if (known || secrets.size >= MOST_SECRETS) return known;
  const made: SecretState = { path, by: new Map() };
  secrets.set(path, made);
  return made;
}

/** A secret was opened. */
export function reachedFor(state: State, event: StakeoutEvent, at: Millis): void {
  const { file, stakeout } = event;
  if (!file || stakeout.access?.secret === undefined) return;
  const secret = secretAt(state, file.path);
  if (!secret) return;
  secret.kind ??= stakeout.access.secret;
  reach(state, secret.by, event.process?.entity_id, at);
}

/** Somebody called a far end; this machine's own addresses are none. */
export function reachedHost(state: State, event: StakeoutEvent, at: Millis): void {
  const id = event.stakeout["connection"];
  const connection = typeof id === "string" ? state.connections.get(id) : undefined;
  if (connection?.direction !== "egress" || connection.transport === "packet") return;
  const { ip, port = 0 } = farEnd(connection);
  if (/^127\.|^::1$|^0\.0\.0\.0$|^::$|^::ffff:127\./.test(ip)) return;
  const { hosts } = state.touched;
  const key = `${ip} ${port}`;
  let host = hosts.get(key);
  if (!host) {
    if (hosts.size >= MOST_HOSTS) return;
    host = { ip, port, endpoint: farEnd(connection), established: 0, by: new Map() };
    hosts.set(key, host);
  }
  if (event.event.action === "network.established") host.established += 1;
  else reach(state, host.by, connection.process, at);
}

function reach(state: State, by: Map<string, Reach>, id: string | undefined, at: Millis): void {
  const process = id === undefined ? undefined : state.processes.get(id);
  const who = process?.login ?? id ?? "";
  const known = by.get(who);
  if (known) {
    known.last = at;
    known.times += 1;
    if (id !== undefined) known.process = id;
    return;
  }
  if (by.size >= MOST_HANDS) return;
  by.set(who, { who, process: id ?? "", first: at, last: at, times: 1, ...(process?.uid === undefined ? {} : { uid: process.uid }) });
}

/** The users that a login's processes ran as decide what they could read. */
export function ranAs(state: State, event: StakeoutEvent): void {
  const process = event.process && state.processes.get(event.process.entity_id);
  if (process?.uid === undefined || process.login === undefined) return;
  const { uids } = state.touched;
  const known = uids.get(process.login);
  if (!known) {
    if (uids.size < MOST_LOGINS) uids.set(process.login, [process.uid]);
  } else if (!known.includes(process.uid) && known.length < MOST_UIDS) known.push(process.uid);
}
