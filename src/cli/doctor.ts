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
    else for (const line of table(found, collect)) write(line);
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}

const MARK = { yes: "seen", partly: "in part", no: "not seen" } as const;

/** For a terminal: host text is made printable, nothing else needs it. */
function table({ host, tiers, sights, footprint, auditing }: Examination, collect: string): string[] {
  const lines = [
    `${host.name}   Linux ${host.kernel} ${host.arch}, ${host.cpus} CPUs, ${host.processes} processes, ${host.uid === 0 ? "root" : `uid ${host.uid}`}`,
    "",
    "WHAT CAN BE SEEN",
  ];
  for (const { what, seen, how, todo } of sights) {
    lines.push(`  ${MARK[seen].padEnd(9)} ${what.padEnd(28)} ${how}`);
    if (todo) lines.push(`${" ".repeat(41)}-> ${todo}`);
  }
  lines.push("", `WAYS TO WATCH (--collect ${collect})`);
  for (const { id, choice, works, why, taken } of tiers) {
    const state = taken ? "taken" : works ? `works, with --collect ${choice}` : `not here: ${why}`;
    lines.push(`  ${taken ? "*" : " "} ${id.padEnd(15)} ${state}`);
  }
  const missed = tiers.find(({ taken }) => taken)?.misses ?? [];
  lines.push("", "WHAT THE TAKEN WAY CAN MISS", ...missed.map((line) => `  - ${line}`));
  if (collect === "audit" && auditing && tiers.some(({ id, taken }) => id === "audit" && taken))
    lines.push("", "WHAT IT WOULD CHANGE", ...auditChanges(auditing).map((line) => `  - ${line}`));
  lines.push("", "WHAT ROOT ON THE HOST SEES OF US", ...footprint.map((line) => `  - ${line}`));
  return lines.map(printable);
}
