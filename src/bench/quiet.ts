import type { ConsoleInPty } from "#testing/pty";

/** Resolves when the whole screen is painted and the program has written nothing for a while. */
export async function quiet(console_: ConsoleInPty): Promise<void> {
  let last = performance.now();
  console_.onOutput(() => {
    last = performance.now();
  });
  const painted = () => console_.screen.lines().at(-1)?.trim() !== "";
  while (!painted() || performance.now() - last < 300) await new Promise((done) => setTimeout(done, 30));
  await console_.screen.settled();
}
