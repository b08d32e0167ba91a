import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { AccessOptions } from "./access.ts";
import type { ConsoleOptions } from "./console.ts";
import type { DoctorOptions } from "./doctor.ts";
import { describe, EXIT, exitCodeOf } from "./exit.ts";
import type { NightOptions } from "./night.ts";
import { duration, type HostOptions, port, withHostOptions } from "./options.ts";
import type { RecordOptions } from "./record.ts";
import type { ReplayOptions } from "./replay.ts";
import type { RespondOptions } from "./respond.ts";
import { outputFailed } from "./standard-output.ts";
import { VERSION } from "./version.ts";

/** Each command is loaded when it is called: `--help` must not wait for Ink, ssh2 and the databases. */
function program(done: (code: number) => void): Command {
  const stakeout = new Command("stakeout")
    .description("A live investigation console for Linux intrusions: over SSH alone, nothing installed, everything recorded.")
    .version(VERSION)
    .exitOverride()
    .helpCommand(true) // a word that many type first is no host
    .enablePositionalOptions() // an option behind a subcommand is the subcommand's
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "stakeout: ")) })
    .commandsGroup("Before a call, and settings:");

  // What the config file says stands behind options and variables, and before what comes by itself.
  stakeout.hook("preAction", async (_program, action) => {
    const byItself = (name: string) => [undefined, "default"].includes(action.getOptionValueSource(name));
    const wanted = action.options.map((option) => option.attributeName()).filter((name) => name === "analyst" || name === "plain");
    if (wanted.length === 0) return;
    const { readConfig } = await import("./settings/open.ts");
    const { config } = await readConfig(action.opts()["settings"]);
    for (const name of wanted as ("analyst" | "plain")[])
      if (byItself(name) && config[name]) action.setOptionValueWithSource(name, config[name], "config");
  });

  withHostOptions(stakeout)
    .optionsGroup("The screen:")
    .option("--no-card", "do not ask for the start card: what the options say is recorded")
    .option("--plain", "sentences in the place of a screen: for screen readers and simple terminals")
    .optionsGroup("A second analyst:")
    .option("--pair", "let a second analyst join with ssh from the beginning (P in the console does it later)")
    .option("--pair-keys <file...>", "whose keys may join: authorized_keys, *.pub, or a folder of them")
    .option("--pair-watchers <file...>", "whose keys may join to watch only: the customer's")
    .option("--pair-address <address>", "where to listen for them (else this machine alone)")
    .option("--pair-port <port>", "the port (else any that is free)", port)
    .argument("[host]", "the suspect host: an alias of ssh_config, [user@]host[:port], or ssh://…")
    .allowExcessArguments() // a mistyped command has arguments: it is told as what it is
    .action(async (host: string | undefined, options: ConsoleOptions) => {
      const names = stakeout
        .createHelp()
        .visibleCommands(stakeout)
        .map((command) => command.name());
      const { refuseSecondWord, withMeant } = await import("./mistyped.ts");
      refuseSecondWord(stakeout.args, names);
      if (host === undefined) {
        const { sessions } = await import("./sessions.ts");
        return done(await sessions(options));
      }
      const { consoleOn } = await import("./console.ts");
      done(
        await consoleOn(host, options).catch((error: unknown) => {
          throw withMeant(error, host, names);
        }),
      );
    });

  withHostOptions(stakeout.command("doctor").description("what can be seen of a host and what not, before anything is set up there"))
    .argument("<host>")
    .option("--json", "as JSON")
    .action(async (host: string, options: DoctorOptions) => {
      const { doctor } = await import("./doctor.ts");
      done(await doctor(host, options));
    });

  const baseline = stakeout
    .command("baseline")
    .description("how a host is set up: kept in a file, and compared with another host's or yesterday's");
  withHostOptions(baseline.command("save").description("keep how a host is set up now, or was at the end of a session"))
    .argument("<source>", "a host, or a session")
    .argument("<file>", "a new file")
    .action(async (source: string, file: string, options: HostOptions) => {
      const { saveBaseline } = await import("./baseline.ts");
      done(await saveBaseline(source, file, options));
    });
  baseline
    .command("diff")
    .description("what the second has and the first has not (+), and the other way round (-)")
    .argument("<a>", "a file of baseline save, or a session")
    .argument("<b>", "another one")
    .option("--sessions <dir>", "where sessions are")
    .action(async (a: string, b: string, options: { sessions?: string }) => {
      const { diffBaselines } = await import("./baseline.ts");
      done(await diffBaselines(a, b, options));
    });

  stakeout
    .command("config")
    .description("the settings that hold now, as a file that explains itself: keys, theme, mouse, filters")
    .option("--check", "only say whether the config file is in order")
    .option("--settings <file>", "config file in the place of ~/.config/stakeout/config.yaml")
    .action(async (options: { settings?: string; check?: boolean }) => {
      const { config } = await import("./config.ts");
      done(await config(options));
    });

  stakeout
    .command("access")
    .description("print a temporary authorized_keys line for the customer, and how to add and remove it")
    .requiredOption("--from <addresses>", "from where the host will see us: addresses or networks, separated by commas, or any", list)
    .addOption(new Option("--for <time>", "how long it is good for (8h, 90m)").argParser(duration).default(duration("8h"), "8h"))
    .option("--key <file>", "our key, the private or the public half; without it the first of ~/.ssh/id_*")
    .option("--zone <zone>", "the time zone of the host's clock, such as Europe/Berlin", "UTC")
    .option("--user <name>", "the account that it is for", "root")
    .action(async (options: AccessOptions) => {
      const { access } = await import("./access.ts");
      done(access(options));
    });

  const profile = stakeout
    .command("profile")
    .description("who we are and what we use: profiles of the team, which suggest tags and make none");
  profile
    .command("list")
    .description("the profiles that are there, and what each knows")
    .action(async () => {
      const { listProfiles } = await import("./profile.ts");
      done(await listProfiles());
    });
  profile
    .command("check")
    .description("say whether profiles are in order: those given, else all that are there")
    .argument("[file...]")
    .action(async (files: string[]) => {
      const { checkProfiles } = await import("./profile.ts");
      done(await checkProfiles(files));
    });
  profile
    .command("import")
    .description("take a profile over from a colleague: checked, then copied to ~/.config/stakeout/profiles")
    .argument("<file>")
    .option("--replace", "in the place of one with that name")
    .action(async (file: string, options: { replace?: boolean }) => {
      const { importProfile } = await import("./profile.ts");
      done(await importProfile(file, options));
    });

  stakeout.commandsGroup("Watching and recording:");
  stakeout
    .command("demo")
    .description("make a suspect host with an intruder at work, and watch it (root on Linux; elsewhere the recorded night)")
    .option("--headless", "no screen: the analysts' part is played too, and it ends by itself")
    .option("--ndjson", "with --headless: the log's own lines on standard output")
    .option("--settings <file>", "config file in the place of ~/.config/stakeout/config.yaml")
    .option("--seed <number>", "which night: names, pauses and order follow from it", integer, 1)
    .option("--sessions <dir>", "where the session is recorded")
    .action(async (options) => {
      const { demo } = await import("./demo.ts");
      done(await demo(options));
    });

  withHostOptions(stakeout.command("record").description("record a host without a screen"))
    .argument("<host>")
    .option("--for <time>", "how long (30s, 5m); without it, until interrupted", duration)
    .option("--ndjson", "the log's own lines on standard output")
    .option(
      "--give-up <time>",
      "end when the host is lost and has not come back after this long (without it, it is tried on and on)",
      duration,
    )
    .action(async (host: string, options: RecordOptions) => {
      const { record } = await import("./record.ts");
      done(await record(host, options));
    });

  stakeout.commandsGroup("On the host:");
  withHostOptions(stakeout.command("run").description("run one command on a host in a clean shell, recorded with what it writes"))
    .argument("<host>")
    .argument("<command...>", "behind --: the command, as a shell of the host's would read it")
    .action(async (host: string, command: string[], options: HostOptions) => {
      const { run } = await import("./run.ts");
      done(await run(host, command, options));
    });

  for (const [kind, what] of [
    ["isolate", "cut a host off from all but us, verified both ways"],
    ["release", "undo the isolation of a host"],
  ] as const)
    responseOptions(stakeout.command(kind).description(what), kind)
      .addArgument(new Argument("<host>"))
      .action(async (host: string, options: RespondOptions) => {
        const { respond } = await import("./respond.ts");
        done(await respond(kind, host, options));
      });
  responseOptions(stakeout.command("block").description("stop one address, one port of it, or what an account sends; our logins go on"))
    .argument("<host>")
    .argument("[address]", "203.0.113.66, 203.0.113.66:443, [2001:db8::9]:443")
    .option("--account <uid>", "what this account of the host sends", integer)
    .option("--undo <mark>", "take back the block with this mark (it was printed when it was made)")
    .action(async (host: string, address: string | undefined, options: RespondOptions & { account?: number; undo?: string }) => {
      const { block } = await import("./respond.ts");
      done(await block(host, address, options));
    });

  stakeout.commandsGroup("Afterwards:");
  stakeout
    .command("replay")
    .description("play a recorded session: on the screen, as lines, or one moment of it")
    .argument("<session>", "a folder, or a name in the sessions folder")
    .option("--ndjson", "the log's own lines, as they were recorded")
    .option("--at <time>", "up to this moment: RFC 3339, 21:04:11 (UTC), +90s from the start, or #123 for a line")
    .option("--state", "the state at that moment, as JSON")
    .option("--speed <times>", "how fast", positive)
    .option("--plain", "sentences in the place of a screen: for screen readers and simple terminals")
    .option("--settings <file>", "config file in the place of ~/.config/stakeout/config.yaml")
    .option("--sessions <dir>", "where sessions are")
    .action(async (session: string, options: ReplayOptions) => {
      const { replay } = await import("./replay.ts");
      done(await replay(session, options));
    });

  stakeout
    .command("verify")
    .description("check the chain of a recorded session")
    .argument("<session>")
    .option("--sessions <dir>", "where sessions are")
    .action(async (session: string, options: { sessions?: string }) => {
      const { verify } = await import("./verify.ts");
      done(await verify(session, options));
    });

  stakeout
    .command("report")
    .description("a recorded session as a report for people: Markdown on standard output")
    .argument("<session>", "a folder, or a name in the sessions folder")
    .option("-o, --output <file>", "write it into this file")
    .option("--changes", "the change ticket instead: every change that was made on the host, and how it is taken back")
    .option("--sessions <dir>", "where sessions are")
    .action(async (session: string, options: { sessions?: string; output?: string; changes?: boolean }) => {
      const { report } = await import("./report.ts");
      done(await report(session, options));
    });

  stakeout
    .command("export")
    .description("a recorded session in another program's form, on standard output")
    .argument("<session>", "a folder, or a name in the sessions folder")
    .addOption(
      new Option("--format <form>", "evaluation: a JSON line a program, file, connection and finding")
        .choices(["evaluation"])
        .makeOptionMandatory(),
    )
    .option("--sessions <dir>", "where sessions are")
    .action(async (session: string, options: { sessions?: string }) => {
      const { exportSession } = await import("./export.ts");
      done(await exportSession(session, options));
    });

  // What the demo starts inside the analyst's namespace; of no use by itself.
  withHostOptions(stakeout.command("night", { hidden: true }))
    .argument("<host>")
    .requiredOption("--responders <addresses>", "addresses that are ours", list)
    .option("--ndjson")
    .action(async (host: string, options: NightOptions) => {
      const { night } = await import("./night.ts");
      done(await night(host, options));
    });
  helpBehindErrors(stakeout, "stakeout");
  return stakeout;
}

/** What was wrong is followed by where the command that was meant explains itself. */
function helpBehindErrors(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help says what there is)`);
  for (const below of command.commands) helpBehindErrors(below, `${path} ${below.name()}`);
}

/** Options of what changes a host from a script. */
function responseOptions(command: Command, kind?: "isolate" | "release"): Command {
  const common = withHostOptions(command)
    .optionsGroup(kind === undefined ? "The block:" : kind === "isolate" ? "The isolation:" : "The release:")
    .option("--dry-run", "print the script, change nothing")
    .option("--reason <text>", "why, where --scope does not authorise it");
  if (kind !== "isolate") return common;
  return common
    .option("--allow <addresses>", "also let through: 192.0.2.9 may log in, 192.0.2.9:443 may be reached by the host", list)
    .option("--rehearse", "cut nothing: the rules count for 10 s on live traffic, and say whom they would cut")
    .option("--watch", "stay until interrupted: watch it each second, put back what somebody removes")
    .option("--through-reboot", "also written to the host's disk (a systemd unit and nft's rules), so that it stands after a reboot too")
    .option("--revert-if-we-vanish", "as --watch, and the host undoes it when it has not heard from us for 60 s");
}

const list = (text: string): string[] => text.split(",").map((part) => part.trim());

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("it is a whole number.");
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError("it is a number above 0.");
  return value;
}

/** How long the end waits for whoever reads our output. */
const PATIENCE_MS = 2000;

let code: number = EXIT.ok;
try {
  await program((given) => {
    code = given;
  }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    code = error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has said what is wrong
  else {
    process.stderr.write(`stakeout: ${describe(error)}\n`);
    code = exitCodeOf(error);
  }
}
if (code === EXIT.ok && outputFailed()) code = EXIT.failed;
// What is still open (a lingering socket) must not keep a finished program alive; what was written must get out first.
process.exitCode = code;
const written = Promise.all([process.stdout, process.stderr].map((stream) => new Promise((flushed) => stream.write("", flushed))));
await Promise.race([written, new Promise((late) => setTimeout(late, PATIENCE_MS))]); // a terminal that does not read is not waited for
process.exit(code);
