import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { makeKey } from "./real-sshd.ts";

export interface Listening {
  port: number;
  /** Everything that came from the client, raw. */
  received(): Buffer;
  stop(): void;
}

/** A TCP server on loopback that does to each client what `script` says, and speaks no SSH of its own. */
export function rawServer(script: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => received.push(chunk));
    script(socket);
  });
  return listening(server, sockets, received);
}

/** How a hostile sshd differs from an honest one. */
export interface Hostility {
  banner?: string;
  authenticate?: (context: AuthContext) => void;
  connection?: (connection: Connection) => void;
  exec?: (channel: ServerChannel, command: string) => void;
  /** What becomes of the channels that the client asks for; without it they are opened. */
  sessions?: "refused" | "unanswered";
}

/** An sshd of ssh2's on loopback that lets everyone in, but for what `hostility` says. */
export async function hostileServer(hostility: Hostility): Promise<Listening> {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  const hostKey = readFileSync(makeKey(folder, "host"));
  rmSync(folder, { recursive: true, force: true });
  const server = new ssh2.Server(
    { hostKeys: [hostKey], ...(hostility.banner === undefined ? {} : { banner: hostility.banner }) },
    (connection) => {
      connection.on("error", () => {});
      hostility.connection?.(connection);
      connection.on("authentication", (context) => (hostility.authenticate ? hostility.authenticate(context) : context.accept()));
      connection.on("session", (accept, reject) => {
        if (hostility.sessions === "refused") return reject();
        if (hostility.sessions === "unanswered") return;
        accept().on("exec", (acceptExec, _reject, info) => {
          const channel = acceptExec();
          channel.on("error", () => {});
          hostility.exec?.(channel, info.command);
        });
      });
    },
  );
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    server.injectSocket(socket);
  });
  const sockets = new Set<Socket>();
  return listening(tcp, sockets, []);
}

async function listening(server: TcpServer, sockets: Set<Socket>, received: Buffer[]): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    received: () => Buffer.concat(received),
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
