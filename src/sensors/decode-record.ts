import type { HostString } from "#model/host-string";
import { type Observation, type ProcFacts, SECRET_KINDS, type SocketAddress, type TcpState, TIERS } from "#model/observation";
import { address, bootTime, Malformed, pid, port, text, whole, wideNumber } from "./wire.ts";

type Fields = readonly string[];
const STATES: Record<string, TcpState> = {
  E: "ESTABLISHED",
  S: "SYN_SENT",
  R: "SYN_RECV",
  C: "CLOSE",
  L: "LISTEN",
  T: "TIME_WAIT",
  O: "OTHER",
};
const CHANGES = { c: "created", m: "moved-in", w: "written", d: "deleted" } as const;
/** What a letter of the `unseen` field stands for; a capital letter means denied, a small one raced. */
const UNSEEN: Record<string, readonly string[]> = {
  s: ["ppid", "startTicks", "session", "tty", "comm"],
  a: ["args"],
  u: ["uid", "euid"],
  x: ["executable"],
  c: ["cwd"],
};

/** Letters of {@link UNSEEN} as the fields they stand for. @throws Malformed on another letter */
export function unseenFields(letters: string): ProcFacts["unseen"] {
  let unseen: Record<string, "raced" | "denied"> | undefined;
  for (const letter of letters) {
    const small = letter.toLowerCase();
    const names = Object.hasOwn(UNSEEN, small) ? UNSEEN[small] : undefined;
    if (names === undefined) throw new Malformed("an unknown field is unseen");
    unseen ??= {};
    for (const name of names) unseen[name] = small === letter ? "raced" : "denied";
  }
  return unseen;
}
function field(f: Fields, i: number): string {
  const value = f[i];
  if (value === undefined) throw new Malformed("a field is missing");
  return value;
}
function given<T>(value: string, read: (value: string) => T): T | undefined {
  return value === "" ? undefined : read(value);
}
/** The object without its undefined fields: an absent fact is left out, never present and empty. */
export function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] === undefined) delete value[key];
  return value as T;
}
function endpoint(f: Fields, i: number): SocketAddress {
  return { ip: address(f[i]), port: port(f[i + 1]) };
}
function tcpState(value: string): TcpState {
  const state = STATES[value];
  if (state === undefined) throw new Malformed("not a state");
  return state;
}

/** Fourteen fields from `at` on: ppid start session tty uid euid loginuid comm exe flags cwd args unseen argc. */
function procFacts(f: Fields, at: number): ProcFacts {
  const get = (i: number) => field(f, at + i);
  const flags = get(9);
  const args = get(11);
  return compact<ProcFacts>({
    ppid: given(get(0), pid),
    startTicks: given(get(1), whole),
    session: given(get(2), whole),
    tty: given(get(3), whole),
    uid: given(get(4), whole),
    euid: given(get(5), whole),
    loginuid: given(get(6), whole),
    comm: given(get(7), text),
    executable: given(get(8), text),
    deleted: flags.includes("d") || undefined,
    cwd: given(get(10), text),
    args: args === "" ? undefined : args.slice(1).split("\x1f").map(text),
    argsCut: flags.includes("c") || undefined,
    argc: given(get(13), whole),
    argsVanished: flags.includes("v") || undefined,
    unseen: unseenFields(get(12)),
  });
}

const RECORDS: Record<string, { fields: number; read(f: Fields): Observation }> = {
  H: {
    fields: 15,
    read: (f) => ({
      kind: "hello",
      bootId: ascii(field(f, 1)),
      ...(f[2] ? { machineId: ascii(f[2]) } : {}),
      hostname: text(field(f, 3)),
      kernel: text(field(f, 4)),
      arch: ascii(field(f, 5)),
      cpus: whole(f[6]),
      ticksPerSecond: Math.max(1, whole(f[7])),
      pids: oneOf(field(f, 8), ["init", "mapped"] as const),
      self: pid(f[9]),
      sshd: pid(f[10]),
      uid: whole(f[11]),
      tier: oneOf(field(f, 12), TIERS),
      kernelBufferBytes: whole(f[13]),
      blind: list(field(f, 14)),
    }),
  },
  Z: {
    fields: 7,
    read: (f) => ({
      kind: "tier",
      ts: bootTime(f[1]),
      tier: oneOf(field(f, 2), TIERS),
      how: oneOf(field(f, 3), ["tampered", "degraded", "recovered"]),
      reason: text(field(f, 4)),
      kernelBufferBytes: whole(f[5]),
      blind: list(field(f, 6)),
    }),
  },
  C: { fields: 3, read: (f) => ({ kind: "clock", boot: bootTime(f[1]), wallNs: wideNumber(f[2]) }) },
  g: { fields: 3, read: (f) => ({ kind: "cgroup", pid: pid(f[1]), path: text(field(f, 2)) }) },
  k: {
    fields: 6,
    read: (f) => ({
      kind: "unix-socket",
      type: oneType(whole(f[1])),
      listening: oneOf(field(f, 2), ["0", "1"]) === "1",
      connections: amount(f[3]),
      path: text(field(f, 4)),
      pids: field(f, 5) === "" ? [] : field(f, 5).split(",", 16).map(pid),
    }),
  },
  e: {
    fields: 4,
    read: (f) =>
      compact<Extract<Observation, { kind: "unix-end" }>>({
        kind: "unix-end",
        unnamed: amount(f[1]),
        more: amount(f[2]),
        why: given(field(f, 3), text),
      }),
  },
  v: { fields: 3, read: (f) => ({ kind: "pid-inside", pid: pid(f[1]), inside: pid(f[2]) }) },
  c: {
    fields: 4,
    read: (f) =>
      compact<Extract<Observation, { kind: "container" }>>({
        kind: "container",
        id: containerId(field(f, 1)),
        name: given(field(f, 2), text),
        image: given(field(f, 3), text),
      }),
  },
  P: { fields: 16, read: (f) => ({ kind: "process", pid: pid(f[1]), facts: procFacts(f, 2) }) },
  N: { fields: 3, read: (f) => ({ kind: "snapshot-end", processes: whole(f[1]), milliseconds: whole(f[2]) }) },
  F: { fields: 4, read: (f) => ({ kind: "fork", ts: bootTime(f[1]), parent: pid(f[2]), pid: pid(f[3]) }) },
  E: { fields: 18, read: (f) => ({ kind: "exec", ts: bootTime(f[1]), pid: pid(f[2]), path: text(field(f, 3)), facts: procFacts(f, 4) }) },
  X: { fields: 3, read: (f) => ({ kind: "exit", ts: bootTime(f[1]), pid: pid(f[2]) }) },
  S: {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "socket" }>>({
        kind: "socket",
        ts: bootTime(f[1]),
        pid: given(field(f, 2), pid),
        from: tcpState(field(f, 3)),
        to: tcpState(field(f, 4)),
        local: endpoint(f, 5),
        remote: endpoint(f, 7),
        sk: given(field(f, 9), ascii),
      }),
  },
  K: {
    fields: 9,
    read: (f) =>
      compact<Extract<Observation, { kind: "socket-found" }>>({
        kind: "socket-found",
        transport: oneOf(field(f, 1), ["tcp", "udp"] as const),
        state: tcpState(field(f, 2)),
        local: endpoint(f, 3),
        remote: endpoint(f, 5),
        uid: whole(f[7]),
        pid: given(field(f, 8), pid),
      }),
  },
  J: {
    fields: 11,
    read: (f) =>
      compact<Extract<Observation, { kind: "socket-polled" }>>({
        kind: "socket-polled",
        ts: bootTime(f[1]),
        gone: oneOf(field(f, 2), ["+", "-"]) === "-",
        transport: oneOf(field(f, 3), ["udp", "raw", "packet"]),
        inode: wideNumber(f[4]).toString(),
        local: endpoint(f, 5),
        remote: endpoint(f, 7),
        uid: whole(f[9]),
        pid: given(field(f, 10), pid),
      }),
  },
  O: {
    fields: 7,
    read: (f) => ({ kind: "datagram", ts: bootTime(f[1]), pid: pid(f[2]), local: endpoint(f, 3), remote: endpoint(f, 5) }),
  },
  "%": {
    fields: 9,
    read: (f) => ({
      kind: "socket-carried",
      ts: bootTime(f[1]),
      local: endpoint(f, 2),
      remote: endpoint(f, 4),
      sent: amount(f[6]),
      received: amount(f[7]),
      rttUs: amount(f[8]),
    }),
  },
  L: {
    fields: 7,
    read: (f) => ({ kind: "login-peer", ts: bootTime(f[1]), pid: pid(f[2]), local: endpoint(f, 3), remote: endpoint(f, 5) }),
  },
  W: {
    fields: 5,
    read: (f) => {
      const nameless = f[2] === "n" ? ("plain" as const) : f[2] === "x" ? ("executable" as const) : undefined;
      const known = Object.hasOwn(CHANGES, field(f, 2)) ? CHANGES[f[2] as keyof typeof CHANGES] : undefined;
      const change = nameless ? "written" : known;
      if (change === undefined) throw new Malformed("not a change");
      const writer = given(field(f, 4), pid);
      return {
        kind: "file",
        ts: bootTime(f[1]),
        change,
        path: text(field(f, 3)),
        ...(writer === undefined ? {} : { pid: writer }),
        ...(nameless ? { nameless } : {}),
      };
    },
  },
  V: {
    fields: 5,
    read: (f) => {
      const held = oneOf(field(f, 3), ["o", "h"]) === "h";
      return { kind: "file-open", ts: bootTime(f[1]), pid: pid(f[2]), path: text(field(f, 4)), ...(held ? { held } : {}) };
    },
  },
  M: {
    fields: 6,
    read: (f) => {
      const signal = given(field(f, 5), whole);
      const how = oneOf(field(f, 2), ["t", "s"]) === "t" ? ("trace" as const) : ("signal" as const);
      return {
        kind: "process-access",
        ts: bootTime(f[1]),
        how,
        by: pid(f[3]),
        pid: pid(f[4]),
        ...(signal === undefined ? {} : { signal }),
      };
    },
  },
  A: { fields: 4, read: (f) => ({ kind: "environment", ts: bootTime(f[1]), pid: pid(f[2]), variables: list(field(f, 3)) }) },
  "=": {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "secret" }>>({
        kind: "secret",
        path: text(field(f, 1)),
        what: oneOf(field(f, 2), SECRET_KINDS),
        uid: whole(f[3]),
        gid: whole(f[4]),
        mode: whole(f[5]),
        size: whole(f[6]),
        publicKey: given(field(f, 7), blob),
        cipher: given(field(f, 8), text),
        hosts: given(field(f, 9), list),
      }),
  },
  I: {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "file-info" }>>({
        kind: "file-info",
        path: text(field(f, 1)),
        size: given(field(f, 2), whole),
        mode: given(field(f, 3), whole),
        uid: given(field(f, 4), whole),
        mtimeNs: given(field(f, 5), wideNumber),
        inode: given(field(f, 6), (value) => wideNumber(value).toString()),
        sha256: given(field(f, 7), digest),
        elf: given(field(f, 8), (value) => value === "1"),
        error: given(field(f, 9), text),
      }),
  },
  w: {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "file-owner" }>>({
        kind: "file-owner",
        path: text(field(f, 1)),
        file: given(field(f, 2), text),
        manager: given(field(f, 3), (value) => oneOf(value, ["dpkg", "rpm"] as const)),
        package: given(field(f, 4), packageWord),
        version: given(field(f, 5), packageWord),
        found: oneFound(field(f, 6)),
        sha256: given(field(f, 7), digest),
        stamp: given(field(f, 8), ascii),
        why: given(field(f, 9), text),
      }),
  },
  U: { fields: 3, read: (f) => ({ kind: "user", uid: whole(f[1]), name: text(field(f, 2)) }) },
  T: {
    fields: 8,
    read: (f) => ({
      kind: "tick",
      ts: bootTime(f[1]),
      lost: whole(f[2]),
      outside: whole(f[3]),
      unmapped: whole(f[4]),
      cpuMs: whole(f[5]),
      rssKb: whole(f[6]),
      queue: whole(f[7]),
    }),
  },
  Y: {
    fields: 5,
    read: (f) => {
      const [id, path] = [whole(f[3]), given(field(f, 4), text)];
      const what = oneOf(field(f, 2), ["p", "n"]) === "p" ? "program" : "connection";
      return { kind: "canary", ts: bootTime(f[1]), what, id, ...(path === undefined ? {} : { path }) };
    },
  },
  "!": { fields: 3, read: (f) => ({ kind: "problem", fatal: f[1] === "1", what: text(field(f, 2)) }) },
};

const FOUND = { s: "same", d: "differs", u: "undigested", n: "none", "=": "unchanged", "?": "unknown" } as const;
function oneFound(value: string): (typeof FOUND)[keyof typeof FOUND] {
  if (!Object.hasOwn(FOUND, value)) throw new Malformed("not a word we know");
  return FOUND[value as keyof typeof FOUND];
}
/** Names and versions of packages as dpkg and rpm allow them: nothing that a screen or a report would have to be guarded against. */
function packageWord(value: string): HostString {
  if (!/^[\w.+:~^-]{1,200}$/.test(value)) throw new Malformed("no package's name or version");
  return value as HostString;
}
function amount(value: string | undefined): number {
  const found = whole(value);
  if (found < 0) throw new Malformed("not an amount");
  return found;
}
function oneOf<const T extends string>(value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Malformed("not a word we know");
  return found;
}
/** Bytes in hexadecimal. @throws Malformed */
function blob(value: string): Buffer {
  if (value.length > 32_768 || !/^(?:[0-9a-f]{2})+$/.test(value)) throw new Malformed("not bytes in hexadecimal");
  return Buffer.from(value, "hex");
}
const list = (value: string) => (value === "" ? [] : value.split("\x1f").map(text));
function digest(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new Malformed("not a sha256");
  return value;
}
function containerId(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new Malformed("not a container's id");
  return value;
}
/** SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET (socket(2)). */
function oneType(value: number): "stream" | "datagram" | "seqpacket" {
  const found = ({ 1: "stream", 2: "datagram", 5: "seqpacket" } as const)[value];
  if (found === undefined) throw new Malformed("not a type of unix sockets");
  return found;
}
/** Identifiers that the kernel writes in plain ASCII; they become keys, so nothing else may stand in them. */
function ascii(value: string): string {
  if (!/^[\w.-]*$/.test(value)) throw new Malformed("not an identifier");
  return value;
}

/** One line, without its newline, one character a byte. @throws Malformed and nothing else */
export function decodeRecord(line: string): Observation {
  const fields = line.split("\t");
  const kind = fields[0] as string;
  const record = Object.hasOwn(RECORDS, kind) ? RECORDS[kind] : undefined;
  if (record === undefined || record.fields !== fields.length) throw new Malformed("not a record");
  return record.read(fields);
}
