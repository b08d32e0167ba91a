import { escapeField } from "#sensors/wire";

const SECOND = 1e9;
/** Nanoseconds on the boot clock when the collector begins. */
const BEGIN = 3600 * SECOND;
/** Pids of programs that come and go: above all that were there before, and below the kernel's PID_MAX_LIMIT. */
const [FIRST_PID, LAST_PID] = [1_000_000, 4_000_000];
/** Programs that run at the same time. */
const AT_ONCE = 24;
/** Of the intruder's login: sshd, its child, the shell. */
const LOGIN = { sshd: 400, child: 401, shell: 402 };
const C2 = ["3dc0ac01", "ca608056", "b9dc6501", "08080808"]; // 61.192.172.1, 202.96.128.86, 185.220.101.1, 8.8.8.8

export interface Busy {
  /** Processes in the first snapshot. */
  processes: number;
  /** Events of a second on the host's clock. */
  perSecond: number;
  /** How many of the processes hang below the intruder's shell. */
  subtree?: number;
}

/**
 * A busy host as its collector tells of it, in the collector's own wire format (src/sensors/decode-record.ts): a first snapshot, then
 * programs that start and end, connections that open and close, files that appear. The same options give the same bytes.
 */
export class BusyHost {
  readonly #busy: Required<Busy>;
  #runs = 0;
  #now = BEGIN;
  #pid = FIRST_PID;
  readonly #running: number[] = [];
  #parents: number[] = [];
  #events = 0;

  constructor(busy: Busy) {
    this.#busy = { subtree: Math.floor(busy.processes / 10), ...busy };
  }

  /** Events that an ingest makes of what was told after the snapshot. */
  get events(): number {
    return this.#events;
  }

  /** What the collector says first; `wallMs` is the host's time then, milliseconds since the epoch. */
  begin(wallMs: number): string {
    const hello = ["H", "b0071d00-0000-4000-8000-000000000001", "", "busybox", "6.1.0", "x86_64", "4", "100", "init"];
    const lines = [
      [...hello, "300", "0", "0", "tracefs+proc", "4194304", ""],
      ["C", this.#now, `${BigInt(Math.round(wallMs)) * 1_000_000n}`],
      ["U", "0", "root"],
    ];
    const found = (pid: number, parent: number, path: string, ...args: string[]) =>
      lines.push(["P", pid, ...facts(parent, 1000 + pid, path, args)]);
    found(1, 0, "/usr/lib/systemd/systemd");
    found(200, 1, "/usr/sbin/cron", "-f");
    found(300, 1, "/usr/sbin/sshd", "-D");
    found(LOGIN.sshd, 300, "/usr/sbin/sshd", "root [priv]");
    found(LOGIN.child, LOGIN.sshd, "/usr/sbin/sshd", "root@pts/1");
    found(LOGIN.shell, LOGIN.child, "/bin/bash", "-i");
    let pid = 1000;
    const services = Math.max(4, this.#busy.processes - this.#busy.subtree - 6);
    for (let i = 0; i < services; i++)
      found(pid++, i % 8 ? pid - (i % 8) - 1 : 1, `/usr/lib/service/worker-${i % 40}`, "--port", String(8000 + i));
    const under: number[] = [LOGIN.shell];
    for (let i = 0; i < this.#busy.subtree; i++) {
      found(pid, under[i >> 3] as number, `/usr/bin/job-${i % 12}`, "--slice", String(i));
      under.push(pid++);
    }
    lines.push(["L", this.#now, LOGIN.sshd, "0a00040b", "22", "b9dc6501", "51234"], ["N", lines.length, "40"]);
    this.#parents = Array.from({ length: Math.min(64, services) }, (_, i) => 1000 + i);
    return text(lines);
  }

  /** What happens next: at least `count` events, at the host's rate. */
  next(count: number): string {
    const lines: (string | number)[][] = [];
    for (const until = this.#events + count; this.#events < until; ) {
      const run = this.#runs++;
      this.#start(run, lines);
      if (run % 4 === 0) this.#connect(run, lines);
      if (run % 50 === 0) this.#tell(lines, ["W", this.#now, "c", `/tmp/build-${(run / 50) % 100}.o`, this.#running.at(-1) as number]);
      if (this.#running.length > AT_ONCE) this.#tell(lines, ["X", this.#now, this.#running.shift() as number]);
      if (run % 400 === 0) lines.push(["T", this.#now, 0, 0, 0, 10, 9000, 0]);
    }
    return text(lines);
  }

  /** Milliseconds since the snapshot on the host's clock. */
  get elapsedMs(): number {
    return (this.#now - BEGIN) / 1e6;
  }

  #tell(lines: (string | number)[][], line: (string | number)[]): void {
    lines.push(line);
    this.#events += 1;
    this.#now += Math.round(SECOND / this.#busy.perSecond);
  }

  #start(run: number, lines: (string | number)[][]): void {
    const pid = this.#pid++;
    if (this.#pid > LAST_PID) this.#pid = FIRST_PID;
    const parent = run % 10 === 0 ? LOGIN.shell : (this.#parents[run % this.#parents.length] as number);
    const path = ["/usr/bin/awk", "/bin/sh", "/usr/bin/curl", "/usr/bin/find", "/bin/cat"][run % 5] as string;
    lines.push(["F", this.#now, parent, pid]);
    const about = facts(parent, Math.round(this.#now / 1e7), path, ["--input", `/srv/data/part-${run % 1000}`, "-x", String(run)]);
    this.#tell(lines, ["E", this.#now, pid, path, ...about]);
    this.#running.push(pid);
  }

  #connect(run: number, lines: (string | number)[][]): void {
    const sk = `s${run % 512}`;
    const [pid, port] = [this.#running.at(-1) as number, 20_000 + (run % 40_000)];
    const far = [C2[(run >> 2) % C2.length] as string, 443];
    for (const [from, to, local] of [
      ["C", "S", 0],
      ["S", "E", port],
      ["E", "C", port],
    ] as const)
      this.#tell(lines, ["S", this.#now, to === "S" ? pid : "", from, to, "0a00040b", local, ...far, sk]);
  }
}

/** ppid start session tty uid euid loginuid comm exe flags cwd args unseen argc. */
function facts(parent: number, startTicks: number, path: string, args: readonly string[]): (string | number)[] {
  const comm = path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("/") + 16);
  const argv = [path, ...args].map((arg) => escapeField(arg).toString("latin1")).join("\x1f");
  return [parent, startTicks, parent, 0, 0, 0, 4_294_967_295, comm, path, "", "/", `=${argv}`, "", ""];
}

const text = (lines: readonly (readonly (string | number)[])[]) => lines.map((line) => `${line.join("\t")}\n`).join("");
