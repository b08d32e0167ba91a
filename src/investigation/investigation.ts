import { ChangedFiles } from "#analysis/changed-file";
import { KnownBadFiles, recognise } from "#analysis/known-file";
import { TrustWatch } from "#analysis/trust/watch";
import { outsideScope } from "#model/authority";
import type { EventDraft, Selector, Verdict } from "#model/event";
import type { HostString } from "#model/host-string";
import { type IsolationChoice, type Measure, PLAIN_CHOICE } from "#model/measure";
import type { Observation } from "#model/observation";
import type { SetUp } from "#model/past";
import type { Response, ResponseKind } from "#model/response";
import { cardSentence, type StartCard } from "#model/start-card";
import { EventLog } from "#session/event-log";
import { saveAbout, saveAboutNow } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { partnersOf } from "#state/selectors";
import type { State } from "#state/state";
import { isoOfMicros } from "./clock-map.ts";
import { CommandDesk } from "./commands.ts";
import { ALONE } from "./confirmations.ts";
import { recordedEvidence } from "./evidence.ts";
import { FindingDesk } from "./findings.ts";
import { Ingest } from "./ingest.ts";
import { IsolationFound } from "./isolation-found.ts";
import { IsolationKeeper } from "./isolation-keeper.ts";
import { Looked } from "./looked.ts";
import { Names } from "./names.ts";
import type { InvestigationOptions } from "./options.ts";
import { People } from "./people.ts";
import { colleaguesCut, connectionsInWords, likelyOurs } from "./preview.ts";
import { Publisher } from "./publisher.ts";
import { ResponseDesk } from "./responses.ts";
import { Sight } from "./sight.ts";
import { TagDesk } from "./tags.ts";
import { particulars, suspects } from "./targets.ts";

const MOST_HELD = 100_000;

/** Characters that may wait for the disk: a second of a flood. With more the reading stands still until all of it is there. */
const MOST_WAITING = 16 << 20;
/** A stand-still of the reading that is worth an event, milliseconds. */
const STOOD_STILL_MS = 1000;

/**
 * One live investigation: observations become events, events become state, and what an analyst decides becomes an event too. Only this
 * appends to the log.
 */
export class Investigation {
  readonly state: State = emptyState();
  readonly publisher = new Publisher();
  readonly responses: ResponseDesk;
  readonly #keeper: IsolationKeeper;
  /** An isolation that was there when we came, or is gone. */
  readonly found: IsolationFound;
  /** From when to when the host is seen. */
  readonly sight: Sight;
  readonly people: People;
  readonly findings: FindingDesk;
  readonly tags: TagDesk;
  readonly commands: CommandDesk;
  readonly names: Names;
  /** What looks at the host came to. */
  readonly looked: Looked;
  readonly #options: InvestigationOptions;
  readonly #log: EventLog;
  readonly #ingest: Ingest;
  readonly #trust = new TrustWatch();
  readonly #changedFiles = new ChangedFiles();
  readonly #knownBad = new KnownBadFiles();
  /** Host's clock minus ours, milliseconds. */
  #offset = 0;
  /** Whose session it is; the start card may name another than the options did. */
  #analyst: string;
  /** Observations that are kept back while a release is carried out. */
  #held: Observation[] | undefined;
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
      emit: (draft) => this.#append(recognise(draft, options.known)),
      onHost: (host) => log.setHost(host),
      ...(options.onWritten ? { onWritten: options.onWritten } : {}),
      onLogin: ({ id, ours, pid, first }) => {
        options.onLogin?.({ id, pid, first });
        if (ours) this.tags.own(id, this.#analyst);
      },
      onReturned: (returned) => this.sight.returned(returned),
    });
    const desk = {
      state: this.state,
      append: (draft: EventDraft) => this.#append(draft),
      hostNow: () => this.hostNow(),
      changed: () => this.publisher.now(),
    };
    const analyst = () => this.#analyst;
    this.sight = new Sight({
      ...desk,
      analyst,
      hostMillis: () => this.hostMillis(),
      flushNow: () => log.flushNow(),
      report: () => this.#ingest.report,
      expectReturn: () => this.#ingest.expectReturn(),
      onReturned: options.onReturned,
    });
    const ours = () => likelyOurs(this.state, options.suggested?.(this.state));
    this.responses = new ResponseDesk({
      ...desk,
      prepare: options.prepareResponse,
      colleagues: options.colleagues ?? ALONE,
      two: () => this.state.twoPeople,
      hostMillis: () => this.hostMillis(),
      blocked: () => this.#unrecorded,
      inWords: (connections) => connectionsInWords(this.state, (ip) => options.enricher.endpoint(ip), connections, ours()),
      colleaguesCut: (allowed) => colleaguesCut(this.state, allowed, ours()),
      evidence: () => recordedEvidence(options.folder.path, { ...desk, analyst }),
      isolated: (response, analyst, watch) => this.#keeper.begin(response, analyst, watch),
      releasing: (over) => this.#keeper.releasing(over),
      hold: (on) => this.#hold(on),
    });
    this.tags = new TagDesk({ ...desk, ...(options.keeper ? { keeper: options.keeper } : {}) });
    this.commands = new CommandDesk({ ...desk, run: options.runCommand, blocked: () => this.#unrecorded });
    this.#keeper = new IsolationKeeper({ ...desk, offset: () => this.#offset, changed: () => this.publisher.changed() });
    this.found = new IsolationFound(desk);
    this.looked = new Looked({ ...desk, enricher: options.enricher });
    this.names = new Names({ ...desk, ask: options.askNames });
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
        ...(options.known ? { known_files: options.known.source } : {}),
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
    this.sight.heard();
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
    this.sight.stoodStill(stood);
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

  /** The connection to the host is there again: an isolation that was kept is kept again. `restarted`: it stands through a reboot. */
  keepAgain(restarted = false): void {
    this.#keeper.again(restarted);
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

  /** Resolves when all that was recorded so far is on the disk. */
  flush(): Promise<void> {
    return this.#log.flush();
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
    this.sight.end(reason);
    this.#ended = true;
    this.publisher.stop();
    this.#options.folder.about.ended = new Date(this.#options.now()).toISOString();
    return true;
  }

  #append(draft: EventDraft): void {
    if (this.#ended || this.#unrecorded) return;
    const { event, line } = this.#log.append(draft);
    reduce(this.state, event);
    this.#options.onEvent?.(line, event, this.state);
    for (const finding of this.#trust.look(this.state, event)) this.#append(finding);
    for (const finding of this.#changedFiles.look(this.state, event)) this.#append(finding);
    if (event.event.action !== "finding.create") for (const finding of this.#knownBad.look(this.state, event)) this.#append(finding);
  }
}
