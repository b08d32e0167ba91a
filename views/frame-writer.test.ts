import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeadlessScreen } from "#testing/screen";
import { FrameWriter } from "./frame-writer.ts";

const piece = fc.constantFrom("abc", " ", "   x", "─├▾", "日本", "🚀", "\x1b[31mred\x1b[39m", "\x1b[7minverse \x1b[27m", "é", "👍🏽", "한");
const line = (columns: number) =>
  fc.array(piece, { maxLength: 14 }).map((parts) => {
    let width = 0;
    let text = "";
    for (const part of parts) {
      const own = part.startsWith("\x1b")
        ? stripVTControlCharacters(part).length
        : /日本/.test(part)
          ? 4
          : /🚀|👍|한/u.test(part)
            ? 2
            : part.length;
      if (width + own > columns) break;
      text += part;
      width += own;
    }
    return text;
  });
const step = fc.integer({ min: 6, max: 24 }).chain((columns) =>
  fc.integer({ min: 1, max: 6 }).chain((rows) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.constant(rows),
      lines: fc.array(line(columns), { minLength: 0, maxLength: rows }),
      resize: fc.boolean(),
    }),
  ),
);

/** A lone newline is no frame of Ink's: a blank screen has blanks. */
const frameOf = (lines: readonly string[]) => (lines.some((text) => text !== "") ? lines.join("\n") : " ");

function cellsOf(screen: HeadlessScreen): string[] {
  const { active } = screen.terminal.buffer;
  return Array.from({ length: screen.terminal.rows }, (_, y) => {
    const row = active.getLine(active.baseY + y);
    return Array.from({ length: screen.terminal.cols }, (_, x) => {
      const cell = row?.getCell(x);
      return cell ? `${cell.getChars() || " "}${cell.getFgColor()}${cell.isInverse()}` : "";
    }).join("|");
  });
}

describe("the frame writer", () => {
  test("after any frames and sizes, the screen equals a fresh paint of the last frame", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const screen = new HeadlessScreen(20, 4);
        const writer = new FrameWriter(screen.stdout, 20, 4);
        writer.enter();
        let size = { columns: 20, rows: 4 };
        let last = " ";
        for (const s of steps) {
          if (s.resize) {
            size = s;
            await screen.settled();
            screen.resize(s.columns, s.rows);
            writer.resize(s.columns, s.rows);
          } else if (s.columns > size.columns) continue; // Ink never draws a line wider than the terminal
          last = frameOf(s.lines.slice(0, size.rows));
          writer.write(last);
        }
        await screen.settled();
        const fresh = new HeadlessScreen(size.columns, size.rows);
        const again = new FrameWriter(fresh.stdout, size.columns, size.rows);
        again.enter();
        again.write(last);
        await fresh.settled();
        expect(cellsOf(screen)).toEqual(cellsOf(fresh));
      }),
      { numRuns: 60 },
    );
  });

  test("every frame of a sequence is on the screen as if it were the first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line(16), { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 }), async (frames) => {
        const screen = new HeadlessScreen(16, 4);
        const writer = new FrameWriter(screen.stdout, 16, 4);
        writer.enter();
        for (const frame of frames) writer.write(frameOf(frame));
        await screen.settled();
        const fresh = new HeadlessScreen(16, 4);
        const again = new FrameWriter(fresh.stdout, 16, 4);
        again.enter();
        again.write(frameOf(frames.at(-1) ?? []));
        await fresh.settled();
        expect(cellsOf(screen)).toEqual(cellsOf(fresh));
      }),
      { numRuns: 150 },
    );
  });

  test("uses the last column of the last row without scrolling", async () => {
    const screen = new HeadlessScreen(6, 2);
    const writer = new FrameWriter(screen.stdout, 6, 2);
    writer.enter();
    writer.write("abcdef\nghijkl");
    writer.write("abcdef\nghijkX");
    await screen.settled();
    expect(screen.lines()).toEqual(["abcdef", "ghijkX"]);
  });

  test("text after a wide character stands where it belongs, whatever the terminal thinks of its width", async () => {
    const screen = new HeadlessScreen(12, 1);
    const writer = new FrameWriter(screen.stdout, 12, 1);
    writer.enter();
    writer.write("🚀|日|👍🏽|x");
    await screen.settled();
    const row = screen.terminal.buffer.active.getLine(0);
    expect([2, 5, 8].map((x) => row?.getCell(x)?.getChars())).toEqual(["|", "|", "|"]);
    expect(row?.getCell(9)?.getChars()).toBe("x");
  });

  test("only changed lines go out, in one synchronized update; an equal frame sends nothing", async () => {
    const screen = new HeadlessScreen(20, 3);
    const writer = new FrameWriter(screen.stdout, 20, 3);
    writer.enter();
    writer.write("one\ntwo\nthree");
    await screen.settled();
    screen.written.length = 0;
    writer.write("one\n2\nthree");
    writer.write("one\n2\nthree");
    await screen.settled();
    expect(screen.written).toHaveLength(1);
    expect(screen.written[0]).toBe("\x1b[?2026h\x1b[2;1H\x1b[0m2\x1b[0m\x1b[K\x1b[?2026l");
    expect(screen.written[0]).not.toContain("three");
  });

  test("while the terminal takes nothing, only the newest frame is kept; callbacks are called all the same", async () => {
    const chunks: string[] = [];
    let release: (() => void) | undefined;
    const slow = new Writable({
      decodeStrings: false,
      highWaterMark: 8,
      write(chunk: string, _encoding, done) {
        chunks.push(chunk);
        release = done;
      },
    });
    const writer = new FrameWriter(slow, 20, 1);
    writer.enter();
    release?.();
    await new Promise((done) => setImmediate(done));
    let called = 0;
    const painted = new Promise((done) => writer.once("painted", done));
    for (const frame of ["first", "stale-1", "stale-2", "newest"]) writer.write(frame, undefined, () => called++);
    await new Promise((done) => setImmediate(done));
    expect(called).toBe(4);
    while (!chunks.join("").includes("newest")) {
      release?.();
      await new Promise((done) => setImmediate(done));
    }
    release?.();
    await painted;
    expect(chunks.join("")).toContain("first");
    expect(chunks.join("")).not.toContain("stale");
  });

  test("leaves the terminal as it found it, once", async () => {
    const screen = new HeadlessScreen(20, 3);
    screen.stdout.write("shell$ ");
    const writer = new FrameWriter(screen.stdout, 20, 3);
    writer.enter();
    writer.write("hello");
    await screen.settled();
    expect(screen.terminal.buffer.active.type).toBe("alternate");
    writer.leave();
    writer.leave();
    writer.write("late frame");
    await screen.settled();
    expect(screen.terminal.buffer.active.type).toBe("normal");
    expect(screen.lines()[0]?.trim()).toBe("shell$");
    expect(screen.written.join("").split("\x1b[?1049l")).toHaveLength(2);
    expect(screen.terminal.modes.bracketedPasteMode).toBe(false);
  });
});
