import type { Person } from "#model/presence";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { fieldSpans } from "../field.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { DoorView } from "../store.ts";
import type { Style } from "../theme.ts";
import { thingName } from "../thing.ts";
import { clock } from "../words.ts";
import type { PairDialog } from "./dialog.ts";
import { ownPerson, personLetter, personStyle } from "./person.ts";

const MOST_SAID = 8;
const LOOPBACK = /^(?:127\.|::1$|localhost$)/;

/** Who is here, what was said, and how a second analyst joins. */
export function peopleDialog(screen: Picture, size: { width: number; height: number }, dialog: PairDialog & { kind: "people" }): Overlay {
  const { theme, store } = screen;
  const width = Math.min(size.width - 4, 104);
  const inner = width - 4;
  const text = (words: string, style: Style): Span[][] => wrapText(words, inner).map((line) => [span(line, style)]);
  const { company, state } = store;
  if (dialog.keys !== undefined) return keysDialog(screen, width, size.height, dialog.keys);
  const people = company?.presence.people ?? [];
  const chat = company?.presence.chat.slice(-MOST_SAID) ?? [];
  const two = state.twoPeople
    ? "What changes the host needs the Enter of two analysts within 30 s."
    : "What changes the host needs the Enter of who drives.";
  const body: Span[][] = [
    [],
    ...people.map((person, i) => personRow(screen, person, i + 1)),
    [],
    ...text(two, state.twoPeople ? "strong" : "soft"),
    ...(chat.length > 0 ? [[], ...chat.flatMap((line) => said(screen, line, inner))] : []),
    ...(company?.door ? [[], ...doorLines(company.door, inner)] : []),
    [],
  ];
  const door = company?.door;
  const own = ownPerson(company);
  const foot = [
    [
      ...(door ? (door.open ? [...keyHint("y", "copies the line"), ...keyHint("x", "shuts it")] : keyHint("o", "lets others in")) : []),
      ...(people.length > 1 && (own?.console || own?.name === company?.presence.driver)
        ? keyHint(people.length > 2 ? `1-${Math.min(9, people.length)}` : "1 2", "gives the drive")
        : []),
      ...keyHint("r", state.twoPeople ? "one confirms" : "two confirm"),
      ...keyHint("Esc", "closes"),
    ],
  ];
  return box(theme, { title: "People", style: "focus", body, foot, width, height: size.height - 2, scroll: dialog.scroll });
}

function personRow(screen: Picture, person: Person, number: number): Span[] {
  const { company, state } = screen.store;
  if (!company) return [];
  const { presence, seat } = company;
  const drives = presence.driver === person.name;
  const leader = presence.people.find((other) => other.seat === person.following);
  const { on } = person;
  const where = leader
    ? `follows ${leader.name}`
    : on && on.kind !== "finding"
      ? `at ${thingName(state, { kind: on.kind, id: on.id })}`
      : "";
  return [
    span(` ${number} `, "faint"),
    span(` ${personLetter(presence, person)} `, personStyle(person)),
    column(person.name, Math.min(24, Math.max(8, ...presence.people.map(({ name }) => Array.from(name).length))) + 2, personStyle(person)),
    column(drives ? "drives" : person.mayDrive ? "may drive" : "watches", 11, drives ? "strong" : "soft"),
    column([person.seat === seat ? "you" : "", person.console ? "console" : ""].filter(Boolean).join(", "), 13, "soft"),
    { text: where, style: "text", flex: true, cut: "middle" },
  ];
}

const said = ({ store }: Picture, line: { at: number; name: string; text: string }, width: number): Span[][] => {
  const person = store.company?.presence.people.find(({ name }) => name === line.name);
  const name = `${line.name}: `;
  return wrapText(line.text, width - 10 - name.length).map((text, i): Span[] => [
    column(i === 0 ? clock(line.at) : "", 10, "faint"),
    column(i === 0 ? name : "", name.length, person ? personStyle(person) : "soft"),
    { text, style: "text", flex: true },
  ]);
};

function doorLines({ open, configured, notes }: DoorView, width: number): Span[][] {
  const text = (words: string, style: Style): Span[][] => wrapText(words, width).map((line) => [span(line, style)]);
  const fact = (label: string, words: string, style: Style): Span[][] =>
    wrapText(words, width - 10).map((line, i) => [column(i === 0 ? label : "", 10, "faint"), span(line, style)]);
  const told = notes.slice(0, 5).flatMap((note) => fact("note", note, "warn"));
  if (!open)
    return [
      ...text(
        `Nobody else can join yet. A second analyst joins with plain ssh and a public key that you name${configured ? ": o lets those of the settings in" : ""}.`,
        "soft",
      ),
      ...told,
    ];
  return [
    ...fact("join", open.line, "strong"),
    ...fact("server", `${open.fingerprint} (their ssh must show this)`, "text"),
    ...fact("may join", open.analysts.map(({ name, mayDrive }) => (mayDrive ? name : `${name} (to watch)`)).join(", "), "text"),
    ...(LOOPBACK.test(open.address)
      ? fact(
          "reach",
          "this machine alone: --pair-address names another, or the partner's ssh comes by a tunnel (README, Two analysts)",
          "soft",
        )
      : []),
    ...told,
  ];
}

function keysDialog({ theme }: Picture, width: number, height: number, keys: string): Overlay {
  const inner = width - 4;
  const body: Span[][] = [
    [],
    ...wrapText("Whose public keys may join? A file like authorized_keys, a .pub file, a folder of them, or a pasted key:", inner).map(
      (line): Span[] => [span(line, "text")],
    ),
    [],
    fieldSpans(theme, keys, inner, "~/team.keys, or ssh-ed25519 AAAA… kim"),
    [],
    ...wrapText("The comment of a key is the name that the log and the screens give it.", inner).map((line): Span[] => [
      span(line, "soft"),
    ]),
    [],
  ];
  const foot = [[...keyHint("Enter", "lets them in", keys.trim() !== ""), ...keyHint("Esc", "goes back")]];
  return box(theme, { title: "Let a second analyst in", style: "focus", body, foot, width, height });
}
