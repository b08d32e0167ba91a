/** Bytes above which memory is given back, and what must have come to it since the last time. */
const ABOVE = 220e6;
const GROWN = 60e6;
const LOOK_MS = 5000;

type Collect = (how: { type: "major"; flavor: "last-resort"; execution: "sync" }) => unknown;

/**
 * V8 keeps each page that its heap ever had for the next time: of 300 MB under a busy host's events 50 were in use. A collection that
 * is asked for as the last resort gives them back (node --expose-gc; v8 src/extensions/gc-extension.cc); it takes about 90 ms, so it is
 * asked for seldom. Returns what ends it; does nothing where Node was started without that flag.
 */
export function giveMemoryBack(
  collect: Collect | undefined = globalThis.gc,
  resident = () => process.memoryUsage.rss(),
): { look(): void; stop(): void } {
  let limit = ABOVE;
  const look = () => {
    if (collect === undefined || resident() < limit) return;
    collect({ type: "major", flavor: "last-resort", execution: "sync" });
    limit = Math.max(ABOVE, resident() + GROWN);
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
}
