import type { Role } from "#model/presence";
import { roleOf } from "#model/presence-selectors";
import type { Command, CommandContext, Company } from "./command.ts";
import type { Intent } from "./intent.ts";

/** Who asks: his role now, whether it could be another, and who drives. */
export interface Asker {
  role: Role;
  mayDrive: boolean;
  driver: string;
}

/** Who asks from a screen; undefined where there is no company, or the screen has left. */
export function askerOf(company: Company | undefined): Asker | undefined {
  const person = company?.presence.people.find(({ seat }) => seat === company.seat);
  if (!company || !person) return undefined;
  const { name, mayDrive } = person;
  return { role: mayDrive ? roleOf(company.presence, name) : "spectator", mayDrive, driver: company.presence.driver };
}

/** What the dangerous commands of the registry ask for, and the answer to what they show. Held to the registry by a test. */
const CHANGES_HOST: ReadonlySet<Intent["kind"]> = new Set<Intent["kind"]>([
  "plan",
  "confirm",
  "compose-command",
  "run",
  "measures",
  "adjust",
  "rehearse",
  "grab",
]);

/** Whether this leads to a change of the host. */
export const changesHost = (intent: Intent): boolean => CHANGES_HOST.has(intent.kind);

/** Why an analyst may not use a command, a sentence; undefined when he may. `dangerous` in the registry is what decides. */
function roleRefusal(command: Pick<Command, "dangerous">, asker: Asker | undefined): string | undefined {
  if (!command.dangerous || !asker || asker.role === "driver") return undefined;
  return asker.mayDrive
    ? `${asker.driver} drives, and only the driver may change the host: ask for the drive`
    : `you were let in to watch: ${asker.driver} drives and may change the host`;
}

/** Why a command cannot be used now: by who asks, else by the moment. */
export const refusalOf = (command: Command, context: CommandContext, asker = askerOf(context.company)): string | undefined =>
  roleRefusal(command, asker) ?? command.disabledReason?.(context);

/**
 * The same for what arrives from a screen, whatever the screen let through. Where two must confirm (`two`), the second may be any analyst
 * who could drive; and whoever could drive may drop a plan, and say whether a lost host is tried again.
 */
export function intentRefusal(intent: Intent, asker: Asker, two: boolean): string | undefined {
  if (intent.kind === "two-people" || intent.kind === "dismiss" || intent.kind === "reconnect" || (intent.kind === "confirm" && two))
    return asker.mayDrive ? undefined : roleRefusal({ dangerous: true }, asker);
  const refused = changesHost(intent) ? roleRefusal({ dangerous: true }, asker) : undefined;
  if (refused === undefined && two && (intent.kind === "compose-command" || intent.kind === "run")) return NOT_SECONDED;
  return refused;
}
/** There is no plan of a command that a second could read and confirm. */
const NOT_SECONDED = "two must confirm what changes the host, and a command cannot be confirmed by a second: end that rule first";
