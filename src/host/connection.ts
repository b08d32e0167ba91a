import type { HostString } from "#model/host-string";
import { replay } from "./authenticate.ts";
import { HostError } from "./errors.ts";
import { fingerprint, keyTypeOf } from "./host-key.ts";
import type { Leg, Shared } from "./leg.ts";
import type { ConnectionMade } from "./made.ts";
import type { Door } from "./privilege.ts";
import { Processes } from "./processes.ts";
import type { Way } from "./route.ts";
import { type HostRunner, type RemoteProcess, runScript } from "./runner.ts";
import { openSession, type Session, tampered } from "./ssh-session.ts";

/** An authenticated connection to a suspect host. */
export interface HostConnection extends HostRunner {
  /** As the analyst named it. */
  readonly target: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Of the host's key, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  readonly keyType: string;
  /**
   * Where the connection comes from as the host sees it: our own end; behind a jump host what sshd told our login (SSH_CONNECTION),
   * which is the jump host's end. "" and 0 where that is not known.
   */
  readonly localAddress: string;
  readonly localPort: number;
  /** What the server calls itself, such as `SSH-2.0-OpenSSH_9.2p1`: hostile, bounded. */
  readonly serverIdent: HostString;
  /** What it shows before the login: hostile, bounded. */
  readonly banner: HostString;
  /** What the analyst should know about how the connection was made, a sentence each. */
  readonly notes: readonly string[];
  /** How the host was reached, for the record; never a secret. */
  readonly made: ConnectionMade;
  /** From the first packet to the host until it let us in; questions to the analyst included. */
  readonly connectMs: number;
  /** Resolves when the connection ends and `close` was not called. */
  readonly lost: Promise<HostError>;
  /**
   * A second login of its own: same way (through the same connection to a jump host), same credentials, and no other key than this
   * one's. Its commands run as the account, without sudo.
   */
  openSecond(options?: { timeoutMs?: number }): Promise<HostConnection>;
  /** Proves that we could come back: opens a second connection, runs `true`, closes it. Never throws. */
  probeAccess(options?: { timeoutMs?: number }): Promise<{ ok: boolean; milliseconds: number; error?: HostError }>;
  close(): Promise<void>;
}

interface Opened {
  target: string;
  way: Way;
  leg: Leg;
  connectMs: number;
  onLost: ((error: HostError) => void) | undefined;
  /** The way to root, given the account's own runner. */
  findDoor(runner: HostRunner): Promise<Door>;
}

/** Takes over a session that is open: learns how the host sees us, and finds the way to root. @throws HostError */
export async function openConnection(opened: Opened): Promise<HostConnection> {
  const connection = new Connection(opened);
  await connection.settle(opened);
  return connection;
}

class Connection implements HostConnection {
  readonly target: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly fingerprint: string;
  readonly keyType: string;
  localAddress: string;
  localPort: number;
  readonly serverIdent: HostString;
  readonly banner: HostString;
  readonly notes: string[];
  made: ConnectionMade;
  readonly connectMs: number;
  readonly lost: Promise<HostError>;
  readonly #way: Way;
  readonly #leg: Leg;
  readonly #processes: Processes;
  #door: HostRunner;

  constructor({ target, way, leg, connectMs, onLost }: Opened) {
    const { session, shared } = leg;
    const { carrier } = session;
    this.target = target;
    this.address = carrier.address;
    this.port = shared.port;
    this.user = shared.user;
    this.fingerprint = fingerprint(session.hostKey);
    this.keyType = keyTypeOf(session.hostKey);
    this.localAddress = carrier.localAddress;
    this.localPort = carrier.localPort;
    this.serverIdent = session.ident;
    this.banner = session.banner;
    this.notes = [...way.hops.flatMap((hop) => hop.notes), ...leg.notes];
    this.made = { ...leg.made, privilege: "none" };
    this.connectMs = connectMs;
    this.lost = session.lost;
    this.#way = way;
    this.#leg = leg;
    this.#processes = new Processes(session.client, `${shared.host} port ${shared.port}`, shared.timeoutMs);
    this.#door = this.#processes;
    watch(session, this.#processes, shared);
    void session.lost.then((error) => {
      this.#processes.abandon(error);
      onLost?.(error);
    });
  }

  async settle({ findDoor, way, leg }: Opened): Promise<void> {
    if (way.hops.length > 0) await this.#askWhence();
    const { runner, privilege, typed, notes } = await findDoor(this.#processes);
    this.#door = runner;
    this.notes.push(...notes);
    const passwords = [...way.hops.flatMap((hop) => hop.typed), ...leg.typed, ...typed];
    this.made = {
      ...leg.made,
      ...(way.hops.length > 0 ? { via: way.hops.map((hop) => hop.made) } : {}),
      privilege,
      ...(passwords.length > 0 ? { passwords_typed: passwords } : {}),
    };
  }

  /** Behind a jump host only the host knows from where it is reached. Its answer is its own word: it names our logins, and hides nobody else. */
  async #askWhence(): Promise<void> {
    const { stdout } = await runScript(this.#processes, 'echo "$SSH_CONNECTION"\n', {
      limitBytes: 512,
      timeoutMs: this.#leg.shared.timeoutMs,
    });
    const seen = /^([0-9a-f.:]+)(?:%\S+)? (\d{1,5}) \S+ \d{1,5}$/i.exec(stdout.toString().trim());
    if (!seen) return;
    this.localAddress = seen[1] as string;
    this.localPort = Number(seen[2]);
  }

  open(argv: readonly string[]): Promise<RemoteProcess> {
    return this.#door.open(argv);
  }

  async openSecond(options: { timeoutMs?: number } = {}): Promise<HostConnection> {
    const started = performance.now();
    const { shared: mine, methods, session: first } = this.#leg;
    const shared: Shared = { ...mine, timeoutMs: options.timeoutMs ?? mine.timeoutMs, problem: () => {} };
    const session = await openSession({
      ...shared,
      dial: () => this.#way.dial({ timeoutMs: shared.timeoutMs, address: this.address }),
      trust: async (key) => {
        if (first.hostKey.equals(key)) return;
        throw new HostError(
          "hostkey",
          `THE SECOND CONNECTION TO ${shared.host} MET ANOTHER KEY: ${fingerprint(key)} in the place of ${this.fingerprint}`,
          "Someone may be answering in its place: do not log in there again before you know why.",
        );
      },
      authenticate: async () => replay(this.user, methods),
    });
    return await openConnection({
      target: this.target,
      way: { ...this.#way, close: async () => {} }, // the jump hosts are the first connection's
      leg: { ...this.#leg, session, shared, notes: [], typed: [] },
      connectMs: performance.now() - started,
      onLost: undefined,
      findDoor: async (runner) => ({ runner, privilege: this.user === "root" ? "root" : "none", typed: [], notes: [] }),
    });
  }

  async probeAccess(options: { timeoutMs?: number } = {}): Promise<{ ok: boolean; milliseconds: number; error?: HostError }> {
    const started = performance.now();
    const milliseconds = () => performance.now() - started;
    let second: HostConnection | undefined;
    try {
      second = await this.openSecond(options);
      await runTrue(second, options.timeoutMs ?? this.#leg.shared.timeoutMs);
      return { ok: true, milliseconds: milliseconds() };
    } catch (cause) {
      const error =
        cause instanceof HostError
          ? cause
          : new HostError("exec", `The proof of access failed: ${(cause as Error).message}`, "Keep the connection that you have.", {
              cause,
            });
      return { ok: false, milliseconds: milliseconds(), error };
    } finally {
      await second?.close();
    }
  }

  async close(): Promise<void> {
    await this.#leg.session.close();
    this.#processes.abandon(new HostError("socket", `The connection to ${this.#leg.shared.host} was closed by us`, "Connect again."));
    await this.#way.close();
  }
}

async function runTrue(runner: HostRunner, timeoutMs: number): Promise<void> {
  const process = await runner.open(["true"]);
  process.stdout.resume();
  process.stderr.resume();
  const timer = setTimeout(() => process.close(), timeoutMs);
  const { code } = await process.exit;
  clearTimeout(timer);
  if (code !== 0)
    throw new HostError(
      "exec",
      `The second login came in, but 'true' ${code === null ? "did not end" : `ended with ${code}`} there`,
      "The account's shell may have been changed: keep the connection that you have.",
    );
}

/**
 * Ends a connection whose host sends more than it may, before it fills our memory. And counts any byte as a sign of life, as ssh
 * does: on a slow line the answer to a keepalive waits behind megabytes of output.
 */
function watch(session: Session, processes: Processes, shared: Shared): void {
  const { client, carrier } = session;
  const alive = client as unknown as { _resetKA?: () => void }; // ssh2 resets its count on answers alone, and has no public way to
  let counted = performance.now();
  carrier.stream.on("data", () => {
    const now = performance.now();
    if (now - counted > shared.keepaliveMs / 2) {
      counted = now;
      alive._resetKA?.();
    }
    if (processes.overflowing()) session.abort(tampered(shared.host, "sends more than it was granted"));
  });
}
