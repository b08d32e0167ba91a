import type { EventDraft } from "#model/event";
import type { EvidenceSink } from "#model/evidence";
import { type IsolationChoice, PLAIN_CHOICE } from "#model/measure";
import type { Response, ResponseKind } from "#model/response";
import type { BeforeCut, ResponseProgress } from "#model/response-progress";
import { scopeWords } from "#model/start-card";
import type { LiveConnection } from "#response/isolation/facts/host-facts";
import { offered, rehearsed } from "./before-cut.ts";
import { type Colleagues, Confirmations } from "./confirmations.ts";
import type { Particulars, Prepared, PrepareResponse, StartWatch } from "./prepared.ts";
import { errorWords, ResponseRecord } from "./response-record.ts";

interface DeskOptions {
  prepare: PrepareResponse;
  colleagues: Colleagues;
  /** Two must confirm. */
  two: () => boolean;
  append: (draft: EventDraft) => void;
  /** RFC 3339: the host's time now. */
  hostNow: () => string;
  /** The same in milliseconds since the epoch. */
  hostMillis: () => number;
  /** Why nothing may be done to the host just now: an act that is not recorded is none of ours. */
  blocked: () => string | undefined;
  changed: () => void;
  /** Connections of a plan, told by what the session knows of them. */
  inWords: (connections: readonly LiveConnection[]) => string[];
  /** Who looks like one of ours and would be cut off, where these addresses are let in. */
  colleaguesCut: (allowed: readonly string[]) => string[];
  /** Where evidence goes. */
  evidence: () => EvidenceSink;
  /** The host was isolated by this response, or it was to be released: whoever keeps an isolation begins, or ends. */
  isolated: (response: string, analyst: string, watch: StartWatch) => void;
  releasing: (over: Promise<boolean>) => void;
  /** While true, what comes from the host is kept back: it belongs behind the response that let it happen. */
  hold: (on: boolean) => void;
}

/** Where a response is planned, confirmed and carried out: one at a time, each step an event. */
export class ResponseDesk {
  readonly #options: DeskOptions;
  #count = 0;
  #prepared: Prepared | undefined;
  readonly #record: ResponseRecord;
  /** What the plan that is shown was made from: a change of it makes another. */
  #asked: { partners: string[]; more: Particulars } = { partners: [], more: {} };
  /** What was taken before the cut: of this plan, and of those that were changed into it. */
  #taken: Pick<BeforeCut, "grab"> = {};
  #progress: ResponseProgress | undefined;
  #confirmations = new Confirmations();
  #lapse: NodeJS.Timeout | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#record = new ResponseRecord(options.append, options.hostNow);
  }

  get progress(): ResponseProgress | undefined {
    return this.#progress;
  }

  /**
   * Makes a plan and shows it. Nothing changes on the host. `outside`: it is more than was authorised, and why it is wanted.
   * @returns why it was not done, where the screen shows nothing of it
   */
  plan(
    kind: ResponseKind,
    partners: string[],
    analyst: string,
    outside?: Response["outside_scope"],
    more: Particulars = {},
  ): Promise<string | undefined> {
    return this.#plan(kind, partners, analyst, outside, more, {});
  }

  async #plan(
    kind: ResponseKind,
    partners: string[],
    analyst: string,
    outside: Response["outside_scope"],
    more: Particulars,
    taken: Pick<BeforeCut, "grab">,
  ): Promise<string | undefined> {
    const before = this.#progress;
    if (before?.phase === "running") return `it is being carried out: to ${before.kind}`;
    if (before?.phase === "planning") return `a plan to ${before.kind} is being made`;
    const refused = this.#options.colleagues.refused(analyst, "plan");
    if (refused !== undefined) return refused;
    // A plan that somebody reads must not become another one under his Enter.
    if (before?.phase === "review" && before.by !== analyst) return `${before.by}'s plan to ${before.kind} waits for an answer`;
    const id = `r${++this.#count}`;
    if (before?.phase === "review") {
      const same = before.kind === kind && before.target === more.target;
      this.#dismissed(before, analyst, same ? { replaced_by: id } : {});
    }
    this.#drop();
    this.#record.outside = outside;
    this.#asked = { partners, more };
    this.#taken = taken;
    const about = {
      ...(more.target === undefined ? {} : { target: more.target }),
      ...(kind === "isolate" ? { choice: more.choice ?? PLAIN_CHOICE } : {}),
    };
    const blocked = this.#options.blocked();
    if (blocked !== undefined) return this.#fail(id, kind, analyst, new Error(blocked));
    if (outside && outside.reason === "")
      return this.#fail(
        id,
        kind,
        analyst,
        new Error(`to ${kind} is outside the scope that was authorised (${scopeWords(outside.scope)}): say why, then it can be done`),
      );
    this.#show({ id, kind, by: analyst, phase: "planning", ...about, dies: [], survives: [], allowed: [], leaks: [], steps: [] });
    try {
      const prepared = await this.#options.prepare(kind, partners, analyst, more);
      if (this.#progress?.id !== id) {
        prepared.dispose();
        return undefined; // it was dismissed meanwhile
      }
      this.#prepared = prepared;
      const { response, preview } = prepared;
      this.#record.write("proposed", "info", analyst, { id, ...response });
      this.#show({
        id,
        kind,
        by: analyst,
        phase: "review",
        ...about,
        ...(kind === "isolate" ? { before: { ...offered(prepared, more.suspects ?? []), ...taken } } : {}),
        ...(this.#options.two() ? { two: {} } : {}),
        ...preview,
        dies: this.#options.inWords(preview.dies),
        survives: this.#options.inWords(preview.survives),
        ...(kind === "isolate" ? { colleagues: this.#options.colleaguesCut([...partners, ...(more.choice?.logins ?? [])]) } : {}),
        leaks: response.leaks ?? [],
        steps: [],
        ...(outside ? { outside } : {}),
        ...(response.method === undefined ? {} : { method: response.method }),
        ...(response.plan === undefined ? {} : { plan: response.plan }),
        ...(response.plan_sha256 === undefined ? {} : { plan_sha256: response.plan_sha256 }),
      });
    } catch (error) {
      this.#fail(id, kind, analyst, error as Error);
    }
    return undefined;
  }

  /**
   * Confirms the plan that was shown; any other id or hash is refused. It is carried out at once, or, where two must confirm, when a
   * second analyst has confirmed the same within 30 s. `alone`: without a second one, who must not be there. Resolves when it is done.
   * @returns why this did not count
   */
  async confirm(id: string, planSha256: string, analyst: string, { alone = false } = {}): Promise<string | undefined> {
    const [prepared, progress] = [this.#prepared, this.#progress];
    if (progress?.id === id && progress.phase === "running") return "it is being carried out already";
    if (!prepared || progress?.id !== id || progress.phase !== "review") return "that plan is no longer there";
    if (progress.plan_sha256 !== planSha256) return "this is not the plan that is shown";
    const blocked = this.#options.blocked();
    if (blocked !== undefined) return this.#fail(id, prepared.response.kind, analyst, new Error(blocked), prepared.response);
    const { two, colleagues, hostMillis } = this.#options;
    const given = this.#confirmations.give(analyst, two(), alone, colleagues, hostMillis());
    if ("refused" in given) return given.refused;
    this.#record.write(
      "confirmed",
      "info",
      analyst,
      { id, ...prepared.response },
      given.confirmation ? { confirmation: given.confirmation } : {},
    );
    if (!given.complete) {
      this.#watchLapse();
      this.#showConfirmations();
      return undefined;
    }
    clearTimeout(this.#lapse);
    const { two: _, ...plan } = progress;
    await this.#carryOut(id, plan, prepared, analyst);
    return undefined;
  }

  /** Makes the plan anew with this choice. @returns why it was not done */
  adjust(id: string, analyst: string, choice: IsolationChoice): Promise<string | undefined> {
    const progress = this.#progress;
    if (progress?.id !== id || progress.phase !== "review" || progress.kind !== "isolate")
      return Promise.resolve("that plan is no longer there");
    if (progress.by !== analyst) return Promise.resolve(`it is ${progress.by}'s plan: ask for the change`);
    if (progress.two?.confirmed) return Promise.resolve("it is confirmed already by one: drop it first");
    const { partners, more } = this.#asked;
    return this.#plan("isolate", partners, analyst, this.#record.outside, { ...more, choice }, this.#taken);
  }

  /** Rehearses the plan that is shown: its rules on the host for 10 s, counting alone. @returns why it was not done */
  async rehearse(id: string, analyst: string): Promise<string | undefined> {
    const prepared = this.#reviewed(id);
    const run = prepared?.rehearse;
    if (!prepared || !run) return "this plan cannot be rehearsed: only nft counts without cutting";
    if (this.#progress?.before?.rehearsal === "running") return "it is being rehearsed";
    const blocked = this.#options.blocked();
    if (blocked !== undefined) return blocked;
    this.#offer(id, { rehearsal: "running" });
    this.#offer(id, { rehearsal: await rehearsed(id, prepared.response, run, analyst, this.#record) });
    return undefined;
  }

  /** Takes what the cut will destroy, while the plan is read: only reads. A change of the plan does not undo it. @returns why it was not done */
  async grab(id: string): Promise<string | undefined> {
    const take = this.#reviewed(id)?.grab;
    if (!take) return "that plan is no longer there";
    const taken = this.#taken;
    if (taken.grab === "running") return "it is being taken";
    const is = (grab: NonNullable<BeforeCut["grab"]>) => {
      Object.assign(taken, { grab });
      if (this.#taken === taken && this.#progress) this.#offer(this.#progress.id, taken);
    };
    is("running");
    try {
      is(await take(this.#asked.more.suspects ?? [], this.#options.evidence()));
    } catch (error) {
      is({ error: (error as Error).message });
    }
    return undefined;
  }

  /** Asks the host whether it is really cut off; the answer is a note in the log. @returns why it was not done */
  async check(analyst: string, look: () => Promise<{ cut: boolean; words: string[] }>): Promise<string | undefined> {
    const before = this.#progress;
    if (before && before.phase !== "succeeded" && before.phase !== "failed") return `to ${before.kind} is being decided`;
    this.#drop();
    const id = `c${++this.#count}`;
    const empty = { dies: [], survives: [], allowed: [], leaks: [], steps: [] };
    this.#show({ ...empty, id, kind: "check", by: analyst, phase: "planning" });
    const began = performance.now();
    const { cut, words } = await look();
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action: "note.add", category: ["configuration"], type: ["info"] },
      stakeout: { sensor: "console", tier: "analyst", analyst, note: `Is it really cut? ${words.join(" ")}` },
    });
    if (this.#progress?.id !== id) return undefined; // it was closed meanwhile
    const verified = { access: true, cut };
    this.#show({ ...empty, id, kind: "check", by: analyst, phase: "succeeded", words, verified, milliseconds: performance.now() - began });
    return undefined;
  }

  #reviewed(id: string): Prepared | undefined {
    return this.#progress?.id === id && this.#progress.phase === "review" ? this.#prepared : undefined;
  }

  #offer(id: string, change: Partial<BeforeCut>): void {
    const progress = this.#progress;
    if (progress?.id !== id || !progress.before) return; // it was dropped, or carried out, meanwhile
    this.#show({ ...progress, before: { ...progress.before, ...change } });
  }

  async #carryOut(id: string, progress: ResponseProgress, prepared: Prepared, analyst: string): Promise<void> {
    this.#show({ ...progress, phase: "running" });
    const steps: ResponseProgress["steps"][number][] = [];
    // What gets through because of a release comes to us before its proof does. In the log it stands behind the release, which is
    // therefore dated from its beginning, and an isolation from its proof: in between, the host was cut off.
    const release = progress.kind === "release";
    const begun = this.#options.hostNow();
    const over = Promise.withResolvers<boolean>();
    if (release) {
      this.#options.hold(true);
      this.#options.releasing(over.promise);
    }
    try {
      const { ok, durationNs, response, error } = await prepared.execute(({ name, ok, milliseconds, said }) => {
        steps.push({ name, status: ok ? "ok" : "failed", milliseconds, ...(said === undefined ? {} : { said }) });
        this.#show({ ...progress, phase: "running", steps: [...steps] });
      });
      this.#record.write(
        ok ? "succeeded" : "failed",
        "change",
        analyst,
        { ...prepared.response, ...response, id, ...(error ? { error: `${error.what} ${error.next}` } : {}) },
        { duration: durationNs, ...(release ? { at: begun } : {}) },
      );
      over.resolve(ok);
      if (ok && progress.kind === "isolate" && prepared.watch) this.#options.isolated(id, analyst, prepared.watch);
      this.#show({
        ...progress,
        phase: ok ? "succeeded" : "failed",
        steps,
        milliseconds: durationNs / 1e6,
        ...(response.verified ? { verified: response.verified } : {}),
        ...(error ? { error } : {}),
      });
    } catch (error) {
      this.#fail(id, prepared.response.kind, analyst, error as Error, prepared.response);
    } finally {
      over.resolve(false);
      if (release) this.#options.hold(false);
      this.#drop();
    }
  }

  /** Drops a plan, or closes what shows how it went. One that runs is not stopped by this. @returns why it was not done */
  dismiss(id: string, analyst: string): string | undefined {
    const progress = this.#progress;
    if (progress?.id !== id) return "that is no longer there";
    if (progress.phase === "running") return "it is being carried out: that cannot be stopped half way";
    if (progress.phase === "review") this.#dismissed(progress, analyst);
    this.#drop();
    this.#progress = undefined;
    this.#options.changed();
    return undefined;
  }

  /** This analyst is gone: what he confirmed counts no more. */
  withdraw(analyst: string): void {
    if (this.#confirmations.withdraw(analyst)) this.#showConfirmations();
  }

  /** How many must confirm was changed: a plan that is being read says so. */
  ruleChanged(): void {
    if (this.#progress?.phase !== "review") return;
    this.#confirmations = new Confirmations();
    this.#showConfirmations();
  }

  #watchLapse(): void {
    clearTimeout(this.#lapse);
    const { waiting } = this.#confirmations;
    if (!waiting) return;
    this.#lapse = setTimeout(
      () => {
        if (this.#confirmations.lapse(this.#options.hostMillis())) this.#showConfirmations();
        else this.#watchLapse(); // the host's clock was set back meanwhile
      },
      Math.max(0, waiting.until - this.#options.hostMillis()),
    );
    this.#lapse.unref();
  }

  #showConfirmations(): void {
    if (this.#progress?.phase !== "review") return;
    const { two: _, ...progress } = this.#progress;
    const { waiting } = this.#confirmations;
    this.#show({ ...progress, ...(this.#options.two() ? { two: waiting ? { confirmed: waiting } : {} } : {}) });
  }

  #dismissed({ id }: ResponseProgress, analyst: string, by: Pick<Response, "replaced_by"> = {}): void {
    if (this.#prepared) this.#record.write("dismissed", "info", analyst, { id, ...this.#prepared.response, ...by });
  }

  #drop(): void {
    clearTimeout(this.#lapse);
    this.#confirmations = new Confirmations();
    this.#prepared?.dispose();
    this.#prepared = undefined;
  }

  #fail(id: string, kind: ResponseKind, analyst: string, error: Error, planned: Omit<Response, "id"> = { kind }): undefined {
    this.#record.write("failed", "change", analyst, { ...planned, id, error: error.message });
    const empty = { dies: [], survives: [], allowed: [], leaks: [], steps: [] };
    this.#show({
      ...empty,
      ...this.#progress,
      id,
      kind,
      ...(this.#asked.more.target === undefined ? {} : { target: this.#asked.more.target }),
      by: this.#progress?.id === id ? this.#progress.by : analyst,
      phase: "failed",
      error: errorWords(error),
    });
  }

  #show(progress: ResponseProgress): void {
    this.#progress = progress;
    this.#options.changed();
  }
}
