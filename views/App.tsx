import { Box } from "ink";
import { useLayoutEffect, useSyncExternalStore } from "react";
import { composed } from "./compose.ts";
import type { Drawable } from "./drawable.ts";

/**
 * The whole screen. It draws what a {@link Drawable} painted, and knows nothing else. Ink gives it its life: when it is drawn, what
 * becomes of an error in it, when it ends. The rows go to the terminal beside Ink's output, which takes ten times as long for them.
 */
export function App({ screen, draw, gone }: { screen: Drawable; draw: (frame: string) => void; gone: () => void }) {
  // Ink unmounts at once when a signal ends the process: the one moment to put the terminal back
  useLayoutEffect(() => gone, [gone]);
  useSyncExternalStore(screen.subscribe, screen.getSnapshot);
  const frame = composed(screen.frame());
  useLayoutEffect(() => draw(frame)); // each time: the terminal may have been cleared under an equal frame
  return <Box />;
}
