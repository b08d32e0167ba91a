import type { Investigation } from "#investigation/investigation";
import { farEnd } from "#state/selectors";
import type { LoginState, State } from "#state/state";

/** What the driver of the demo's night knows beforehand, as analysts on a call would. */
export interface NightPlan {
  /** The addresses that the responders said they come from. */
  responders: string[];
}

/** Beacons that are watched before the cut. */
const SEEN_BEACONS = 5;
const HOLD_MS = 10_000;

/**
 * Does with the night what two analysts would: tags both responders' logins, waits for the beacon abroad to show itself five times, calls
 * its login the intruder's, isolates, holds, releases. Resolves when that is done; everything in between waits on what is seen.
 */
export async function drive(investigation: Investigation, plan: NightPlan, signal: AbortSignal): Promise<void> {
  const { state, responses, analyst } = investigation;
  const seen = (condition: () => boolean) => until(investigation, condition, signal);

  const tagResponders = () => {
    for (const login of state.logins.values())
      if (login.standing === "unknown" && login.source && plan.responders.includes(login.source.ip))
        investigation.tag({ login: login.id }, "responder", `${login.source.ip} is one of us`, analyst);
    return false;
  };
  const stop = investigation.publisher.subscribe(() => void tagResponders());
  try {
    await seen(
      () =>
        new Set([...state.logins.values()].filter(isTaggedResponder(plan)).map(({ source }) => source?.ip)).size >= plan.responders.length,
    );
    await seen(() => beacon(state) !== undefined);
    const intruder = intruderBehind(state);
    if (intruder) investigation.tag({ login: intruder.id }, "intruder", "runs new binaries that call abroad", analyst);

    await investigation.planResponse("isolate", analyst);
    await confirm(investigation);
    await pause(HOLD_MS, signal);
    await investigation.planResponse("release", analyst);
    await confirm(investigation);
    const last = responses.progress;
    if (last) responses.dismiss(last.id, analyst);
  } finally {
    stop();
  }
}

const isTaggedResponder = (plan: NightPlan) => (login: LoginState) =>
  login.standing === "responder" && login.source !== undefined && plan.responders.includes(login.source.ip);

/** The far end abroad that was called often enough to be a beacon. */
const beacon = (state: State) =>
  [...state.peers.values()].find(
    ({ ip, attempts }) => attempts >= SEEN_BEACONS && [...state.connections.values()].some((c) => farEnd(c).ip === ip && farEnd(c).geo),
  );

/** The login whose processes called abroad and that nobody has vouched for. */
function intruderBehind(state: State): LoginState | undefined {
  for (const connection of state.connections.values()) {
    const login = connection.login === undefined ? undefined : state.logins.get(connection.login);
    if (login?.standing === "unknown" && connection.direction === "egress" && farEnd(connection).geo) return login;
  }
  return undefined;
}

async function confirm(investigation: Investigation): Promise<void> {
  const planned = investigation.responses.progress;
  if (planned?.phase === "review" && planned.plan_sha256)
    await investigation.responses.confirm(planned.id, planned.plan_sha256, investigation.analyst);
  const done = investigation.responses.progress;
  if (done?.phase !== "succeeded")
    throw new Error(
      `${planned?.kind ?? "The response"} failed: ${done?.error?.what ?? "it was not carried out"} ${done?.error?.next ?? ""}`,
    );
}

function until(investigation: Investigation, condition: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      stop();
      signal.removeEventListener("abort", gone);
      if (error) reject(error);
      else resolve();
    };
    const gone = () => done(new Error("the night was ended before its story was told"));
    const check = () => {
      if (condition()) done();
    };
    const stop = investigation.publisher.subscribe(check);
    signal.addEventListener("abort", gone);
    if (signal.aborted) gone();
    else check();
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("the night was ended while the host was isolated"));
    });
  });
}
