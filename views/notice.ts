import type { Message, ViewStore } from "./store.ts";

/** The one sentence that is said to the analyst: what the last key came to, else what the session says until a key has put it away. */
export class Notice {
  readonly #store: ViewStore;
  #text: string | undefined;
  #done = false;
  /** The store's message that a key has put away. */
  #read: Message | undefined;

  constructor(store: ViewStore) {
    this.#store = store;
  }

  /** A key was pressed: whatever was said has been read. */
  read(): void {
    this.#text = undefined;
    this.#read = this.#store.message;
  }

  /** `done`: it is no warning, it only says what was done. */
  say(text: string | undefined, done = false): void {
    this.#text = text;
    this.#done = done;
  }

  get message(): Message | undefined {
    if (this.#text !== undefined) return { text: this.#text, level: this.#done ? "info" : "warn" };
    const { message } = this.#store;
    return message === this.#read && !message?.lasting ? undefined : message;
  }
}
