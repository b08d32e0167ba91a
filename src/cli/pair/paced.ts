/** Between two pictures of what the host does, milliseconds. */
const PICTURE_EVERY_MS = 100;

/**
 * Listens for a partner's screen: what the host does is shown ten times a second, what an analyst decides (`decided` gives other values
 * then) at once. Keys of the screen's own are not waited for by any of this.
 */
export function paced(
  subscribe: (listener: () => void) => () => void,
  decided: () => readonly unknown[],
): (listener: () => void) => () => void {
  return (listener) => {
    let known = decided();
    let last = 0;
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      clearTimeout(timer);
      timer = undefined;
      last = performance.now();
      listener();
    };
    const off = subscribe(() => {
      const now = decided();
      const wait = now.some((one, i) => one !== known[i]) ? 0 : last + PICTURE_EVERY_MS - performance.now();
      known = now;
      if (wait <= 0) tell();
      else timer ??= setTimeout(tell, wait);
    });
    return () => {
      clearTimeout(timer);
      off();
    };
  };
}
