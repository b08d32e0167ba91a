import { fileFlags } from "#model/file-flags";
import type { PastKind } from "#model/past";
import { isHidden } from "./lineage.ts";
import { seenLogin } from "./past.ts";
import type { LoginState, PastState, State } from "./state.ts";

/** Something that speaks against a remembered thing. Of one kind the higher grade goes first; below 0, it speaks for it. */
export interface Concern {
  grade: number;
  words: string;
}

/** What is known of the host besides the row itself. */
interface Scene {
  /** The login that we see as well, where a row tells of one. */
  seen: (past: PastState) => LoginState | undefined;
  /** Addresses of logins that somebody called bad, and those of ours or of whom a tag vouches for. */
  bad: ReadonlyMap<string, "intruder" | "suspect">;
  vouched: ReadonlySet<string>;
  /** How often an address was refused, first when, and when it was let in last. */
  refused: ReadonlyMap<string, { times: number; first: number }>;
  letIn: ReadonlyMap<string, number>;
  /** Accounts that can enter, with whether they have root's number; empty where the set-up was not read. */
  accounts: ReadonlyMap<string, { root: boolean }>;
}

/** So many refusals are no slip of the fingers any more. */
const GUESSED = 5;

/** What speaks against each of the things that the host remembers: each is held against all others, so this is made once for all. */
export function concernsIn(state: State): (past: PastState) => Concern[] {
  const scene = sceneOf(state);
  return (past) => CONCERNS[past.kind]?.(past, scene).flatMap(([holds, grade, words]) => (holds ? [{ grade, words }] : [])) ?? [];
}

/** Whether it holds, how grave it is, and how it is told. */
type Check = readonly [holds: boolean, grade: number, words: string];

const CONCERNS: Partial<Record<PastKind, (past: PastState, scene: Scene) => readonly Check[]>> = {
  /** What most often explains itself, a rotated log and a host that was off, goes below what it takes a hand to do. */
  gap: ({ text = "" }) => [[!/^(?:empty: |nothing for )/.test(text), 0, "neither a rotation nor a pause explains it"]],

  login: (past, scene) => {
    const { user = "", ip, last, open, methods } = past;
    const seen = scene.seen(past);
    if (seen && (seen.ours || isHidden(seen.standing)))
      return [[true, -1, seen.ours ? "this console's own" : `a login that is called ${seen.standing}`]];
    const tries = ip === undefined ? undefined : scene.refused.get(ip);
    const guessed = tries !== undefined && tries.times >= GUESSED && tries.first <= last;
    return [
      ...addressChecks(past, scene, seen),
      [guessed, 5, `let in behind ${tries?.times ?? 0} refusals of the same address`],
      [ip !== undefined && !scene.vouched.has(ip), past.source?.geo || past.source?.as ? 4 : 3, "none of ours came from that address"],
      [isRoot(user, scene), 2, "root"],
      [open === true && seen?.end === undefined, 1, "not ended"],
      [methods?.includes("password") ?? false, 0, "a password was enough"],
    ];
  },

  failed: (past, scene) => {
    const { user = "", ip, first } = past;
    const came = ip === undefined ? undefined : scene.letIn.get(ip);
    return [
      ...addressChecks(past, scene),
      [came !== undefined && came >= first, 5, "somebody was let in from the same address, then or later"],
      [scene.accounts.has(user), 0, "the account exists"],
    ];
  },

  elevation: ({ user = "", effective = "", text = "" }, scene) => [
    [scene.accounts.size > 0 && user !== "" && !scene.accounts.has(user), 4, "by an account that /etc/passwd does not let in"],
    [SUDO_REFUSED.test(text), 3, "sudo refused it"],
    [FROM_A_TEMPORARY_PLACE.test(text), 2, "a command in a folder that everybody can write to"],
    [TELLING.test(text), 1, "fetches, hides, or changes who may enter"],
    [isRoot(effective, scene), 0, "to root"],
  ],

  account: ({ text = "" }) => [
    [/\bUID=0\b|\bUID from '\d+' to '0'/.test(text), 3, "root's number for an account"],
    [POWERFUL_GROUP.test(text), 2, "a group that makes root"],
    [/\bnew user\b/.test(text), 1, "a new account"],
    [/password/i.test(text), 0, "a password"],
  ],

  file: ({ path = "", text = "", first, last }) => {
    const flags = fileFlags(path);
    const temporary = flags.some((flag) => flag !== "hidden");
    return [
      [/\bset-(?:user|group)-id\b/.test(text), 6, "runs with another's rights"],
      [CODE_OF_THE_SYSTEM.test(path), 5, "code of the system, changed by no package that a log names"],
      [WAYS_IN.test(path), 4, "decides who may enter, or what starts by itself"],
      [flags.includes("dev-shm") || (temporary && flags.includes("hidden")), 3, "hidden, in a folder that everybody can write to"],
      [/^\/(?:var\/www|srv)\/.*\.(?:php\d?|phtml|jspx?|aspx?|cgi)$/i.test(path), 2, "code that a web server may run"],
      [temporary, 1, "in a folder that everybody can write to"],
      [last - first > DAY && first > 0, 0, "two of its times are days apart"],
    ];
  },
};
const DAY = 86_400_000;

/** sudo(8) puts why it refused behind the command, in brackets. */
const SUDO_REFUSED = /\((?:user NOT |command not allowed|\d{1,3} incorrect password)[^()]{0,80}\)$/;
const FROM_A_TEMPORARY_PLACE = /(?:^|[\s"'=])\/(?:tmp|var\/tmp|dev\/shm|run\/shm)\//;
const TELLING =
  /(?:^|[\s/|;&])(?:curl|wget|nc|ncat|netcat|socat|base64|chattr|shred|insmod|modprobe|useradd|usermod|adduser|chpasswd|passwd|visudo|crontab)(?:\s|$)|authorized_keys|\/etc\/(?:sudoers|shadow|ld\.so\.preload)|history\s+-c/;
const POWERFUL_GROUP = /group '?(?:sudo|wheel|root|admin|docker|lxd|shadow|disk)'?(?:$|[\s,])/;

/** Programs, libraries that are loaded into everything, and what lets people in: only packages have business there. */
const CODE_OF_THE_SYSTEM =
  /^\/(?:usr\/)?s?bin\/|^\/boot\/|^\/(?:usr\/)?lib(?:64)?\/(?:[\w-]+\/)?security\/|^\/etc\/ld\.so\.(?:preload|conf)/;
/** Accounts, keys, sudo, and every place that runs something at a boot, at a login or by the clock. */
const WAYS_IN = new RegExp(
  [
    "^/etc/(?:passwd|shadow|group|gshadow|sudoers)-?$",
    String.raw`^/etc/(?:sudoers\.d|ssh|pam\.d|cron[^/]*|init\.d|rc[^/]*\.d|profile\.d|update-motd\.d|udev/rules\.d|systemd)/`,
    String.raw`^/etc/(?:crontab|anacrontab|rc\.local|inittab|profile|environment|bash\.bashrc|modules)$`,
    "^/var/spool/cron/",
    "^/(?:usr/(?:local/)?)?lib/systemd/system/",
    String.raw`/\.ssh/(?:authorized_keys2?|rc|environment)$`,
    String.raw`/\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin)$`,
    String.raw`/\.config/(?:systemd/user|autostart)/`,
  ].join("|"),
);

/** A login that we see as well is judged by itself; one of before, by who else came from its address. */
function addressChecks({ ip }: PastState, { bad }: Scene, seen?: LoginState): readonly Check[] {
  const called = seen ? seen.standing : ip === undefined ? undefined : bad.get(ip);
  const who = seen ? "a login" : "the address of a login";
  return [
    [called === "intruder", 7, `${who} that is called intruder`],
    [called === "suspect", 6, `${who} that is called suspect`],
  ];
}

const isRoot = (user: string, { accounts }: Scene): boolean => user === "root" || accounts.get(user)?.root === true;

function sceneOf(state: State): Scene {
  const { logins, past, setUp } = state;
  const bad = new Map<string, "intruder" | "suspect">();
  const vouched = new Set<string>();
  for (const { source, standing, ours } of logins.values()) {
    if (!source) continue;
    if (ours || isHidden(standing)) vouched.add(source.ip);
    else if (standing === "intruder" || (standing === "suspect" && !bad.has(source.ip))) bad.set(source.ip, standing);
  }
  const refused = new Map<string, { times: number; first: number }>();
  const letIn = new Map<string, number>();
  for (const { kind, ip, count, first, last } of past.rows) {
    if (ip === undefined) continue;
    if (kind === "login") letIn.set(ip, Math.max(last, letIn.get(ip) ?? 0));
    if (kind !== "failed") continue;
    const known = refused.get(ip);
    refused.set(ip, { times: count + (known?.times ?? 0), first: Math.min(first, known?.first ?? first) });
  }
  const accounts = new Map<string, { root: boolean }>();
  for (const { category, name, detail, status } of setUp.values())
    if (category === "user" && status !== "gone") accounts.set(name, { root: /^uid 0(?:,|$)/.test(detail) });
  return { seen: (row) => seenLogin(state, row), bad, vouched, refused, letIn, accounts };
}
