import type { Selection } from "#commands/command";
import { subjectOf } from "#commands/pair";
import { subjectKey } from "#model/presence";
import { marksFor, pointerAt } from "#model/presence-selectors";
import type { ViewStore } from "../store.ts";
import type { Theme } from "../theme.ts";
import { personLetter, personStyle } from "./person.ts";

const FLASH_MS = 500;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const FIRST_COLUMN = /^((?:\x1b\[[0-9;]*m)*) /;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const LAST_COLUMN = / ((?:\x1b\[[0-9;]*m)*)$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const COLOURS = /\x1b\[[0-9;]*m/g;

/** What the other analysts put on the rows of one screen: their cursors, and the pointer while it is new. */
export interface RowMarks {
  marked(row: string, selection: Selection | undefined): string;
}

/** Undefined while nobody else is here. */
export function rowMarks(theme: Theme, store: Pick<ViewStore, "company" | "now">): RowMarks | undefined {
  const { company } = store;
  if (!company || company.presence.people.length < 2) return undefined;
  const { presence, seat } = company;
  const at = store.now();
  const cursors = marksFor(presence, seat);
  const pointer = pointerAt(presence, at);
  const pointed = pointer && subjectKey(pointer.on);
  const lit = pointer !== undefined && Math.floor((at - pointer.at) / FLASH_MS) % 2 === 0;
  return {
    marked: (row, selection) => {
      const on = subjectOf(selection);
      if (!on) return row;
      const key = subjectKey(on);
      const [person] = cursors.get(key) ?? [];
      let text = row;
      if (person) {
        // a letter besides the colour; in the first column, or in the last where one's own cursor is in the first
        const letter = theme.paint(personLetter(presence, person), personStyle(person));
        text = FIRST_COLUMN.test(row)
          ? row.replace(FIRST_COLUMN, (_, codes: string) => codes + letter)
          : row.replace(LAST_COLUMN, (_, codes: string) => letter + codes);
      }
      return key === pointed && lit ? turned(text) : text;
    },
  };
}

/** The row the other way round, in one piece: dark on light; one that is so by itself (SGR 7) as it would be without. */
const turned = (row: string) => {
  const plain = row.replace(COLOURS, "");
  return row.includes("\x1b[7m") ? plain : `\x1b[1m\x1b[7m${plain}\x1b[27m\x1b[22m`;
};
