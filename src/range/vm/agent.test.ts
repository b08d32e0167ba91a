import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Agent } from "./agent.ts";

/** The guest's end of the serial port, as a server that the test itself speaks for. */
let folder: string;
let server: Server;
let agent: Agent;
let guest: Socket;
let asked = "";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-agent-"));
  asked = "";
  const came = new Promise<Socket>((resolve) => {
    server = createServer(resolve);
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "agent"), resolve));
  agent = await Agent.connect(join(folder, "agent"));
  guest = await came;
  guest.on("data", (data) => {
    asked += data;
  });
});
afterEach(() => {
  agent.close();
  guest.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const request = async () => {
  while (!asked.includes("\n")) await new Promise((resolve) => guest.once("data", resolve));
  const [, id, script, input] = asked.slice(0, asked.indexOf("\n")).split(" ") as [string, string, string, string];
  asked = asked.slice(asked.indexOf("\n") + 1);
  return { id, script: Buffer.from(script, "base64").toString(), input: Buffer.from(input, "base64").toString() };
};
const coded = (text: string) => Buffer.from(text).toString("base64") || "=";

test("a request has its own answer, whatever stands between and in whatever order", async () => {
  const one = agent.run("echo one");
  const first = await request();
  const two = agent.run("cat", { input: "a\nb" });
  const second = await request();
  expect(first).toMatchObject({ script: "echo one", input: "" });
  expect(second).toMatchObject({ script: "cat", input: "a\nb" });
  guest.write(`noise\r\ndone ${second.id} 3 ${coded("")} ${coded("no such file")}\n`);
  guest.write(`done ${first.id} 0 ${coded("one\n")} =\n`);
  expect(await one).toEqual({ code: 0, stdout: "one\n", stderr: "" });
  expect(await two).toEqual({ code: 3, stdout: "", stderr: "no such file" });
});

test("a boot ends what was asked before it, and is told by its id", async () => {
  const lost = agent.run("systemctl reboot");
  const next = agent.hello(0);
  await request();
  guest.write("\nhello 11111111-2222-3333-4444-555555555555\n");
  await expect(lost).rejects.toThrow("booted meanwhile");
  expect(await next).toBe("11111111-2222-3333-4444-555555555555");
  expect(agent.boots).toHaveLength(1);
});

test("what ends the guest may never be answered; a no, or silence of one that stays, is told", async () => {
  const reboot = agent.leave("systemctl --no-block reboot");
  await request();
  guest.write("\nhello 11111111-2222-3333-4444-555555555555\n");
  await reboot;
  const refused = agent.leave("systemctl --no-block reboot");
  guest.write(`done ${(await request()).id} 1 = ${coded("Operation inhibited")}\n`);
  await expect(refused).rejects.toThrow(/would not do it: systemctl --no-block reboot: Operation inhibited/);
  const poweroff = agent.leave("systemctl --no-block poweroff");
  await request();
  guest.destroy();
  await poweroff;
});

test("a guest that does not answer, or has gone, is an error and no endless wait", async () => {
  await expect(agent.run("sleep 1000", { timeoutMs: 50 })).rejects.toThrow(/did not answer within 0.05 s to: sleep 1000/);
  const waiting = agent.run("true");
  const hello = agent.hello(0);
  hello.catch(() => {});
  guest.destroy();
  await expect(waiting).rejects.toThrow("has ended");
  await expect(hello).rejects.toThrow("has ended");
});
