import type { SessionFolder } from "#session/session-store";
import type { Tell } from "./view-store.ts";

/** Writes the session's report beside its log and says where; one at a time. */
export function reporter(folder: SessionFolder, tell: Tell, flush: () => Promise<void>): () => void {
  let writing = false;
  return () => {
    if (writing) return;
    writing = true;
    tell("Writing the report…");
    import("./report.ts")
      .then(({ saveReport }) => saveReport(folder, flush))
      .then((file) => tell(`The report of what is recorded is in ${file}`))
      .catch((error: Error) => tell(error.message, "error"))
      .finally(() => {
        writing = false;
      });
  };
}
