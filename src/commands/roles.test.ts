import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import type { CommandContext } from "./command.ts";
import type { Intent } from "./intent.ts";
import { DEFAULT_KEYMAP } from "./keymap.ts";
import { COMMANDS } from "./registry.ts";
import { type Asker, changesHost, intentRefusal, refusalOf } from "./roles.ts";

const driver: Asker = { role: "driver", mayDrive: true, driver: "jm" };
const partner: Asker = { role: "spectator", mayDrive: true, driver: "jm" };
const watcher: Asker = { role: "spectator", mayDrive: false, driver: "jm" };

/** Live, with something selected, in both states of the host: between them every command does what it is there for. */
const contexts: CommandContext[] = [false, true].map((isolated) => ({
  state: { ...emptyState(), ...(isolated ? { isolated: { response: "r1", since: 0 } } : {}) },
  mode: "live",
  keymap: DEFAULT_KEYMAP,
  pane: "tree",
  selection: { kind: "process", id: "B:1:1", selector: { process: "B:1:1" }, standing: "unknown" },
  showHidden: false,
}));
const confirm: Intent = { kind: "confirm", response: "r1", plan_sha256: "h" };

test("the registry's dangerous commands, and no others, ask for what changes the host", () => {
  expect(COMMANDS.some(({ dangerous }) => dangerous)).toBe(true);
  for (const command of COMMANDS)
    for (const context of contexts)
      expect([command.id, changesHost(command.intent(context))]).toEqual([command.id, command.dangerous === true]);
});

test("a spectator is refused exactly the dangerous commands, with the reason and what to do", () => {
  for (const command of COMMANDS)
    for (const context of contexts) {
      const moment = command.disabledReason?.(context);
      expect(refusalOf(command, context, driver)).toBe(moment);
      expect(refusalOf(command, context)).toBe(moment);
      if (command.dangerous) {
        expect(refusalOf(command, context, partner)).toMatch(/^jm drives, .*ask for the drive$/);
        expect(refusalOf(command, context, watcher)).toMatch(/^you were let in to watch/);
      } else expect([refusalOf(command, context, partner), refusalOf(command, context, watcher)]).toEqual([moment, moment]);
    }
});

test("what arrives from a spectator's screen is refused whatever that screen let through", () => {
  const plan: Intent = { kind: "plan", response: "isolate" };
  const run: Intent = { kind: "run", line: "id" };
  expect(intentRefusal(run, driver, false)).toBeUndefined();
  expect(intentRefusal(run, driver, true)).toMatch(/end that rule first/);
  expect(intentRefusal(run, partner, true)).toMatch(/jm drives/);
  expect(intentRefusal(run, watcher, false)).toMatch(/let in to watch/);
  for (const two of [false, true]) {
    expect(intentRefusal(plan, driver, two)).toBeUndefined();
    expect(intentRefusal(plan, partner, two)).toMatch(/jm drives/);
    expect(intentRefusal(plan, watcher, two)).toMatch(/let in to watch/);
    expect(intentRefusal(confirm, driver, two)).toBeUndefined();
    expect(intentRefusal(confirm, watcher, two)).toMatch(/let in to watch/);
    expect(intentRefusal({ kind: "tag", selector: { login: "B:1:1" }, verdict: "suspect", reason: "" }, watcher, two)).toBeUndefined();
  }
});

test("where two must confirm, the partner may; alone he may not. He may drop a plan, and who watches may not", () => {
  expect(intentRefusal(confirm, partner, true)).toBeUndefined();
  expect(intentRefusal(confirm, partner, false)).toMatch(/jm drives/);
  expect(intentRefusal({ kind: "dismiss", response: "r1" }, partner, false)).toBeUndefined();
  expect(intentRefusal({ kind: "dismiss", response: "r1" }, watcher, false)).toMatch(/let in to watch/);
});
