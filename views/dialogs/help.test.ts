import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { COMMANDS, titleOf } from "#commands/registry";
import { shownScreen } from "#testing/shown-screen";
import { makeTheme } from "../theme.ts";
import { helpDialog } from "./help.ts";

/** The whole help as text, however long it is. */
function help(width: number, text = "") {
  const context = shownScreen().mounted.screen.context();
  const { rows } = helpDialog(makeTheme("none"), { width, height: 2000 }, context, { scroll: 0, text }, true);
  return { context, text: rows.map((row) => stripVTControlCharacters(row)).join("\n") };
}

test.each([60, 80, 120, 200])("at %i columns no name is cut, and what has no key is written as it is typed", (width) => {
  const { context, text } = help(width);
  expect(text).not.toContain("…");
  for (const command of COMMANDS)
    expect(text).toContain(command.keys.length > 0 ? ` ${titleOf(command, context)} ` : ` :${command.title} `);
});

test("the letters on the line of a replay are told, and found", () => {
  expect(help(120, "it was released").text).toMatch(/Letters on the line of a replay[\s\S]* R {2}it was released/);
  for (const [letter, means] of [
    ["I", "the host was isolated"],
    ["R", "it was released"],
    ["F", "a finding"],
    ["B", "a new binary"],
  ])
    expect(help(120).text).toMatch(new RegExp(` ${letter}  ${means}`));
});
