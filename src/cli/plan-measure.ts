import type { HostRunner } from "#host/runner";
import type { Particulars, Prepared } from "#investigation/prepared";
import type { HostString } from "#model/host-string";
import type { ResponseKind } from "#model/response";
import { type PreparedMeasure, prepareBlock, prepareSignal, prepareUndo } from "#response/partial/prepare";

/** The investigation's way to a measure that is less than an isolation. */
export async function planMeasure(
  runner: HostRunner,
  kind: ResponseKind,
  partners: readonly string[],
  more: Particulars,
): Promise<Prepared> {
  const { plan, dies, allowed, notes, run } = await measure(runner, kind, partners, more);
  return {
    response: plan,
    preview: {
      dies,
      survives: [],
      allowed: allowed.map((ip) => `logins from ${ip}`),
      notes,
      keepsAccess: true,
    },
    async execute(onStep) {
      const began = performance.now();
      const steps: NonNullable<Prepared["response"]["steps"]> = [];
      const { ok, error } = await run((step) => {
        steps.push(step);
        onStep(step);
      });
      const durationNs = Math.round((performance.now() - began) * 1e6);
      return {
        ok,
        durationNs,
        response: { ...plan, steps },
        ...(error === undefined ? {} : { error: { what: error, next: "Look at the steps, and at the host." } }),
      };
    },
    dispose: () => {},
  };
}

async function measure(
  runner: HostRunner,
  kind: ResponseKind,
  partners: readonly string[],
  { block, processes = [], undoes, target = "?" as HostString }: Particulars,
): Promise<PreparedMeasure> {
  if (undoes) return prepareUndo(runner, undoes, target);
  if (kind === "block" && block) return prepareBlock(runner, block, target, partners);
  if (kind === "suspend" || kind === "resume" || kind === "kill") return prepareSignal(runner, kind, processes, target);
  throw new Error(`There is no way to ${kind}.`);
}
