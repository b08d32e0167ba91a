import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import type { HostRunner, RemoteProcess } from "#host/runner";
import { Shell, ShellLost } from "./shell.ts";

/** A real sh on this machine; `mangle` stands between it and us. */
function local(mangle: (chunk: Buffer, write: (part: Buffer) => void) => void = (chunk, write) => write(chunk)): HostRunner {
  return {
    async open([program = "", ...argv]): Promise<RemoteProcess> {
      const child = spawn(program, argv, { stdio: "pipe" });
      const stdout = new PassThrough();
      child.stdout.on("data", (chunk: Buffer) => mangle(chunk, (part) => stdout.write(part)));
      const exit = new Promise<{ code: number | null }>((resolve) => child.once("close", (code) => resolve({ code })));
      return { stdin: child.stdin, stdout, stderr: child.stderr, exit, close: () => child.kill("SIGKILL") };
    },
  };
}

describe("the warm shell", () => {
  let shell: Shell | undefined;
  afterEach(() => shell?.close());

  it("answers command after command, with code and output, and keeps standard input from them", async () => {
    shell = await Shell.open(local());
    expect(await shell.run("cat; echo a; echo b >&2; (exit 7)", 20_000)).toMatchObject({
      code: 7,
      output: expect.stringMatching(/^a\nb\n*$/),
    });
    expect(await shell.run("echo $((1+1))", 20_000)).toMatchObject({ code: 0, output: expect.stringMatching(/^2\n*$/) });
  });

  it("gives the same answer however the bytes are split", async () => {
    const bytewise = local((chunk, write) => {
      for (const byte of chunk) write(Buffer.of(byte));
    });
    shell = await Shell.open(bytewise);
    expect((await shell.run("printf 'one\\ntwo'", 20_000)).output).toMatch(/^one\ntwo\n*$/);
  });

  it("keeps the start and the end of a flood, and no more", async () => {
    shell = await Shell.open(local());
    const reply = await shell.run("echo first; head -c 3000000 /dev/zero | tr '\\0' x; yes flood | head -n 300000; echo last", 60_000);
    expect(reply.cut).toBe(true);
    expect(reply.output.length).toBeLessThan(3 << 20);
    expect(reply.lines[0]?.text).toBe("first");
    expect(reply.lines.findLast((line) => line.text !== "")?.text).toBe("last");
    expect((await shell.run("echo again", 20_000)).output.trim()).toBe("again");
  });

  it("is lost when it does not answer in time, and says what had come", async () => {
    shell = await Shell.open(local());
    const error = await shell.run("echo begun; sleep 1000", 300).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShellLost);
    expect((error as ShellLost).reply.output).toContain("begun");
    expect(shell.alive).toBe(false);
    await expect(shell.run("true", 1_000)).rejects.toThrow("lost");
  });

  it("is lost when it ends, and when it was never a shell", async () => {
    shell = await Shell.open(local());
    await expect(shell.run("exit 3", 20_000)).rejects.toBeInstanceOf(ShellLost);
    const never: HostRunner = { open: () => local().open(["/bin/false"]) };
    await expect(Shell.open(never)).rejects.toBeInstanceOf(ShellLost);
  });
});
