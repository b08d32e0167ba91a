import { printable } from "#model/host-string";
import { type Examination, examine } from "#sensors/doctor";
import { auditChanges } from "./agree-audit.ts";
import { EXIT } from "./exit.ts";
import { connect } from "./live.ts";
import type { HostOptions } from "./options.ts";
import { write } from "./standard-output.ts";

export interface DoctorOptions extends HostOptions {
  json?: boolean;
}

/** What can be seen of a host and what not, what to do about it, and what of us is seen there: before anything is set up. */
export async function doctor(target: string, options: DoctorOptions): Promise<number> {
  const connection = await connect(target, options);
  try {
    const collect = options.collect ?? "standard";
    const found = await examine(connection, collect);
    if (options.json) write(JSON.stringify(found, undefined, 2));
    else for (const line of table(found, collect, process.stdout.columns)) write(line);
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}

const MARK = { yes: "seen", partly: "in part", no: "not seen" } as const;

/** A terminal that is narrower than this breaks our lines where it likes. */
const LEAST_WIDTH = 60;

/**
 * For people: host text is made printable, nothing else needs it. What is longer than a terminal is wide goes on under where it began;
 * without one (`width` undefined) a line is a line.
 */
export function table({ host, tiers, sights, footprint, auditing }: Examination, collect: string, width?: number): string[] {
  const widest = Math.max(...sights.map(({ what }) => what.length)) + 1;
  const item = (text: string) => hung("  - ", text, width);
  const lines = [
    printable(
      `${host.name}   Linux ${host.kernel} ${host.arch}, ${host.cpus} CPUs, ${host.processes} processes, ${host.uid === 0 ? "root" : `uid ${host.uid}`}`,
    ),
    "",
    "WHAT CAN BE SEEN",
  ];
  for (const { what, seen, how, todo } of sights) {
    const lead = `  ${MARK[seen].padEnd(9)} ${what.padEnd(widest)} `;
    lines.push(...hung(lead, how, width));
    if (todo) lines.push(...hung(`${" ".repeat(lead.length)}-> `, todo, width));
  }
  lines.push("", `WAYS TO WATCH (--collect ${collect})`);
  for (const { id, choice, works, why, taken } of tiers) {
    const state = taken ? "taken" : works ? `works, with --collect ${choice}` : `not here: ${why}`;
    lines.push(...hung(`  ${taken ? "*" : " "} ${id.padEnd(15)} `, state, width));
  }
  const missed = tiers.find(({ taken }) => taken)?.misses ?? [];
  lines.push("", "WHAT THE TAKEN WAY CAN MISS", ...missed.flatMap(item));
  if (collect === "audit" && auditing && tiers.some(({ id, taken }) => id === "audit" && taken))
    lines.push("", "WHAT IT WOULD CHANGE", ...auditChanges(auditing).flatMap(item));
  lines.push("", "WHAT ROOT ON THE HOST SEES OF US", ...footprint.flatMap(item));
  return lines;
}

/** A text behind what leads to it, broken between words. */
function hung(lead: string, text: string, width: number | undefined): string[] {
  const room = width === undefined || width < LEAST_WIDTH ? Number.POSITIVE_INFINITY : width - lead.length;
  const lines = [""];
  for (const word of printable(text).split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, i) => `${i === 0 ? lead : " ".repeat(lead.length)}${line}`);
}
