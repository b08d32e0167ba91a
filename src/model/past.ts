import type { HostString } from "./host-string.ts";

/** What a look back found: a login that was let in or refused, who became whom, what changed, and where something is missing. */
export const PAST_KINDS = ["login", "failed", "elevation", "account", "file", "package", "gap", "shell"] as const;
export type PastKind = (typeof PAST_KINDS)[number];

/**
 * One thing that the host remembers of the time before we came (or says that it does): equal ones are one row, with how often, when
 * first and when last. Times are milliseconds since the epoch, as the host wrote them down; 0 where it gives none.
 */
export interface Past {
  kind: PastKind;
  /** Where it stands: wtmp, btmp, lastlog, auth.log, a file's own times. Several when they agree. */
  from: string[];
  first: number;
  last: number;
  count: number;
  user?: HostString;
  /** Whom sudo or su made of the user. */
  effective?: HostString;
  ip?: string;
  port?: number;
  tty?: HostString;
  /** How they were let in or refused: publickey, password, … */
  methods?: string[];
  /** Fingerprints of the keys that let them in. */
  keys?: string[];
  /** A command, a package and its version, a line of a history, what is missing. */
  text?: HostString;
  /** Of a changed file, or of the log that has a gap. */
  path?: HostString;
  /** Of a login: it had not ended when we looked. */
  open?: boolean;
}

/** Who can make it say something else. Every account can add lines to the system's log (logger(1)); the rest takes root. */
export const forgeableBy = (past: Pick<Past, "from" | "kind">): "anybody" | "root" | "its owner" =>
  past.kind === "shell" ? "its owner" : past.from.every((from) => SYSTEM_LOGS.has(from)) ? "anybody" : "root";
/** Where syslog(3) ends: by the system's own choice, one or the other. */
const SYSTEM_LOGS = new Set(["auth.log", "secure", "syslog", "messages", "journal"]);

/** One thing of how a host is set up. `id` is what makes it the same thing tomorrow, or on another host. */
export interface SetUp {
  category: SetUpCategory;
  id: string;
  name: HostString;
  detail: HostString;
}
export const SET_UP_CATEGORIES = ["user", "sudoer", "key", "cron", "service", "module", "listener", "connection"] as const;
export type SetUpCategory = (typeof SET_UP_CATEGORIES)[number];
