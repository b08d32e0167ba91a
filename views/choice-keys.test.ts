import { expect, test } from "vitest";
import { type Keeps, PLAIN_CHOICE } from "#model/measure";
import { isolatePlan } from "#testing/fixture-store";
import { responseDialogKey } from "./dialog-keys.ts";
import type { Key } from "./keys.ts";
import { firstScreenState, type ScreenState } from "./screen-state.ts";

const plan = isolatePlan({ choice: PLAIN_CHOICE, before: { suspects: ["xq7 (812)"], rehearsal: "offered" } });
const press = (state: ScreenState, text: string, dialog = plan) =>
  responseDialogKey(state, dialog, { name: text, ...(text.length === 1 ? { text } : {}) } as Key, true);
const first = firstScreenState();

test("an address is typed, and an Enter on what is none changes nothing", () => {
  let state = press(first, "+").state;
  for (const letter of "10.0.4.200:8443") state = press(state, letter).state;
  expect(state.allowing).toBe("10.0.4.200:8443");
  expect(press(state, "enter").intent).toEqual({
    kind: "adjust",
    response: "r1",
    choice: { ...PLAIN_CHOICE, servers: [{ ip: "10.0.4.200", port: 8443 }] },
  });
  const wrong = press({ ...first, allowing: "edr.example" }, "enter");
  expect(wrong).toMatchObject({ notice: expect.stringContaining("no address"), state: { allowing: "edr.example" } });
  expect(wrong.intent).toBeUndefined();
  expect(press(state, "escape")).toEqual({ state: first });
});

test("what becomes of it goes round by one key; what the host cannot do is passed over, and said", () => {
  const keeping = (keeps: Keeps, more: { noBoot?: string } = {}) => ({ ...plan, choice: { ...PLAIN_CHOICE, keeps }, ...more });
  const order = (["stays", "reverts", "boot"] as const).map((keeps) => press(first, "v", keeping(keeps)).intent);
  expect(order).toMatchObject([{ choice: { keeps: "reverts" } }, { choice: { keeps: "boot" } }, { choice: { keeps: "stays" } }]);
  const refused = press(first, "v", keeping("reverts", { noBoot: "process 1 of the host is 'init', not systemd" }));
  expect(refused).toMatchObject({
    intent: { kind: "adjust", choice: { keeps: "stays" } },
    notice: "not through a reboot: process 1 of the host is 'init', not systemd",
  });
});

test("each key asks for what its hint says, and Enter still means the plan that is shown", () => {
  expect(press(first, "v").intent).toMatchObject({ kind: "adjust", choice: { keeps: "reverts" } });
  expect(press(first, "f").intent).toMatchObject({ kind: "adjust", choice: { freeze: true } });
  expect(press(first, "r").intent).toEqual({ kind: "rehearse", response: "r1" });
  expect(press(first, "g").intent).toEqual({ kind: "grab", response: "r1" });
  expect(press(first, "-").notice).toMatch(/no address/);
  expect(press(first, "enter").intent).toMatchObject({ kind: "confirm", response: "r1" });
  // what comes of them stands at the top: whoever has read on to the script is taken there
  for (const key of ["v", "f", "r", "g"]) expect(press({ ...first, planScroll: 40 }, key).state.planScroll).toBe(0);
  const nobody = { ...plan, before: { suspects: [] } };
  expect(press(first, "f", nobody).notice).toMatch(/nobody/);
  expect(press(first, "r", nobody).notice).toMatch(/cannot be rehearsed/);
});
