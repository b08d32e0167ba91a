import { describe, expect, test } from "vitest";
import { FixtureState, judge } from "#testing/fixture-state";
import { type FixtureStore, isolateDone, isolatePlan } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { eventually, shownScreen } from "#testing/shown-screen";

const INTRUDER = "boot-1:4711:4711";

const replayPlace = (state: ReturnType<typeof nightState>): NonNullable<FixtureStore["meta"]["replay"]> => ({
  at: state.now - 200_000,
  from: state.started,
  to: state.now,
  position: 1204,
  length: 2207,
  playing: true,
  speed: 4,
  marks: [
    { kind: "login", at: state.now - 388_000 },
    { kind: "binary", at: state.now - 160_000 },
    { kind: "tag", verdict: "intruder", at: state.now - 100_000 },
    { kind: "isolate", at: state.now - 30_000 },
  ],
});

describe("what is decided and done from the screen", () => {
  test("an isolated host cannot be overlooked, and an unverified isolation is called that", async () => {
    const state = nightState();
    state.isolated = { response: "r1", since: state.now - 151_000, verified: { access: true, cut: true } };
    const { screen, store } = shownScreen(state);
    expect(await screen.until("ISOLATED")).toContain("ISOLATED since 21:04:11 · verified ✓");
    state.isolated = { response: "r1", since: state.now, verified: { access: true, cut: false } };
    store.publish();
    await screen.until("NOT VERIFIED");
  });

  test("keys typed ahead are taken one by one: down, down, tag", async () => {
    const { screen, press } = shownScreen();
    press("jjt");
    const text = await screen.until("Tag -bash (pid 4715) and all below it");
    expect(text).toContain("○ responder");
  });

  test("t tags with a reason, t again undoes it", async () => {
    const { screen, store, press } = shownScreen();
    press("t");
    await screen.until("Tag the login L1 root@185.220.101.47");
    press("\x1b[C\x1b[C\x1b[Cseen in auth.log");
    await screen.until("seen in auth.log");
    press("\r");
    await expect
      .poll(() => store.proposed)
      .toMatchObject([{ kind: "tag", selector: { login: INTRUDER }, verdict: "intruder", reason: "seen in auth.log" }]);
    judge(store.state, INTRUDER, "intruder", "t3");
    store.publish();
    await screen.until("t Untag");
    press("t");
    await eventually(() => store.proposed.at(-1)).toEqual({ kind: "untag", tag: "t3" });
  });

  test("the isolate dialog shows the exact plan and runs it only after it was seen", async () => {
    const { screen, store, press, mounted } = shownScreen(nightState(), { columns: 120, rows: 60 });
    press("I\r\rq");
    await eventually(() => store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
    expect(mounted.screen.state.toggled.size).toBe(0);
    store.show(isolatePlan());
    press("\r"); // typed before the plan was drawn: must do nothing
    const text = await screen.until("Enter  isolates the host");
    expect(store.proposed).toHaveLength(1);
    for (const line of isolatePlan().plan?.split("\n") ?? []) expect(text).toContain(line.trim());
    for (const part of ["dies", "survives", "stays allowed", "cannot be stopped by this method", "60 s", "10.0.4.3"])
      expect(text).toContain(part);
    press("\r");
    await eventually(() => store.proposed.at(-1)).toEqual({ kind: "confirm", response: "r1", plan_sha256: isolatePlan().plan_sha256 });
    store.show(isolateDone());
    const done = await screen.until("a way back in works");
    expect(done).toContain("nothing of others passes");
    expect(done).toContain("4.2 ms");
    press("\r");
    await eventually(() => store.proposed.at(-1)).toEqual({ kind: "dismiss", response: "r1" });
  });

  test("another plan asks for another Enter; Escape changes nothing", async () => {
    const { screen, store, press } = shownScreen();
    store.show(isolatePlan());
    await screen.until("isolates the host");
    store.show(isolatePlan({ id: "r2", plan_sha256: "f".repeat(64) }));
    press("\r");
    await screen.until("isolates the host");
    expect(store.proposed).toEqual([]);
    press("\x1b");
    await eventually(() => store.proposed).toEqual([{ kind: "dismiss", response: "r2" }]);
  });

  test("a failure says what happened and what to do", async () => {
    const { screen, store } = shownScreen();
    store.show(isolateDone({ phase: "failed", error: { what: "nft is not there", next: "install nftables or use the route fallback" } }));
    const text = await screen.until("FAILED");
    expect(text).toContain("nft is not there");
    expect(text).toContain("What to do: install nftables");
  });

  test("a disabled key says why; a replay cannot change the host", async () => {
    const state = nightState();
    const { screen, store, press } = shownScreen(state);
    store.meta = { ...store.meta, mode: "replay", replay: replayPlace(state) };
    store.publish();
    expect(await screen.until("REPLAY")).toContain("playing ×4");
    press("I");
    await screen.until("this is a replay: the host cannot be changed from it");
    expect(store.proposed).toEqual([]);
  });

  test("a replay has a line with its marks, and keys that move through it; a live screen has neither", async () => {
    const state = nightState();
    const { screen, store, press } = shownScreen(state, { columns: 80, rows: 24 });
    press(" ");
    await screen.until("Space Play: only in a replay");
    store.meta = { ...store.meta, mode: "replay", replay: replayPlace(state) };
    store.publish();
    await screen.until("playing ×4");
    const line = screen.lines().at(-3);
    expect(line).toMatch(/^ 20:57:51 .*L.*B.*T.*I.* 21:06:42 +1,204\/2,207/);
    expect(line).toMatch(/●/);
    press(" ,.<>[]0$");
    await eventually(() => store.proposed).toEqual([
      { kind: "play", on: false },
      { kind: "seek", to: "previous-event" },
      { kind: "seek", to: "next-event" },
      { kind: "speed", step: -1 },
      { kind: "speed", step: 1 },
      { kind: "seek", to: "previous-mark" },
      { kind: "seek", to: "next-mark" },
      { kind: "seek", to: "start" },
      { kind: "seek", to: "end" },
    ]);
    // another state, as after a seek back: nothing of the first stays on the screen
    store.state = new FixtureState().state;
    store.publish();
    expect(await screen.until("No process has been seen yet.")).not.toContain("root@185");
  });

  test("q leaves; on an isolated host it asks, and a q typed ahead is no answer", async () => {
    const state = nightState();
    state.isolated = { response: "r1", since: state.now };
    const isolated = shownScreen(state);
    isolated.press("qq");
    await isolated.screen.until("The host is still isolated.");
    expect(isolated.store.proposed).toEqual([]);
    await isolated.screen.until("leaves it isolated");
    isolated.press("q");
    await isolated.mounted.waitUntilExit();
    expect(isolated.store.proposed).toEqual([{ kind: "quit" }]);

    const { mounted, press, screen, raw, stdin } = shownScreen();
    await screen.until("STAKEOUT");
    press("q");
    await mounted.waitUntilExit();
    await screen.settled();
    expect(screen.terminal.buffer.active.type).toBe("normal");
    expect(raw).toEqual([true, false]);
    expect(stdin.listenerCount("data")).toBe(0);
  });
});
