import { CHOICES, type Choice, type Collect, type TierId } from "#model/observation";

/** One way to watch processes, as the collector tries it and as an analyst is told of it. */
export interface TierCard {
  id: TierId;
  /** The least that must have been chosen before connecting; `audit` is taken only where it was asked for by its name. */
  choice: Choice | "audit";
  /** Left out where only a host without perl has it: a shell of its own tries it (traced-shell.ts). */
  perl?: {
    /** '' where it can work, else why not. Changes nothing on the host. */
    probe: string;
    /** '' or why not. */
    begin: string;
    /** Takes everything back. */
    end: string;
  };
  /** In which form its events come: the kernel's own pages (lineage.ts), or records a line each (decode-record.ts). */
  decode: "pages" | "records";
  fidelity: Fidelity;
}
interface Fidelity {
  /** In a few words each: what is seen of programs, arguments, parents, connections. */
  programs: string;
  arguments: string;
  parents: string;
  connections: string;
  /** What it can miss, a sentence each. */
  misses: string[];
  /** What root on the host can see of it while it runs. */
  footprint: string[];
}

/** One way to watch, and whether this host allows it. */
export interface TierSight extends Fidelity {
  id: TierId;
  /** What must be chosen for it. */
  choice: string;
  works: boolean;
  /** Why it cannot work, where it cannot. */
  why?: string;
  /** It is the one that would be taken. */
  taken: boolean;
}
const INSTANCES = "trace instances named stakeout.* in tracefs (kernel memory, gone at the end)";
const TRACED = { programs: "every one", parents: "exact, from the kernel's forks", connections: "every TCP connection, with its process" };
const NOT_AN_EXEC = "a program that is mapped and started without an exec (a shared library, a script that is sourced) is no event";
/** Both come as a length of 0 before Linux 6.15 (strncpy_from_user_nofault, trace_probe_kernel.h). */
const NO_EMPTY =
  "an empty argument looks like one that could not be read: from there on the list is said to be cut, unless /proc still has it";

/** Every tier, best first. */
export const TIER_CARDS: readonly TierCard[] = [
  {
    id: "tracefs+bpf",
    choice: "full",
    perl: { probe: String.raw`\&bpf_probe`, begin: String.raw`sub { trace_begin(\&bpf_setup) }`, end: String.raw`\&trace_end` },
    decode: "pages",
    fidelity: {
      ...TRACED,
      arguments: "whole up to 2 KB and a last one of 4 KB, however short the program lives; longer ones from /proc, or said to be cut",
      misses: [NOT_AN_EXEC],
      footprint: [INSTANCES, "one BPF program and two maps on the exec tracepoint (bpftool lists them)"],
    },
  },
  {
    id: "tracefs+kprobe",
    choice: "full",
    perl: {
      probe: String.raw`\&kprobe_probe`,
      begin: "sub { trace_begin(sub { probes_setup('kprobe', $_[0]) }) }",
      end: String.raw`\&trace_end`,
    },
    decode: "pages",
    fidelity: {
      ...TRACED,
      arguments: "24 of them, however short the program lives; what is cut is said so",
      misses: [
        "arguments of what a 32-bit program starts, and of the kernel's own helpers, are read from /proc only: such an event can say raced",
        NO_EMPTY,
        NOT_AN_EXEC,
      ],
      footprint: [INSTANCES, "probes on execve and execveat named stakeout_* (kprobe_events, /sys/kernel/debug/kprobes/list)"],
    },
  },
  {
    id: "tracefs+eprobe",
    choice: "full",
    perl: {
      probe: String.raw`\&eprobe_probe`,
      begin: "sub { trace_begin(sub { probes_setup('eprobe', $_[0]) }) }",
      end: String.raw`\&trace_end`,
    },
    decode: "pages",
    fidelity: {
      ...TRACED,
      arguments: "24 of them, however short the program lives; what is cut is said so",
      misses: [
        "arguments of what a 32-bit program starts, and of the kernel's own helpers, are read from /proc only: such an event can say raced",
        NO_EMPTY,
        NOT_AN_EXEC,
      ],
      footprint: [
        INSTANCES,
        "event probes named stakeout_* on the execve tracepoints; every system call on the host costs about 50 ns more",
      ],
    },
  },
  {
    id: "audit",
    choice: "audit",
    perl: { probe: String.raw`\&audit_probe`, begin: String.raw`\&audit_begin`, end: String.raw`\&audit_end` },
    decode: "pages",
    fidelity: {
      programs: "every one",
      arguments: "whole up to 48 KB, however short the program lives, with its folder, terminal and login uid; what is cut is said so",
      parents: TRACED.parents,
      connections: "every TCP connection with its process where the kernel can be traced, else looked at once a second",
      misses: [
        "a record comes when the exec is over: what the kernel itself drops is counted, and such an event can say raced",
        NOT_AN_EXEC,
      ],
      footprint: [
        "auditing switched on, and two rules on execve and execveat (auditctl -l lists them, the key is stakeout.*)",
        "its records, which whoever listens on the host (auditd, journald) writes down, our rules' coming and going too",
        `${INSTANCES}; where the kernel cannot be traced a netlink socket`,
      ],
    },
  },
  {
    id: "tracefs+proc",
    choice: "standard",
    perl: { probe: String.raw`\&trace_probe`, begin: "sub { trace_begin() }", end: String.raw`\&trace_end` },
    decode: "pages",
    fidelity: {
      ...TRACED,
      arguments: "read from /proc: of what lives a millisecond nearly all, of what ends at once about half; the others say raced",
      misses: ["arguments of a process that ends at once can be gone before they are read: such events say raced", NOT_AN_EXEC],
      footprint: [INSTANCES],
    },
  },
  {
    id: "tracefs+shell",
    choice: "standard",
    decode: "pages",
    fidelity: {
      ...TRACED,
      arguments: "read from /proc of what lives until the shell looks, four times a second; the others say raced",
      misses: [
        "no perl: the kernel tells a shell of every program, but its arguments, account and folder are read of what lives until the shell looks (four times a second): the others say raced",
        NOT_AN_EXEC,
      ],
      footprint: ["one trace instance named stakeout.* in tracefs (kernel memory, gone at the end)"],
    },
  },
  {
    id: "cn_proc",
    choice: "quiet",
    perl: { probe: String.raw`\&connector_probe`, begin: String.raw`\&connector_begin`, end: String.raw`\&connector_end` },
    decode: "records",
    fidelity: {
      programs: "every one; the name of what ends at once can be gone",
      arguments: "read from /proc: what ends at once says raced",
      parents: "exact, from the kernel's forks",
      connections: "TCP looked at once a second: shorter ones are missed",
      misses: [
        "connections are looked at once a second: shorter ones are missed, and most have no process",
        "a program that starts another in its own place at once is told with the other's name",
        NOT_AN_EXEC,
      ],
      footprint: ["a netlink socket of the process connector (/proc/net/netlink)"],
    },
  },
  {
    id: "poll",
    choice: "quiet",
    perl: { probe: "sub { '' }", begin: String.raw`\&poll_begin`, end: "sub {}" },
    decode: "records",
    fidelity: {
      programs: "what is there when we look, four times a second",
      arguments: "of what is seen",
      parents: "as /proc says when we look: gone once the parent has ended",
      connections: "TCP looked at once a second",
      misses: [
        "processes are looked at four times a second and connections once: most of what lives shorter is missed",
        "the parent of what was handed to another process before we looked",
      ],
      footprint: [],
    },
  },
];

export function tierCard(id: TierId): TierCard {
  const card = TIER_CARDS.find((candidate) => candidate.id === id);
  if (card === undefined) throw new Error(`there is no tier ${id}`);
  return card;
}

/** The tiers that a choice allows, best first; of a tier's name: itself and what stands below it. */
export function tiersOf(collect: Collect): TierCard[] {
  const at = TIER_CARDS.findIndex(({ id }) => id === collect);
  if (at >= 0) return TIER_CARDS.slice(at).filter(({ id, choice }) => choice !== "audit" || id === collect);
  const most = CHOICES.indexOf(collect as Choice);
  return TIER_CARDS.filter(({ choice }) => choice !== "audit" && CHOICES.indexOf(choice) <= most);
}

/** The collector's ladder: perl that names these tiers, best first. */
export const ladder = (cards: readonly TierCard[]): string =>
  `@LADDER = (${cards.flatMap(({ id, perl }) => (perl ? [`['${id}', ${perl.probe}, ${perl.begin}, ${perl.end}]`] : [])).join(",\n")});\n`;
