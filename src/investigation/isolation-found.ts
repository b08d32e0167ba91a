import type { EventDraft, Finding } from "#model/event";
import { ON_DISK } from "#state/decisions";
import type { State } from "#state/state";

/** The id of a response that an earlier session left on the host. */
export const FOUND = "found";

interface FoundOptions {
  state: State;
  append: (draft: EventDraft) => void;
  /** RFC 3339: the host's time now. */
  hostNow: () => string;
  changed: () => void;
}

/** What a look at the host's own tables and disk says of an isolation that this session did not make, or made and lost. */
export class IsolationFound {
  readonly #options: FoundOptions;

  constructor(options: FoundOptions) {
    this.#options = options;
  }

  /**
   * The host is isolated, and not by us. It stands in the log at the time at which it was found; who did it, and by a plan of when
   * (`since`), is the host's own word, which root can forge. `onDisk`: files by which it stands through a reboot.
   */
  isolated(found: { analyst?: string; session?: string; since?: string; allowed: string[] }, onDisk: readonly string[] = []): void {
    const { append, hostNow, changed } = this.#options;
    append({
      "@timestamp": hostNow(),
      event: { action: "baseline.isolation", category: ["configuration"], type: ["info"] },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        ...(found.analyst === undefined ? {} : { analyst: found.analyst }),
        response: { id: FOUND, kind: "isolate", ...(onDisk.length > 0 ? { keeps: "boot", on_disk: [...onDisk] } : {}) },
        isolated_by: { ...found },
      },
    });
    changed();
  }

  /** Rules of somebody else's already cut the host off, by an EDR or by hand: named, and left alone. */
  foreign(words: readonly string[]): void {
    for (const [i, title] of words.entries()) this.#alert({ id: `foreign-${i + 1}`, rule: "foreign-isolation", title, level: "medium" });
    this.#options.changed();
  }

  /** The host is not isolated, and would be at its next boot: an isolation is on its disk, as its files say made by `analyst`. */
  onDisk(found: { nonce: string; analyst?: string; since?: string }): void {
    const by = `${found.analyst ?? "somebody"}${found.since === undefined ? "" : ` at ${found.since}`}`;
    const title = `The host is not isolated, but would be at its next boot: an isolation by ${by} is on its disk. 'Take off the disk' in the palette removes it`;
    this.#alert({ id: `isolation-on-disk-${found.nonce}`, rule: ON_DISK, title, level: "high" });
    this.#options.changed();
  }

  /**
   * An isolation is gone without our doing: nobody proved it in time and the host's dead man undid it, or somebody else released it; or, and
   * then an alarm says so, it was `rebooted`: nobody has cut it since, and whether it sent anything before we were back nobody saw.
   */
  released(rebooted = false): void {
    const { state, append, hostNow, changed } = this.#options;
    const { isolated } = state;
    append({
      "@timestamp": hostNow(),
      event: {
        action: "baseline.isolation",
        category: ["configuration"],
        type: ["info"],
        reason: rebooted
          ? "the isolation is gone: the host was started anew, and it ended with that"
          : "the isolation is gone: its dead man undid it, somebody released it, or the host was started anew",
      },
      stakeout: { sensor: "console", tier: "analyst", response: { id: isolated?.response ?? FOUND, kind: "release" } },
    });
    if (rebooted && isolated) {
      const title =
        "The host was started anew while it was isolated: it is not isolated any more, and can talk to everybody. Isolate it anew.";
      this.#alert({ id: `${isolated.response}-rebooted`, rule: "isolation-ended", title, level: "critical" });
    }
    changed();
  }

  /** A finding about the host as a whole: no process and no technique is in it. */
  #alert(finding: Pick<Finding, "id" | "rule" | "title" | "level">): void {
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action: "finding.create", kind: "alert", category: ["configuration"], type: ["info"] },
      stakeout: { sensor: "console", tier: "analyst", finding: { ...finding, technique: [], entities: [] } },
    });
  }
}
