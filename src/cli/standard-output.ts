import { say } from "./exit.ts";

/** One line of data on standard output. When whoever reads it has gone (head, a closed pipe), the program goes on recording. */
export function write(line: string): void {
  if (!closed) process.stdout.write(`${line}\n`);
}
let closed = false;
let failed = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (closed) return;
  closed = true;
  if (error.code === "EPIPE") return; // whoever read has seen enough
  failed = true;
  say(`standard output can no longer be written (${error.message}): free space there. What is recorded is not touched by it.`);
});
/** Resolves when standard output takes more, or nobody reads it any more. */
export async function drained(): Promise<void> {
  const { stdout } = process;
  if (closed || !stdout.writableNeedDrain) return;
  await new Promise<void>((done) => {
    const over = () => {
      stdout.off("drain", over).off("error", over).off("close", over);
      done();
    };
    stdout.on("drain", over).on("error", over).on("close", over);
  });
}
/** Nobody reads standard output any more. */
export const outputClosed = (): boolean => closed;
/** Data was lost on its way out: a script that reads it must not take the rest for all. */
export const outputFailed = (): boolean => failed;
