import { decodeHostBytes } from "#model/host-string";
import { type Observation, type SocketAddress, type TcpState, TIERS } from "#model/observation";
import { readAudit, withAudit } from "./audit-records.ts";
import { FILE_RECORDS } from "./file-records.ts";
import { procFacts } from "./proc-facts.ts";
import { amount, ascii, compact, type Fields, field, given, list, oneOf, type Records } from "./record-fields.ts";
import { address, bootTime, Malformed, pid, port, text, whole, wideNumber } from "./wire.ts";

const STATES: Record<string, TcpState> = {
  E: "ESTABLISHED",
  S: "SYN_SENT",
  R: "SYN_RECV",
  C: "CLOSE",
  L: "LISTEN",
  T: "TIME_WAIT",
  O: "OTHER",
};
function endpoint(f: Fields, i: number): SocketAddress {
  return { ip: address(f[i]), port: port(f[i + 1]) };
}
function tcpState(value: string): TcpState {
  const state = STATES[value];
  if (state === undefined) throw new Malformed("not a state");
  return state;
}

const RECORDS: Records<Observation> = {
  ...FILE_RECORDS,
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
  a: { fields: 20, read: auditedExec },
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
      const what = ({ p: "program", n: "connection", f: "file", o: "opening" } as const)[oneOf(field(f, 2), ["p", "n", "f", "o"])];
      return { kind: "canary", ts: bootTime(f[1]), what, id, ...(path === undefined ? {} : { path }) };
    },
  },
  "!": {
    fields: 3,
    read: (f) => {
      const about = ({ "0": undefined, "1": undefined, f: "files-lost", p: "passing", t: "tampered" } as const)[
        oneOf(field(f, 1), ["0", "1", "f", "p", "t"])
      ];
      return { kind: "problem", fatal: f[1] === "1", what: text(field(f, 2)), ...(about === undefined ? {} : { about }) };
    },
  },
};

/** An exec with the flags (1: some were left out) and the records of the kernel's auditing, which say what was asked to be executed, too. */
function auditedExec(f: Fields): Observation {
  const audit = readAudit(text(field(f, 19)));
  const facts = withAudit(procFacts(f, 4), (whole(f[18]) & 1) === 0 ? audit : { ...audit, cut: true });
  const path = audit.name?.startsWith("/") ? decodeHostBytes(Buffer.from(audit.name, "latin1")) : text(field(f, 3));
  return { kind: "exec", ts: bootTime(f[1]), pid: pid(f[2]), path: path === "" ? (facts.executable ?? path) : path, facts };
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
/** One line, without its newline, one character a byte. @throws Malformed and nothing else */
export function decodeRecord(line: string): Observation {
  const fields = line.split("\t");
  const kind = fields[0] as string;
  const record = Object.hasOwn(RECORDS, kind) ? RECORDS[kind] : undefined;
  if (record === undefined || fields.length > record.fields || fields.length < (record.least ?? record.fields))
    throw new Malformed("not a record");
  return record.read(fields);
}
