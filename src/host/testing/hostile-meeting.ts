import { expect, onTestFinished } from "vitest";
import { type ConnectOptions, connectHost } from "../connect.ts";
import type { HostConnection } from "../connection.ts";
import { HostError } from "../errors.ts";
import { type Hostility, hostileServer, type Listening } from "./hostile-server.ts";

/** Short enough to wait for, long enough for a slow machine to do a handshake in. */
export const LIMIT_MS = 1500;

/** What we connect with: nothing of whoever runs the test. */
export const ours = {
  configFile: "/dev/null",
  knownHostsFile: "/dev/null",
  agentSocket: "",
  identityFiles: [],
  user: "root",
  askHostKey: async () => true,
} satisfies ConnectOptions;

/** A server that stops with the test. */
export async function serving<T extends Listening>(server: Promise<T>): Promise<T> {
  const listening = await server;
  onTestFinished(() => listening.stop());
  return listening;
}

export const connect = (server: Listening, options: ConnectOptions = {}) =>
  connectHost(`127.0.0.1:${server.port}`, { ...ours, ...options });

/** Why we did not get in, which must be told as an error of the host's. */
export async function refused(server: Listening, options: ConnectOptions = {}): Promise<HostError> {
  const error = await connect(server, { timeoutMs: LIMIT_MS, ...options }).then(
    () => new Error("it connected"),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(HostError);
  return error as HostError;
}

/** A connection to a server that lets us in, and is hostile then. */
export async function connected(hostility: Hostility, options: ConnectOptions = {}): Promise<HostConnection> {
  return await connect(await serving(hostileServer(hostility)), options);
}
