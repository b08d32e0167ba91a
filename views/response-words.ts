import type { ResponseProgress } from "#model/response-progress";

interface Words {
  /** The dialog's title. */
  verb: string;
  /** What Enter does. */
  does: string;
  /** What it is, a sentence. */
  means: string;
  /** What comes after, a sentence. */
  after: string;
  done: string;
}

/** What each response is called on the screen. */
export const RESPONSE_WORDS: Record<ResponseProgress["kind"], Words> = {
  isolate: {
    verb: "ISOLATE",
    does: "isolates the host",
    means: "Cuts the host off from everything but the analysts.",
    after: "",
    done: "isolated",
  },
  release: {
    verb: "RELEASE",
    does: "releases the host",
    means: "Opens the host to the network again.",
    after: "Only our own rules go. The intruder can come back.",
    done: "released",
  },
  block: {
    verb: "BLOCK",
    does: "sets the block",
    means: "Drops what is named, and nothing else. Our logins are let through first.",
    after: "It stays until it is taken back, or until a reboot.",
    done: "blocked",
  },
  unblock: {
    verb: "TAKE BACK",
    does: "takes the block back",
    means: "Takes this one block away.",
    after: "What was blocked passes again.",
    done: "taken back",
  },
  suspend: {
    verb: "SUSPEND",
    does: "suspends them",
    means: "Stops these processes where they are (SIGSTOP).",
    after: "They keep memory, files and sockets, until they are let go on.",
    done: "suspended",
  },
  resume: {
    verb: "RESUME",
    does: "lets them go on",
    means: "Lets these processes go on (SIGCONT).",
    after: "They go on with what they did.",
    done: "going on",
  },
  kill: {
    verb: "END",
    does: "ends them",
    means: "Ends these processes at once (SIGKILL).",
    after: "It cannot be taken back. What they hold in memory is lost: grab or suspend keeps it.",
    done: "ended",
  },
  rehearse: { verb: "REHEARSE", does: "rehearses", means: "Counts, and cuts nobody.", after: "", done: "rehearsed" },
  shutdown: { verb: "SHUT DOWN", does: "shuts the host down", means: "Shuts the host down.", after: "", done: "shut down" },
  check: { verb: "IS IT REALLY CUT?", does: "", means: "", after: "", done: "answered" },
};
