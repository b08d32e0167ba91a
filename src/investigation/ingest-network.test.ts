import { expect, test } from "vitest";
import type { Observation } from "#model/observation";
import { C2, INTRUDER, ingested, intrusion, LOCAL, S, snapshot, tick } from "#testing/observed-host";

test("the login's connection goes over from the listener to the sshd that serves it", () => {
  const { of } = ingested([...snapshot, ...intrusion]);
  const established = of("network.established")[0];
  expect(established).toMatchObject({ process: { pid: 1 }, network: { direction: "ingress" }, source: INTRUDER, destination: LOCAL });
  expect(of("login.attributed")[0]).toMatchObject({ process: { pid: 70 }, stakeout: { connection: established?.stakeout["connection"] } });
});

test("an outgoing connection is one thing from attempt to end, joined by the kernel's socket, with its owner", () => {
  const out = (port: number) => ({ ip: "10.0.0.5", port });
  const { of } = ingested([
    ...snapshot,
    ...intrusion,
    { kind: "socket", ts: 103 * S, sk: "x", pid: 72, from: "CLOSE", to: "SYN_SENT", local: out(0), remote: C2 },
    { kind: "socket", ts: 103.01 * S, sk: "y", pid: 7, from: "CLOSE", to: "SYN_SENT", local: out(0), remote: C2 },
    { kind: "socket", ts: 103.1 * S, sk: "y", from: "SYN_SENT", to: "ESTABLISHED", local: out(50_001), remote: C2 },
    { kind: "socket", ts: 104 * S, sk: "x", from: "SYN_SENT", to: "CLOSE", local: out(50_000), remote: C2 },
    { kind: "socket", ts: 105 * S, sk: "y", from: "ESTABLISHED", to: "CLOSE", local: out(50_001), remote: C2 },
  ]);
  const [x, y] = of("network.start");
  expect([x?.process?.pid, y?.process?.pid]).toEqual([72, 7]);
  const ends = of("network.end");
  expect(ends[0]).toMatchObject({
    event: { outcome: "failure", duration: 1e9 },
    process: { pid: 72 },
    stakeout: { connection: x?.stakeout["connection"] },
  });
  expect(ends[1]).toMatchObject({
    event: { outcome: "success" },
    process: { pid: 7 },
    source: out(50_001),
    stakeout: { connection: y?.stakeout["connection"] },
  });
  expect(of("network.established").at(-1)?.stakeout["connection"]).toBe(y?.stakeout["connection"]);
});

test("a connection whose end was lost has ended when another takes its place, and does not stand as open for good", () => {
  const at = { ip: "10.0.0.5", port: 51_000 };
  const goes = (ts: number, sk: string, local = at): Observation[] => [
    { kind: "socket", ts: ts * S, sk, pid: 72, from: "CLOSE", to: "SYN_SENT", local: { ...local, port: 0 }, remote: C2 },
    { kind: "socket", ts: (ts + 0.1) * S, sk, from: "SYN_SENT", to: "ESTABLISHED", local, remote: C2 },
  ];
  const here = { ip: "127.0.0.1", port: 51_000 };
  const { of } = ingested([
    ...snapshot,
    ...intrusion,
    ...goes(103, "q"),
    ...goes(105, "r"), // the same ends
    ...goes(107, "r", { ...at, port: 51_001 }), // the same socket of the kernel's
    ...goes(109, "l1", here),
    ...goes(111, "l2", here), // in two containers both can be
  ]);
  const names = of("network.start").map(({ stakeout }) => stakeout["connection"]);
  expect(of("network.end").map(({ stakeout, event }) => [stakeout["connection"], event.outcome, stakeout.unseen])).toEqual([
    [names[0], "unknown", { "@timestamp": "lost" }],
    [names[1], "unknown", { "@timestamp": "lost" }],
  ]);
});

test("a connection whose owner the kernel did not tell says so", () => {
  const { of } = ingested([
    ...snapshot,
    { kind: "socket", ts: 103 * S, sk: "x", from: "CLOSE", to: "SYN_SENT", local: { ip: "10.0.0.5", port: 0 }, remote: C2 },
  ]);
  expect(of("network.start")[0]?.process).toBeUndefined();
  expect(of("network.start")[0]?.stakeout.unseen).toEqual({ process: "raced", "source.port": "raced" });
});

test("what goes to one far end by UDP is one row until it was silent; a socket that stays takes it over", () => {
  const DNS = { ip: "198.51.100.53", port: 53 };
  const sent = (at: number, pid = 7, remote = DNS): Observation => ({
    kind: "datagram",
    ts: at * S,
    pid,
    local: { ip: "0.0.0.0", port: 40_000 },
    remote,
  });
  const polled = (at: number, gone: boolean): Observation => ({
    kind: "socket-polled",
    ts: at * S,
    gone,
    transport: "udp",
    inode: "9",
    local: { ip: "10.0.0.5", port: 40_000 },
    remote: C2,
    uid: 0,
    pid: 7,
  });
  const told = ingested([
    ...snapshot,
    sent(101),
    sent(101.001),
    sent(103),
    tick(107),
    sent(107.5, 5),
    tick(109),
    sent(110),
    sent(111, 7, C2),
    polled(112, false),
    tick(130),
    polled(131, true),
  ]).drafts.filter(({ network }) => network?.transport === "udp");
  expect(told.map(({ event, process, destination }) => [event.action, process?.pid, destination?.ip, event.duration])).toEqual([
    ["network.start", 7, DNS.ip, undefined],
    ["network.start", 5, DNS.ip, undefined],
    ["network.end", 7, DNS.ip, 2e9],
    ["network.start", 7, C2.ip, undefined],
    ["network.established", 7, C2.ip, undefined],
    ["network.start", 7, DNS.ip, undefined],
    ["network.end", 5, DNS.ip, 0],
    ["network.end", 7, DNS.ip, 0],
    ["network.end", 7, C2.ip, 20e9],
  ]);
});

test("what a connection has carried is told with both ends' bytes, and again with its end", () => {
  const ends = { local: { ip: "10.0.0.5", port: 40_123 }, remote: C2 };
  const { drafts } = ingested([
    ...snapshot,
    { kind: "socket", ts: 101 * S, sk: "c", pid: 7, from: "CLOSE", to: "SYN_SENT", ...ends },
    { kind: "socket", ts: 101.1 * S, sk: "c", from: "SYN_SENT", to: "ESTABLISHED", ...ends },
    { kind: "socket-carried", ts: 105 * S, ...ends, sent: 5000, received: 70, rttUs: 1500 },
    { kind: "socket-carried", ts: 105 * S, local: ends.local, remote: INTRUDER, sent: 1, received: 1, rttUs: 1 }, // of nothing that is open
    { kind: "socket", ts: 106 * S, sk: "c", from: "ESTABLISHED", to: "CLOSE", ...ends },
  ]);
  const told = drafts.filter(({ destination }) => destination?.ip === C2.ip);
  expect(
    told.map(({ event, source, destination, stakeout }) => [event.action, source?.bytes, destination?.bytes, stakeout["rtt"]]),
  ).toEqual([
    ["network.start", undefined, undefined, undefined],
    ["network.established", undefined, undefined, undefined],
    ["network.info", 5000, 70, 1_500_000],
    ["network.end", 5000, 70, 1_500_000],
  ]);
  expect(drafts.filter(({ event }) => event.action === "network.info")).toHaveLength(1);
});

test("a name that is looked up aims UDP sockets at its addresses and sends nothing: that is no row, where TCP shows it", () => {
  const aimed = (at: number, remote: { ip: string; port: number }): Observation => ({
    kind: "datagram",
    ts: at * S,
    pid: 7,
    local: { ip: "0.0.0.0", port: 40_000 },
    remote,
  });
  const told = ingested([
    ...snapshot,
    aimed(101, C2),
    { kind: "socket", ts: 101.1 * S, sk: "c", pid: 7, from: "CLOSE", to: "SYN_SENT", local: { ip: "10.0.0.5", port: 0 }, remote: C2 },
    aimed(101.2, { ip: "127.0.0.1", port: 22 }), // where sshd listens, by TCP alone
    aimed(101.3, { ip: "127.0.0.1", port: 53 }), // where nobody listens
    tick(102),
  ]).drafts.filter(({ network }) => network?.transport === "udp");
  expect(told.map(({ event, destination }) => [event.action, destination?.ip, destination?.port])).toEqual([
    ["network.start", "127.0.0.1", 53],
  ]);
});
