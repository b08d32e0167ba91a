import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller } from "#testing/events";
import type { Cast } from "./cast.ts";
import { clockOf } from "./clock.ts";
import type { Collected } from "./collect.ts";
import { footprintSection } from "./footprint.ts";

/** The section of a session in which so many commands were run with `!`. */
function section(commands: number): string {
  const tell = teller();
  const state = emptyState();
  for (let i = 0; i < commands; i++)
    reduce(
      state,
      tell({
        event: { action: "command.end" },
        stakeout: { sensor: "console", tier: "analyst", analyst: "jm", command: { id: `c${i}`, line: `touch /x${i}`, exit_code: 0 } },
      }),
    );
  return footprintSection(state, { own: [] } as unknown as Cast, {} as Collected, clockOf(state.started, state.now)).join("\n");
}

test("commands of analysts are told as what may have changed the host, and a table that holds only the latest says so", () => {
  expect(section(0)).toContain("Changes that were made on purpose: none.");
  expect(section(2)).toContain("none; what the commands below changed is not known.");
  expect(section(2)).not.toContain("earlier ones");
  const many = section(40);
  expect(many.match(/touch \/x/g)).toHaveLength(30);
  expect(many).toContain("If there were earlier ones, they are not in this table");
});
