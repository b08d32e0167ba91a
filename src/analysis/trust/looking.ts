import { doerWords } from "#state/finding-words";
import type { Rule } from "./abuse.ts";
import { isStranger, isTrusted, processOf, programOf, type Scene, whoOf } from "./scene.ts";

/** They are looking at us: a login without a tag asks who is here, reads what is logged of us, or touches what we run. */

const WHO = /^(?:w|w\.procps|who|users|last|lastb|lastlog|finger|utmpdump|loginctl)$/;
const SERVERS = /^(?:sshd|sshd-session|sshd-auth|dropbear|login|su|sudo|sftp-server)$/;
const LEVEL = { intruder: "medium", suspect: "medium" } as const;
const levelOf = (standing: string) => (standing in LEVEL ? LEVEL[standing as keyof typeof LEVEL] : ("low" as const));

/** A login's own doing: services look at logs all day. */
const loginsOwn = ({ actor }: Scene) =>
  isStranger(actor) && (actor.login !== undefined || actor.origin === "unknown") && !SERVERS.test(programOf(actor)) ? actor : undefined;

const asksWhoIsHere: Rule = (scene) => {
  const { event } = scene;
  const actor = loginsOwn(scene);
  if (!actor) return undefined;
  const ran = event.event.action === "process.start" && WHO.test(programOf(actor));
  const read = event.event.action === "file.access" && /^\/(?:var\/)?(?:run|log)\/(?:utmp|wtmp|btmp|lastlog)$/.test(event.file?.path ?? "");
  if (!ran && !read) return undefined;
  return {
    rule: "looks-who-is-here",
    title: `${doerWords(actor)} asked who is logged in`,
    level: levelOf(actor.standing),
    technique: ["T1033"],
    entities: [actor.id],
    about: `${whoOf(actor)} ${programOf(actor)}`,
  };
};

const readsLogs: Rule = (scene) => {
  const { event } = scene;
  const actor = loginsOwn(scene);
  const path = event.file?.path;
  if (!actor || path === undefined || event.event.action !== "file.access" || event.stakeout.access?.secret !== "log") return undefined;
  if (/\/(?:utmp|wtmp|btmp|lastlog)$/.test(path)) return undefined;
  return {
    rule: "reads-logs",
    title: `${doerWords(actor)} reads the log that names us`,
    level: levelOf(actor.standing),
    technique: ["T1654"],
    entities: [actor.id],
    path,
    about: `${whoOf(actor)} ${path}`,
  };
};

const looksAtTracing: Rule = (scene) => {
  const { event } = scene;
  const path = event.file?.path;
  const actor = loginsOwn(scene);
  if (!actor || path === undefined || !/^\/sys\/kernel\/(?:debug\/)?tracing(?:\/|$)/.test(path)) return undefined;
  return {
    rule: "looks-at-tracing",
    title: `${doerWords(actor)} looks at the kernel's tracing, where ours is`,
    level: "high",
    technique: ["T1518.001"],
    entities: [actor.id],
    path,
    about: whoOf(actor),
  };
};

/**
 * Signals, traces and looks into the memory of the console's own processes; signals to those of tagged logins. A login that reads their
 * environment is told as with any tagged process.
 */
const touchesUs: Rule = (scene) => {
  const { state, event } = scene;
  const target = processOf(state, event.stakeout.access?.target?.entity_id);
  const actor = scene.actor;
  if (!target || !isStranger(actor) || !isTrusted(target) || whoOf(actor) === whoOf(target)) return undefined;
  if (actor.origin === "init" && actor.login === undefined) return undefined;
  const ours = target.login !== undefined && state.logins.get(target.login)?.ours === true;
  if (!ours && event.stakeout.access?.how !== "signal") return undefined;
  if (event.file?.path.endsWith("/environ") === true && actor.login !== undefined) return undefined;
  return {
    rule: ours ? "touches-our-processes" : "tagged-process-signalled",
    title: ours ? `${doerWords(actor)} touched the console's own processes` : "a process of a tagged login was sent a signal by another",
    level: ours ? "high" : "medium",
    technique: ["T1562.001"],
    entities: [actor.id, target.id],
    about: `${whoOf(actor)} ${whoOf(target)}`,
  };
};

export const LOOKING: readonly Rule[] = [asksWhoIsHere, readsLogs, looksAtTracing, touchesUs];
