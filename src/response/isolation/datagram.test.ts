import { describe, expect, it } from "vitest";
import { runLocal } from "#range/machine";
import { datagramFunction, judgeDatagram, strangerOf } from "./datagram.ts";

const plan = { nonce: "00000001abcd", allowed: ["10.0.0.1"], own: ["10.0.0.2"], servers: [] };

describe("a datagram to nobody", () => {
  it("goes to none whom the plan lets through", () => {
    const { v4 } = strangerOf(plan);
    expect(v4).toMatch(/^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/);
    const other = strangerOf({ ...plan, servers: [{ ip: v4 }] });
    expect(other.v4).not.toBe(v4);
  });

  it.each([
    ["4 1\n6 1\n", { refused: true, said: expect.stringContaining("refused by the kernel") }],
    ["4 22\n6 101\n", { refused: true, said: expect.stringContaining("IPv6: the host has no way there") }],
    ["4 1\n6 0\n", { refused: false, left: expect.stringContaining("2001:db8::") }],
    ["4 0\n", { refused: false, left: expect.stringContaining("was let out") }],
    ["4 101\n6 97\n", { refused: false, said: expect.not.stringContaining("refused") }],
    ["", { refused: false, said: expect.stringContaining("not tried") }],
    ["4 1 \nx4 0\n4 99999\n", { refused: false, said: expect.stringContaining("not tried") }],
  ])("is judged by what the kernel said to its sender: %j", (printed, verdict) => {
    const judged = judgeDatagram(plan, printed);
    expect(judged).toMatchObject(verdict);
    if (!("left" in verdict)) expect(judged.left).toBeUndefined();
  });

  it("is text that a shell reads", async () => {
    const { code, stderr } = await runLocal(["sh", "-n"], datagramFunction(plan));
    expect(code, stderr).toBe(0);
  });
});
