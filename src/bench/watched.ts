import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "#range/machine";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { HEAP } from "../bootstrap/startup.mjs";
import { quantile } from "./figure.ts";

/** The program as the bootstrap starts it (src/bootstrap/run.mjs). */
export const PROGRAM: readonly [string, ...string[]] = [process.execPath, ...HEAP, join(import.meta.dirname, "main.js")];

export const now = () => performance.now();
export const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A program in a terminal of 160x50, with what it costs. */
export class Watched {
  readonly console: ConsoleInPty;
  readonly started = now();
  /** When the program wrote its first byte. */
  firstByte: number | undefined;
  bytes = 0;
  #arrived = 0;

  constructor(argv: readonly string[], columns = 160, rows = 50) {
    this.console = inPty(argv, columns, rows);
    this.console.screen.written.length = 0;
    this.console.onOutput((data) => {
      this.#arrived = now();
      this.firstByte ??= this.#arrived;
      this.bytes += Buffer.byteLength(data);
      this.console.screen.written.length = 0; // kept for tests; here it would be gigabytes
    });
  }

  /** Resolves when the header counts `more` events than now: what is measured from then on is a host that is busy. */
  async flows(more: number): Promise<void> {
    const counted = () => Number((/([\d,]+) events/.exec(this.console.screen.text())?.[1] ?? "0").replaceAll(",", ""));
    const from = counted();
    await until(`${more} events on the screen`, () => counted() >= from + more, { timeoutMs: 60_000 });
  }

  /** Seconds on a core so far (utime and stime, fields 14 and 15 of /proc/PID/stat, proc(5)). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.console.pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resident memory, MB. */
  rssMb(): number {
    const status = readFileSync(`/proc/${this.console.pid}/status`, "latin1");
    return (Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
  }

  /** Share of a core in percent, and bytes to the terminal a second, while `ms` pass. */
  async cost(ms: number): Promise<{ cpu: number; bytes: number }> {
    const [cpu, bytes, at] = [this.cpuSeconds(), this.bytes, now()];
    await wait(ms);
    const seconds = (now() - at) / 1000;
    return { cpu: (100 * (this.cpuSeconds() - cpu)) / seconds, bytes: (this.bytes - bytes) / seconds };
  }

  /** Presses a key, here or at another's keyboard; milliseconds until the bytes arrived that made `seen` true. NaN when that never came. */
  async answer(
    key: string,
    seen: () => boolean,
    { at = this, timeoutMs = 5000 }: { at?: Watched; timeoutMs?: number } = {},
  ): Promise<number> {
    const pressed = now();
    return new Promise((resolve) => {
      const done = (ms: number) => {
        clearTimeout(late);
        parsed.dispose();
        resolve(ms);
      };
      const late = setTimeout(() => done(Number.NaN), timeoutMs);
      const parsed = this.console.screen.terminal.onWriteParsed(() => {
        if (seen()) done(this.#arrived - pressed);
      });
      at.console.press(key);
    });
  }

  /** Milliseconds from a key to the screen: Tab and Shift-Tab in turn, seen by the first pane's title, whose rule is heavy while it has the keys. */
  async keys(count: number): Promise<number[]> {
    const title = () => this.console.screen.terminal.buffer.active.getLine(3)?.getCell(0)?.getChars();
    const taken: number[] = [];
    for (let i = 0; i < count; i++) {
      const before = title();
      taken.push(await this.answer(i % 2 ? "\x1b[Z" : "tab", () => title() !== before));
      await wait(40 + ((i * 37) % 90)); // not in step with the frames
    }
    return taken;
  }

  async end(): Promise<void> {
    this.console.press("q");
    await Promise.race([this.console.exited, wait(10_000).then(() => this.console.kill("SIGKILL"))]);
  }
}

/** NaN counts as never: a key that was not answered is no quick one. */
export const p95 = (values: readonly number[]) =>
  quantile(
    values.map((ms) => (Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms)),
    0.95,
  );
