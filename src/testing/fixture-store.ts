import type { SharedIntent } from "#commands/intent";
import type { Message, ViewMeta, ViewStore } from "#draw/store";
import type { ResponseProgress } from "#model/response-progress";
import type { State } from "#state/state";
import { FIXTURE_NOW } from "./fixture-state.ts";

/** A store that a test holds in its hand: what the screen proposes is kept, what it shows is set. */
export class FixtureStore implements ViewStore {
  readonly proposed: SharedIntent[] = [];
  state: State;
  meta: ViewMeta = { mode: "live", hostLabel: "10.0.4.17", sessionPath: "sessions/2026-11-24T20-57-51Z-devbox", analyst: "jm" };
  dialog: ResponseProgress | undefined;
  message: Message | undefined;
  clock = FIXTURE_NOW;
  #version = 0;
  #snapshot = { version: 0 };
  readonly #listeners = new Set<() => void>();

  constructor(state: State) {
    this.state = state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  getSnapshot(): { version: number } {
    return this.#snapshot;
  }
  now(): number {
    return this.clock;
  }
  propose(intent: SharedIntent): void {
    this.proposed.push(intent);
  }

  /** Tells the screen that something changed. */
  publish(): void {
    this.#snapshot = { version: ++this.#version };
    for (const listener of this.#listeners) listener();
  }
  show(dialog: ResponseProgress | undefined): void {
    this.dialog = dialog;
    this.publish();
  }
}

/** A plan to isolate the night's host, as an investigation would hand it over. */
export function isolatePlan(more: Partial<ResponseProgress> = {}): ResponseProgress {
  const script = [
    "table inet stakeout_1f3a {",
    "\tset analysts { type ipv4_addr; elements = { 10.0.4.2, 10.0.4.3 } }",
    "\tchain in  { type filter hook prerouting priority -400; policy drop;",
    '\t\tiifname "lo" accept',
    "\t\tip saddr @analysts tcp dport 22 accept",
    "\t}",
    "\tchain out { type filter hook output priority -400; policy drop;",
    '\t\toifname "lo" accept',
    "\t\tip daddr @analysts tcp sport 22 accept",
    "\t}",
    "}",
    "table netdev stakeout_1f3a {",
    '\tchain eth0_out { type filter hook egress device "eth0" priority -400; policy drop;',
    "\t\tarp daddr ip 10.0.4.1 accept",
    "\t\tip daddr @analysts tcp sport 22 accept",
    "\t}",
    "}",
  ];
  return {
    id: "r1",
    kind: "isolate",
    by: "jm",
    phase: "review",
    method: "nft inet + netdev egress and ingress, one transaction",
    plan: script.join("\n"),
    plan_sha256: "5be1c0aa93f7d4e2".repeat(4),
    allowed: ["10.0.4.2 to port 22 (this console)", "10.0.4.3 to port 22 (second analyst)"],
    dies: [
      ".kx9fq2vz 4802 → 203.0.113.66:443 CN Guangzhou",
      "qzjw81xk 4811 → 203.0.113.66:4444 CN Guangzhou",
      "sshd 4711 ← 185.220.101.47:51234 RU Saint Petersburg",
      "nginx 645 → 10.0.4.30:5432 private",
    ],
    survives: ["sshd 3000 ← 10.0.4.2:50022 this console"],
    leaks: ["A program that listens by AF_PACKET still hears what arrives; it cannot answer."],
    keepsAccess: true,
    deadMan: "if access is not verified within 60 s, the host releases itself",
    steps: [],
    ...more,
  };
}

/** The same response after it ran. */
export function isolateDone(more: Partial<ResponseProgress> = {}): ResponseProgress {
  const step = (name: string, milliseconds: number) => ({ name, status: "ok" as const, milliseconds });
  return isolatePlan({
    phase: "succeeded",
    steps: [
      step("nft -c: the kernel accepts the ruleset", 3.1),
      step("dead man armed (60 s)", 1.9),
      step("nft -f: applied in one transaction", 4.2),
      step("a way back in", 38.4),
      step("own counters: no packet of others for 1 s", 1003),
      step("dead man stood down", 1.1),
    ],
    verified: { access: true, cut: true },
    milliseconds: 4.2,
    ...more,
  });
}
