import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "#commands/registry";
import { EXIT, UserError } from "../exit.ts";
import { parseConfig } from "./parse.ts";
import { printConfig } from "./print.ts";
import { schema } from "./schema.ts";

const told = (text: string): string[] => {
  try {
    parseConfig(text, "c.yaml");
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== EXIT.usage) throw error;
    return error.message.split("\n").slice(0, -1);
  }
  return [];
};

describe("the config file", () => {
  test("an empty one, and one of comments alone, leave everything as it comes", () => {
    for (const text of ["", "# nothing\n", "---\n", "{}"]) expect(parseConfig(text, "c.yaml")).toEqual(schema.parse({}));
  });

  test("keys by command, theme, colours, mouse, filters and name", () => {
    const config = parseConfig(
      'analyst: jm\ntheme: light\nmouse: false\ncolours:\n  intruder: "#FF0000"\nkeys:\n  isolate: ctrl-o\n  tag: [t, F5]\n  palette: ":"\n  report: []\nfilters:\n  abroad: -country:de\n',
      "c.yaml",
    );
    expect(config).toMatchObject({
      analyst: "jm",
      theme: "light",
      mouse: false,
      colours: { intruder: "#FF0000" },
      filters: { abroad: "-country:de" },
    });
    expect(config.keys).toEqual({ isolate: ["ctrl-o"], tag: ["t", "f5"], palette: [":"], report: [] });
  });

  test("a mistake is told with line and column, what is wrong, and what is allowed", () => {
    expect(told("analyst: jm\nthem: light\n")).toEqual([
      'c.yaml:2:1: there is no setting "them"; there are analyst, theme, colours, mouse, plain, pair, keys, filters',
    ]);
    expect(told("theme: pink")).toEqual(["c.yaml:1:8: a theme is one of auto, dark, light, high-contrast, colour-blind"]);
    expect(told("mouse: maybe")).toEqual(["c.yaml:1:8: mouse is true or false"]);
    expect(told("\ncolours:\n  intruder: red\n")).toEqual(['c.yaml:3:13: a colour is written like "#ff6b64", in quotes']);
    expect(told("colours:\n  blood: '#ff0000'\n")[0]).toMatch(/^c\.yaml:2:3: nothing has the colour "blood"; there are text, strong, /);
    expect(told("keys:\n  isolat: x\n")).toEqual(['c.yaml:2:3: there is no command "isolat": stakeout config lists them']);
    expect(told("keys:\n  isolate: ctrl-i\n")).toEqual(['c.yaml:2:12: "ctrl-i" is the same as Tab to every terminal']);
    expect(told("keys:\n  isolate: banana\n")[0]).toMatch(/^c\.yaml:2:12: "banana" is no key; keys are single characters, up /);
    expect(told("keys:\n  palette: ~\n")[0]).toContain("stands in quotes");
    expect(told("theme: light\ntheme: dark\n")[0]).toMatch(/^c\.yaml:2:1: .*unique/);
    expect(told("a: [1,\nb: 2")[0]).toMatch(/^c\.yaml:[12]:\d+: /);
  });

  test("two commands with one key are refused, both by name; giving both another key is fine", () => {
    expect(told("keys:\n  report: t\n")).toEqual([
      'c.yaml:2:11: "report" (Report) and "tag" (Tag) would both have the key "t": give one of them another',
    ]);
    expect(told("keys:\n  report: t\n  tag: R\n")).toEqual([]);
  });

  test("several mistakes are told together, in the order of the file", () => {
    expect(told("mouse: 3\ntheme: x\nkeys: 4\n").map((line) => line.split(" ")[0])).toEqual(["c.yaml:1:8:", "c.yaml:2:8:", "c.yaml:3:7:"]);
  });

  test("no text makes it do anything but take all of it or refuse with a place", () => {
    const piece = fc.constantFrom(
      "keys:",
      "\n",
      "  ",
      "tag",
      ": ",
      "t",
      "[",
      "]",
      "{",
      "&a ",
      "*a",
      "- ",
      '"',
      "#",
      "\t",
      "mouse",
      "true",
      "!!js ",
      "? ",
      "\u0007",
      "---\n",
      "<<: *a",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const line of told(pieces.join(""))) expect(line).toMatch(/^(c\.yaml:\d+:\d+: [^\p{Cc}]+|and \d+ more)$/u);
      }),
    );
  });

  test("an alias that grows without end is refused", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefg"[i]}`).join()}]`),
    ].join("\n");
    expect(told(bomb)).toHaveLength(1);
  });
});

describe("stakeout config", () => {
  const printed = (text: string) => printConfig(parseConfig(text, "c.yaml"), "c.yaml", true);

  test("prints what holds as a file that says the same", () => {
    const text =
      'analyst: "j \\" m"\ntheme: colour-blind\nmouse: false\nplain: true\ncolours: {alarm: "#00ff00"}\nkeys: {tag: [e], report: [], quit: ctrl-q}\nfilters: {"a b": \'"x y" -z\'}\n';
    expect(parseConfig(printed(text), "c.yaml")).toEqual(parseConfig(text, "c.yaml"));
    expect(parseConfig(printed(""), "c.yaml")).toEqual(parseConfig("", "c.yaml"));
  });

  test("names every command, and is in order with every # before a setting taken away", () => {
    const text = printed("");
    for (const { id, title } of COMMANDS) expect(text).toMatch(new RegExp(`#  ${id}: .*# ${title}`));
    const taken = text.replace(/^#(?=[a-z]+:| {2}[a-z"])/gm, "").replaceAll("#rrggbb", "#123456");
    expect(told(taken)).toEqual([]);
    expect(parseConfig(taken, "c.yaml").keys["tag"]).toEqual(["t"]);
  });
});
