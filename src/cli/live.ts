import { Enricher } from "#analysis/enrich";
import { OwnDatabase } from "#analysis/own-database";
import { thingName } from "#draw/thing";
import { connectHost } from "#host/connect";
import type { HostConnection } from "#host/connection";
import { Remembered } from "#host/remembered";
import { Investigation } from "#investigation/investigation";
import { FOUND } from "#investigation/isolation-found";
import type { StakeoutEvent } from "#model/event";
import { printable } from "#model/host-string";
import { detectIsolation } from "#response/isolation/prepare";
import { type Collector, startCollector } from "#sensors/collector";
import { createSession, type SessionFolder, sessionsRoot } from "#session/session-store";
import { KNOWN_BAD } from "#state/known";
import { CHANGED_FILE } from "#state/owners";
import type { State } from "#state/state";
import { agreeToAudit } from "./agree-audit.ts";
import { askHostKey, askPassphrase, askPassword } from "./ask.ts";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { readKnownFiles } from "./hash-list.ts";
import { Link } from "./link.ts";
import { Looks } from "./looks.ts";
import { analystOf, type HostOptions } from "./options.ts";
import { OwnConnections } from "./own-connections.ts";
import { readPackageList } from "./packages.ts";
import { Party } from "./pair/party.ts";
import { planResponse } from "./plan-response.ts";
import { type HostTags, hostFile, readHost, readProfiles } from "./profiles/files.ts";
import { tagKeeper } from "./profiles/keeper.ts";
import { Team } from "./profiles/team.ts";
import { commandRunner } from "./recorded-command.ts";
import { reverseNames } from "./reverse-names.ts";
import { cardOf } from "./start-card.ts";
import { StoppedTime, stoppedWords } from "./stopped.ts";
import { VERSION } from "./version.ts";

/** How often an isolation that another console made is looked at again. */
const FOUND_LOOK_MS = 15_000;
/** Requests that wait for a sensor to answer them; the newest are let go. */
const MOST_EARLY = 1000;

export interface Lost {
  what: string;
  /** The exit code that belongs to it: the host was lost, or our own disk failed. */
  code: number;
}
export interface Live {
  investigation: Investigation;
  /** The way to the host, which comes back by itself. */
  link: Link;
  folder: SessionFolder;
  /** Who has a screen on it. */
  party: Party;
  /** What profiles and earlier sessions on this host say. */
  profiles: Team;
  /** Tells what becomes of the way to the host; the function it gives takes that back. */
  onNews(news: LinkNews): () => void;
  /** Resolves when nothing can be recorded any more. */
  lost: Promise<Lost>;
  /** The program is about to be stopped: the record says so. */
  pause(): void;
  /** It goes on: records how long it was stopped, and says in words what that means; nothing where it was not stopped at all. */
  goOn(): string | undefined;
  /** Stops the collector, seals the session, closes the connection. */
  end(reason: string): Promise<void>;
}
/** What becomes of the way to the host, told as it happens. */
export interface LinkNews {
  /** Nothing is seen any more; it is tried again by itself. */
  onAway?(what: string): void;
  /** It is seen again: what had changed meanwhile, in words. */
  onBack?(words: string): void;
  /** It is not tried any more. */
  onStopped?(why: string): void;
}

/** A loss as a sentence. */
export const tellLoss = ({ what, code }: Lost): string => (code === EXIT.host ? `the host was lost: ${what}` : what);

/** How a host is called for short: without the account. */
export const labelOf = (target: string): string => target.replace(/^.*@/, "");

/** Connects with the questions that a terminal allows; `remembered` keeps the answers, so that the same session can come back. */
export const connect = (target: string, options: HostOptions, remembered = new Remembered()): Promise<HostConnection> =>
  connectHost(target, {
    ...way(options),
    ...remembered.first({
      askHostKey: process.stdin.isTTY ? askHostKey : undefined,
      askPassphrase: process.stdin.isTTY ? askPassphrase : undefined,
      askPassword: process.stdin.isTTY ? askPassword() : undefined,
    }),
  });

/** @throws UserError */
function ownDatabase(file: string): OwnDatabase {
  try {
    return new OwnDatabase(file);
  } catch (error) {
    throw new UserError(`--mmdb ${file} cannot be used: ${(error as Error).message}.`, EXIT.usage);
  }
}

/** What is kept for a host; a mistake in the file is told, and then nothing of it holds. */
function keptTags(file: string): HostTags["tags"] {
  try {
    return readHost(file).tags;
  } catch (error) {
    say((error as Error).message);
    return [];
  }
}

const way = (options: HostOptions) => ({
  configFile: options.config,
  identityFiles: options.identity,
  knownHostsFile: options.knownHosts,
  port: options.port,
  jump: options.jump,
  sudo: options.sudo,
});

/** Opens a live investigation of `target`: connection, session folder, sensor. */
export async function openLive(
  target: string,
  options: HostOptions,
  onEvent?: (line: string, event: StakeoutEvent, state: State) => void,
  first: LinkNews = {},
): Promise<Live> {
  const listeners = new Set([first]);
  // a mistake in it is told before the host is touched
  const packages = options.packages === undefined ? undefined : await readPackageList(options.packages);
  const { knownBad = [], knownGood = [] } = options;
  const known = knownBad.length + knownGood.length === 0 ? undefined : await readKnownFiles(knownBad, knownGood, say);
  // The databases are read while the connection is made.
  const enricher = Enricher.open((options.mmdb ?? []).map(ownDatabase));
  enricher.catch(() => {});
  const remembered = new Remembered();
  const connection = await connect(target, options, remembered);
  for (const note of connection.notes) say(note);
  const agreed = await agreeToAudit(connection, target, options).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  const folder = await createSession(
    sessionsRoot(options.sessions, checkout()),
    { label: labelOf(target), address: connection.address, ...(options.madeHost ? {} : { target }) },
    Date.now(),
  );
  const early: Parameters<Collector["requestFileInfo"]>[] = []; // asked for while no sensor runs
  const own = new OwnConnections(connection);
  const card = cardOf(options);
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<Lost>();
  const now = () => performance.timeOrigin + performance.now();
  let opened: Investigation | undefined;
  let acts = 0; // of ours on the host, so far
  const { profiles, problems } = readProfiles();
  for (const problem of problems) say(problem);
  const kept = hostFile(connection.fingerprint);
  const team = new Team(profiles, keptTags(kept), () => opened);
  let looks: Looks | undefined;
  const party = new Party({
    name: card?.analyst ?? analystOf(options),
    now: () => opened?.hostMillis() ?? now(),
    thing: (on) => (on.kind === "finding" ? "a finding" : thingName(investigation.state, { ...on, kind: on.kind })),
    record: () => investigation.people,
    withdraw: (name) => investigation.responses.withdraw(name),
    changed: (when) => (when === "now" ? investigation.publisher.now() : investigation.publisher.changed()),
  });
  const investigation = await Investigation.open({
    folder,
    enricher: await enricher,
    analyst: analystOf(options),
    ...(card ? { card } : {}),
    version: VERSION,
    now,
    colleagues: party,
    connection: connection.made,
    ...planResponse(
      () => link.connection,
      folder.about.session,
      (port) => own.opened(port),
    ),
    packages,
    known,
    askSockets: () => {
      link.collector?.requestSockets();
      return link.collector !== undefined;
    },
    askNames: (ip) => reverseNames(ip),
    askOwner: (path, pid, stamp) => link.collector?.requestOwner(path, pid, stamp) ?? false,
    askFileInfo: (path, pid) => {
      if (link.collector) link.collector.requestFileInfo(path, pid);
      else if (early.length < MOST_EARLY) early.push([path, pid]);
    },
    runCommand: commandRunner(() => link.connection, folder),
    suggested: (state) => team.suggestions(state),
    keeper: tagKeeper({ host: kept, label: labelOf(target), now }),
    onLogin: (login) => looks?.came(login),
    onWritten: (path) => looks?.touched(path),
    onUnrecorded: (what) => tellLost({ what, code: EXIT.failed }),
    onReturned: (words, rebooted) => {
      // After a reboot nothing of ours stands on the host unless it was made to, or somebody has set it anew: a watch would put it back
      // unasked, by a plan for interfaces and addresses that were. It is looked at first.
      restarted ||= rebooted;
      if (!restarted) investigation.keepAgain();
      lookForIsolation();
      looks?.touchedUnseen();
      for (const news of listeners) news.onBack?.(words);
    },
    isOurs: (peer) => own.claims(peer),
    onEvent: (line, event, state) => {
      onEvent?.(line, event, state);
      if (/^response\.(?:confirmed|succeeded|failed)$/.test(event.event.action)) acts += 1;
      // another console may have been quicker: then the host is isolated, by that one
      if (event.event.action === "response.failed" && event.stakeout.response?.kind === "isolate") setTimeout(lookForIsolation, 200);
      if (event.event.action === "network.listen") looks?.touchedUnseen();
      const { finding } = event.stakeout;
      if (event.event.action === "finding.create" && (finding?.rule === CHANGED_FILE || finding?.rule === KNOWN_BAD))
        party.tellOthers(undefined, `${printable(finding.path ?? "")}: ${finding.title}`, "error");
      if (event.event.action !== "baseline.complete") return;
      if (options.madeHost) process.send?.({ watching: true }); // whoever made it lets its night begin
      void looks?.begin();
      setTimeout(lookForIsolation, 200); // the first screen comes first
      setTimeout(() => {
        const said = ending ? undefined : team.apply(investigation.analyst);
        if (said !== undefined) party.tellOthers(undefined, said, "info");
      }, 0);
    },
  });
  opened = investigation;
  if (agreed !== undefined) investigation.people.note(investigation.analyst, agreed);
  looks = new Looks(() => link.connection, investigation, {
    sudo: connection.made.privilege.startsWith("sudo"),
    halted: () => link.view?.halted === true,
  });
  // A host that somebody isolated before us is shown as what it is. One that cannot say (no root, no nft) cannot be isolated either.
  const lookForIsolation = () => {
    if (ending) return;
    const before = acts;
    detectIsolation(link.connection).then(
      ({ ours, others, onDisk }) => {
        // a slow host can answer of its tables before we isolated it, and of its disk after
        if (acts !== before) return void setTimeout(lookForIsolation, FOUND_LOOK_MS).unref();
        const { isolated, underway } = investigation.state;
        if (underway && !underway.failed) return; // its own outcome says more
        if (others.length > 0 && !foreign) investigation.found.foreign(others);
        foreign ||= others.length > 0;
        if (ours && !isolated) investigation.found.isolated(ours, onDisk.find(({ nonce }) => nonce === ours.nonce)?.files);
        if (!ours && (isolated || underway)) investigation.found.released(restarted);
        if (ours && restarted) investigation.keepAgain(true);
        if (!ours)
          for (const found of onDisk.filter(({ nonce }) => !told.has(nonce))) {
            told.add(found.nonce);
            investigation.found.onDisk(found);
          }
        restarted = false;
        if (ours && (!isolated || isolated.response === FOUND)) lookAgain();
      },
      () => {
        if (restarted) setTimeout(lookForIsolation, FOUND_LOOK_MS).unref(); // it must not go on being called isolated
      },
    );
  };
  let foreign = false;
  /** Isolations on the disk of a host that is not isolated: each is told once. */
  const told = new Set<string>();
  /** The host was started anew, and what became of an isolation by that has not been seen yet. */
  let restarted = false;
  // Its console may have gone before the cut was proven, and the host undoes it; or that console releases it: then it is called isolated no longer.
  const lookAgain = () => {
    setTimeout(() => {
      if (ending || investigation.state.isolated?.response !== FOUND) return;
      detectIsolation(link.connection).then(
        ({ ours }) => {
          if (investigation.state.isolated?.response !== FOUND) return; // ours, meanwhile
          if (ours) lookAgain();
          else investigation.found.released();
        },
        () => {},
      );
    }, FOUND_LOOK_MS).unref();
  };
  let ending = false;
  let begun = false;
  let over = connection;
  const link = new Link({
    connection,
    connect: () => connectHost(target, { ...way(options), ...remembered.again() }),
    watch: (connected, onEnd) =>
      startCollector(connected, {
        collect: options.collect,
        digests: known?.weak,
        onObservations: (batch) => {
          link.heard();
          return investigation.observe(batch); // a promise holds the reading back
        },
        onEnd,
      }),
    onAway: (what) => {
      investigation.sight.lost(what);
      for (const news of listeners) news.onAway?.(what);
    },
    onConnected: (now) => {
      if (now !== over) own.cameBack(now);
      investigation.sight.comesBack(now === over ? undefined : now.made);
      over = now;
    },
    onBack: () => {
      for (const [path, pid] of early.splice(0)) link.collector?.requestFileInfo(path, pid);
    },
    onStopped: (why) => {
      for (const news of listeners) news.onStopped?.(why);
    },
    changed: () => {
      if (begun) investigation.publisher.now();
    },
  });
  try {
    await link.begin();
    begun = true;
    for (const [path, pid] of early.splice(0)) link.collector?.requestFileInfo(path, pid);
  } catch (error) {
    ending = true;
    looks.close();
    await investigation.end(`no sensor could be started: ${(error as Error).message}`);
    await connection.close();
    throw error;
  }
  const stopped = new StoppedTime();
  let paused = false;
  const exiting = () => investigation.endNow("the program ended without closing the session");
  process.on("exit", exiting); // whoever ends the process: what is recorded is sealed
  return {
    investigation,
    link,
    folder,
    party,
    profiles: team,
    onNews: (news) => {
      listeners.add(news);
      return () => listeners.delete(news);
    },
    lost,
    pause: () => {
      paused = true;
      investigation.sight.paused("the console was stopped by its shell: nothing is taken in until it goes on");
    },
    goOn: () => {
      const milliseconds = stopped.measure();
      if (!paused && milliseconds < 1000) return undefined;
      paused = false;
      const words = stoppedWords(milliseconds);
      investigation.sight.goesOn(milliseconds, words);
      return words;
    },
    end: async (reason) => {
      ending = true;
      stopped.close();
      await Promise.all([looks?.end(), link.close()]);
      await investigation.end(reason);
      process.off("exit", exiting);
      await link.connection.close();
    },
  };
}
