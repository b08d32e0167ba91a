/** First line of a text after a key that scrolls; undefined for another key. */
export function scrolled(from: number, key: string): number | undefined {
  const steps: Record<string, number> = { up: -1, k: -1, down: 1, j: 1, pageup: -10, pagedown: 10, home: -1e6, end: 1e6 };
  const step = steps[key];
  return step === undefined ? undefined : Math.max(0, from + step);
}
