import { Enricher } from "#analysis/enrich";
import type { HostConnection } from "#host/connection";
import { Investigation } from "#investigation/investigation";
import type { Particulars } from "#investigation/prepared";
import { outsideScope } from "#model/authority";
import { type HostString, printable } from "#model/host-string";
import { type IsolationChoice, parseAllowed } from "#model/measure";
import type { ResponseKind } from "#model/response";
import { scopeWords } from "#model/start-card";
import { undoOfBlock } from "#response/partial/block";
import { createSession, sessionsRoot } from "#session/session-store";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { connect, labelOf } from "./live.ts";
import { analystOf, type HostOptions } from "./options.ts";
import { planResponse } from "./plan-response.ts";
import { onEndSignal } from "./signals.ts";
import { write } from "./standard-output.ts";
import { cardOf } from "./start-card.ts";
import { VERSION } from "./version.ts";

export interface RespondOptions extends HostOptions {
  dryRun?: boolean;
  /** Why it is done although `scope` does not hold it. */
  reason?: string;
  /** Addresses that are let through: `192.0.2.9` may log in, `192.0.2.9:443` may be reached. */
  allow?: string[];
  revertIfWeVanish?: boolean;
  /** Written to the host's disk, so that it is isolated again after a reboot. */
  throughReboot?: boolean;
  /** Count for 10 s what would be cut, and cut nothing. */
  rehearse?: boolean;
  /** Stay and keep it, until interrupted. */
  watch?: boolean;
}

/** What is wanted beside its kind, and how it is called in an answer. */
interface Wanted {
  kind: ResponseKind;
  more: Particulars;
}

/** Isolates or releases a host from a script: plans, carries out, verifies, records; `dryRun` prints the plan and changes nothing. */
export function respond(kind: "isolate" | "release", target: string, options: RespondOptions): Promise<number> {
  return carryOut({ kind, more: kind === "isolate" ? { choice: choiceOf(options) } : {} }, target, options);
}

/** Blocks an address, a port of it, or what an account sends; or takes one block back by its mark. */
export function block(
  target: string,
  what: string | undefined,
  options: RespondOptions & { account?: number; undo?: string },
): Promise<number> {
  const given = [what, options.account, options.undo].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new UserError("Say one thing: an address (203.0.113.66, 203.0.113.66:443), --account UID, or --undo MARK.", EXIT.usage);
  return carryOut(wantedBlock(what, options), target, options);
}

function wantedBlock(what: string | undefined, { account, undo }: { account?: number; undo?: string }): Wanted {
  if (undo !== undefined) {
    if (!/^[0-9a-f]{12}$/.test(undo)) throw new UserError("A mark is 12 hexadecimal digits: 'stakeout block' printed it.", EXIT.usage);
    return { kind: "unblock", more: { undoes: { id: undo, undo: undoOfBlock(undo) }, target: `the block ${undo}` as HostString } };
  }
  if (account !== undefined)
    return { kind: "block", more: { block: { kind: "user", uid: account }, target: `what account ${account} sends` as HostString } };
  const address = parseAllowed(what ?? "");
  if (!address)
    throw new UserError(`'${printable(what ?? "")}' is no address: 203.0.113.66, 203.0.113.66:443, [2001:db8::9]:443.`, EXIT.usage);
  const { ip, port } = address;
  const words = `everything to and from ${ip}${port === undefined ? "" : `, port ${port}`}` as HostString;
  return { kind: "block", more: { block: { kind: "address", ip, ...(port === undefined ? {} : { port }) }, target: words } };
}

function choiceOf({ allow = [], revertIfWeVanish, throughReboot }: RespondOptions): IsolationChoice {
  if (revertIfWeVanish && throughReboot)
    throw new UserError("Either --revert-if-we-vanish or --through-reboot: what is to end without us cannot be made to last.", EXIT.usage);
  const addresses = allow.map((text) => {
    const address = parseAllowed(text);
    if (!address)
      throw new UserError(`--allow '${printable(text)}' is no address: 192.0.2.9, 192.0.2.9:443, [2001:db8::9]:443.`, EXIT.usage);
    return address;
  });
  return {
    logins: addresses.filter(({ port }) => port === undefined).map(({ ip }) => ip),
    servers: addresses.flatMap(({ ip, port }) => (port === undefined ? [] : [{ ip, port }])),
    keeps: revertIfWeVanish ? "reverts" : throughReboot ? "boot" : "stays",
    freeze: false,
  };
}

async function carryOut({ kind, more }: Wanted, target: string, options: RespondOptions): Promise<number> {
  const card = cardOf(options);
  const analyst = analystOf(options);
  const needs = outsideScope(card, kind);
  if (!options.dryRun && needs && !options.reason?.trim())
    throw new UserError(
      `To ${kind} is outside the scope that is authorised (${scopeWords(card?.scope ?? [])}). Say why with --reason TEXT: it is recorded, and then done.`,
      EXIT.usage,
    );
  const connection = await connect(target, options);
  for (const note of connection.notes) say(note);
  try {
    if (options.dryRun) return await dryRun(connection, { kind, more }, analyst);
    const folder = await createSession(
      sessionsRoot(options.sessions, checkout()),
      { label: labelOf(target), address: connection.address, target },
      Date.now(),
    );
    const investigation = await Investigation.open({
      folder,
      enricher: new Enricher(undefined, undefined),
      analyst,
      ...(card ? { card } : {}),
      version: VERSION,
      now: Date.now,
      connection: connection.made,
      ...planResponse(
        () => connection,
        folder.about.session,
        () => {},
      ),
      askFileInfo: () => {},
      isOurs: () => false,
      onUnrecorded: say,
    });
    const { responses } = investigation;
    const outside = needs && { scope: card?.scope ?? [], needs, reason: options.reason?.trim() ?? "" };
    await responses.plan(kind, [], analyst, outside, more);
    const planned = responses.progress;
    if (options.rehearse && planned?.phase === "review") {
      await responses.rehearse(planned.id, analyst);
      const said = responses.progress?.before?.rehearsal;
      responses.dismiss(planned.id, analyst);
      await investigation.end("rehearsed");
      say(`recorded in ${folder.path}`);
      if (said === undefined)
        throw new UserError("This host can only be isolated by a method that cannot be rehearsed: nothing was changed.");
      if (typeof said !== "object" || "error" in said)
        throw new UserError(`The rehearsal failed: ${typeof said === "object" ? said.error : said}`);
      write(JSON.stringify({ kind: "rehearse", host: target, ...said }));
      return said.keepsUs && said.cleared ? EXIT.ok : EXIT.failed;
    }
    if (planned?.phase === "review" && planned.plan_sha256) await responses.confirm(planned.id, planned.plan_sha256, analyst);
    const result = responses.progress;
    if (result?.phase === "succeeded") {
      const { milliseconds, verified, method } = result;
      const mark = kind === "block" ? /stakeout_block_([0-9a-f]{12})/.exec(result.plan ?? "")?.[1] : undefined;
      const { compared, on_disk: onDisk } = investigation.state.responses.get(result.id) ?? {};
      write(
        JSON.stringify({
          kind,
          host: target,
          milliseconds,
          verified,
          method,
          ...(mark ? { mark } : {}),
          ...(compared ? { compared } : {}),
          ...(onDisk ? { on_disk: onDisk } : {}),
        }),
      );
      if (kind === "isolate" && (options.watch || options.revertIfWeVanish)) await keptUntilStopped(investigation, connection.lost);
    }
    await investigation.end(`${kind}: ${result?.phase}`);
    if (result?.phase === "succeeded" && result.error) {
      say(`recorded in ${folder.path}`);
      throw new UserError(`${result.error.what} ${result.error.next}`);
    }
    say(`recorded in ${folder.path}`);
    if (result?.phase !== "succeeded")
      throw new UserError(`${kind} failed: ${result?.error?.what ?? "no reason given"} ${result?.error?.next ?? ""}`.trim());
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}

async function dryRun(connection: HostConnection, { kind, more }: Wanted, analyst: string): Promise<number> {
  const { prepareResponse } = planResponse(
    () => connection,
    "dry-run",
    () => {},
  );
  const prepared = await prepareResponse(kind, [], analyst, more);
  prepared.dispose();
  write(prepared.response.plan ?? "");
  const { notes = [], breaks = [], networkBlock = [] } = prepared.preview;
  for (const note of notes) say(printable(note));
  for (const leak of prepared.response.leaks ?? []) say(`leaks: ${printable(leak)}`);
  if (kind === "isolate")
    say("whether a load balancer, a backup, a cluster or a scaling group watches this host, only the customer can say");
  for (const line of breaks) say(`may break: ${printable(line)}`);
  for (const line of networkBlock) say(`for the network team: ${printable(line)}`);
  return EXIT.ok;
}

/** Says each change of what the watch sees as a line of JSON, until a signal ends it, or the connection is lost. */
async function keptUntilStopped(investigation: Investigation, lost: Promise<Error>): Promise<void> {
  let last = "";
  let found = 0;
  const tell = () => {
    const { isolated, findings } = investigation.state;
    for (const finding of findings.values()) if (finding.sequence > found) write(JSON.stringify({ finding }));
    found = Math.max(found, ...[...findings.values()].slice(-1).map(({ sequence }) => sequence));
    const watch = isolated?.watch;
    const now = JSON.stringify({
      holds: watch?.report.holds,
      guard: watch?.report.guard,
      put_back: watch?.report.put_back,
      status: watch?.status,
    });
    if (watch && now !== last) write(JSON.stringify({ watch: { ...watch.report, status: watch.status } }));
    last = now;
  };
  const stop = investigation.publisher.subscribe(tell);
  say("the isolation is kept; Ctrl-C ends this");
  await new Promise<void>((resolve) => {
    const off = onEndSignal(() => {
      off();
      resolve();
    });
    void lost.then((error) => {
      say(`the connection was lost, so nothing is watched any more: ${error.message}`);
      off();
      resolve();
    });
  });
  stop();
}
