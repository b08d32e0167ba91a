import { Enricher } from "#analysis/enrich";
import { Investigation } from "#investigation/investigation";
import { printable } from "#model/host-string";
import { createSession, sessionsRoot } from "#session/session-store";
import { outcomeOf } from "#state/words";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { connect, labelOf } from "./live.ts";
import { analystOf, type HostOptions } from "./options.ts";
import { commandRunner } from "./recorded-command.ts";
import { cardOf } from "./start-card.ts";
import { VERSION } from "./version.ts";

/**
 * `stakeout run HOST -- COMMAND`: one command on a host, recorded. Its output goes to standard output: as it came where that is a file or a
 * program, without anything that could steer a terminal where it is one. Without the host's own words for it, the exit code is 0 or 1.
 */
export async function run(target: string, words: readonly string[], options: HostOptions): Promise<number> {
  const line = words.join(" ").trim();
  if (line === "")
    throw new UserError("There is no command: stakeout run HOST -- COMMAND, such as stakeout run root@db1 -- ss -tnp", EXIT.usage);
  const connection = await connect(target, options);
  for (const note of connection.notes) say(note);
  try {
    const folder = await createSession(
      sessionsRoot(options.sessions, checkout()),
      { label: labelOf(target), address: connection.address, target },
      Date.now(),
    );
    const card = cardOf(options);
    const analyst = analystOf(options);
    const investigation = await Investigation.open({
      folder,
      enricher: new Enricher(undefined, undefined),
      analyst,
      ...(card ? { card } : {}),
      version: VERSION,
      now: Date.now,
      connection: connection.made,
      prepareResponse: () => Promise.reject(new Error("a command changes no rules")),
      askFileInfo: () => {},
      isOurs: () => false,
      runCommand: commandRunner(() => connection, folder, show),
      onUnrecorded: say,
    });
    const ran = await investigation.commands.run(line, analyst);
    await investigation.end("the command is over");
    say(`recorded in ${folder.path}`);
    if (typeof ran === "string") throw new UserError(`The command was not run: ${ran}.`);
    if (ran.exit_code === 0 && ran.ended === undefined) return EXIT.ok;
    say(`the command: ${outcomeOf(ran)}`);
    return EXIT.failed;
  } finally {
    await connection.close();
  }
}

function show(output: Buffer): void {
  if (!process.stdout.isTTY) {
    process.stdout.write(output);
    return;
  }
  const text = output.toString("utf8");
  process.stdout.write(
    text
      .split("\n")
      .map((one) => printable(one.replaceAll("\t", "        ")))
      .join("\n"),
  );
}
