import type { Doer, JobEntry } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import type { SetUp } from "#model/past";

type Change = Extract<Observation, { kind: "file" }>["change"];

const FOLDERS = /^\/etc\/(?:crontab|anacrontab|cron\.[a-z]{1,10}\/.+)$|^\/var\/spool\/(?:cron|at)\/.+/;
export const isJobFolder = (path: string): boolean =>
  path.startsWith("/etc/") || path.startsWith("/var/spool/") ? FOLDERS.test(path) : false;
const AT_JOB = /^(\/var\/spool\/(?:cron\/atjobs|at)\/)([a-zA-Z=])([0-9a-f]{13})$/;
/** crontab(5): five fields or @word; a system's crontab has the user next. */
const TIMES = /^(?:@\w+|(?:\S+\s+){4}\S+)\s+/;
const MOST_WRITTEN = 2000;
/** atd links the job's file under another name, forks and runs it: all within less. */
const AT_NS = 5e9;

type Entry = Pick<JobEntry, "path" | "line" | "written_by">;

/** Entries of cron and at, by command, and who was seen to write their files. */
export class JobEntries {
  #byCommand = new Map<string, Entry[]>();
  readonly #written = new Map<string, Doer>();
  /** At jobs that atd has taken up and that no process was seen for yet. */
  #taken: { path: HostString; ts: BootNs }[] = [];

  changed(path: HostString, change: Change, by: Doer | undefined, ts: BootNs): void {
    const at = AT_JOB.exec(path);
    if (at && at[2] === "=") {
      if (change !== "deleted") this.#taken = [...this.#taken.slice(-31), { path: `${at[1]}a${at[3]}` as HostString, ts }];
      return; // atd's own hand
    }
    if (change === "deleted") return; // who wrote it still is who wrote it: its job may run on
    if (!by)
      this.#written.delete(path); // somebody whom no sensor saw was the last
    else {
      this.#written.delete(path);
      this.#written.set(path, by);
      const [oldest] = this.#written.keys();
      if (this.#written.size > MOST_WRITTEN && oldest !== undefined) this.#written.delete(oldest);
    }
  }

  /**
   * The set-up as it is now. A line that was not there before is by whoever was last seen to write its file; one that was there keeps
   * who it is by, whoever writes into the same file later. A command that is no longer in it may still run: it stays.
   */
  read(setUp: readonly SetUp[]): void {
    const found = new Map<string, Entry[]>();
    for (const { category, name: path, detail: line } of setUp) {
      if (category !== "cron") continue;
      const command = commandOf(path, line);
      if (command === undefined) continue;
      const before = this.#byCommand.get(command)?.find((entry) => entry.path === path && entry.line === line);
      const by = this.#written.get(path);
      const entry = before ?? { path, line, ...(by ? { written_by: by } : {}) };
      const known = found.get(command);
      if (known) known.push(entry);
      else found.set(command, [entry]);
    }
    for (const [command, entries] of this.#byCommand) if (!found.has(command) && found.size < MOST_WRITTEN) found.set(command, entries);
    this.#byCommand = found;
  }

  /** The entry that has this command run. Of several the one that somebody was seen to write, and how many there are. */
  match(command: string): JobEntry | undefined {
    const entries = this.#byCommand.get(command.trim());
    const entry = entries?.find(({ written_by }) => written_by) ?? entries?.[0];
    if (!entries || !entry) return undefined;
    return { ...entry, ...(entries.length > 1 ? { one_of: entries.length } : {}) };
  }

  /** A script of cron.hourly and its kin: run-parts(8) runs it by its path. */
  script(path: HostString): JobEntry {
    return { path, ...this.#writer(path) };
  }

  /** The at job that is being taken up at that moment. Where several are, nobody knows which is which. */
  running(ts: BootNs): JobEntry | undefined {
    this.#taken = this.#taken.filter((job) => Math.abs(ts - job.ts) < AT_NS);
    const [job, ...others] = this.#taken;
    if (!job) return undefined;
    if (others.length === 0) this.#taken = [];
    return { path: job.path, ...(others.length === 0 ? this.#writer(job.path) : { one_of: others.length + 1 }) };
  }

  #writer(path: string): { written_by?: Doer } {
    const doer = this.#written.get(path);
    return doer ? { written_by: doer } : {};
  }
}

/** What cron gives to the shell of a line: up to the first % that no backslash stands before (crontab(5)). */
export function commandOf(path: string, line: string): string | undefined {
  const times = TIMES.exec(line);
  if (!times) return undefined;
  let rest = line.slice(times[0].length);
  const system = path === "/etc/crontab" || path.startsWith("/etc/cron.d/");
  if (system) {
    const user = /^\S+\s+/.exec(rest);
    if (!user) return undefined;
    rest = rest.slice(user[0].length);
  }
  let command = "";
  for (let i = 0; i < rest.length; i++) {
    const c = rest[i] as string;
    if (c === "%") break;
    if (c === "\\" && rest[i + 1] === "%") command += rest[++i];
    else command += c;
  }
  return command.trim();
}
