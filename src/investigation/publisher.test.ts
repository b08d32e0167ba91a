import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Publisher } from "./publisher.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** How often a second it is told, when so many things change each 10 ms. */
async function told(things: number): Promise<number> {
  const publisher = new Publisher();
  let times = 0;
  publisher.subscribe(() => {
    times += 1;
  });
  for (let at = 0; at < 100; at++) {
    publisher.changed(things);
    await vi.advanceTimersByTimeAsync(10);
  }
  publisher.stop();
  return times;
}

test("the first change after a quiet while is told at once", async () => {
  const publisher = new Publisher();
  let times = 0;
  publisher.subscribe(() => times++);
  await vi.advanceTimersByTimeAsync(500);
  publisher.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(times).toBe(1);
});

test("a picture that costs much is painted ten times a second, its cost that of the microtask that paints it", async () => {
  const publisher = new Publisher();
  let times = 0;
  publisher.subscribe(() => {
    times += 1;
    const clock = vi.spyOn(performance, "now");
    const now = performance.now() + 12;
    queueMicrotask(() => void clock.mockReturnValue(now)); // painted, 12 ms later
    queueMicrotask(() => queueMicrotask(() => clock.mockRestore()));
  });
  for (let at = 0; at < 100; at++) {
    publisher.changed();
    await vi.advanceTimersByTimeAsync(10);
  }
  publisher.stop();
  expect(times).toBeGreaterThanOrEqual(8);
  expect(times).toBeLessThanOrEqual(11);
});

test("a few changes are told up to thirty times a second, many ten times", async () => {
  expect(await told(1)).toBeGreaterThanOrEqual(24);
  const many = await told(20);
  expect(many).toBeGreaterThanOrEqual(9);
  expect(many).toBeLessThanOrEqual(16); // the first few come as soon as a few changes would
});

test("who is at the other end of a line is told first", () => {
  const publisher = new Publisher();
  const told: string[] = [];
  publisher.subscribe(() => told.push("near"));
  const leave = publisher.subscribe(() => told.push("far"), true);
  publisher.now();
  leave();
  publisher.now();
  expect(told).toEqual(["far", "near", "near"]);
  publisher.stop();
});
