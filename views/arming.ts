import type { ResponseProgress } from "#model/response-progress";

/** A plan must have been on the screen this long before Enter runs it: no key typed before it was seen can mean it. */
const ARMING_MS = 250;

/** Which dialog has reached the terminal, and may be confirmed since. A token names a dialog and what it shows; "" is none. */
export class Arming {
  readonly #changed: () => void;
  #onScreen = "";
  #armed = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The newest frame has reached the terminal, with that dialog on it. `review`: it asks for something that changes the host. */
  painted(token: string, review: boolean): void {
    if (token === this.#onScreen) return;
    this.#onScreen = token;
    clearTimeout(this.#timer);
    if (token === "") return;
    const arm = () => {
      this.#armed = token;
      this.#changed();
    };
    // what asks for a word typed by hand is armed at once; what changes the host waits until it can have been read
    if (review) this.#timer = setTimeout(arm, ARMING_MS);
    else arm();
  }

  /** Whether that dialog may be confirmed. */
  has(token: string): boolean {
    return token !== "" && this.#armed === token;
  }

  /** Ends its timer. */
  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Names the dialog that is open and what it shows: the response's, else one of the screen's own; "" is none. */
export function dialogToken(response: ResponseProgress | undefined, own: string | undefined): string {
  if (response) return `response:${response.id}:${response.phase}:${response.plan_sha256 ?? ""}`;
  return own === undefined ? "" : `local:${own}`;
}
