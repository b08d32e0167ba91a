import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostRunner } from "#host/runner";
import { suspectRootfs } from "../../host/testing/real-sshd.ts";
import { type Suspect, startSuspect, until } from "../../host/testing/suspect.ts";
import { runRecorded } from "./run.ts";

/** A host that answers the greeting as `greet` says, in single bytes or at once, and then says what it likes. */
function fake(greet: (greeting: string) => string, then: { out?: string; err?: string } = {}, split = false) {
  const scripts: string[] = [];
  const runner: HostRunner = {
    open: async () => {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const exit = Promise.withResolvers<{ code: number | null }>();
      const number = scripts.push("") - 1;
      stdin.on("data", (chunk: Buffer) => {
        scripts[number] += chunk.toString();
        const greeting = /^echo (\w+) \$\$/.exec(scripts[number] ?? "")?.[1];
        const bytes = Buffer.from(greeting === undefined ? "" : greet(greeting) + (then.err ?? ""));
        if (split) for (const byte of bytes) stderr.write(Buffer.of(byte));
        else stderr.write(bytes);
        stdout.write(then.out ?? "");
        stdout.end();
        stderr.end();
        setImmediate(() => exit.resolve({ code: 0 }));
      });
      return { stdin, stdout, stderr, exit: exit.promise, close: () => exit.resolve({ code: null }) };
    },
  };
  return { runner, scripts };
}

test("the shell's own line is no output, however it is split; what is no such line is", async () => {
  for (const split of [false, true]) {
    const ran = await runRecorded(fake((g) => `${g} 77\n`, { err: "oops\n", out: "" }, split).runner, "id");
    expect([split, ran.output.toString()]).toEqual([split, "oops\n"]);
  }
  for (const forged of ["0 77\n", "no newline at all", `${"x".repeat(500)}\n`, "\n"]) {
    const ran = await runRecorded(fake(() => forged).runner, "id");
    expect(ran.output.toString()).toBe(forged);
  }
});

test("a host that never says a pid, or says 1, has nothing killed by us; one that writes on and on is cut", async () => {
  for (const [pid, killed] of [
    ["1", false],
    ["077", false],
    ["77", true],
  ] as const) {
    const { runner, scripts } = fake((g) => `${g} ${pid}\n`, { out: "x".repeat(100) });
    const ran = await runRecorded(runner, "yes", { limitBytes: 10 });
    expect([pid, ran.ended, ran.output.length]).toEqual([pid, "size", 10]);
    expect(scripts.some((script) => script.includes("kill"))).toBe(killed);
  }
});

const rootfs = suspectRootfs();
describe.skipIf(rootfs === undefined)(`on a real host${rootfs === undefined ? " (skipped: there is no suspect host's disk)" : ""}`, () => {
  let suspect: Suspect;
  beforeAll(async () => {
    suspect = await startSuspect(rootfs as string);
  });
  afterAll(async () => suspect?.stop());

  test("output, exit code, a clean environment, nothing to read, and nothing left in a history", async () => {
    await suspect.using({}, async (host) => {
      const ran = await runRecorded(host, 'echo out; echo err >&2; cat; echo "$HISTFILE|$HOME|$-"; exit 7');
      expect(ran.exit_code).toBe(7);
      const text = ran.output.toString();
      expect(text.split("\n").sort()).toEqual(["", "/dev/null||s", "err", "out"].sort());
      const wrong = await runRecorded(host, "if then");
      expect([wrong.exit_code, wrong.output.toString()]).toEqual([2, expect.stringContaining("yntax error")]);
      expect(suspect.sshd.inside("cat /root/.bash_history /root/.sh_history 2>/dev/null | wc -c").trim()).toBe("0");
    });
  });

  test("what takes too long, or is to end, ends with all that it started", async () => {
    await suspect.using({}, async (host) => {
      const sleeping = () => suspect.sshd.inside("grep -alz '^sleep$' /proc/[0-9]*/cmdline 2>/dev/null | wc -l").trim();
      const late = await runRecorded(host, "sleep 4711 & sleep 4711", { timeoutMs: 500 });
      expect(late.ended).toBe("time");
      await until(() => sleeping() === "0");
      const stop = new AbortController();
      const running = runRecorded(host, "echo begun; trap '' TERM; sleep 4711; sleep 4711", { signal: stop.signal });
      await until(() => sleeping() !== "0");
      stop.abort();
      expect(await running).toMatchObject({ ended: "analyst", output: Buffer.from("begun\n") });
      await until(() => sleeping() === "0");
      const early = await runRecorded(host, "sleep 4711", { signal: AbortSignal.abort() }); // before its shell has said who it is
      expect(early.ended).toBe("analyst");
      await until(() => sleeping() === "0");
      const endless = await runRecorded(host, "yes", { limitBytes: 100_000 });
      expect([endless.ended, endless.output.length]).toEqual(["size", 100_000]);
    });
  });
});
