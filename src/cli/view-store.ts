import type { Message, ViewMeta, ViewStore } from "#draw/store";
import type { State } from "#state/state";

export interface Source {
  readonly state: State;
  publisher: { subscribe(listener: () => void): () => void; readonly version: number; now(): void };
}

export type Tell = (text: string, level?: Message["level"], about?: Message["about"]) => void;

/** What one screen sees of an investigation or a replay; `propose` is the only way back. `tell` is a line on this screen alone. */
export function viewStore(
  source: Source,
  rest: Pick<ViewStore, "now" | "propose"> & {
    meta: () => ViewMeta;
    dialog: () => ViewStore["dialog"];
    company?: () => ViewStore["company"];
    suggestions?: () => ViewStore["suggestions"];
    progress?: () => string | undefined;
  },
): { store: ViewStore; tell: Tell } {
  let progress: Message | undefined;
  let message: Message | undefined;
  let version = -1;
  let snapshot = { version };
  const store: ViewStore = {
    subscribe: (listener) => source.publisher.subscribe(listener),
    getSnapshot: () => {
      if (source.publisher.version !== version) {
        version = source.publisher.version;
        snapshot = { version };
      }
      return snapshot;
    },
    get state() {
      return source.state;
    },
    get meta() {
      return rest.meta();
    },
    get dialog() {
      return rest.dialog();
    },
    get company() {
      return rest.company?.();
    },
    get suggestions() {
      return rest.suggestions?.();
    },
    get message() {
      const text = rest.progress?.();
      if (text === undefined) progress = undefined;
      else if (text !== progress?.text) progress = { text, level: "info", lasting: true };
      return message?.level === "error" ? message : (progress ?? message);
    },
    now: rest.now,
    propose: rest.propose,
  };
  const tell: Tell = (text, level = "info", about) => {
    message = { text, level, ...(about ? { about } : {}) };
    source.publisher.now();
  };
  return { store, tell };
}
