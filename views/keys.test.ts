import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Key, KeyParser } from "./keys.ts";

const names = (keys: readonly Key[]) => keys.map((key) => key.name);
const parse = (text: string) => new KeyParser().feed(Buffer.from(text));

describe("the key parser", () => {
  test("typed ahead comes out key by key", () => {
    expect(names(parse("jjt"))).toEqual(["j", "j", "t"]);
    expect(names(parse("\x1b[A\x1b[B\x1bOC\x1b[D\x1b[Z\t\r\x7f\x03"))).toEqual([
      "up",
      "down",
      "right",
      "left",
      "shift-tab",
      "tab",
      "enter",
      "backspace",
      "ctrl-c",
    ]);
    expect(names(parse("\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[1;5A"))).toEqual(["pageup", "pagedown", "home", "end", "up"]);
    expect(parse("日")).toEqual([{ name: "日", text: "日" }]);
  });

  test("any split of the bytes gives the same keys", () => {
    const piece = fc.constantFrom(
      "j",
      "T",
      "日",
      "🚀",
      "\x1b[A",
      "\x1bOB",
      "\x1b[6~",
      "\x1b[200~paste \x1b[A j\x1b[201~",
      "\r",
      "\x1bx",
      " ",
      "\x1b[38;5;1m",
      "\x1b[<0;80;24M",
      "\x1b[<0;80;24m",
      "\x1b[<65;1;1M",
      "\x1b[M jq",
      "\x1b[15~",
      "e\u0301",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join(""));
        const whole = new KeyParser().feed(bytes);
        const parser = new KeyParser();
        const split: Key[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value;
          split.push(...parser.feed(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(split).toEqual(whole);
      }),
    );
  });

  test("no bytes make it throw, or wait for ever with much in hand", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const parser = new KeyParser();
        parser.feed(bytes);
        parser.flush();
        expect(parser.waiting).toBe(false);
      }),
    );
  });

  test("the mouse says where it clicked and which way its wheel turned; releases, other buttons and movements say nothing", () => {
    expect(parse("\x1b[<0;80;24M\x1b[<0;80;24m\x1b[<2;1;1M\x1b[<35;9;9M\x1b[<64;3;4M\x1b[<81;3;4M")).toEqual([
      { name: "mouse", mouse: { what: "click", x: 79, y: 23 } },
      { name: "mouse", mouse: { what: "wheel-up", x: 2, y: 3 } },
      { name: "mouse", mouse: { what: "wheel-down", x: 2, y: 3 } }, // with Ctrl held
    ]);
  });

  test("no report of a mouse, whole, old or broken, is ever taken for a key", () => {
    const field = fc.constantFrom("", "0", "1", "64", "99999999999", "-3", ";", "?");
    const report = fc.oneof(
      fc.tuple(field, field, field, fc.constantFrom("M", "m")).map(([b, x, y, end]) => `\x1b[<${b};${x};${y}${end}`),
      fc.string({ unit: fc.constantFrom("q", "I", "t", " ", "!", "~"), minLength: 3, maxLength: 3 }).map((bytes) => `\x1b[M${bytes}`),
    );
    fc.assert(
      fc.property(fc.array(report, { maxLength: 8 }), (reports) => {
        for (const key of parse(reports.join(""))) expect(key.name).toBe("mouse");
      }),
    );
  });

  test("function keys of both kinds", () => {
    expect(names(parse("\x1bOP\x1b[15~\x1b[24~\x1b[2~\x1bOM"))).toEqual(["f1", "f5", "f12", "insert", "enter"]);
  });

  test("a lone Escape is known once nothing follows", () => {
    const parser = new KeyParser();
    expect(parser.feed("\x1b")).toEqual([]);
    expect(parser.waiting).toBe(true);
    expect(names(parser.flush())).toEqual(["escape"]);
    expect(parser.waiting).toBe(false);
  });

  test("pasted text is one key, never commands, and bounded", () => {
    const keys = parse(`\x1b[200~I\rq${"x".repeat(2_000_000)}\x1b[201~j`);
    expect(names(keys)).toEqual(["paste", "j"]);
    expect(keys[0]?.text).toMatch(/^I\rqx/);
    expect(keys[0]?.text?.length).toBe(4096);
  });
});
