import { type Collect, TIERS, type TierId } from "#model/observation";
import { ladder, TIER_CARDS, tiersOf } from "../tiers.ts";
import { AUDIT } from "./audit.ts";
import { AUDIT_RULES } from "./audit-rules.ts";
import { BASE } from "./base.ts";
import { BPF } from "./bpf.ts";
import { CONNECTOR } from "./connector.ts";
import { CONTAINERS } from "./containers.ts";
import { DIAG } from "./diag.ts";
import { DOCTOR } from "./doctor.ts";
import { ELF } from "./elf.ts";
import { FACTS } from "./facts.ts";
import { FILES } from "./files.ts";
import { GUARD } from "./guard.ts";
import { HANDS } from "./hands.ts";
import { INFO } from "./info.ts";
import { KEPT } from "./kept.ts";
import { LADDER } from "./ladder.ts";
import { LINEAGE } from "./lineage.ts";
import { INVENTORY, LOGINS, LOGINS_END, LOOK, LOOK_BACK, LOOK_END } from "./look.ts";
import { MAIN } from "./main.ts";
import { OTHERS } from "./others.ts";
import { OWNERS } from "./owners.ts";
import { POLL } from "./poll.ts";
import { PROBES } from "./probes.ts";
import { RAW } from "./raw.ts";
import { RPM } from "./rpm.ts";
import { SECRETS } from "./secrets.ts";
import { TRACE } from "./trace.ts";
import { UNIX } from "./unix.ts";
import { ASLEEP, waking } from "./waking.ts";

/** The parts in order; what only some tiers need is sent only for them, since perl's memory on the host grows with the text. */
function parts(tiers: readonly TierId[]): string[] {
  const keepers = [tiers.includes("tracefs+bpf") ? BPF : "", tiers.some((id) => id.endsWith("probe")) ? PROBES : ""];
  return [
    BASE,
    KEPT,
    FACTS,
    TRACE,
    ...keepers,
    LINEAGE,
    RAW,
    FILES,
    OWNERS,
    RPM,
    UNIX,
    ELF,
    INFO,
    CONTAINERS,
    HANDS,
    SECRETS,
    CONNECTOR,
    POLL,
    OTHERS,
    DIAG,
    AUDIT_RULES,
    LADDER,
    GUARD,
    tiers.includes("audit") ? AUDIT : "",
  ];
}

/**
 * Perl without its comment lines: what is sent is what runs. UTF-8, and in fact ASCII.
 *
 * What a part has below a line `# asleep` are subs that most hosts never need, or that a child of the collector needs alone: perl makes of a
 * text 45 times as much memory, so it stays a text until one of them is called (waking.ts), and in a child it is compiled there.
 */
function joined(texts: readonly string[]): string {
  const bare = texts.map((text) => {
    const lines = text.split("\n").map((line) => line.trim());
    const at = lines.indexOf(ASLEEP);
    return [lines.slice(0, at < 0 ? undefined : at), at < 0 ? [] : lines.slice(at)].map((part) =>
      part.filter((line) => line !== "" && !line.startsWith("#")).join("\n"),
    ) as [string, string];
  });
  const last = bare.pop()?.[0] ?? ""; // what runs: all that it calls stands before it
  return [...bare.map(([awake]) => awake), waking(bare.map(([, asleep]) => asleep)), last].filter((text) => text !== "").join("\n");
}

/** The collector's whole text, with the tiers that a choice allows. */
export const collectorText = (collect: Collect): string =>
  joined([...parts(tiersOf(collect).map(({ id }) => id)), ladder(tiersOf(collect)), MAIN]);
/** What looks at a host and changes nothing (doctor.ts), for every tier. */
export const doctorText = (): string => joined([...parts(TIERS), ladder(TIER_CARDS), DOCTOR]);
/** What looks once at the past, or at how the host is set up, and ends (look.ts). */
export const lookText = (what: readonly ("past" | "set-up")[]): string =>
  joined([BASE, FACTS, LOOK, what.includes("past") ? LOOK_BACK : "", what.includes("set-up") ? INVENTORY : "", LOOK_END]);
/** What asks for what is known of these logins, by the pids of their sshd and of their first process. */
export const loginsText = (logins: readonly { pid: number; first: number }[]): string =>
  joined([
    BASE,
    FACTS,
    LOOK,
    LOGINS,
    ...logins.map(({ pid, first }) => `\nwho(${Math.trunc(pid)}, ${Math.trunc(first)});\n`),
    LOGINS_END,
    LOOK_END,
  ]);

/**
 * How the text reaches perl: it is read from standard input up to its known length with sysread, which takes no byte more, so
 * that what follows on the same channel (heartbeats, requests) is the collector's to read. Nothing of it is in an argv or a file.
 * /bin/sh is there to say "no perl" by its exit code, {@link NO_PERL}. A console that stops before it has sent the text is waited for
 * {@link TEXT_SECONDS} from one piece to the next: without that the perl would stay for as long as the connection.
 */
export function collectorCommand(text: string): string[] {
  const perl = `$n=shift;while(length($c)<$n){alarm ${TEXT_SECONDS};sysread(STDIN,$c,$n-length$c,length$c)or exit 3}alarm 0;eval$c;die$@ if$@`;
  const shell = `command -v perl >/dev/null 2>&1 || exit ${NO_PERL}; exec perl -e '${perl}' ${Buffer.byteLength(text)}`;
  return ["/bin/sh", "-c", shell];
}

/** Seconds that a perl, or a shell that can count them, waits for the next piece of its text: as long as the console waits for its hello. */
export const TEXT_SECONDS = 15;

/** Exit code of the shell when the host has no perl. */
export const NO_PERL = 97;
