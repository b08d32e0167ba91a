import type { Duplex } from "node:stream";
import ssh2, { type AuthHandlerMiddleware, type Client, type ServerHostKeyAlgorithm } from "ssh2";
import type { HostString } from "#model/host-string";
import type { Carrier } from "./carrier.ts";
import { Deadline } from "./deadline.ts";
import { seconds, socketError } from "./dial.ts";
import { bounded, HostError, quoted } from "./errors.ts";
import { readIdent } from "./ident.ts";

export interface SessionOptions {
  host: string;
  port: number;
  user: string;
  /** Reaches the host: straight, or through a jump host. */
  dial(): Promise<Carrier>;
  hostKeyAlgorithms: ServerHostKeyAlgorithm[];
  /** As the configuration says; undefined: by how near the host is ({@link NEAR_MS}). */
  compression?: boolean | undefined;
  /** Throws a HostError for a key that is not to be trusted. Time is not counted while it decides. */
  trust(key: Buffer, address: string): Promise<void>;
  authenticate(deadline: Deadline): Promise<AuthHandlerMiddleware>;
  /** The words for "the host let us not in". */
  denied(said: HostString | undefined): HostError;
  /** A failure of ours that the next method may make good (an agent that is gone, a wrong passphrase). */
  problem(message: string): void;
  /** For each stage: TCP, identification, key exchange, authentication. */
  timeoutMs: number;
  keepaliveMs: number;
  keepaliveCount: number;
}
/** A connection that is authenticated. */
export interface Session {
  client: Client;
  carrier: Carrier;
  ident: HostString;
  banner: HostString;
  /** The host's key, in wire form: a re-keying with another one ends the connection. */
  hostKey: Buffer;
  /** Resolves once, when the connection ends and we did not end it. */
  lost: Promise<HostError>;
  /** Ends the connection for a reason of ours, which `lost` then tells. */
  abort(error: HostError): void;
  close(): Promise<void>;
}

/** sshd's preference, and SHA-1 for hosts so old that they have nothing else. */
export const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

/**
 * A round trip within which a host is in the same network: there every byte has room, and to compress what it tells would cost the
 * suspect host's sshd nearly half of its work for us. Farther away, or where we do not know how far, the line counts more.
 */
const NEAR_MS = 2;
const CLOSE_GRACE_MS = 500;
/** Bytes that we have to say to a host that does not read: honest hosts never come near. */
const UNSENT_LIMIT = 64 << 20;

/** Connects and authenticates. @throws HostError, with nothing left open */
export async function openSession(options: SessionOptions): Promise<Session> {
  const where = `${options.host} port ${options.port}`;
  const carrier = await options.dial();
  carrier.stream.on("error", () => {}); // told by its end
  try {
    const ident = await readIdent(carrier.stream, where, options.timeoutMs);
    return await handshake(carrier, ident, where, options);
  } catch (error) {
    carrier.stream.destroy();
    throw error;
  }
}

function handshake(carrier: Carrier, ident: HostString, where: string, options: SessionOptions): Promise<Session> {
  const client = new ssh2.Client();
  const { stream: socket, address } = carrier;
  let hostKey: Buffer | undefined;
  let banner = "";
  let stage = "the key exchange";
  let ready = false;
  let closing = false;
  let fail: (error: HostError) => void = () => {};
  const failed = new Promise<HostError>((resolve) => {
    fail = resolve;
  });
  const abort = (error: HostError) => {
    if (closing) return;
    fail(error); // the first word stands
    socket.destroy();
  };
  const deadline = new Deadline((late) => {
    abort(
      new HostError(
        "timeout",
        `${where} did not finish ${late} within ${seconds(options.timeoutMs)}`,
        "The host may be overloaded, or something on the way holds our packets back: try again.",
        { said: bounded(banner) },
      ),
    );
  });

  client.on("banner", (text) => {
    banner = bounded(banner + text);
  });
  client.on("handshake", () => {
    if (ready) return; // a re-keying
    stage = "the authentication";
    deadline.start(stage, options.timeoutMs);
  });
  client.on("error", (error: Error & { level?: string; code?: unknown }) => {
    if (error.level === "agent")
      options.problem(error.message); // ssh2 goes on to the next method by itself
    else if (error.level === "client-authentication" && !ready) abort(options.denied(banner === "" ? undefined : bounded(banner)));
    else abort(translate(error, where, ready ? "the session" : stage, options));
  });
  client.on("close", () => {
    const closed = new HostError(
      "socket",
      `${where} closed the connection during ${ready ? "the session" : stage}`,
      ready
        ? "The host may be rebooting, or someone ended our login: connect again."
        : "sshd's own limits (MaxStartups, PerSourcePenalties, AllowUsers, hosts.deny) or a firewall may refuse us: see the host's sshd log.",
      { said: bounded(banner) },
    );
    // The end of a jump host's connection ends ours first and says why a moment later.
    if (carrier.lost) setImmediate(() => abort(closed));
    else abort(closed);
  });
  carrier.lost?.then(abort);

  const verify = (key: Buffer, done: (ok: boolean) => void): void => {
    if (hostKey) {
      if (hostKey.equals(key)) done(true);
      else
        abort(
          new HostError(
            "hostkey",
            `${where} CAME WITH ANOTHER KEY in the middle of the connection`,
            "Someone may have taken its place. Do not go on with this host before you know why.",
          ),
        );
      return;
    }
    deadline
      .waiting(options.trust(key, address))
      .then(() => {
        hostKey = Buffer.from(key);
        done(true); // throws if the connection ended meanwhile: then the abort below says nothing new
      })
      .catch((error: unknown) =>
        abort(
          error instanceof HostError
            ? error
            : new HostError("hostkey", `The key of ${where} could not be judged: ${(error as Error).message}`, "Connect again.", {
                cause: error,
              }),
        ),
      );
  };

  return new Promise<Session>((resolve, reject) => {
    failed.then((error) => {
      deadline.stop();
      reject(error); // no more than a no-op once the session was handed out
    });
    client.once("ready", () => {
      deadline.stop();
      if (hostKey === undefined) return abort(new HostError("hostkey", `${where} showed no key`, "This is no SSH server to trust."));
      ready = true;
      const close = (): Promise<void> => {
        closing = true;
        return endGently(client, socket);
      };
      resolve({ client, carrier, ident, banner: bounded(banner), hostKey, lost: failed, abort, close });
    });
    deadline.start(stage, options.timeoutMs);
    options.authenticate(deadline).then(
      (authHandler) => {
        if (socket.destroyed) return abort(socketError(where, new Error("the connection ended while the keys were read")));
        client.connect({
          sock: socket,
          username: options.user,
          authHandler,
          hostVerifier: verify,
          readyTimeout: 0, // the stages have limits of their own, which stand still while the analyst thinks
          keepaliveInterval: options.keepaliveMs,
          keepaliveCountMax: options.keepaliveCount,
          agentForward: false,
          algorithms: {
            serverHostKey: options.hostKeyAlgorithms,
            compress: compressed(options.compression, carrier) ? ["zlib@openssh.com", "none"] : ["none", "zlib@openssh.com"],
          },
        });
        socket.on("data", () => {
          if (socket.writableLength > UNSENT_LIMIT) abort(tampered(options.host, "asks for answers and does not read them"));
        });
      },
      (error: unknown) =>
        abort(
          error instanceof HostError
            ? error
            : new HostError("auth", `The keys could not be read: ${(error as Error).message}`, "Name a key file that can be read.", {
                cause: error,
              }),
        ),
    );
  });
}

/** Whether what goes over this carrier is to be compressed where the host's sshd does that. */
export const compressed = (configured: boolean | undefined, { roundTripMs }: Pick<Carrier, "roundTripMs">): boolean =>
  configured ?? (roundTripMs === undefined || roundTripMs > NEAR_MS);

/** A host whose sshd ignores the protocol's flow control: the connection ends before it fills our memory. */
export function tampered(host: string, what: string): HostError {
  return new HostError(
    "socket",
    `${host} ${what}: the connection was ended`,
    "Its sshd ignores SSH's flow control, so it has been tampered with: do not trust what it sends.",
  );
}

/** ssh2's and the server's own errors in our words. */
function translate(error: Error & { level?: string; code?: unknown }, where: string, stage: string, options: SessionOptions): HostError {
  const cause = error;
  if (error.level === "client-timeout") {
    return new HostError(
      "timeout",
      `${where} has not answered for ${seconds(options.keepaliveMs * (options.keepaliveCount + 1))}`,
      "The host is frozen or cut off, or the network between is: what it did since is not seen. Connect again.",
      { cause },
    );
  }
  if (error.level === "client-socket") return socketError(where, error);
  const said = bounded(error.message);
  if (typeof error.code === "number") {
    // A disconnect message (RFC 4253, section 11.1)
    const tooMany = /too many authentication failures/i.test(error.message);
    const hint = tooMany
      ? "The agent may hold more keys than the host lets us try: name the right one (-i), or set IdentitiesOnly for this host."
      : "See the host's sshd log for why.";
    return new HostError(tooMany ? "auth" : "socket", `${where} ended the connection during ${stage}: ${quoted(error.message)}`, hint, {
      cause,
      said,
    });
  }
  if (/no matching/i.test(error.message)) {
    return new HostError(
      "socket",
      `${where} and this console have no algorithm in common (${quoted(error.message)})`,
      "The host's sshd is too old or too strict: allow one of the usual algorithms there.",
      { cause, said },
    );
  }
  return new HostError(
    "socket",
    `${where} broke the SSH protocol during ${stage}: ${quoted(error.message)}`,
    "The host's sshd is faulty or has been tampered with: try another way in before you trust it.",
    { cause, said },
  );
}

function endGently(client: Client, socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS); // a host that never closes its side does not keep us
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    try {
      client.end();
    } catch {
      socket.destroy(); // the protocol is past saying goodbye
    }
  });
}
