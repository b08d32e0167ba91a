import type { Enricher } from "#analysis/enrich";
import type { StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import type { KnownFiles } from "#model/known-files";
import type { PackageList } from "#model/package-list";
import type { Suggestion } from "#model/profile";
import type { StartCard } from "#model/start-card";
import type { SessionFolder } from "#session/session-store";
import type { State } from "#state/state";
import type { RunCommand } from "./commands.ts";
import type { Colleagues } from "./confirmations.ts";
import type { AskOwner } from "./ingest-owners.ts";
import type { AskNames } from "./names.ts";
import type { PrepareResponse } from "./prepared.ts";
import type { TagKeeper } from "./tags.ts";

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
  /** Lists of known files that the analyst brought. */
  known?: KnownFiles | undefined;
  /** Asks the running collector for unix sockets; false when none runs. */
  askSockets?: () => boolean;
  /** Asks the analyst's own resolver for the names of an address; left out where nobody can be asked. */
  askNames?: AskNames;
  /** True for a connection that the console made. */
  isOurs: (peer: { ip: string; port: number }) => boolean;
  /** Runs a command of an analyst's own; left out where nothing can be run. */
  runCommand?: RunCommand;
  /** What is suggested as ours, profiles of the team included; what the state alone suggests when left out. */
  suggested?: (state: State) => readonly Suggestion[];
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
