import { expect, test } from "vitest";
import { giveMemoryBack } from "./memory.ts";

test("memory is given back when it is much, and again when it has grown, not at every look", () => {
  let [resident, collected] = [100e6, 0];
  const kept = giveMemoryBack(
    () => {
      collected += 1;
      resident -= 40e6;
    },
    () => resident,
  );
  kept.look();
  expect(collected).toBe(0);
  resident = 290e6;
  kept.look();
  kept.look();
  expect(collected).toBe(1); // what is left is in use
  resident = 320e6;
  kept.look();
  expect(collected).toBe(2);
  kept.stop();
});

test("a Node that cannot be asked is left alone", () => {
  const kept = giveMemoryBack(undefined, () => 1e9);
  expect(() => kept.look()).not.toThrow();
  kept.stop();
});
