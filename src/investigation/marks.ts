import type { StakeoutEvent, Verdict } from "#model/event";
import type { State } from "#state/state";
import type { Millis } from "#state/time";

/** A moment of a session that is worth jumping to. */
export interface Mark {
  kind: "tag" | "isolate" | "release" | "login" | "binary" | "sensor" | "finding";
  /** Of a tag. */
  verdict?: Verdict;
  at: Millis;
  /** Place of its event in the log, from 0. */
  index: number;
  /** What happened, a few words; may hold host text. */
  text: string;
}

/** A host can log in and drop files without end; decisions and sensors are always kept. */
const MOST_FROM_HOST = 5000;

/** Finds the marks while a session is reduced: what was there when we came is no mark. */
export class MarkFinder {
  readonly marks: Mark[] = [];
  #fromHost = 0;
  #logins = 0;
  #binaries = 0;
  #settled = false;

  /** To be called with each event after it was reduced into `state`. */
  look(event: StakeoutEvent, index: number, state: State): void {
    const { action } = event.event;
    const newLogin = state.counts.logins > this.#logins;
    const newBinary = state.counts.binaries > this.#binaries;
    this.#logins = state.counts.logins;
    this.#binaries = state.counts.binaries;
    if (action === "process.start" || action === "process.end" || action === "process.fork") {
      if (!newLogin && !newBinary) return; // most of a session, and never a mark by itself
    }
    const at = Date.parse(event["@timestamp"]);
    const { tag, response, report } = event.stakeout;
    if (action === "baseline.complete") this.#settled = true;
    else if (action === "tag.apply" && tag)
      this.marks.push({ kind: "tag", verdict: tag.verdict, at, index, text: `tagged ${tag.verdict}: ${tag.reason}` });
    else if (action === "finding.create" && event.stakeout.finding)
      this.#host({ kind: "finding", at, index, text: `finding (${event.stakeout.finding.level}): ${event.stakeout.finding.title}` });
    else if (action === "tag.remove") this.marks.push({ kind: "tag", at, index, text: "a tag was taken back" });
    else if (action === "response.succeeded" && (response?.kind === "isolate" || response?.kind === "release"))
      this.marks.push({
        kind: response.kind,
        at,
        index,
        text: response.kind === "isolate" ? "the host was isolated" : "the host was released",
      });
    else if (event.stakeout.sensor === "isolation") return;
    else if (action === "sensor.lost" || action === "sensor.degraded" || action === "sensor.tampered")
      this.marks.push({ kind: "sensor", at, index, text: `sensor ${action.slice(7)}${report?.reason ? `: ${report.reason}` : ""}` });
    if (!this.#settled || this.#fromHost >= MOST_FROM_HOST) return;
    if (newLogin) this.#host({ kind: "login", at, index, text: `login ${event.user?.name ?? "?"}@${event.source?.ip ?? "?"}` });
    else if (newBinary)
      this.#host({ kind: "binary", at, index, text: `new binary ${event.file?.path ?? event.process?.executable ?? "?"}` });
  }

  #host(mark: Mark): void {
    this.#fromHost += 1;
    this.marks.push(mark);
  }
}
