import { expect, test } from "vitest";
import { triedBy } from "./callers.ts";
import { night } from "./testing/night.ts";

test("a beacon is counted at its far end", () => {
  const { state, play } = night();
  for (let i = 0; i < 5; i++) {
    const stakeout = { sensor: "collector", tier: "x", connection: `c${i}` };
    const ends = { source: { ip: "10.0.0.1" }, destination: { ip: "198.51.100.1", port: 443 }, process: { entity_id: "B:11:1" }, stakeout };
    play({ event: { action: "network.start" }, ...ends });
    if (i < 3) play({ event: { action: "network.established" }, ...ends });
    play({ event: { action: "network.end", outcome: i < 3 ? "success" : "failure" }, ...ends });
  }
  expect(state.peers.get("198.51.100.1 443")).toMatchObject({ attempts: 5, established: 3 });
  expect([...state.connections.values()].every(({ phase, process }) => phase === "ended" && process === "B:11:1")).toBe(true);
  expect(triedBy(state, state.connections.values())?.attempts).toBe(5);
});

test("who called a far end how often is told by program, and of more programs than are told apart together", () => {
  const { state, start, play } = night();
  const call = (id: string, pid: number) =>
    play({
      event: { action: "network.start" },
      source: { ip: "10.0.0.1" },
      destination: { ip: "198.51.100.1", port: 443 },
      process: { entity_id: `B:${pid}:1` },
      stakeout: { sensor: "collector", tier: "x", connection: id },
    });
  const of = (...ids: string[]) =>
    triedBy(
      state,
      ids.map((id) => state.connections.get(id)).filter((one) => one !== undefined),
    );
  start(600, 11, "/tmp/one");
  start(601, 11, "/tmp/two");
  for (let i = 0; i < 3; i++) call(`one${i}`, 600);
  for (let i = 0; i < 4; i++) call(`two${i}`, 601);
  call("one3", 600);
  expect([of("one0")?.attempts, of("two0")?.attempts, of("one0", "two0")?.attempts]).toEqual([4, 4, 8]);
  expect(of("one0", "two0")?.tries.counts.reduce((sum, n) => sum + n, 0)).toBe(8);
  expect(state.peers.get("198.51.100.1 443")?.tries.counts.reduce((sum, n) => sum + n, 0)).toBe(8);
  for (let pid = 700; pid < 720; pid++) {
    start(pid, 11, `/tmp/p${pid}`);
    call(`p${pid}`, pid);
  }
  expect(of("p719")).toMatchObject({ attempts: 14, shared: true }); // twenty, of whom six are told apart
  expect(of("p719", "p718", "p700")).toMatchObject({ attempts: 15, shared: true });
  expect(of("one0")?.shared).toBeUndefined();
  start(800, 11, "/tmp/beacon");
  for (let i = 0; i < 50; i++) call(`beacon${i}`, 800);
  expect(of("beacon0")).toMatchObject({ attempts: 64, shared: true });
  expect(of("beacon0")?.tries.counts.reduce((sum, n) => sum + n, 0)).toBe(64);
  expect(of("one0")?.attempts).toBe(4);
});

test("a scan of thousands of far ends leaves a beacon's count as it was", () => {
  const { state, play } = night();
  let n = 0;
  const call = (ip: string) =>
    play({
      event: { action: "network.start" },
      source: { ip: "10.0.0.1" },
      destination: { ip, port: 443 },
      process: { entity_id: "B:11:1" },
      stakeout: { sensor: "collector", tier: "x", connection: `c${n++}` },
    });
  for (let i = 0; i < 5; i++) call("198.51.100.1");
  for (let i = 0; i < 20_100; i++) call(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  call("198.51.100.1");
  expect(state.peers.get("198.51.100.1 443")?.attempts).toBe(6);
  expect(state.peers.size).toBe(20_000);
});
