import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Evidence, EvidenceSink } from "#model/evidence";

/** Keeps evidence beside a session's log, `evidence/SHA256` each, readable by its owner alone; `told` is called once it is on the disk. */
export function evidenceFolder(session: string, told: (evidence: Evidence, file: string) => void): EvidenceSink {
  return {
    async keep(evidence) {
      await mkdir(join(session, "evidence"), { recursive: true, mode: 0o700 });
      const file = join("evidence", evidence.sha256);
      await writeFile(join(session, file), evidence.bytes, { mode: 0o600 });
      told(evidence, file);
    },
  };
}
