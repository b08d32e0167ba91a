import type { Subject } from "#model/presence";
import type { Command, CommandContext, Selection } from "./command.ts";

const replay = ({ mode }: CommandContext) => (mode === "replay" ? "this is a replay: nobody else is on it" : undefined);

const alone = (context: CommandContext) =>
  replay(context) ??
  ((context.company?.presence.people.length ?? 1) > 1
    ? undefined
    : `nobody else is here: ${context.keymap.label("people")} shows how a second analyst joins`);

/** What a note, a claim or a pointer can be about; undefined for a group and a place, which are not one thing. */
export function subjectOf(selection: Selection | undefined): Subject | undefined {
  if (!selection) return undefined;
  const { kind, id } = selection;
  return kind === "login" || kind === "process" || kind === "connection" || kind === "binary" ? { kind, id } : undefined;
}

const nothingOn = (context: CommandContext) =>
  subjectOf(context.selection)
    ? undefined
    : context.selection
      ? "this is not one thing: open it and select one in it"
      : "nothing is selected";

const me = ({ company }: CommandContext) => company?.presence.people.find(({ seat }) => seat === company.seat);
const drives = (context: CommandContext) => me(context)?.name === context.company?.presence.driver;

/** Those who could be handed the drive by this screen. */
const heirs = ({ company }: CommandContext): string[] => {
  const own = company?.presence.people.find(({ seat }) => seat === company.seat)?.name;
  return [...new Set((company?.presence.people ?? []).filter(({ mayDrive, name }) => mayDrive && name !== own).map(({ name }) => name))];
};

const claimOf = (context: CommandContext) => {
  const on = subjectOf(context.selection);
  const claim = on && context.state.claims.get(`${on.kind}:${on.id}`);
  return claim && claim.analyst === me(context)?.name ? claim.claim : undefined;
};

const claim = (claim: "mine" | "done", key: string, title: string, help: string): Command => ({
  id: `claim-${claim}`,
  keys: [key],
  key,
  title,
  titleNow: (context) => (claimOf(context) === claim ? `Not ${title.toLowerCase()}` : title),
  group: "pair",
  help,
  disabledReason: (context) => replay(context) ?? nothingOn(context),
  intent: (context) => ({
    kind: "claim",
    subject: subjectOf(context.selection) ?? { kind: "process", id: "" },
    claim: claimOf(context) === claim ? "free" : claim,
  }),
});

/** What two analysts on one session do together. Where they look is told to the others; what they decide is recorded. */
export const PAIR_COMMANDS: readonly Command[] = [
  {
    id: "people",
    keys: ["P"],
    key: "P",
    title: "People",
    group: "pair",
    help: "Who is here, what was said, and the one line by which a second analyst joins with ssh.",
    disabledReason: replay,
    intent: () => ({ kind: "people" }),
  },
  {
    id: "point",
    keys: ["*"],
    key: "*",
    title: "Look here",
    group: "pair",
    help: "The selected row flashes on the others' screens.",
    disabledReason: (context) => alone(context) ?? nothingOn(context),
    intent: (context) => ({ kind: "point", on: subjectOf(context.selection) ?? { kind: "process", id: "" } }),
  },
  {
    id: "follow-partner",
    keys: ["@"],
    key: "@",
    title: "Follow them",
    titleNow: (context) => (me(context)?.following === undefined ? "Follow them" : "Own cursor"),
    group: "pair",
    help: "The cursor goes where the other analyst's goes; again, or any move of your own, and it is yours.",
    disabledReason: alone,
    intent: (context) => {
      const others = context.company?.presence.people.filter(({ seat }) => seat !== context.company?.seat) ?? [];
      const leader = others.find(({ name }) => name === context.company?.presence.driver) ?? others[0];
      return me(context)?.following !== undefined || !leader ? { kind: "follow-partner" } : { kind: "follow-partner", whom: leader.seat };
    },
  },
  {
    id: "lead",
    keys: ["L"],
    key: "L",
    title: "Follow me",
    group: "pair",
    help: "Everybody's cursor goes where yours goes, until they move by themselves.",
    disabledReason: alone,
    intent: () => ({ kind: "lead" }),
  },
  {
    id: "chat",
    keys: ["C"],
    key: "C",
    title: "Chat",
    group: "pair",
    help: "A short line to everybody who is here. It is not recorded: what should stay is a note.",
    disabledReason: alone,
    intent: () => ({ kind: "compose", what: "chat" }),
  },
  {
    id: "note",
    keys: ["n"],
    key: "n",
    title: "Note",
    group: "pair",
    help: "Write a note on the selected thing, or on the session where nothing is selected. It is recorded, with your name.",
    disabledReason: (context) =>
      context.mode === "replay" ? "a replay shows what was recorded: notes are made in the live session" : undefined,
    intent: ({ selection }) => {
      const on = subjectOf(selection);
      return { kind: "compose", what: "note", ...(on ? { on } : {}) };
    },
  },
  claim("mine", "M", "Mine", "You take the selected thing on; again gives it back. Recorded, and everybody sees it."),
  claim("done", "D", "Done", "You are done with the selected thing; again takes that back. Recorded, and everybody sees it."),
  {
    id: "hand-over",
    keys: ["H"],
    key: "H",
    title: "Hand over",
    titleNow: (context) => (drives(context) ? "Hand over" : me(context)?.console ? "Take the drive" : "Ask to drive"),
    group: "pair",
    help: "Give the drive to the other analyst: only who drives can change the host. The console can take it back; a partner asks for it.",
    disabledReason: (context) =>
      alone(context) ??
      (drives(context) && heirs(context).length === 0
        ? "nobody else here may drive: they were let in to watch"
        : me(context)?.mayDrive === false
          ? `you were let in to watch: ${context.company?.presence.driver} drives`
          : undefined),
    intent: (context) => {
      const [heir, another] = heirs(context);
      if (!drives(context)) {
        const self = me(context);
        return self?.console ? { kind: "hand-over", to: self.name } : { kind: "chat", text: "asks for the drive" };
      }
      return heir !== undefined && another === undefined ? { kind: "hand-over", to: heir } : { kind: "people" };
    },
  },
  {
    id: "who-did-what",
    keys: ["W"],
    key: "W",
    title: "Who did what",
    group: "pair",
    help: "Everything that analysts did in this session, by whom and when, the newest first.",
    intent: () => ({ kind: "who-did-what" }),
  },
  {
    id: "two-people",
    keys: [],
    key: "",
    title: "Two must confirm",
    titleNow: ({ state }) => (state.twoPeople ? "One confirms again" : "Two must confirm"),
    group: "pair",
    help: "From here on, what changes the host needs the Enter of two analysts within 30 s; again: of one.",
    disabledReason: replay,
    intent: ({ state }) => ({ kind: "two-people", on: !state.twoPeople }),
  },
];
