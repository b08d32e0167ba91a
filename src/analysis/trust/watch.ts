import type { EventDraft, StakeoutEvent } from "#model/event";
import { isHidden } from "#state/lineage";
import type { State } from "#state/state";
import { ABUSE, callsSuspect, isShellFile, suspectAt } from "./abuse.ts";
import { AccountWatch } from "./accounts.ts";
import { EnvironmentWatch } from "./environment.ts";
import { LOOKING } from "./looking.ts";
import { tellingEnvironment } from "./own-environment.ts";
import { isTrusted, processOf, type Scene, type Suspicion, sceneOf, whoOf } from "./scene.ts";

const RULES = [...ABUSE, ...LOOKING];
/** Events that a rule looks at: most of a host's are forks and ends. */
const LOOKED_AT = new Set<string>([
  "process.start",
  "process.access",
  "process.change",
  "file.access",
  "file.creation",
  "file.change",
  "network.start",
  "network.established",
  "login.start",
  "login.info",
]);
/** What may turn out to be an abuse once a tag says whose it was: these are kept for a while, and looked at again with each tag. */
const KEPT_ACTIONS = new Set<string>(["process.access", "process.change", "file.access", "file.change", "file.creation"]);
const MOST_KEPT = 500;
/** Occasions that are remembered, so that each is raised once. */
const MOST_RAISED = 20_000;
/** Things of one login that one rule brings back one by one; then the whole login comes back. */
const MOST_APART = 20;

/**
 * Tagged, but not trusted: looks at each event after the state has taken it in, and gives what is to be found in it. Live only; a replay
 * has the findings in its log. It reads no clock: the same events give the same findings.
 */
export class TrustWatch {
  readonly #raised = new Set<string>();
  readonly #apart = new Map<string, number>();
  readonly #environment = new EnvironmentWatch();
  readonly #accounts = new AccountWatch();
  #recent: StakeoutEvent[] = [];
  #count = 0;

  look(state: State, event: StakeoutEvent): EventDraft[] {
    const { action } = event.event;
    if (action === "tag.apply") return this.#lookAgain(state, event);
    if (!LOOKED_AT.has(action)) return [];
    if (KEPT_ACTIONS.has(action) && (!action.startsWith("file.c") || isShellFile(event.file?.path ?? ""))) {
      this.#recent.push(event);
      if (this.#recent.length > 2 * MOST_KEPT) this.#recent = this.#recent.slice(-MOST_KEPT);
    }
    const scene = sceneOf(state, event);
    const found = this.#suspicions(scene).filter((one) => this.#isNew(state, one));
    return found.map((one) => this.#draft(scene, one));
  }

  /** A tag says of the past too whose it was: what was done to it before, and whom it called. */
  #lookAgain(state: State, tag: StakeoutEvent): EventDraft[] {
    const drafts: EventDraft[] = [];
    for (const event of this.#recent) {
      const scene = sceneOf(state, event);
      for (const one of this.#suspicions(scene))
        if (this.#isNew(state, one, true)) drafts.push({ ...this.#draft(scene, one), "@timestamp": tag["@timestamp"] });
    }
    for (const login of state.logins.values()) {
      const one = this.#accounts.sameKey(state, login);
      if (one && this.#isNew(state, one, true)) drafts.push(this.#draft({ state, event: tag, actor: processOf(state, login.id) }, one));
    }
    const suspects = new Map<string, string | undefined>();
    const at = (ip: string) => {
      if (!suspects.has(ip)) suspects.set(ip, suspectAt(state, ip));
      return suspects.get(ip);
    };
    for (const connection of state.connections.values()) {
      const actor = processOf(state, connection.process);
      if (connection.direction !== "egress" || connection.phase === "listening" || !isTrusted(actor)) continue;
      const one = callsSuspect({ state, actor }, connection.destination.ip, at);
      if (one && this.#isNew(state, one, true)) drafts.push(this.#draft({ state, event: tag, actor }, one));
    }
    return drafts;
  }

  #suspicions(scene: Scene): Suspicion[] {
    const found: Suspicion[] = [];
    for (const rule of RULES) {
      const one = rule(scene);
      if (one) found.push(one);
    }
    found.push(...this.#environment.look(scene), ...tellingEnvironment(scene), ...this.#accounts.look(scene));
    return found;
  }

  /** Once for each occasion, and again when a tag has hidden since what it brought back; what was there before the tag (`past`) once. */
  #isNew(state: State, { rule, about, exposes = [] }: Suspicion, past = false): boolean {
    const key = `${rule} ${about}`;
    const out = exposes.some((id) => isHidden((state.processes.get(id) ?? state.logins.get(id))?.standing ?? "unknown"));
    if (this.#raised.has(key) && (past || !out)) return false;
    // the whole login is in view for it already
    if (!out && exposes.length > 0 && exposes.every((id) => (this.#apart.get(apartKey(state, rule, id)) ?? 0) > MOST_APART)) return false;
    if (this.#raised.size >= MOST_RAISED) this.#raised.clear();
    this.#raised.add(key);
    return true;
  }

  #draft({ state, event, actor }: Scene, { about: _, ...given }: Suspicion): EventDraft {
    const exposes = given.exposes && this.#wider(state, given.rule, given.exposes);
    const entities = [...new Set(given.entities)];
    return {
      "@timestamp": event["@timestamp"],
      event: { action: "finding.create", category: ["intrusion_detection"], type: ["info"], kind: "alert", reason: given.title },
      ...(actor ? { process: { entity_id: actor.id, pid: actor.pid } } : {}),
      stakeout: {
        sensor: "analysis",
        tier: "trust",
        finding: { id: `f${++this.#count}`, ...given, entities, ...(exposes ? { exposes } : {}) },
      },
    };
  }

  /** Who abuses one process after the other gets the whole login shown, and cannot fill the log with findings. */
  #wider(state: State, rule: string, exposes: readonly string[]): string[] {
    return exposes.map((id) => {
      const process = state.processes.get(id);
      if (!process) return id;
      const key = apartKey(state, rule, id);
      const times = (this.#apart.get(key) ?? 0) + 1;
      if (this.#apart.size >= MOST_RAISED) this.#apart.clear();
      this.#apart.set(key, times);
      return times > MOST_APART && process.login !== undefined ? process.login : id;
    });
  }
}

function apartKey(state: State, rule: string, id: string): string {
  const process = state.processes.get(id);
  return `${rule} ${process ? whoOf(process) : id}`;
}
