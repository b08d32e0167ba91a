import { revertsAlone } from "#draw/dialogs/ask";
import { EXIT, say, UserError } from "./exit.ts";
import { labelOf, openLive } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { wantsPlain } from "./plain.ts";
import { openSettings, readConfig } from "./settings/open.ts";
import { proposedCard, rememberCard } from "./start-card.ts";

export interface ConsoleOptions extends HostOptions {
  /** False: the start card is not asked for; what the options say is recorded. */
  card: boolean;
  plain?: boolean;
  /** Others may join from the beginning. */
  pair?: boolean;
  pairAddress?: string;
  pairPort?: number;
  pairKeys?: string[];
  pairWatchers?: string[];
}

/** The live console on a host; without a terminal, its recording as lines until interrupted. */
export async function consoleOn(target: string, options: ConsoleOptions): Promise<number> {
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    const missing = process.stdin.isTTY ? "standard output" : process.stdout.isTTY ? "standard input" : "neither input nor output";
    say(
      `${missing} is ${missing.startsWith("neither") ? "" : "not "}a terminal: recording as lines until interrupted (stakeout record --help has more)`,
    );
    const { record } = await import("./record.ts");
    return record(target, options);
  }
  const settings = await openSettings(options.settings); // a mistake in the config is told before anything is begun
  const pair = await pairSettings(options);
  const plain = wantsPlain(options);
  const screen = import("./screen.ts"); // Ink and React are loaded while the connection is made
  const label = labelOf(target);
  const ask = options.card ? proposedCard(label, options) : undefined; // read while the connection is made
  const live = await openLive(target, options);
  let code: number = EXIT.failed;
  try {
    const { showLive } = await screen;
    code = await showLive(live, label, { ask: await ask, onCard: (card) => rememberCard(label, card), plain, settings, pair });
  } finally {
    const { isolated, underway } = live.investigation.state;
    await live.end("the console was left");
    say(`recorded in ${live.folder.path}`);
    if (underway && !isolated)
      say(
        `whether ${target} is isolated is not known: it was being cut off. The host undoes within a minute what nobody proved; "stakeout release ${target}" makes sure.`,
      );
    else if (isolated)
      say(
        revertsAlone(live.investigation.state)
          ? `${target} is still isolated, and reverts within a minute.`
          : `${target} is still isolated; "stakeout release ${target}" undoes it.`,
      );
  }
  return code;
}

/** How others are let in: the options, and behind them the config file. */
async function pairSettings(options: ConsoleOptions) {
  const { pair } = (await readConfig(options.settings)).config;
  const { pair: now = false, pairKeys: keys = pair.keys, pairWatchers: watchers = pair.watchers } = options;
  const [address, port] = [options.pairAddress ?? pair.address, options.pairPort ?? pair.port];
  if (now && keys.length + watchers.length === 0)
    throw new UserError(
      "Nobody could join: name the public keys of who may, with --pair-keys FILE (authorized_keys, *.pub, or a folder of them) or in the config file under pair.",
      EXIT.usage,
    );
  return { now, keys, watchers, ...(address === undefined ? {} : { address }), ...(port === undefined ? {} : { port }) };
}
