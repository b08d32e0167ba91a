import { createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import ssh2 from "ssh2";
import { Admission, LIMITS, type Limits } from "./admission.ts";
import { ALGORITHMS } from "./algorithms.ts";
import type { ListedAnalyst } from "./analysts.ts";
import { authenticate, type Shown } from "./authenticate.ts";
import { type Mount, type Seat, serveClient } from "./client.ts";
import { openHostKey } from "./host-key.ts";

/** One connection, told when it is known what became of it. */
export interface Attempt {
  address: string;
  port: number;
  outcome: "joined" | "refused" | "turned away";
  /** Of who joined. */
  analyst?: string;
  /** Fingerprints of the keys that were offered, the first few; empty when it did not get so far. */
  keys: readonly string[];
  why: string;
  /** How many were turned away since this was last told. */
  times: number;
}

export interface PairOptions {
  /** The server's own key; made there when there is none. */
  hostKeyFile: string;
  /** What to listen on; this machine alone unless an address is named. */
  address?: string;
  /** 0 or left out: any that is free. */
  port?: number;
  analysts: readonly ListedAnalyst[];
  /** Puts a screen on a client's terminal. */
  mount: Mount;
  onAttempt?: (attempt: Attempt) => void;
  limits?: Partial<Limits>;
}

export interface PairServer {
  readonly address: string;
  readonly port: number;
  /** Of the server's key, as the partner's ssh shows it. */
  readonly fingerprint: string;
  /** What the analyst should know about how it was opened, a sentence each. */
  readonly notes: readonly string[];
  /** The line to paste; `name` stands for whoever it is sent to. */
  joinLine(name?: string): string;
  /** Who has a screen open. */
  seats(): readonly Seat[];
  /** Tells every client `why`, ends their screens, and listens no more. */
  close(why?: string): Promise<void>;
}

const TELL_EVERY_MS = 1000;

/** Opens the server through which the second analyst joins with plain ssh. @throws Error when the key or the address cannot be had */
export async function openPairServer(options: PairOptions): Promise<PairServer> {
  const limits = { ...LIMITS, ...options.limits };
  const { privateKey, fingerprint, note } = await openHostKey(options.hostKeyFile);
  const analysts = new Map(options.analysts.map((analyst) => [analyst.id, analyst]));
  const admission = new Admission(limits, () => performance.now());
  const sockets = new Map<string, { socket: Socket; served(shown: Shown): void; seated(): void }>();
  const seats = new Set<Seat>();
  const tell = (attempt: Omit<Attempt, "times">) => options.onAttempt?.({ ...attempt, times: 1 });
  const turnAway = tellingSeldom(options.onAttempt);

  const full = (analyst: ListedAnalyst) => {
    if (seats.size >= limits.clients) return `there are ${limits.clients} screens open already: one must leave first.`;
    const own = [...seats].filter((seat) => seat.analyst.id === analyst.id).length;
    return own >= limits.clientsEach ? `you have ${own} screens open already: leave one first.` : undefined;
  };

  const ssh = new ssh2.Server(
    { hostKeys: [privateKey], ident: "Stakeout", algorithms: ALGORITHMS, keepaliveInterval: 5000, keepaliveCountMax: 4 },
    (client, { ip, port }) => {
      client.on("error", () => {}); // garbage, a reset, a failed handshake: the close that follows says enough
      const entry = sockets.get(`${ip} ${port}`);
      if (!entry) return void client.end();
      const shown = authenticate(client, analysts, limits);
      entry.served(shown);
      client.once("ready", () => {
        if (!shown.analyst) return void client.end(); // ssh2 let in whom we did not: never happens, and is not relied on
        const analyst = shown.analyst;
        serveClient(client, entry.socket, analyst, {
          limits,
          mount: options.mount,
          full: () => full(analyst),
          onSeated: (seat) => {
            seats.add(seat);
            entry.seated();
          },
          onLeft: (seat) => void seats.delete(seat),
        });
      });
    },
  );

  const tcp = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const { remoteAddress: address = "", remotePort: port = 0 } = socket;
    socket.on("error", () => {});
    const admitted = admission.enter(address);
    if (typeof admitted === "string") {
      turnAway({ address, port, why: admitted });
      return void socket.destroy();
    }
    const key = `${address} ${port}`;
    let shown: Shown | undefined;
    let told = false;
    const late = setTimeout(() => socket.destroy(), limits.authMs);
    sockets.set(key, {
      socket,
      served: (by) => {
        shown = by;
      },
      seated: () => {
        told = true;
        clearTimeout(late);
        socket.off("data", measure);
        admitted.known();
        const { name = "" } = shown?.analyst ?? {};
        tell({ address, port, outcome: "joined", analyst: name, keys: shown?.keys ?? [], why: "" });
      },
    });
    socket.once("close", () => {
      clearTimeout(late);
      sockets.delete(key);
      admitted.gone();
      if (told) return;
      const why = shown?.analyst ? "it opened no screen" : (shown?.why ?? "it spoke no ssh");
      tell({ address, port, outcome: "refused", keys: shown?.keys ?? [], why });
    });
    ssh.injectSocket(socket);
    const measure = () => {
      if (socket.bytesRead > limits.strangerBytes) socket.destroy();
    };
    socket.on("data", measure); // after ssh2 has paused the socket: a listener does not set it going then
  });

  const bound = await listen(tcp, options.address ?? "127.0.0.1", options.port ?? 0);
  return {
    ...bound,
    fingerprint,
    notes: note === undefined ? [] : [note],
    joinLine: (name = "NAME") => `ssh -p ${bound.port} ${name}@${reachable(bound.address)}`,
    seats: () => [...seats],
    close: async (why) => {
      const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
      for (const seat of seats) seat.leave(why);
      const cut = setTimeout(() => {
        for (const { socket } of sockets.values()) socket.destroy();
      }, 500);
      await closed;
      clearTimeout(cut);
      turnAway.stop();
    },
  };
}

function listen(tcp: ReturnType<typeof createServer>, address: string, port: number): Promise<{ address: string; port: number }> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: `port ${port} is taken: name another one, or none for any that is free.`,
        EADDRNOTAVAIL: "this machine has no such address: name one of its own.",
        EACCES: `port ${port} needs root: name one from 1024 on.`,
      };
      reject(new Error(`Nobody can join on ${address}: ${why[cause.code ?? ""] ?? cause.message}`, { cause }));
    };
    tcp.once("error", failed);
    tcp.listen({ host: address, port, backlog: 128 }, () => {
      tcp.off("error", failed);
      tcp.on("error", () => {}); // a connection that could not be taken
      const bound = tcp.address();
      if (bound === null || typeof bound === "string") return reject(new Error("no port"));
      resolve({ address: bound.address, port: bound.port });
    });
  });
}

/** Where every address was named, one that others can reach. */
function reachable(address: string): string {
  if (address !== "0.0.0.0" && address !== "::") return address;
  const outward = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address: own }) => !internal && !own.startsWith("fe80:"));
  return (outward.find(({ family }) => family === "IPv4") ?? outward[0])?.address ?? "127.0.0.1";
}

/** A flood is told once a second, with how many there were. */
function tellingSeldom(onAttempt: PairOptions["onAttempt"]) {
  let waiting: (Pick<Attempt, "address" | "port" | "why"> & { times: number }) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    if (!waiting) return;
    onAttempt?.({ ...waiting, outcome: "turned away", keys: [] });
    waiting = undefined;
    timer = setTimeout(flush, TELL_EVERY_MS);
  };
  const turnAway = (attempt: Pick<Attempt, "address" | "port" | "why">) => {
    waiting = { ...attempt, times: (waiting?.times ?? 0) + 1 };
    if (!timer) flush();
  };
  return Object.assign(turnAway, {
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
      flush();
      clearTimeout(timer);
    },
  });
}
