import type { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { HostString } from "#model/host-string";
import { forgeableBy, type Past, type PastKind, SET_UP_CATEGORIES, type SetUp } from "#model/past";
import { inventoryDiff } from "#sensors/look/inventory";
import type { LoginFacts } from "#sensors/look/login-facts";
import type { LookBack } from "#sensors/look/past";
import type { LoginState } from "#state/state";

/** Things of the set-up in one event. */
const ITEMS_EACH = 250;
/** Changes of the set-up that are recorded: a host that changes without end is told as such. */
const MOST_CHANGES = 5000;

const CATEGORIES: Record<PastKind, string[]> = {
  login: ["authentication"],
  failed: ["authentication"],
  elevation: ["authentication", "session"],
  account: ["iam"],
  file: ["file"],
  package: ["package"],
  gap: ["host"],
  shell: ["process"],
};

interface Looking {
  append: (draft: EventDraft) => void;
  hostNow: () => string;
  enricher: Enricher;
}

/**
 * What looks at the host came to, as events. They stand in the log at the time of the look: what the host says of the past has its times
 * in `event.start` and `event.end`, so that nothing of it is taken for what a sensor saw.
 */
export class Looked {
  readonly #with: Looking;
  #known: Map<string, SetUp> | undefined;
  #changes = 0;

  constructor(looking: Looking) {
    this.#with = looking;
  }

  past({ rows, more, blind }: LookBack, seconds: number): void {
    for (const row of rows) this.#with.append(this.#remembered(row));
    this.#with.append({
      "@timestamp": this.#with.hostNow(),
      event: { action: "lookback.complete", category: ["host"], type: ["info"] },
      stakeout: { ...SENSOR, looked: { more, blind, seconds } },
    });
  }

  /** The look did not come to anything: the log says so, for nothing found and not looked are not the same. */
  blind(why: string): void {
    this.past({ rows: [], more: {}, blind: [why] }, 0);
  }

  #remembered({ first, last, user, effective, ip, port, path, ...what }: Past): EventDraft {
    const { enricher, hostNow } = this.#with;
    const named = { ...(user === undefined ? {} : { name: user }), ...(effective === undefined ? {} : { effective: { name: effective } }) };
    return {
      "@timestamp": hostNow(),
      event: {
        action: `lookback.${what.kind}`,
        category: CATEGORIES[what.kind],
        type: ["info"],
        ...(what.kind === "login" ? { outcome: "success" } : what.kind === "failed" ? { outcome: "failure" } : {}),
        ...(first > 0 ? { start: isoOf(first) } : {}),
        ...(last > 0 ? { end: isoOf(last) } : {}),
      },
      ...(Object.keys(named).length > 0 ? { user: named } : {}),
      ...(ip === undefined ? {} : { source: enricher.endpoint(ip, port) }),
      ...(path === undefined ? {} : { file: { path, name: path.slice(path.lastIndexOf("/") + 1) as HostString } }),
      stakeout: { ...SENSOR, lookback: { ...what, forgeable_by: forgeableBy(what) } },
    };
  }

  /** The first time the baseline, later what changed since. */
  setUp(now: readonly SetUp[]): void {
    if (!this.#known) {
      this.#known = new Map(now.map((thing) => [thing.id, thing]));
      for (const category of SET_UP_CATEGORIES) {
        const items = now.filter((thing) => thing.category === category);
        for (let at = 0; at === 0 || at < items.length; at += ITEMS_EACH)
          this.#inventory("baseline.inventory", category, items.slice(at, at + ITEMS_EACH));
      }
      return;
    }
    const before = this.#known;
    const { added, removed } = inventoryDiff(before, now);
    for (const [things, action] of [
      [added, "baseline.added"],
      [removed, "baseline.removed"],
    ] as const)
      for (const thing of things) {
        if (action === "baseline.added") before.set(thing.id, thing);
        else before.delete(thing.id);
        if (thing.category === "connection" || this.#changes++ >= MOST_CHANGES) continue; // connections have events of their own
        this.#inventory(action, thing.category, [thing]);
      }
  }

  #inventory(
    action: "baseline.inventory" | "baseline.added" | "baseline.removed",
    category: SetUp["category"],
    things: readonly SetUp[],
  ): void {
    const type = action === "baseline.added" ? "creation" : action === "baseline.removed" ? "deletion" : "info";
    this.#with.append({
      "@timestamp": this.#with.hostNow(),
      event: { action, category: ["configuration"], type: [type] },
      stakeout: { ...SENSOR, inventory: { category, items: things.map(({ category: _, ...item }) => item) } },
    });
  }

  /** What the host tells of a login, held against what its socket says. */
  login({ id, source, user }: LoginState, facts: LoginFacts): void {
    this.#with.append({
      "@timestamp": this.#with.hostNow(),
      event: { action: "login.info", category: ["authentication", "session"], type: ["info"] },
      process: { entity_id: id },
      ...(user ? { user } : {}),
      ...(source ? { source } : {}),
      stakeout: { ...SENSOR, login: facts },
    });
  }
}

const SENSOR = { sensor: "look", tier: "files" } as const;
const isoOf = (millis: number): string => new Date(millis).toISOString();
