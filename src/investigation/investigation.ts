import { ChangedFiles } from "#analysis/changed-file";
import type { Enricher } from "#analysis/enrich";
import { TrustWatch } from "#analysis/trust/watch";
import { outsideScope } from "#model/authority";
import type { EventDraft, Finding, Response, ResponseKind, Selector, StakeoutEvent, Verdict } from "#model/event";
import type { EvidenceSink } from "#model/evidence";
import type { HostString } from "#model/host-string";
import { type IsolationChoice, type Measure, PLAIN_CHOICE } from "#model/measure";
import type { Observation } from "#model/observation";
import type { PackageList } from "#model/package-list";
import type { SetUp } from "#model/past";
import { cardSentence, type StartCard } from "#model/start-card";
import { EventLog } from "#session/event-log";
import { evidenceFolder } from "#session/evidence-folder";
import { type SessionFolder, saveAbout, saveAboutNow } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { partnersOf } from "#state/selectors";
import type { State } from "#state/state";
import { awayWords } from "./away-words.ts";
import { isoOfMicros } from "./clock-map.ts";
import { CommandDesk, type RunCommand } from "./commands.ts";
import { ALONE, type Colleagues } from "./confirmations.ts";
import { FindingDesk } from "./findings.ts";
import { Ingest } from "./ingest.ts";
import type { Returned } from "./ingest-away.ts";
import type { AskOwner } from "./ingest-owners.ts";
import { IsolationKeeper } from "./isolation-keeper.ts";
import { Looked } from "./looked.ts";
import { People } from "./people.ts";
import type { PrepareResponse } from "./prepared.ts";
import { Publisher } from "./publisher.ts";
import { ResponseDesk } from "./responses.ts";
import { TagDesk, type TagKeeper } from "./tags.ts";
import { particulars, suspects } from "./targets.ts";

/** The id of a response that an earlier session left on the host. */
export const FOUND = "found";

const MOST_HELD = 100_000;

/** Characters that may wait for the disk: a second of a flood. With more the reading stands still until all of it is there. */
const MOST_WAITING = 16 << 20;
/** A stand-still of the reading that is worth an event, milliseconds. */
const STOOD_STILL_MS = 1000;

/** All that an investigation touches outside itself. */
export interface InvestigationOptions {
  folder: SessionFolder;
  enricher: Enricher;
  /** Who opens the session; whoever acts in it is named with each act. */
  analyst: string;
  /** Who else may confirm; nobody when left out. */
  colleagues?: Colleagues;
  /** What is known before anybody is asked: the options of a script. */
  card?: StartCard;
  /** What is recorded of how the host was reached. */
  connection: object;
  version: string;
  /** Milliseconds since the epoch: the console's clock. */
  now: () => number;
  prepareResponse: PrepareResponse;
  /** Looks anew whether the host is cut off, in words for a customer; left out where there is nothing to ask. */
  checkCut?: () => Promise<{ cut: boolean; words: string[] }>;
  /** Asks the running collector for the facts of a file. */
  askFileInfo: (path: HostString, pid: number) => void;
  /** Asks the running collector which package a file belongs to; false when it cannot now. */
  askOwner?: AskOwner;
  /** What the distribution ships, from a place that the host could not edit. */
  packages?: PackageList | undefined;
  /** Asks the running collector for unix sockets; false when none runs. */
  askSockets?: () => boolean;
  /** True for a connection that the console made. */
  isOurs: (peer: { ip: string; port: number }) => boolean;
  /** Runs a command of an analyst's own; left out where nothing can be run. */
  runCommand?: RunCommand;
  /** Remembers tags of a wider scope than the session. */
  keeper?: TagKeeper;
  /** Somebody has come in: `pid` serves the login, `first` is the first process of whoever it is. */
  onLogin?: (login: { id: string; pid: number; first: number }) => void;
  /** A file changed in one of the folders that are watched. */
  onWritten?: (path: HostString) => void;
  /** Called with a sentence once the host is seen again after a time away, and all of it has been compared. */
  onReturned?: (words: string, rebooted: boolean) => void;
  /** Called once when the log can no longer be written: from then on nothing is taken in, and nothing is done to the host. */
  onUnrecorded?: (what: string) => void;
  /** Each line as it stands in the log, without its newline, once the state has taken the event in. */
  onEvent?: (line: string, event: StakeoutEvent, state: State) => void;
}

/**
 * One live investigation: observations become events, events become state, and what an analyst decides becomes an event too. Only this
 * appends to the log.
 */
export class Investigation {
  readonly state: State = emptyState();
  readonly publisher = new Publisher();
  readonly responses: ResponseDesk;
  readonly #keeper: IsolationKeeper;
  readonly people: People;
  readonly findings: FindingDesk;
  readonly tags: TagDesk;
  readonly commands: CommandDesk;
  /** What looks at the host came to. */
  readonly looked: Looked;
  readonly #options: InvestigationOptions;
  readonly #log: EventLog;
  readonly #ingest: Ingest;
  readonly #trust = new TrustWatch();
  readonly #changedFiles = new ChangedFiles();
  /** Host's clock minus ours, milliseconds. */
  #offset = 0;
  /** Whose session it is; the start card may name another than the options did. */
  #analyst: string;
  /** Observations that are kept back while a release is carried out. */
  #held: Observation[] | undefined;
  /** When the sensor last said something, and when it had before we were away: milliseconds on the host's clock. */
  #heardAt = 0;
  #away: { since: number; connection: object | undefined } | undefined;
  #ended = false;
  #unrecorded: string | undefined;

  private constructor(options: InvestigationOptions, log: EventLog) {
    this.#options = options;
    this.#analyst = options.card?.analyst ?? options.analyst;
    this.#log = log;
    this.#ingest = new Ingest({
      enricher: options.enricher,
      askFileInfo: options.askFileInfo,
      askOwner: options.askOwner,
      packages: options.packages,
      isOurs: options.isOurs,
      emit: (draft) => this.#append(draft),
      onHost: (host) => log.setHost(host),
      ...(options.onWritten ? { onWritten: options.onWritten } : {}),
      onLogin: ({ id, ours, pid, first }) => {
        options.onLogin?.({ id, pid, first });
        if (ours) this.tags.own(id, this.#analyst);
      },
      onReturned: (returned) => this.#returned(returned),
    });
    this.responses = new ResponseDesk({
      prepare: options.prepareResponse,
      colleagues: options.colleagues ?? ALONE,
      two: () => this.state.twoPeople,
      append: (draft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      hostMillis: () => this.hostMillis(),
      blocked: () => this.#unrecorded,
      changed: () => this.publisher.now(),
      evidence: () => this.#evidence(),
      isolated: (response, analyst, watch) => this.#keeper.begin(response, analyst, watch),
      releasing: (over) => this.#keeper.releasing(over),
      hold: (on) => this.#hold(on),
    });
    this.tags = new TagDesk({
      state: this.state,
      append: (draft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      changed: () => this.publisher.now(),
      ...(options.keeper ? { keeper: options.keeper } : {}),
    });
    this.commands = new CommandDesk({
      run: options.runCommand,
      append: (draft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      changed: () => this.publisher.now(),
      blocked: () => this.#unrecorded,
    });
    this.#keeper = new IsolationKeeper({
      state: this.state,
      append: (draft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      offset: () => this.#offset,
      changed: () => this.publisher.changed(),
    });
    this.looked = new Looked({
      append: (draft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      enricher: options.enricher,
    });
    const desk = {
      state: this.state,
      append: (draft: EventDraft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      changed: () => this.publisher.now(),
    };
    this.people = new People(desk);
    this.findings = new FindingDesk(desk);
  }

  static async open(options: InvestigationOptions): Promise<Investigation> {
    const { folder, now } = options;
    const opened: { investigation?: Investigation } = {};
    const onFailure = (error: Error) => {
      if (opened.investigation) opened.investigation.#unrecordable(error);
    };
    const log = await EventLog.create({ file: folder.events, session: folder.about.session, now, onFailure });
    log.setHost({ id: "unknown", name: folder.about.host.name as HostString });
    const investigation = new Investigation(options, log);
    opened.investigation = investigation;
    investigation.#append({
      "@timestamp": investigation.hostNow(),
      event: { action: "session.start", category: ["session"], type: ["start"] },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        analyst: investigation.#analyst,
        ...(options.card ? { card: options.card } : {}),
        version: options.version,
        connection_made: options.connection,
        geo: options.enricher.source,
      },
    });
    return investigation;
  }

  #unrecordable(error: Error): void {
    this.#unrecorded = `The session can no longer be recorded in ${this.#options.folder.path}: ${error.message}. What was recorded until then is whole; free space, or start a new session with --sessions DIR.`;
    this.#options.onUnrecorded?.(this.#unrecorded);
    this.publisher.now();
  }

  /** Milliseconds since the epoch on the host's clock, as far as it is known. */
  hostMillis(): number {
    return this.#options.now() + this.#offset;
  }

  hostNow(): string {
    return isoOfMicros(this.hostMillis() * 1000);
  }

  /**
   * Takes in what a sensor saw. Where a promise is returned, too much waits for the disk: whoever reads from the host reads on when it
   * has resolved. Until then the host's own buffers fill, and what they cannot hold the sensor counts as lost.
   */
  observe(observations: readonly Observation[]): Promise<void> | undefined {
    if (this.#ended || this.#unrecorded) return undefined;
    this.#heardAt = this.hostMillis();
    if (this.#held) {
      for (const observation of observations) this.#held.push(observation);
      if (this.#held.length > MOST_HELD) this.#hold(false); // the order of a few lines is worth less than our memory
      return undefined;
    }
    for (const observation of observations) {
      if (observation.kind === "clock") this.#offset = Number(observation.wallNs / 1000n) / 1000 - this.#options.now();
      this.#ingest.observe(observation);
      if (observation.kind === "clock") this.#ingest.clockOffset = this.#offset;
    }
    this.publisher.changed(observations.length);
    return this.#log.waiting > MOST_WAITING ? this.#room() : undefined;
  }

  /** Until all that waits is on the disk; one that took long is told. */
  async #room(): Promise<void> {
    const from = this.#options.now();
    await this.#log.flush().catch(() => {}); // told by onUnrecorded
    const stood = this.#options.now() - from;
    if (stood < STOOD_STILL_MS) return;
    this.#session(
      "session.gap",
      "info",
      `the disk was slow: for ${(stood / 1000).toFixed(1)} s nothing was read from the host; what its buffers could not hold is counted as lost by the sensor`,
      { duration: Math.round(stood * 1e6) },
    );
    this.publisher.changed();
  }

  /** How the host is set up now: the first time the baseline, later what changed since. */
  takeSetUp(setUp: readonly SetUp[]): void {
    this.looked.setUp(setUp);
    this.#ingest.readEntries(setUp);
    this.publisher.changed();
  }

  #hold(on: boolean): void {
    const held = this.#held ?? [];
    this.#held = on ? held : undefined;
    if (!on && held.length > 0) void this.observe(held);
  }

  /** Asks the host once for its unix sockets; the answer is an event. @returns why it was not done */
  askSockets(analyst: string): string | undefined {
    if (this.#unrecorded) return this.#unrecorded;
    this.#ingest.asksForSockets(analyst);
    return this.#options.askSockets?.() ? undefined : "nothing watches the host now: it cannot be asked";
  }

  /** Tags what `selector` selects. @returns why it was not done, or what else is to be known */
  tag(selector: Selector, verdict: Verdict, reason: string, analyst: string): string | undefined {
    return this.tags.tag({ selector, verdict, reason }, analyst);
  }

  /** Whose session it is: who acts at the console itself. */
  get analyst(): string {
    return this.#analyst;
  }

  /** The start card as the analyst answered it: from here on he is who acts, and its scope holds. */
  takeCard(card: StartCard): void {
    this.#analyst = card.analyst;
    this.#append({
      "@timestamp": this.hostNow(),
      event: { action: "note.add", category: ["configuration"], type: ["info"] },
      stakeout: { sensor: "console", tier: "analyst", analyst: card.analyst, note: `Start card: ${cardSentence(card)}`, card },
    });
    this.publisher.now();
  }

  /**
   * Plans to isolate or to release the host, and shows the plan. What the start card does not authorise needs a `reason`; it is
   * recorded with every step. @returns why it was not done, where the screen shows nothing of it
   */
  planResponse(
    kind: "isolate" | "release",
    analyst: string,
    reason = "",
    choice: IsolationChoice = PLAIN_CHOICE,
  ): Promise<string | undefined> {
    // Who is tagged as one of us keeps his way in: the dialog lists the addresses.
    const partners = partnersOf(this.state);
    const more = kind === "isolate" ? { choice, suspects: suspects(this.state) } : {};
    return this.responses.plan(kind, [...new Set(partners)], analyst, this.#outside(kind, reason), more);
  }

  /** Plans a measure that is less than an isolation, and shows the plan. @returns why it was not done */
  planMeasure(measure: Measure, analyst: string, reason = ""): Promise<string | undefined> {
    const found = particulars(this.state, measure);
    if (typeof found === "string") return Promise.resolve(found);
    const partners = [...new Set(partnersOf(this.state))];
    return this.responses.plan(found.kind, partners, analyst, this.#outside(found.kind, reason), found.more);
  }

  /** The connection to the host is there again: an isolation that was kept is kept again. */
  keepAgain(): void {
    this.#keeper.again();
  }

  /** 'Is it really cut?', answered by the host anew. @returns why it was not done */
  check(analyst: string): Promise<string | undefined> {
    const { checkCut } = this.#options;
    return checkCut ? this.responses.check(analyst, checkCut) : Promise.resolve("this session cannot ask the host");
  }

  #outside(kind: ResponseKind, reason: string): Response["outside_scope"] {
    const needs = outsideScope(this.state.card, kind);
    return needs && { scope: this.state.card?.scope ?? [], needs, reason: reason.trim() };
  }

  /** The session's folder, with an event for each piece. */
  #evidence(): EvidenceSink {
    return evidenceFolder(this.#options.folder.path, ({ what, source, bytes, sha256, complete, problem }, file) =>
      this.#append({
        "@timestamp": this.hostNow(),
        event: { action: "evidence.collect", category: ["file"], type: ["info"], ...(problem === undefined ? {} : { reason: problem }) },
        stakeout: {
          sensor: "console",
          tier: "analyst",
          analyst: this.#analyst,
          evidence: { what, source, file, sha256, bytes: bytes.length, complete, ...(problem === undefined ? {} : { problem }) },
        },
      }),
    );
  }

  /**
   * From here on two analysts must confirm what changes the host, or one again. While somebody is here who could be the second, the rule
   * cannot be taken away: it would be none. @returns why it was not done
   */
  setTwoPeople(on: boolean, analyst: string): string | undefined {
    const colleagues = this.#options.colleagues ?? ALONE;
    const partners = colleagues.partners(analyst);
    const refused = colleagues.refused(analyst, "second");
    if (refused !== undefined) return refused;
    if (!on && partners.length > 0) return `the rule stays while ${partners.join(", ")} can confirm`;
    this.people.ruled(analyst, on ? 2 : 1);
    this.responses.ruleChanged();
    return undefined;
  }

  /** The host was isolated already when we came; who did it and since when is the host's own word, which root can forge. */
  foundIsolated(found: { analyst?: string; session?: string; since?: string; allowed: string[] }): void {
    const since = Date.parse(found.since ?? "");
    this.#append({
      "@timestamp": Number.isNaN(since) ? this.hostNow() : isoOfMicros(since * 1000),
      event: { action: "baseline.isolation", category: ["configuration"], type: ["info"] },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        ...(found.analyst === undefined ? {} : { analyst: found.analyst }),
        response: { id: FOUND, kind: "isolate" },
        isolated_by: { ...found },
      },
    });
    this.publisher.now();
  }

  /** The console's own finding about the host as a whole: no process and no technique is in it. */
  #alert(finding: Pick<Finding, "id" | "rule" | "title" | "level">): void {
    this.#append({
      "@timestamp": this.hostNow(),
      event: { action: "finding.create", kind: "alert", category: ["configuration"], type: ["info"] },
      stakeout: { sensor: "console", tier: "analyst", finding: { ...finding, technique: [], entities: [] } },
    });
  }

  /** Rules of somebody else's already cut the host off, by an EDR or by hand: named, and left alone. */
  foundForeign(words: readonly string[]): void {
    for (const [i, title] of words.entries()) this.#alert({ id: `foreign-${i + 1}`, rule: "foreign-isolation", title, level: "medium" });
    this.publisher.now();
  }

  /**
   * An isolation is gone without our doing: nobody proved it in time and the host's dead man undid it, or somebody else released it; or, and
   * then an alarm says so, it was `rebooted`: nobody has cut it since, and whether it sent anything before we were back nobody saw.
   */
  foundReleased(rebooted = false): void {
    const { isolated } = this.state;
    this.#append({
      "@timestamp": this.hostNow(),
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
    this.publisher.now();
  }

  /** The connection or the sensor is gone: what was recorded stays, and the log says since when nothing is seen. */
  lost(what: string): void {
    if (this.#ended) return;
    this.#away ??= { since: this.#heardAt || this.hostMillis(), connection: undefined };
    this.#sensor("sensor.lost", what);
    this.#session("session.gap", "info", `nothing is seen since ${isoOfMicros(this.#away.since * 1000).slice(11, 19)}: ${what}`);
    this.#log.flushNow();
    this.publisher.now();
  }

  /** A new sensor is about to begin: what it finds is compared with what was there. `connection`: how the host was reached again, if it was. */
  comesBack(connection?: object): void {
    if (this.#away && connection) this.#away.connection = connection;
    this.#ingest.expectReturn();
  }

  #returned({ rebooted, boots, processes, connections }: Returned): void {
    const { since, connection } = this.#away ?? { since: this.#heardAt, connection: undefined };
    this.#away = undefined;
    const duration = Math.max(0, Math.round((this.hostMillis() - since) * 1e6)); // the host's clock: ours may have slept
    const away = { rebooted, processes, connections };
    this.#session(
      "session.resume",
      "info",
      awayWords(duration / 1e9, away),
      { duration },
      { away: { ...away, ...(boots ? { boot_id: boots } : {}) }, ...(connection ? { connection_made: connection } : {}) },
    );
    this.#options.onReturned?.(awayWords(duration / 1e9, away), rebooted);
    this.publisher.now();
  }

  #sensor(action: "sensor.lost" | "sensor.stop", reason: string): void {
    const running = this.state.sensors.get("collector");
    this.#append({
      "@timestamp": this.hostNow(),
      event: { action, category: ["configuration"], type: ["info"], reason },
      stakeout: { sensor: "collector", tier: running?.tier ?? "none", report: { ...this.#ingest.report, reason } },
    });
  }

  /** Resolves when all that was recorded so far is on the disk. */
  flush(): Promise<void> {
    return this.#log.flush();
  }

  /** The program is about to be stopped (Ctrl-Z): until it goes on, nothing is taken in. On the disk when this returns. */
  paused(reason: string): void {
    this.#session("session.gap", "info", reason);
    this.#log.flushNow();
  }

  /** It goes on after `milliseconds`; `reason` says what is known of the time between. */
  goesOn(milliseconds: number, reason: string): void {
    this.#session("session.resume", "info", reason, { duration: Math.round(milliseconds * 1e6) });
    this.publisher.now();
  }

  /** Ends the session: everything is on the disk and sealed when this resolves. */
  async end(reason: string): Promise<void> {
    if (!this.#close(reason)) return;
    await this.#log.close().catch(() => {}); // told by onUnrecorded
    const { folder } = this.#options;
    folder.about.head = this.#log.head;
    if (this.#unrecorded) await saveAbout(folder).catch(() => {});
    else await saveAbout(folder);
  }

  /** As {@link end}, for a process that is ending and can wait for nothing. */
  endNow(reason: string): void {
    if (!this.#close(reason)) return;
    const { folder } = this.#options;
    try {
      this.#log.flushNow();
      folder.about.head = this.#log.head;
      saveAboutNow(folder);
    } catch {
      // a full disk: what was written is whole, and the missing seal says that there was more
    }
  }

  #close(reason: string): boolean {
    if (this.#ended) return false;
    this.#hold(false);
    this.#keeper.stop();
    if (this.state.sensors.get("collector")?.status === "running") this.#sensor("sensor.stop", reason);
    this.#session("session.end", "end", reason, {}, { left_isolated: this.state.isolated !== undefined });
    this.#ended = true;
    this.publisher.stop();
    this.#options.folder.about.ended = new Date(this.#options.now()).toISOString();
    return true;
  }

  #session(
    action: "session.gap" | "session.resume" | "session.end",
    type: string,
    reason: string,
    more: { duration?: number } = {},
    about: Record<string, unknown> = {},
  ): void {
    this.#append({
      "@timestamp": this.hostNow(),
      event: { action, category: ["session"], type: [type], reason, ...more },
      stakeout: { sensor: "console", tier: "analyst", analyst: this.#analyst, ...about },
    });
  }

  #append(draft: EventDraft): void {
    if (this.#ended || this.#unrecorded) return;
    const { event, line } = this.#log.append(draft);
    reduce(this.state, event);
    this.#options.onEvent?.(line, event, this.state);
    for (const finding of this.#trust.look(this.state, event)) this.#append(finding);
    for (const finding of this.#changedFiles.look(this.state, event)) this.#append(finding);
  }
}
