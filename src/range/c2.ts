import { createInterface } from "node:readline";
import { exited, startBound } from "./machine.ts";
import type { Range } from "./range.ts";

/** One TCP connection that reached the C2: ground truth for what got out of the host. */
export interface C2Connection {
  /** Our wall clock when the C2 accepted it, milliseconds. */
  at: number;
  from: { ip: string; port: number };
  /** What the other side has sent so far. */
  bytes: number;
  /** The first line that it sent. */
  line: string;
  closed: boolean;
}

export interface C2 {
  /** Every connection so far, oldest first; entries change as data comes in. */
  readonly connections: readonly C2Connection[];
  /** Calls `listener` after each change; gives a function that ends it. */
  watch(listener: () => void): () => void;
  stop(): Promise<void>;
}

/**
 * The server, a node program in the C2's network namespace: accepts anything on the port, sends a line of work every three seconds
 * to whoever stays, survives every error, and tells what happens as JSON lines. It ends with its standard input.
 */
const SERVER = `
const net = require("node:net");
const tell = (o) => process.stdout.write(JSON.stringify(o) + "\\n");
let n = 0;
const server = net.createServer((socket) => {
  const id = n++;
  tell({ id, at: Date.now(), ip: socket.remoteAddress.replace(/^::ffff:/, ""), port: socket.remotePort });
  const work = setInterval(() => socket.write("task " + id + "\\n"), 3000);
  let line = "";
  let told = false;
  socket.on("data", (data) => {
    if (!told && line.length < 200) line += data.toString("latin1");
    tell({ id, more: data.length, ...(told || !line.includes("\\n") ? {} : { line: line.split("\\n")[0] }) });
    told = told || line.includes("\\n");
  });
  socket.on("error", () => {});
  socket.on("close", () => { clearInterval(work); tell({ id, closed: true }); });
});
server.listen(Number(process.argv[1]), "::", () => tell({ listening: true }));
process.stdin.on("end", () => process.exit(0)).resume();
`;

interface Told {
  id: number;
  listening?: true;
  at?: number;
  ip?: string;
  port?: number;
  more?: number;
  line?: string;
  closed?: true;
}

/** Starts the C2's server on `range.c2`, over IPv4 and IPv6; resolves when it listens. It ends with the range at the latest. */
export async function startC2(range: Range): Promise<C2> {
  const argv = range.inNetns(range.netns.c2, [process.execPath, "-e", SERVER, String(range.c2.port)]);
  const server = startBound(argv, ["pipe", "pipe", "ignore"]);
  const ended = exited(server);
  const connections: C2Connection[] = [];
  const listeners = new Set<() => void>();
  const listening = new Promise<void>((resolve, reject) => {
    ended.then((code) => reject(new Error(`the C2's server ended (exit ${code}) before it listened on port ${range.c2.port}`)));
    createInterface({ input: server.stdout as NodeJS.ReadableStream }).on("line", (text) => {
      const told = JSON.parse(text) as Told; // our own program's words
      if (told.listening) return resolve();
      if (told.at !== undefined)
        connections[told.id] = { at: told.at, from: { ip: told.ip ?? "", port: told.port ?? 0 }, bytes: 0, line: "", closed: false };
      const connection = connections[told.id] as C2Connection;
      connection.bytes += told.more ?? 0;
      if (told.line !== undefined) connection.line = told.line;
      if (told.closed) connection.closed = true;
      for (const listener of listeners) listener();
    });
  });
  await listening;
  return {
    connections,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      server.stdin?.end();
      await ended;
    },
  };
}
