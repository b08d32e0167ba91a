import type { HostConnection } from "#host/connection";
import { printable } from "#model/host-string";
import { type Auditing, examine } from "#sensors/doctor";
import { askYes } from "./ask.ts";
import { EXIT, say, UserError } from "./exit.ts";
import type { HostOptions } from "./options.ts";

/**
 * What the `audit` tier would change on a host, in plain sentences, and what of it stays. The 18 % are measured: CPU time of an exec
 * with its records.
 */
export function auditChanges({ on, daemon, rules, queue, readers, ours }: Auditing): string[] {
  const written = [
    ...(daemon > 0 ? [`auditd (pid ${daemon}), which writes them into its log on the host's disk`] : []),
    ...(readers > 0
      ? [`${readers} other reader${readers === 1 ? "" : "s"} (systemd's journal is one), which may write them down too`]
      : []),
  ];
  return [
    on
      ? "The kernel's auditing is on already, and stays on."
      : "The kernel's auditing is off: it is switched on, and off again at the end (left on if an auditd has started meanwhile).",
    `${ours.length} rules are added behind the ${rules} that are there, and taken away at the end:`,
    ...ours.map((rule) => `    ${rule}`),
    "Each program that starts costs the host about 18 % more CPU time.",
    `While the kernel's queue of ${queue} records is full, programs that start have to wait.`,
    written.length > 0
      ? `Its records reach us and also ${written.join(", and ")}: with every command line of the host.`
      : "Its records reach us. Nobody else reads them, so the kernel writes some of them into its own log (dmesg, kern.log, the journal) as well.",
    "What stays: those lines, and one for each change of the rules. After a kill, a cut line or a crash the host undoes it by itself within 6 s.",
    ...(on ? [] : ["Once it has been on, every system call of programs that start later stays a little slower until the next reboot."]),
  ];
}

/**
 * Asks whether auditing may be used, where it was chosen and can work: once, before anything is set up. Says what it will do where
 * `--yes-audit` has agreed already. Gives what was agreed to, for the record; nothing where it was not chosen or cannot work.
 * @throws UserError when it is not agreed to, or nobody is there to ask
 */
export async function agreeToAudit(connection: HostConnection, target: string, options: HostOptions): Promise<string | undefined> {
  if (options.collect !== "audit") return undefined;
  const { auditing, tiers } = await examine(connection, "audit");
  const tier = tiers.find(({ id }) => id === "audit");
  if (!tier?.works || !auditing) {
    say(`audit cannot work on ${target}: ${printable(tier?.why ?? "the host did not say")}. The next way to watch is taken.`);
    return undefined;
  }
  const changes = auditChanges(auditing);
  process.stderr.write(`--collect audit changes ${target}, until the console ends:\n${changes.map((line) => `  ${line}\n`).join("")}`);
  if (!options.yesAudit) {
    if (!process.stdin.isTTY)
      throw new UserError(
        "Nobody is there to agree to that: --yes-audit agrees beforehand, and --collect standard needs no agreement. Nothing was set up.",
        EXIT.usage,
      );
    if (!(await askYes("Agree to that? (yes/no) ")))
      throw new UserError("Not agreed: nothing was set up. --collect standard watches without auditing.");
  }
  return `Agreed${options.yesAudit ? " beforehand (--yes-audit)" : ""} that the host's auditing is used: ${changes.map((line) => line.trim()).join(" ")}`;
}
