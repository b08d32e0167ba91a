import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { type Watched, watch } from "./testing/watched.ts";

/** What the collector sees of hands that reach where they have no business, on a real host. */
describe.skipIf(rangeAvailable() !== undefined).each([
  // the kernel's own pages are decoded by the console there, and here by the collector
  { where: "on a host of its own pids", pidNamespace: true },
  { where: "on a host that is the machine itself", pidNamespace: false },
])("hands on secrets, terminals and other processes, $where", ({ pidNamespace }) => {
  let range: Range;
  let runner: SshRunner;
  let seen: Watched;
  beforeAll(async () => {
    range = await startRange({ pidNamespace });
    runner = sshRunner(range);
    seen = await watch(runner);
  });
  afterAll(async () => {
    await seen?.collector.stop();
    await range?.stop();
  });

  test("lists secrets with owner, mode and the public half of a key, and no content", async () => {
    const key = await seen.see("secret", (o) => o.path === "/home/dev/.ssh/id_ed25519");
    expect(key).toMatchObject({ what: "key", uid: 1000, mode: 0o600, cipher: "none" });
    const pub = (await range.onHost(["cat", "/home/dev/.ssh/id_ed25519.pub"])).stdout.split(" ")[1] as string;
    expect(key.publicKey?.toString("base64")).toBe(pub);
    expect((await seen.see("secret", (o) => o.path === "/home/dev/.ssh/known_hosts")).hosts).toContain("build.corp.example");
    await seen.see("secret", (o) => o.path === "/etc/shadow");
  });

  test("names who opens a secret, by whatever path", async () => {
    const said = (await runLoad(runner, "cd /home/dev/.ssh; sh -c 'echo $$; exec cat ./id_ed25519 >/dev/null'\n")).stdout.toString();
    await seen.see("file-open", (o) => o.path === "/home/dev/.ssh/id_ed25519" && o.pid === Number(said.trim()));
  });

  test("names who opens another's memory, the trace, and the environment's dangerous part", async () => {
    const said = (
      await runLoad(
        runner,
        [
          "setsid sleep 20 & S=$!",
          "sleep 0.3",
          "head -c1 /proc/$S/mem >/dev/null 2>&1 || true",
          "ls /sys/kernel/tracing >/dev/null",
          "LD_PRELOAD=/tmp/none.so setsid sleep 0.2 2>/dev/null",
          "HISTFILE=/dev/null GCONV_PATH=. setsid sleep 0.2 2>/dev/null",
          "kill -STOP $S; kill -9 $S",
          "echo $S $$",
        ].join("\n"),
      )
    ).stdout.toString();
    const [target, shell] = said.trim().split(" ").map(Number) as [number, number];
    await seen.see("file-open", (o) => o.path === "/sys/kernel/tracing");
    await seen.see("environment", (o) => o.variables.some((v) => v.startsWith("LD_PRELOAD=/tmp/none.so")));
    await seen.see("environment", (o) => ["HISTFILE=/dev/null", "GCONV_PATH=."].every((one) => o.variables.some((v) => v === one)));
    await seen.see("process-access", (o) => o.how === "signal" && o.signal === 9 && o.pid === target && o.by === shell);
    await seen.see("file-open", (o) => o.path === `/proc/${target}/mem`);
  });

  test.skipIf(process.arch !== "x64")("names who traces whom", async () => {
    // PTRACE_ATTACH 16, PTRACE_GETREGS 12, PTRACE_DETACH 17; ptrace is system call 101 on x86_64 (ptrace(2))
    const trace = `my $p = 0 + shift; syscall(101, 16, $p, 0, 0); waitpid $p, 0x40000000; my $r = "\\0" x 512; syscall(101, 12, $p, 0, $r); syscall(101, 17, $p, 0, 0); print "$$\\n"`;
    const said = (await runLoad(runner, `sleep 20 & S=$!\nsleep 0.2\nperl -e '${trace}' $S\nkill $S\necho $S\n`)).stdout.toString();
    const [tracer, target] = said.trim().split("\n").map(Number) as [number, number];
    await seen.see("process-access", (o) => o.how === "trace" && o.by === tracer && o.pid === target);
  });

  test("shows the terminal of a tmux client at its server", async () => {
    await runLoad(runner, "tmux new-session -d -s work 'sleep 60'\n");
    // it ends with its server, or with the host
    runLoad(runner, "TERM=xterm exec script -qc 'tmux attach -t work' /dev/null </dev/zero\n").catch(() => {});
    const held = await seen.see("file-open", (o) => o.held === true);
    expect(held.path).toMatch(/^\/dev\/pts\/\d+$/);
    await runLoad(runner, "tmux kill-server\n");
  });
});
