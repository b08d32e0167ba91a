import { createHash } from "node:crypto";
import { decodeHostBytes, printable } from "#model/host-string";
import { removeFiles } from "./boot/script.ts";
import type { Execution } from "./enter/execute.ts";
import { releaseScript } from "./enter/script.ts";
import type { Step } from "./enter/verify.ts";
import type { ExistingIsolation, HostFacts, NetworkState } from "./facts/host-facts.ts";
import { sections } from "./facts/parse.ts";
import { differences, parseState, stateWords } from "./facts/state.ts";
import { endGuards } from "./guard.ts";
import { planOf } from "./made-by.ts";
import { removeChains, removeClaim } from "./methods/iptables-rules.ts";
import { GUARD, TABLE } from "./methods/nft-ruleset.ts";
import { isOurs } from "./methods/routes-rules.ts";
import { endLeases, endWatches } from "./processes.ts";
import { ResponseRefused } from "./refused.ts";
import { type Shell, ShellLost } from "./shell.ts";

export interface ReleasePlan {
  kind: "release";
  method: string;
  script: string;
  sha256: string;
  nonce: string;
  /** What is removed; undefined where the host shows no isolation, and then nothing happens. */
  isolation?: ExistingIsolation;
  /** Of the host's disk, by which it would be isolated at its next boot. */
  files: string[];
  before?: NetworkState;
  notes: string[];
}

/**
 * Takes away exactly what is ours, whoever put it there and by whatever method. Pure. `before` is the state of the network as it was
 * before the isolation, where this console knows it.
 */
export function planRelease(facts: HostFacts, nonce: string, before?: NetworkState): ReleasePlan | ResponseRefused {
  if (!facts.root)
    return new ResponseRefused("Release needs root on the host.", "Connect as root, or as an account that sudo lets run any command.");
  const { isolation } = facts;
  if (!isolation && facts.nft && facts.ruleset === undefined)
    return new ResponseRefused("The host's nft does not print its ruleset.", "Look at the file: it may have been replaced.");
  const timeout = facts.tools.includes("timeout");
  const files = facts.onDisk.flatMap((one) => one.files);
  const undo = [
    ...(isolation ? watchesEnded(isolation) : []),
    // before the rules: a host that is open must not be cut again by its next boot
    ...(files.length > 0
      ? [
          removeFiles(
            facts.onDisk.map((one) => one.nonce),
            timeout,
          ),
        ]
      : []),
    ...(isolation ? undoing(isolation, facts) : []),
  ];
  const script = releaseScript(nonce, undo, timeout);
  const by = isolation
    ? `Isolated by ${isolation.analyst ?? "somebody"}, ${planOf(isolation)}.`
    : files.length > 0
      ? "The host is not isolated now, but it would be at its next boot."
      : "The host shows no isolation of ours: there is nothing to release.";
  const disk = files.length > 0 ? [`These files are taken from the host's disk: ${files.map((file) => printable(file)).join(", ")}.`] : [];
  const watched = isolation?.watches.length
    ? [
        `A console watches this isolation and would put it back (process ${isolation.watches.join(", ")}): its watch is ended first, and it is told.`,
      ]
    : [];
  return {
    kind: "release",
    method: [...(isolation ? methodsOf(isolation) : []), ...(files.length > 0 ? ["files on disk"] : [])].join(", ") || "none",
    script,
    sha256: createHash("sha256").update(script).digest("hex"),
    nonce,
    ...(isolation ? { isolation } : {}),
    files,
    ...(before ? { before } : {}),
    notes: [
      by,
      ...watched,
      ...disk,
      "Connections that were destroyed do not come back by themselves; whatever beacons will reach its far end again.",
    ],
  };
}

function methodsOf(isolation: ExistingIsolation): string[] {
  return [
    ...(isolation.inet || isolation.netdev || isolation.guard ? ["nft"] : []),
    ...new Set(isolation.iptables.map((found) => found.variant)),
    ...(isolation.routes.length > 0 ? ["routes"] : []),
  ];
}

/** First of all: they would put back what is taken away. */
const watchesEnded = (isolation: ExistingIsolation): string[] => (isolation.watches.length > 0 ? [endWatches()] : []);

/** The guard before the tables, so that nothing is let out in between. */
function undoing(isolation: ExistingIsolation, facts: HostFacts): string[] {
  const nft = facts.nft?.path ?? "nft";
  const kinds = (["inet", "netdev"] as const).filter((kind) => isolation[kind]);
  const deleted = kinds.map((kind) => `table ${kind} ${TABLE} { }\ndelete table ${kind} ${TABLE}\n`).join("");
  return [
    endLeases,
    ...(isolation.guard
      ? [`( ${endGuards()} ); i=0; while ${nft} list table inet ${GUARD} >/dev/null 2>&1 && [ $i -lt 40 ]; do sleep 0.05; i=$((i+1)); done`]
      : []),
    ...(kinds.length > 0 ? [`${nft} -f - <<'END'\n${deleted}END`] : []),
    ...isolation.iptables.flatMap(({ variant, nonce }) =>
      (facts.ipv6 ? ([4, 6] as const) : ([4] as const)).map((kind) => removeChains(variant, nonce, kind)),
    ),
    ...facts.claims.map(removeClaim),
    ...isolation.routes.map(({ revert }) => revert),
  ];
}

/** The host stays isolated while we wait, so a slow one loses nothing by patience; given up, nobody would know whether it is released. */
const PATIENCE_MS = 120_000;

/** Runs the release, and proves that our tables are gone and that nothing else of the ruleset has changed. */
export async function executeRelease(plan: ReleasePlan, shell: Shell, onStep: (step: Step) => void): Promise<Execution> {
  const steps: Step[] = [];
  const note = (name: string, ok: boolean, milliseconds: number, said: string) => {
    const step: Step = {
      name,
      ok,
      milliseconds,
      ...(said === "" ? {} : { said: decodeHostBytes(Buffer.from(said.slice(0, 2000), "latin1")) }),
    };
    steps.push(step);
    onStep(step);
    return ok;
  };
  let reply: { output: string; milliseconds: number };
  try {
    reply = await shell.run(plan.script, PATIENCE_MS);
  } catch (error) {
    if (!(error instanceof ShellLost)) throw error;
    return {
      verified: { access: false, cut: false },
      steps,
      error: `${error.message} Whether the host is released is not known: connect again and look.`,
    };
  }
  const section = sections(reply.output, plan.nonce);
  const get = (name: string) => section.get(name)?.trim() ?? "";
  const removed = note("our rules taken away", get("code") === "0", reply.milliseconds, get("said"));
  const after = get("state-nft-after") + get("state-iptables-after") + get("state-rules-after");
  const holes = (plan.isolation?.routes ?? []).map(({ table }) => `from all lookup ${table}(?!\\d)`);
  const left = new RegExp([`\\b(${TABLE}|${GUARD})\\b`, "STAKEOUT_(?:IN_|OUT_|CLAIM)", ...holes].join("|")).exec(after)?.[0];
  const whole = section.has("end") && !/^unreadable$/m.test(get("state-nft-after")) && looksListed(get("state-nft-after"));
  const gone = note(
    "they are gone",
    whole && left === undefined,
    0,
    left === undefined ? (whole ? "" : after.slice(0, 500)) : `still there: ${left}`,
  );
  const onDisk = get("disk").split("\n").filter(Boolean);
  const cleared =
    plan.files.length === 0 ||
    note(
      "the files on its disk are gone",
      whole && onDisk.length === 0,
      0,
      onDisk.length > 0 ? `still there: ${onDisk.map((line) => line.split("\t")[0]).join(", ")}` : plan.files.join(", "),
    );
  const read = (suffix: string) => parseState((name) => section.get(name), suffix);
  const differ = differences(plan.before ?? withoutOurs(plan, read("-before")), withoutHoles(read("-after")));
  const since = plan.before ? "before the isolation" : "before the release";
  const same = note(
    `the rest is as it was ${since}`,
    whole && differ.length === 0,
    0,
    differ.length > 0 ? `differs: ${differ.join(", ")}` : "",
  );
  const error =
    !removed || !gone
      ? "Our rules could not be removed, or the host does not show that they are gone."
      : !cleared
        ? "Files by which the host would be isolated at its next boot could not be removed: look at /etc/systemd/system."
        : `Our rules are gone, but ${differ.join(", ")} ${differ.length > 1 ? "are" : "is"} not as ${since}: somebody else has changed the host's network meanwhile.`;
  const alike = stateWords.filter((name) => !differ.includes(name));
  return {
    verified: { access: true, cut: false },
    steps,
    ...(whole ? { compared: { against: since, same: alike, differs: differ } } : {}),
    ...(removed && gone && cleared && same ? {} : { error }),
  };
}

/** A ruleset is nothing, or tables: what else comes back was not printed by nft. */
function looksListed(text: string): boolean {
  return text === "" || /^(table |# )/.test(text);
}

/** The rules of the tables and chains are left out as such; of routing rules and routes those that the release takes away. */
function withoutOurs(plan: ReleasePlan, state: NetworkState): NetworkState {
  const ours = (plan.isolation?.routes ?? []).flatMap(({ revert }) => [...revert.matchAll(/rule del pref (\d+) /g)].map((m) => `${m[1]}:`));
  const rules = rest(state.rules, (line) => ours.some((start) => line.startsWith(start)));
  return withoutHoles({ ...state, ...(rules === undefined ? {} : { rules }) });
}

/** A black hole of ours that no rule leads to (root took the rule away) stops nothing, nor does a claim; that no rule is left is asked above. */
function withoutHoles(state: NetworkState): NetworkState {
  const routes = rest(state.routes, isOurs);
  return { ...state, ...(routes === undefined ? {} : { routes }) };
}

const rest = (text: string | undefined, dropped: (line: string) => boolean) =>
  text
    ?.split("\n")
    .filter((line) => !dropped(line))
    .join("\n");
