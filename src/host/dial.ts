import { promises as dns, type LookupAddress } from "node:dns";
import { connect, isIP, type Socket } from "node:net";
import { HostError } from "./errors.ts";

/** The addresses of a name. @throws HostError `dns`, or `timeout` when the resolver does not answer */
export async function findAddresses(host: string, family: 0 | 4 | 6, timeoutMs: number): Promise<LookupAddress[]> {
  const literal = isIP(host.replace(/%.*$/, ""));
  if (literal !== 0) return [{ address: host, family: literal }];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new HostError(
          "timeout",
          `No name server answered for '${host}' within ${seconds(timeoutMs)}`,
          "Check this machine's name servers, or connect to the host's address.",
        ),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([dns.lookup(host, { all: true, family }), late]);
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const why = code === "ENOTFOUND" ? "no such name is known" : code === "EAI_AGAIN" ? "the name servers cannot be reached" : code;
    throw new HostError(
      "dns",
      `The address of '${host}' could not be found: ${why}`,
      "Check the spelling, or connect to the host's address.",
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** A TCP connection to the first of `addresses` that answers. @throws HostError `socket`, or `timeout` when none answers at all */
export async function dial(host: string, addresses: LookupAddress[], port: number, timeoutMs: number): Promise<Socket> {
  const socket = connect({
    host,
    port,
    noDelay: true,
    autoSelectFamily: true,
    // A slow link must not lose its first address after the 250 ms that node gives it.
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.min(3000, Math.floor(timeoutMs / (addresses.length + 1)))),
    lookup: (_host, options, done) => {
      const only = addresses[0] as LookupAddress;
      if (options.all) done(null, addresses);
      else done(null, only.address, only.family);
    },
  });
  return await new Promise<Socket>((resolve, reject) => {
    const where = `${host} port ${port}`;
    const give = (error: HostError) => {
      clearTimeout(timer);
      socket.on("error", () => {}); // what comes after the answer was given
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      give(
        new HostError(
          "timeout",
          `${where} did not answer within ${seconds(timeoutMs)}: no connection, no refusal`,
          "A firewall may drop our packets, or the host is down: check the address and the way there.",
        ),
      );
    }, timeoutMs);
    socket.once("error", (cause) => give(socketError(where, cause)));
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.on("error", () => {}); // between here and the SSH client's own listener
      resolve(socket);
    });
  });
}

const REASONS: Record<string, [what: string, hint: string]> = {
  ECONNREFUSED: ["refused the connection: nothing listens there", "Check the port (host:port), and that sshd runs on the host."],
  EHOSTUNREACH: ["cannot be reached: the network says that the host is not there", "Check the address, and that the host is up."],
  ENETUNREACH: [
    "cannot be reached: this machine has no route to it",
    "Check this machine's network, and the VPN if the host is behind one.",
  ],
  ECONNRESET: ["reset the connection", "A firewall or the host's own limits may be cutting it: try again, and look at the way there."],
  ETIMEDOUT: [
    "did not answer: no connection, no refusal",
    "A firewall may drop our packets, or the host is down: check the address and the way there.",
  ],
};

/** A failure of the network as a HostError; several addresses fail as one. */
export function socketError(where: string, cause: unknown): HostError {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  const code = (first as NodeJS.ErrnoException).code ?? "";
  const [what, hint] = REASONS[code] ?? [
    `cannot be reached: ${code || (first as Error).message}`,
    "Check the address, and this machine's network.",
  ];
  return new HostError(code === "ETIMEDOUT" ? "timeout" : "socket", `${where} ${what}`, hint, { cause });
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 && ms % 1000 !== 0 ? 1 : 0)} s`;
}
