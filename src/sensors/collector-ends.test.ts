import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { startCollector } from "./collector.ts";
import { collectorCommand, collectorText } from "./collectors/collector.ts";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

/** However the console ends, the host keeps nothing: no trace instance, no process. The bound is generous, the figure is printed. */
describe.skipIf(rangeAvailable() !== undefined)("the collector leaves nothing behind", () => {
  let range: Range;
  let runner: SshRunner;
  let prefix: string;
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.toString().trim();
  const instances = async () =>
    (await onHost("ls /sys/kernel/tracing/instances")).split("\n").filter((name) => name.startsWith(prefix)).length;
  const collectors = async () => Number(await onHost("pgrep -fc '^perl -e .n=shift' || true"));
  const started = async (): Promise<Watched> => {
    const seen = await watch(runner);
    expect(await instances()).toBe(2);
    await until(async () => (await collectors()) === 2, "the collector and its watcher alone run"); // a canary lives a millisecond
    return seen;
  };
  const gone = async (what: string) => {
    const from = performance.now();
    await until(async () => (await instances()) === 0 && (await collectors()) === 0, `instances and collectors gone after ${what}`, 60);
    return performance.now() - from;
  };

  beforeAll(async () => {
    range = await startRange();
    runner = sshRunner(range);
    const [namespace] = (await onHost("readlink /proc/self/ns/pid")).match(/\d+/) as RegExpMatchArray;
    prefix = `stakeout.${namespace}.`;
  });
  afterAll(() => range?.stop());

  test("after stop", async () => {
    const { collector } = await started();
    await collector.stop();
    expect(await collector.ended).toMatchObject({ why: "stop", code: 0, said: "" });
    expect(await instances()).toBe(0);
    await gone("stop");
  });

  test("after kill -9 of the console's ssh", async () => {
    const { collector } = await started();
    runner.clients.at(-1)?.kill("SIGKILL");
    await collector.ended;
    const milliseconds = await gone("kill -9");
    console.log(`removed ${Math.round(milliseconds)} ms after kill -9`);
  });

  test("after the console froze", async () => {
    await started();
    runner.clients.at(-1)?.kill("SIGSTOP");
    const milliseconds = await gone("SIGSTOP");
    runner.clients.at(-1)?.kill("SIGKILL");
    console.log(`removed ${Math.round(milliseconds)} ms after the console froze`);
  });

  test("after the console froze before it had sent what runs", async () => {
    const text = collectorText("standard");
    const { stdin } = await runner.open(collectorCommand(text));
    stdin.write(text.slice(0, text.length / 2));
    await until(async () => (await collectors()) === 1, "a perl waits for the rest");
    runner.clients.at(-1)?.kill("SIGSTOP");
    const milliseconds = await gone("half a text");
    runner.clients.at(-1)?.kill("SIGKILL");
    console.log(`removed ${Math.round(milliseconds)} ms after the console froze with half of its text sent`);
  });

  test("when it hears nothing, and it says so to a console that is there after all", async () => {
    const told = Promise.withResolvers<string>();
    await startCollector(runner, { heartbeatMs: 1e9, onObservations: () => {}, onEnd: told.resolve });
    expect(await told.promise).toBe("the collector ended (exit code 0): nothing was heard of the console for 5 s");
    await gone("silence");
  });

  test("and it ends for nothing but that: a host that stood still was not there to hear", async () => {
    const seen = await started();
    const { self } = seen.collector.hello;
    const client = runner.clients.at(-1);
    client?.kill("SIGSTOP"); // nothing lies there for it, then
    await runLoad(runner, `kill -STOP ${self}; sleep 8; kill -CONT ${self}; /usr/bin/id`); // by a login: who comes from outside is seen late
    client?.kill("SIGCONT");
    await seen.see("exec", ({ path }) => path === "/usr/bin/id");
    expect(seen.of("tier")).toEqual([]); // nor did somebody blind it whose test could not be seen meanwhile
    await seen.see("tick", ({ ts }) => ts > (seen.of("exec").at(-1)?.ts ?? Number.POSITIVE_INFINITY) + 3e9);
    await seen.collector.stop();
    expect(await seen.collector.ended).toMatchObject({ why: "stop", code: 0, said: "" });
    await gone("stop");
  });

  test("after the network was cut, busy as the host may be", async () => {
    await started();
    const noise = onHost("i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done");
    const [link] = (await onHost("ls /sys/class/net | grep -v lo")).split("\n") as [string];
    await onHost(`ip link set ${link} down`);
    const milliseconds = await gone("link down");
    await onHost(`ip link set ${link} up`);
    await noise;
    runner.clients.at(-1)?.kill("SIGKILL");
    console.log(`removed ${Math.round(milliseconds)} ms after the link went down`);
  });

  test("after kill -9 of the collector itself, by its watcher", async () => {
    const { collector } = await started();
    await onHost(`kill -9 ${collector.hello.self}`);
    expect(await collector.ended).toMatchObject({ why: "exit" });
    await gone("kill -9 of the collector");
  });

  test("what a killed pair left is swept at the next start, and a live console's is not", async () => {
    const dead = await started();
    const watcher = await onHost(`pgrep -fP ${dead.collector.hello.self} '^perl -e .n=shift'`);
    await onHost(`kill -9 ${watcher} ${dead.collector.hello.self}`);
    await dead.collector.ended;
    expect(await instances()).toBe(2);
    const first = await watch(runner);
    expect(await instances()).toBe(2);
    expect(first.of("problem").filter((o) => o.what.includes("dead console"))).toHaveLength(2);
    const second = await watch(runner);
    expect(await instances()).toBe(4);
    expect(second.of("problem").filter((o) => o.what.includes("dead console"))).toEqual([]);
    await Promise.all([first.collector.stop(), second.collector.stop()]);
    await gone("stop");
  });
});
