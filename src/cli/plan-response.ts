import type { HostConnection } from "#host/connection";
import { runScript } from "#host/runner";
import type { Prepared as PreparedResponse, PrepareResponse } from "#investigation/prepared";
import { PLAIN_CHOICE } from "#model/measure";
import { grabBeforeCut } from "#response/before/grab";
import { type CutAnswer, isItCut, isSomethingCut } from "#response/isolation/ask";
import type { NetworkState } from "#response/isolation/facts/host-facts";
import type { IsolationPlan } from "#response/isolation/plan";
import { type Prepared, prepareIsolation } from "#response/isolation/prepare";
import { signal } from "#response/process/signal";
import { keepIsolation } from "./keep-isolation.ts";
import { planMeasure } from "./plan-measure.ts";

/**
 * The investigation's way to a response over the connection that there is at the time. `onOwnPort` is told the port of the second connection that proves our way
 * back in, so that its login is known as ours.
 */
export function planResponse(
  connected: () => HostConnection,
  session: string,
  onOwnPort: (port: number) => void,
  deadManSeconds = 60,
): { prepareResponse: PrepareResponse; checkCut: () => Promise<CutAnswer> } {
  /** The network as it was before this console isolated it. */
  let before: NetworkState | undefined;
  /** The isolation that this console made and that stands, as it was last made anew. */
  let stands: IsolationPlan | undefined;
  const checkCut = () => (stands ? isItCut(connected(), stands) : isSomethingCut(connected()));
  const prepareResponse: PrepareResponse = async (want, partners, analyst, more) => {
    const connection = connected();
    if (want !== "isolate" && want !== "release") return planMeasure(connection, want, partners, more);
    const { logins, servers, keeps, freeze } = more.choice ?? PLAIN_CHOICE;
    const prepared = await prepareIsolation(connection, {
      analyst,
      session,
      partners: [...partners, ...logins],
      servers,
      keeps,
      want,
      deadManSeconds,
      ...(want === "release" && before ? { before } : {}),
    });
    const { id: _, ...response } = prepared.plan;
    const frozen = freeze ? (more.suspects ?? []) : [];
    let lease: Parameters<typeof keepIsolation>[2];
    const made: PreparedResponse = {
      response,
      preview: previewOf(prepared, deadManSeconds),
      execute: async (onStep) => {
        const freezing = performance.now();
        const stopped = await signal(connection, "suspend", frozen);
        if (stopped.length > 0) {
          const done = stopped.filter(({ result }) => result === "done").length;
          const step = {
            name: `suspended ${done} of ${stopped.length} suspects`,
            ok: done > 0,
            milliseconds: performance.now() - freezing,
          };
          onStep(step);
        }
        const outcome = await prepared.execute({ probeAccess: () => provenWayIn(connection, onOwnPort), onStep });
        const { ok, durationNs, error, id: _, lease: man, ...rest } = outcome;
        lease = man;
        if (ok && want === "isolate" && !prepared.facts.isolation) before = prepared.facts.state;
        if (ok && want === "release") before = undefined;
        if (ok) stands = prepared.isolation;
        return {
          ok,
          durationNs,
          response: rest,
          ...(error === undefined
            ? {}
            : { error: { what: error, next: ok ? NEXT_LACKING : "Our own channel is still open: look at the steps, and try again." } }),
        };
      },
      dispose: () => prepared.dispose(),
    };
    const { isolation, rehearse } = prepared;
    if (isolation) {
      made.watch = (ears, restarted) => {
        const onPlan = (plan: IsolationPlan) => {
          stands = plan;
        };
        return keepIsolation(connected(), stands ?? isolation, lease, ears, onPlan, restarted);
      };
      made.grab = (suspects, sink) => grabBeforeCut(connection, suspects, sink);
    }
    if (rehearse)
      made.rehearse = async (seconds) => {
        const { wouldCut, droppedOut, droppedIn, keepsUs, cleared } = await rehearse(seconds);
        const words = wouldCut.map(
          ({ ip, port, transport }) => `${ip.includes(":") ? `[${ip}]` : ip}${port ? `:${port}` : ""} ${transport}`,
        );
        return { seconds, wouldCut: [...new Set(words)], dropped: droppedOut + droppedIn, keepsUs, cleared };
      };
    return made;
  };
  return { prepareResponse, checkCut };
}

const NEXT_LACKING = "The isolation itself stands and is proven: look at the steps.";

function previewOf(prepared: Prepared, deadManSeconds: number): PreparedResponse["preview"] {
  const { dies, survives, allowed, notes, breaks, networkBlock, noBoot } = prepared.preview;
  const isolate = prepared.kind === "isolate";
  const servers = prepared.isolation?.servers ?? [];
  return {
    dies,
    survives,
    allowed: [
      ...allowed.map((ip) => `${ip} may log in by ssh`),
      ...servers.map(({ ip, port }) => `${ip} port ${port} may be reached by the host`),
    ],
    notes,
    breaks,
    networkBlock,
    ...(noBoot === undefined ? {} : { noBoot }),
    ...(isolate
      ? { keepsAccess: true, deadMan: `If access is not proven within ${deadManSeconds} s, the host undoes this by itself.` }
      : {}),
  };
}

/** Opens a second connection and runs `true` over it. */
async function provenWayIn(connection: HostConnection, onOwnPort: (port: number) => void) {
  const started = performance.now();
  const milliseconds = () => performance.now() - started;
  try {
    const second = await connection.openSecond({ timeoutMs: 10_000 });
    onOwnPort(second.localPort);
    try {
      const { code } = await runScript(second, "true\n", { timeoutMs: 10_000 });
      return code === 0
        ? { ok: true, milliseconds: milliseconds() }
        : { ok: false, milliseconds: milliseconds(), error: `exit code ${code}` };
    } finally {
      await second.close();
    }
  } catch (error) {
    return { ok: false, milliseconds: milliseconds(), error: (error as Error).message };
  }
}
