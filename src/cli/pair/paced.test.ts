import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { paced } from "./paced.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what the host does is told ten times a second, the last of it as well; what is decided at once", () => {
  const listeners = new Set<() => void>();
  let tags = 0;
  let told = 0;
  const subscribe = paced(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => [tags],
  );
  const off = subscribe(() => {
    told += 1;
  });
  const happens = () => {
    for (const listener of listeners) listener();
  };
  vi.advanceTimersByTime(1000);
  happens();
  expect(told).toBe(1);
  for (let i = 0; i < 50; i++) {
    happens();
    vi.advanceTimersByTime(10);
  }
  expect(told).toBeGreaterThanOrEqual(5);
  expect(told).toBeLessThanOrEqual(7);
  happens();
  const before = told;
  tags += 1;
  happens();
  expect(told).toBe(before + 1);
  happens();
  vi.advanceTimersByTime(100);
  expect(told).toBe(before + 2);
  happens();
  off();
  vi.advanceTimersByTime(1000);
  expect(told).toBe(before + 2);
  expect(listeners.size).toBe(0);
});
