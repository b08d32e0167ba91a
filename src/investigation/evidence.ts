import type { EventDraft } from "#model/event";
import type { EvidenceSink } from "#model/evidence";
import { evidenceFolder } from "#session/evidence-folder";

/** Where evidence goes: the session's folder at `path`, with an event for each piece. `analyst`: whose session it is then. */
export function recordedEvidence(
  path: string,
  { append, hostNow, analyst }: { append: (draft: EventDraft) => void; hostNow: () => string; analyst: () => string },
): EvidenceSink {
  return evidenceFolder(path, ({ what, source, bytes, sha256, complete, problem }, file) =>
    append({
      "@timestamp": hostNow(),
      event: { action: "evidence.collect", category: ["file"], type: ["info"], ...(problem === undefined ? {} : { reason: problem }) },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        analyst: analyst(),
        evidence: { what, source, file, sha256, bytes: bytes.length, complete, ...(problem === undefined ? {} : { problem }) },
      },
    }),
  );
}
