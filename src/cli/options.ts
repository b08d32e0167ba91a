import { type Command, InvalidArgumentError, Option } from "commander";
import { milliseconds } from "date-fns";
import { CHOICES, type Collect, TIERS } from "#model/observation";
import { parseScope, type Scope } from "#model/start-card";

/** Options of every command that reaches a host. */
export interface HostOptions {
  config?: string;
  identity?: string[];
  knownHosts?: string;
  port?: number;
  jump?: string;
  /** False for --no-sudo. */
  sudo?: boolean;
  analyst?: string;
  authorisedBy?: string;
  ticket?: string;
  scope?: Scope[];
  notes?: string;
  sessions?: string;
  /** What may be set up on the host; standard if not said. */
  collect?: Collect;
  /** What `--collect audit` changes is agreed to beforehand. */
  yesAudit?: boolean;
  settings?: string;
  /** File of what the distribution ships (packages.ts). */
  packages?: string;
  /** Files with digests of known files (hash-list.ts). */
  knownBad?: string[];
  knownGood?: string[];
  /** MaxMind DB files of the analyst's own. */
  mmdb?: string[];
  /** The host was made for this session and ends with it: nobody can connect to it again. */
  madeHost?: boolean;
}

export const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError("a port is a number from 1 to 65535.");
  return value;
};

/** "30s", "5m", "2h", or seconds. */
export const duration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (!match) throw new InvalidArgumentError('a duration is written like "30s", "5m" or "2h".');
  const amount = Number(match[1]);
  if (match[2] === "ms") return amount;
  return milliseconds({ [match[2] === "h" ? "hours" : match[2] === "m" ? "minutes" : "seconds"]: amount });
};

const scope = (text: string): Scope[] => {
  const value = parseScope(text);
  if (!value)
    throw new InvalidArgumentError('a scope is "observe", "contain", "collect", or "contain,collect"; to observe is always in it.');
  return value;
};

/** Who acts, where nobody said so: the account that runs the program. */
export const analystOf = ({ analyst }: HostOptions): string => analyst || process.env["USER"] || "analyst";

export function withHostOptions(command: Command): Command {
  return command
    .optionsGroup("To reach the host:")
    .option("-F, --config <file>", "ssh_config file in the place of ~/.ssh/config")
    .option("-i, --identity <file...>", "private keys to try first")
    .option("--known-hosts <file>", "known_hosts file in the place of the configured ones")
    .option("-J, --jump <hosts>", 'jump hosts, separated by commas, or "none"; each [user@]host[:port] or an alias')
    .option("--no-sudo", "as an account that is not root, do without sudo")
    .option("-p, --port <port>", "port of the host's sshd", port)
    .optionsGroup("For the record:")
    .addOption(new Option("--analyst <name>", "who investigates, as the log names it (else $USER)").env("STAKEOUT_ANALYST"))
    .option("--authorised-by <name>", "who authorised it")
    .option("--ticket <id>", "the ticket that it belongs to")
    .option("--scope <scope>", "what is authorised: observe, contain, collect, or contain,collect", scope)
    .option("--notes <text>", "anything else that whoever reads the record should know")
    .option("--sessions <dir>", "where sessions are recorded")
    .optionsGroup("What is seen, and what it is held against:")
    .addOption(
      new Option(
        "--collect <how>",
        "what may be set up on the host: quiet (one netlink socket), standard (trace instances), full (a probe in its kernel too), or one way by name; audit (the kernel's auditing) says what it changes and asks first",
      )
        .choices([...CHOICES, ...TIERS])
        .default("standard"),
    )
    .option("--yes-audit", "agree to what --collect audit changes on the host, without being asked")
    .option("--packages <file>", "what the distribution ships, from elsewhere than the host: lines of sha256, path, package and version")
    .option("--known-bad <file...>", "digests of files that are known as bad: sha256 a line, MISP's CSV, or a CSV with a column of sha256")
    .option("--known-good <file...>", "digests of files that are known, in the same forms (NSRL's too); they vouch for nobody")
    .option("--mmdb <file...>", "MaxMind DB files of your own for places and networks of addresses; they are asked before ours")
    .optionsGroup("Options:")
    .option("--settings <file>", "config file in the place of ~/.config/stakeout/config.yaml")
    .addOption(new Option("--made-host").hideHelp());
}
