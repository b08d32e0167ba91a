import type { HostString } from "#model/host-string";
import type { ProcessRef } from "#model/measure";
import type { Response } from "#model/response";
import type { BeforeCut, Rehearsed } from "#model/response-progress";
import type { Prepared } from "./prepared.ts";
import type { ResponseRecord } from "./response-record.ts";

const REHEARSAL_SECONDS = 10;

/** What is offered before the cut of this plan; whom it would take, in words. */
export function offered(prepared: Prepared, suspects: readonly ProcessRef[]): BeforeCut {
  return {
    suspects: suspects.map(({ pid, name }) => `${name ?? "a process whose name was not seen"} (${pid})`),
    ...(prepared.rehearse ? { rehearsal: "offered" as const } : {}),
  };
}

/** Rehearses the plan of that response, and records it as a response of its own. @returns what came of it */
export async function rehearsed(
  id: string,
  { method, plan_sha256 }: Prepared["response"],
  run: NonNullable<Prepared["rehearse"]>,
  analyst: string,
  record: ResponseRecord,
): Promise<Rehearsed | { error: string }> {
  const base: Response = {
    id: `${id}.rehearsal`,
    kind: "rehearse",
    ...(method ? { method } : {}),
    ...(plan_sha256 ? { plan_sha256 } : {}),
  };
  const began = performance.now();
  try {
    const result = await run(REHEARSAL_SECONDS);
    const duration = (performance.now() - began) * 1e6;
    record.write("succeeded", "change", analyst, { ...base, steps: rehearsedSteps(result) }, { duration });
    return result;
  } catch (error) {
    const { message } = error as Error;
    record.write("failed", "change", analyst, { ...base, error: message });
    return { error: message };
  }
}

/** The steps of a rehearsal, for the record: whom the cut would have ended, and whether we would have been kept. */
function rehearsedSteps({ seconds, wouldCut, dropped, keepsUs, cleared }: Rehearsed) {
  const ends = wouldCut.length === 0 ? "nobody" : wouldCut.slice(0, 200).join(", ");
  const step = (name: string, ok: boolean, said: string, milliseconds = 0) => ({ name, ok, milliseconds, said: said as HostString });
  return [
    step(`counted for ${seconds} s`, true, `would cut ${ends}; ${dropped} packets would have been dropped`, seconds * 1000),
    step("our login passes the rules", keepsUs, keepsUs ? "seen to pass both ways" : "it was not seen to pass"),
    step("the counting rules are gone again", cleared, ""),
  ];
}
