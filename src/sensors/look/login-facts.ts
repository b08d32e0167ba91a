import type { LoginInfo } from "#model/event";
import type { Answer } from "./answer.ts";
import { type AuthLine, logName, readAuthLog } from "./auth-log.ts";
import { authorizedKey } from "./inventory.ts";
import { plainAddress } from "./utmp.ts";

/** As the log has it: what the host says of a login beside its socket. */
export type LoginFacts = LoginInfo;

/** "The login uid is not set", linux/audit.h. */
const UNSET = 4_294_967_295;

/** The socket that a login's sshd holds: the one thing that is not the host's word. */
export interface LoginSocket {
  /** Pid of the sshd that serves the login. */
  pid: number;
  ip?: string | undefined;
  port?: number | undefined;
}

/**
 * Method, key and audit numbers of a login, from its first process's environment and the log. Only a line with the socket's own address
 * and port, or of its very sshd, counts; where they contradict the socket, that is told: somebody wrote one of them.
 */
export function loginFactsOf(answer: Answer, socket: LoginSocket): LoginFacts {
  const told = answer.logins.find(({ pid }) => pid === socket.pid);
  const lines = answer.files
    .filter(({ kind }) => kind === "auth")
    .flatMap((file) =>
      readAuthLog(file.bytes, file.from === 0, { now: answer.now, zone: answer.zone }).lines.map((line) => ({
        ...line,
        log: logName(file.path),
      })),
    )
    .filter(({ what }) => what === "accepted");
  const exact = lines.findLast((line) => socket.ip !== undefined && line.ip === socket.ip && line.port === socket.port);
  const byPid = lines.findLast(({ pid }) => pid === socket.pid);
  const facts: LoginFacts = { from: [] };
  const contradicts: string[] = [];
  const line = exact ?? (byPid && socket.ip === undefined ? byPid : undefined);
  if (line) take(facts, line);
  else if (byPid?.ip !== undefined && socket.ip !== undefined && byPid.ip !== socket.ip)
    contradicts.push(`${byPid.log} says that sshd ${socket.pid} let in somebody from ${byPid.ip}`);
  const [ip, port] = (told?.connection ?? "").split(" ");
  if (ip && socket.ip !== undefined && (plainAddress(ip) !== socket.ip || Number(port) !== socket.port))
    contradicts.push(`SSH_CONNECTION of its environment says ${plainAddress(ip)}`);
  const used = /^publickey (.{1,16000})$/m.exec(told?.auth ?? "");
  const [method] = /^[a-z-]{1,40}/.exec(told?.auth ?? "") ?? [];
  if (method !== undefined) {
    facts.from.push("SSH_USER_AUTH");
    facts.method ??= method;
    const key = used ? authorizedKey(used[1] as string).fingerprint : undefined;
    if (key?.startsWith("SHA256:")) {
      if (facts.key !== undefined && facts.key !== key) contradicts.push("SSH_USER_AUTH and the log name different keys");
      facts.key ??= key;
    }
  }
  const audit = {
    ...(told && told.loginuid !== UNSET && told.loginuid >= 0 ? { loginuid: told.loginuid } : {}),
    ...(told && told.session !== UNSET && told.session >= 0 ? { session: told.session } : {}),
  };
  if (Object.keys(audit).length > 0) facts.audit = audit;
  if (contradicts.length > 0) facts.contradicts = contradicts;
  return facts;
}

function take(facts: LoginFacts, line: AuthLine & { log: string }): void {
  facts.from.push(line.log);
  if (line.method !== undefined) facts.method = line.method;
  if (line.key !== undefined) facts.key = line.key;
}
