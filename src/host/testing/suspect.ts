import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type ConnectOptions, connectHost } from "../connect.ts";
import type { HostConnection } from "../connection.ts";
import { HostError } from "../errors.ts";
import { makeKey, type RealSshd, startRealSshd } from "./real-sshd.ts";

/** A real sshd that is known to us and lets us in by keys of ours. */
export interface Suspect {
  sshd: RealSshd;
  /** For the test's own files. */
  folder: string;
  /** Paths of private keys; `stranger` is not let in, `locked` opens with "correct horse". */
  keys: { plain: string; locked: string; rsaPem: string; stranger: string };
  knownHosts: string;
  connect(options?: ConnectOptions): Promise<HostConnection>;
  /** Connects, and closes whatever happens. */
  using<T>(options: ConnectOptions, use: (connection: HostConnection) => Promise<T>): Promise<T>;
  /** The HostError, hint included, with which it does not connect. */
  failure(options: ConnectOptions): Promise<HostError>;
  stop(): Promise<void>;
}

/** Starts one over `rootfs`, with `config` as further lines of sshd_config. */
export async function startSuspect(rootfs: string, config = ""): Promise<Suspect> {
  const folder = mkdtempSync(join(tmpdir(), "suspect-"));
  const keys = {
    plain: makeKey(folder, "id_plain"),
    locked: makeKey(folder, "id_locked", { passphrase: "correct horse" }),
    rsaPem: makeKey(folder, "id_pem", { type: "rsa", extra: ["-m", "PEM", "-b", "2048"] }),
    stranger: makeKey(folder, "id_stranger"),
  };
  const authorizedKeys = [keys.plain, keys.locked, keys.rsaPem].map((path) => `${path}.pub`);
  const sshd = await startRealSshd(rootfs, { authorizedKeys, config });
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKeys.ed25519}\n`);
  const connect = (options: ConnectOptions = {}) =>
    connectHost("root@127.0.0.1", {
      port: sshd.port,
      configFile: "/dev/null",
      identityFiles: [keys.plain],
      knownHostsFile: knownHosts,
      agentSocket: "",
      ...options,
    });
  return {
    sshd,
    folder,
    keys,
    knownHosts,
    connect,
    using: async (options, use) => {
      const connection = await connect(options);
      try {
        return await use(connection);
      } finally {
        await connection.close();
      }
    },
    failure: async (options) => {
      const outcome: unknown = await connect(options).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(HostError);
      expect((outcome as HostError).hint).not.toBe("");
      return outcome as HostError;
    },
    stop: async () => {
      await sshd.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition, not for a time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
