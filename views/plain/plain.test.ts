import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { emptyState } from "#state/create";
import { FixtureStore, isolateDone, isolatePlan } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { Happenings } from "./happenings.ts";
import { mountPlain } from "./mount.ts";
import { Speaker } from "./speaker.ts";

const settled = () => new Promise((done) => setImmediate(done));

function plain(store: FixtureStore, env: Record<string, string> = { LANG: "C.UTF-8" }) {
  let said = "";
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk);
      done();
    },
  });
  const mounted = mountPlain(store, { stdin, stdout, env });
  return {
    mounted,
    said: () => said,
    fresh: () => {
      const now = said;
      said = "";
      return now;
    },
    type: async (keys: string) => {
      stdin.write(keys);
      await settled();
      await settled();
    },
  };
}

test("moving reads the row as a sentence, and a change of pane is announced with its rows", async () => {
  const { type, fresh, mounted } = plain(new FixtureStore(nightState()));
  expect(fresh()).toMatch(/^Stakeout, 10\.0\.4\.17, live, plain mode\..*\n/);
  await type("j");
  expect(fresh()).toMatch(/^process \S+, pid \d+, unknown, .*login L \d+, root from .* Row 2 of \d+\.\n$/s);
  await type("\t");
  expect(fresh()).toMatch(/^Connections, \d+ rows\.\nconnection (open|trying|closed|failed|listening), (to|from|on) .* Row 1 of \d+\.\n$/);
  await type("\t");
  expect(fresh()).toMatch(/^Binaries, \d+ rows\.\nnew binary \//);
  mounted.unmount();
});

test("nothing that is said can steer a terminal, whatever the host calls itself", async () => {
  const state = nightState();
  for (const process of state.processes.values()) {
    process.name = "\x1b]0;owned\x07\u202eevil\nq" as HostString;
    process.args = [process.name, `\x1b[2J${"A".repeat(1 << 20)}` as HostString];
  }
  for (const binary of state.binaries.values()) binary.path = "/tmp/\x1b[31m\r\n" as HostString;
  const { type, said, mounted } = plain(new FixtureStore(state));
  await type("jjjjjj\tjj\tjj?");
  mounted.unmount();
  expect(said()).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u);
  expect(
    Math.max(
      ...said()
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThan(3000);
});

test("what happens is told as a line of its own, and never inside of a line that is being typed", async () => {
  const store = new FixtureStore(nightState());
  const { type, fresh, mounted } = plain(store);
  await type("t");
  expect(fresh()).toMatch(/Enter tags\. Escape cancels\./);
  await type("own te");
  expect(fresh()).toBe("Reason: own te");
  store.message = { text: "the report is written", level: "info" };
  store.publish();
  await settled();
  expect(fresh()).toBe("");
  await type("am\x7f");
  expect(fresh()).toBe("am\b \b");
  await type("\r");
  expect(fresh()).toBe("\nthe report is written.\nClosed.\n");
  expect(store.proposed).toMatchObject([{ kind: "tag", reason: "own tea" }]);
  mounted.unmount();
});

test("a plan is read with what Enter will do; Enter confirms that plan alone, and the result is told", async () => {
  const store = new FixtureStore(nightState());
  const { type, fresh, mounted } = plain(store);
  await type("I");
  expect(store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
  store.show(isolatePlan());
  const text = fresh();
  expect(text).toMatch(/Dies, 4:\n- /);
  expect(text).toMatch(/Enter isolates the host\. Escape cancels, nothing is changed\.\n$/);
  await type("\r"); // too soon: it cannot have been heard
  expect(store.proposed).toHaveLength(1);
  expect(fresh()).toMatch(/Attention\./);
  for (let tries = 0; tries < 100 && store.proposed.length < 2; tries++) {
    await new Promise((done) => setTimeout(done, 20));
    await type("\r");
  }
  expect(store.proposed[1]).toMatchObject({ kind: "confirm", plan_sha256: isolatePlan().plan_sha256 });
  store.show(isolateDone());
  expect(fresh()).toMatch(/Isolated in 4 milliseconds\.\nOur way in works\.\nThe cut holds/);
  mounted.unmount();
});

test("the start card is read field by field", async () => {
  const store = new FixtureStore(nightState());
  store.meta = { ...store.meta, ask: { card: { analyst: "jm", scope: ["observe"] }, given: {} } };
  const { type, fresh, mounted } = plain(store);
  expect(fresh()).toMatch(/Field 1 of 5, who investigates: jm\.\n$/);
  await type("\t");
  expect(fresh()).toBe("Field 2 of 5, who authorised it: empty.\n");
  await type("Anna");
  await type("\t\t");
  expect(fresh()).toBe("who authorised it: Anna\nField 3 of 5, ticket: empty.\nField 4 of 5, scope: observe. Left and right change it.\n");
  await type("\x1b[C");
  expect(fresh()).toBe("Field 4 of 5, scope: observe, contain. Left and right change it.\n");
  await type("\r");
  expect(store.proposed).toEqual([{ kind: "card", card: { analyst: "jm", authorised_by: "Anna", scope: ["observe", "contain"] } }]);
  mounted.unmount();
});

test("in a locale that is not UTF-8 every byte is ASCII", async () => {
  const { type, said, mounted } = plain(new FixtureStore(nightState()), { LANG: "C" });
  await type("jj\tj\tj?");
  mounted.unmount();
  expect(said()).toMatch(/^\p{ASCII}*$/u);
});

test("only what is new is news: what was there is summed up, and a jump back begins anew", () => {
  const news = new Happenings();
  expect(news.look(emptyState())).toEqual([]);
  const state = nightState();
  expect(news.look(state).join("\n")).toMatch(/^Watching\. \d+ process/);
  expect(news.look(state)).toEqual([]);
  const [binary] = state.binaries.values();
  if (binary) state.binaries.set("/tmp/x", { ...binary, path: "/tmp/x" as HostString, standing: "unknown", runs: 0, random: 0.9 });
  state.sequence += 1;
  expect(news.look(state)).toEqual(["New binary: /tmp/x, the name looks random."]);
  state.isolated = { response: "r1", since: state.now, verified: { access: true, cut: true } };
  expect(news.look(state)).toEqual([expect.stringMatching(/isolated since .* verified both ways/)]);
  delete state.isolated;
  expect(news.look(state)).toEqual(["The host is released: it is not isolated any more."]);
  const [sensor] = state.sensors.values();
  if (sensor) Object.assign(sensor, { status: "lost", report: { ...sensor.report, reason: "the channel was cut" } });
  expect(news.look(state)).toEqual(["Attention. The sensor is lost: the channel was cut."]);
  expect(news.look(nightState()).join("\n")).toMatch(/^Watching\./);
});

test("a terminal that does not read fills no memory: what could not be said is counted", () => {
  let taken = 0;
  const stuck = new Writable({
    highWaterMark: 1024,
    write: (chunk) => {
      taken += chunk.length;
    },
  });
  const speaker = new Speaker(stuck, (text) => text);
  for (let i = 0; i < 100_000; i++) speaker.say(`line ${i} ${"x".repeat(80)}`);
  expect(taken + stuck.writableLength).toBeLessThan(200_000);
  speaker.close();
});
