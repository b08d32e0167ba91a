import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HostConnection } from "#host/connection";
import { HostError, type HostErrorLevel } from "#host/errors";
import type { Collector } from "#sensors/collector";
import { Link } from "./link.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const error = (level: HostErrorLevel, what: string) => new HostError(level, what, "");

/** A host whose connections and sensors end when the test says so. `answers`: what each try to connect gives; then it works. */
function host(answers: (HostErrorLevel | "sensor")[] = []) {
  const said: string[] = [];
  const open = (name: string) => {
    const lost = Promise.withResolvers<HostError>();
    const connection = {
      name,
      lost: lost.promise,
      cut: () => lost.resolve(error("socket", `${name} was cut`)),
      close: async () => void said.push(`closed ${name}`),
    };
    return connection as typeof connection & HostConnection;
  };
  let [connections, sensors] = [0, 0];
  const first = open("c0");
  let newest = first;
  const running: { end(what: string): void }[] = [];
  const link = new Link({
    connection: first,
    connect: async () => {
      said.push(`try at ${(Date.now() - 1_000_000) / 1000} s`);
      const answer = answers[0];
      if (answer !== undefined && answer !== "sensor") throw error(answers.shift() as HostErrorLevel, answer);
      newest = open(`c${++connections}`);
      return newest;
    },
    watch: async (connection, onEnd) => {
      if (answers[0] === "sensor" && sensors > 0) {
        answers.shift();
        throw new Error("it has no perl");
      }
      const ended = Promise.withResolvers<{ why: "exit" | "stop" }>();
      running.push({
        end: (what) => {
          onEnd(what);
          ended.resolve({ why: "exit" });
        },
      });
      said.push(`sensor ${++sensors} on ${(connection as unknown as { name: string }).name}`);
      return { ended: ended.promise, stop: async () => ended.resolve({ why: "stop" }) } as unknown as Collector;
    },
    onAway: (what) => said.push(`away: ${what}`),
    onConnected: () => {},
    onBack: () => said.push("back"),
    onStopped: (why) => said.push(`stopped: ${why}`),
    changed: () => {},
  });
  return { link, said, tries: () => said.filter((line) => line.startsWith("try")), sensor: () => running.at(-1), cut: () => newest.cut() };
}
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

test("a connection that is cut is tried at once, then with longer and longer pauses, and goes on where it was", async () => {
  const { link, said, tries, cut } = host(["socket", "timeout", "socket", "socket", "dns", "socket", "socket", "socket"]);
  await link.begin();
  await pass(100);
  cut();
  await pass(5);
  expect(link.view).toMatchObject({ phase: "away", attempt: 3, trying: false, why: "socket" });
  await pass(150);
  expect(tries()).toEqual(
    ["100.25", "101.25", "103.25", "107.25", "115.25", "130.25", "160.25", "190.25", "220.25"].map((at) => `try at ${at} s`),
  );
  expect(link.view).toBeUndefined();
  expect(said.slice(0, 2)).toEqual(["sensor 1 on c0", "away: c0 was cut"]);
  expect(said.slice(-2)).toEqual(["sensor 2 on c1", "back"]);
});

test("all that watches is ended at once by an analyst's word, is not tried by itself, and begins again by his", async () => {
  const { link, said, cut } = host();
  await link.begin();
  expect(link.stop("jm")).toBeUndefined();
  expect(said.slice(1)).toEqual(["away: jm ended all that watches the host", "stopped: jm ended all that watches the host"]);
  expect(link.view).toMatchObject({ phase: "stopped", halted: true });
  expect(link.collector).toBeUndefined();
  await pass(600);
  expect(said).toHaveLength(3);
  expect(link.stop("jm")).toMatch(/not tried/);
  expect(link.tryNow()).toBeUndefined();
  await pass(1);
  expect(link.view).toBeUndefined();
  expect(said.slice(3)).toEqual(["sensor 2 on c0", "back"]);
  // meanwhile the connection is cut: it is made anew
  expect(link.stop("jm")).toBeUndefined();
  cut();
  await pass(60);
  expect(link.view).toMatchObject({ phase: "stopped", halted: true });
  link.tryNow();
  await pass(5);
  expect(said.at(-1)).toBe("back");
  expect(said).toContain("sensor 3 on c1");
});

test("a sensor that ends is started again on the connection that is there; one that ends again and again is not hurried", async () => {
  const { link, said, sensor, tries } = host();
  await link.begin();
  for (const wait of [0.25, 1, 2, 4]) {
    sensor()?.end("somebody ended it");
    await pass(wait + 0.5);
  }
  expect(said.filter((line) => line.startsWith("sensor"))).toEqual([
    "sensor 1 on c0",
    "sensor 2 on c0",
    "sensor 3 on c0",
    "sensor 4 on c0",
    "sensor 5 on c0",
  ]);
  sensor()?.end("and again");
  await pass(5);
  expect(link.view).toMatchObject({ phase: "away", why: "and again" });
  expect(tries()).toEqual([]);
});

test("a sensor that cannot be started is tried again without another login", async () => {
  const { link, said, sensor, tries } = host(["sensor", "sensor"]);
  await link.begin();
  sensor()?.end("perl was killed");
  await pass(10);
  expect(said.at(-1)).toBe("back");
  expect(tries()).toEqual([]);
});

test.each([
  ["hostkey", ["hostkey"], 1],
  ["auth", ["auth", "auth", "auth"], 3],
  ["config", ["config"], 1],
] as const)("what trying cannot mend ends it: %s; a key takes it up again", async (_name, answers, many) => {
  const { link, said, tries, cut } = host([...answers]);
  await link.begin();
  await pass(60);
  cut();
  await pass(600);
  expect(tries()).toHaveLength(many);
  expect(said.at(-1)).toMatch(/^stopped: /);
  expect(link.view).toMatchObject({ phase: "stopped" });
  expect(link.stop("jm")).toMatch(/not tried any more/);
  expect(link.tryNow()).toBeUndefined();
  await pass(60);
  expect(link.view).toBeUndefined();
  expect(link.tryNow()).toBe("the host is connected");
});

test("a key tries at once, another stops; there is never more than one try under way", async () => {
  const { link, said, tries, cut } = host(["socket", "socket", "socket", "socket", "socket"]);
  await link.begin();
  await pass(60);
  cut();
  await pass(4);
  expect(tries()).toHaveLength(3);
  expect(link.tryNow()).toBeUndefined();
  await pass(0);
  expect(tries()).toHaveLength(4);
  expect(link.stop("jm")).toBeUndefined();
  await pass(300);
  expect(tries()).toHaveLength(4);
  expect(said.filter((line) => line.startsWith("stopped"))).toHaveLength(1);
  link.tryNow();
  link.tryNow();
  await pass(300);
  expect(tries()).toHaveLength(6);
  expect(link.view).toBeUndefined();
});

test("once it is closed, nothing is tried any more, and a connection that comes late is closed", async () => {
  const { link, tries, cut } = host(["socket"]);
  await link.begin();
  await pass(60);
  cut();
  await pass(0.3);
  await link.close();
  await pass(300);
  expect(tries()).toHaveLength(1);
});
