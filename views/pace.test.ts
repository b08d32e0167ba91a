import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pace } from "./pace.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Work that takes so many milliseconds. */
const taking = (ms: number) => () => void vi.advanceTimersByTime(ms);

test("costly work waits for ten times what it costs, and is called for then", () => {
  const again = vi.fn();
  const pace = new Pace(again);
  pace.run(taking(50));
  expect(pace.due()).toBe(false);
  vi.advanceTimersByTime(499);
  expect([pace.due(), again.mock.calls.length]).toEqual([false, 0]);
  vi.advanceTimersByTime(2);
  expect([pace.due(), again.mock.calls.length]).toEqual([true, 1]);
});

test("on a busy host the next picture does it; where none comes one is asked for", () => {
  const again = vi.fn();
  const pace = new Pace(again);
  pace.run(taking(50));
  for (let i = 0; i < 11; i++) {
    if (i === 10) pace.run(taking(50));
    pace.due();
    vi.advanceTimersByTime(20);
  }
  again.mockClear();
  vi.advanceTimersByTime(490);
  expect([pace.due(), again.mock.calls.length]).toEqual([true, 0]);
  vi.advanceTimersByTime(110);
  expect(again.mock.calls.length).toBe(1);
});

test("no picture is asked for when the work was done by another", () => {
  const again = vi.fn();
  const pace = new Pace(again);
  pace.run(taking(50));
  expect(pace.due()).toBe(false);
  vi.advanceTimersByTime(490);
  pace.run(taking(50));
  vi.advanceTimersByTime(1000);
  expect(again.mock.calls.length).toBe(0);
});

test("work that was held up once does not wait for that; work that costs more than before does", () => {
  const pace = new Pace(() => {});
  pace.run(taking(5));
  pace.run(taking(300));
  vi.advanceTimersByTime(60);
  expect(pace.due()).toBe(true);
  pace.run(taking(300));
  vi.advanceTimersByTime(60);
  expect(pace.due()).toBe(false);
});

test("nothing is put off while nothing goes on by itself", () => {
  const look = { still: true };
  const pace = new Pace(
    () => {},
    () => look.still,
  );
  pace.run(taking(300));
  expect(pace.due()).toBe(true);
  look.still = false;
  expect(pace.due()).toBe(false);
});

test("a timer that is early asks for nothing before the work is due", () => {
  const again = vi.fn();
  const pace = new Pace(again);
  pace.run(taking(50));
  expect(pace.due()).toBe(false);
  const { now } = performance;
  const late = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) - 5); // the turn had begun 5 ms before
  vi.advanceTimersByTime(500);
  expect(again.mock.calls.length).toBe(0);
  vi.advanceTimersByTime(5);
  expect([again.mock.calls.length, pace.due()]).toEqual([1, true]);
  late.mockRestore();
});
