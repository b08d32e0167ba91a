import { z } from "zod";
import { COMMANDS } from "#commands/registry";
import { LONGEST_FILTER } from "#draw/filter/parse";
import { PALETTES, type PaletteName, STYLES } from "#draw/palettes";

export const THEMES = ["auto", ...(Object.keys(PALETTES) as PaletteName[])] as const;
const COLOUR = /^#[0-9a-f]{6}$/i;

const key = z.union([z.string(), z.number()], { error: 'a key is written like t, ctrl-x, f5 or ":" (in quotes)' }).transform(String);
const keys = z.union([key.transform((one) => [one]), z.array(key).max(8)], {
  error: 'keys are written like t or [t, f5]; [] leaves a command to the palette; a character such as ":" stands in quotes',
});
const path = z.string({ error: "a file or a folder is text" }).min(1, "a file or a folder has a name");
const ids = COMMANDS.map(({ id }) => id);

/** The config file as a whole. What is left out is as it was. */
export const schema = z.strictObject({
  analyst: z
    .string({ error: "a name is text" })
    .trim()
    .min(1, "a name has at least one letter")
    .max(80, "a name has at most 80 letters")
    .optional(),
  theme: z.enum(THEMES, { error: `a theme is one of ${THEMES.join(", ")}` }).default("auto"),
  colours: z
    .partialRecord(
      z.enum(STYLES),
      z.string({ error: 'a colour is written like "#ff6b64", in quotes' }).regex(COLOUR, 'a colour is written like "#ff6b64", in quotes'),
    )
    .default({}),
  mouse: z.boolean({ error: "mouse is true or false" }).default(true),
  plain: z.boolean({ error: "plain is true or false" }).default(false),
  pair: z
    .strictObject({
      keys: z.array(path).max(100).default([]),
      watchers: z.array(path).max(100).default([]),
      address: z.string({ error: "an address is text" }).min(1).optional(),
      port: z.int({ error: "a port is a number from 1 to 65535" }).min(1).max(65535).optional(),
    })
    .prefault({}),
  keys: z.partialRecord(z.enum(ids as [string, ...string[]]), keys).default({}),
  filters: z
    .record(
      z.string().min(1, "a filter's name has at least one letter").max(40, "a filter's name has at most 40 letters"),
      z
        .string({ error: "a filter is text as it is typed after /, in quotes" })
        .max(LONGEST_FILTER, `a filter has at most ${LONGEST_FILTER} letters`),
    )
    .default({}),
});

/** What an analyst has set, checked, with what holds for the rest. */
export type Config = z.infer<typeof schema>;
