import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { busyState, FixtureState, judge, nightState } from "#testing/fixture-state";
import { FixtureStore, isolateDone, isolatePlan } from "#testing/fixture-store";
import { HeadlessScreen, toPng } from "#testing/screen";
import { type MountedScreen, mountScreen } from "./mount.tsx";

const INTRUDER = "boot-1:4711:4711";
/** Waits as long as a slow machine may need. */
const eventually = <T,>(what: () => T) => expect.poll(what, { timeout: 15_000 });
const open: MountedScreen[] = [];
afterEach(() => {
  for (const mounted of open.splice(0)) mounted.unmount();
});

function show(state = nightState(), size = { columns: 120, rows: 40 }, env: Record<string, string> = { COLORTERM: "truecolor" }) {
  const screen = new HeadlessScreen(size.columns, size.rows);
  const stdout = Object.assign(screen.stdout, size);
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => void raw.push(on) });
  const store = new FixtureStore(state);
  const mounted = mountScreen(store, { stdin, stdout, env });
  open.push(mounted);
  const resize = async (columns: number, rows: number) => {
    await screen.settled();
    screen.resize(columns, rows);
    Object.assign(stdout, { columns, rows });
    stdout.emit("resize");
  };
  const press = (keys: string) => void stdin.write(keys);
  return { screen, store, mounted, press, resize, raw, stdin };
}

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

describe("the screen on a terminal", () => {
  test("tells at once which host, how well it is seen, who is there and where it talks to", async () => {
    for (const size of [
      { columns: 80, rows: 24 },
      { columns: 120, rows: 40 },
      { columns: 160, rows: 50 },
      { columns: 200, rows: 60 },
    ]) {
      const { screen } = show(nightState(), size);
      const text = await screen.until("STAKEOUT");
      await screen.settled();
      for (const part of [
        "devbox  10.0.4.17",
        "not isolated",
        "21:06:42 UTC",
        "tracefs+proc",
        "18,377 events",
        "lost 0",
        "raced 3",
        "root@185.220.101.47",
        "RU Saint Pet",
        "203.0.113.66:443",
        "CN Guangzhou",
        "×31",
        "blind",
        "I Isolate",
      ])
        expect(screen.text(), `${part} at ${size.columns}x${size.rows} in\n${text}`).toContain(part);
      expect(screen.text()).toContain("hidden: 100 processes, 2 connections, 1 file (T shows)");
      expect(screen.lines()).toHaveLength(size.rows);
    }
  });

  test("an isolated host cannot be overlooked, and an unverified isolation is called that", async () => {
    const state = nightState();
    state.isolated = { response: "r1", since: state.now - 151_000, verified: { access: true, cut: true } };
    const { screen, store } = show(state);
    expect(await screen.until("ISOLATED")).toContain("ISOLATED since 21:04:11 · verified ✓");
    state.isolated = { response: "r1", since: state.now, verified: { access: true, cut: false } };
    store.publish();
    await screen.until("NOT VERIFIED");
  });

  test("keys typed ahead are taken one by one: down, down, tag", async () => {
    const { screen, press } = show();
    press("jjt");
    const text = await screen.until("Tag -bash (pid 4715) and all below it");
    expect(text).toContain("○ responder");
  });

  test("t tags with a reason, t again undoes it", async () => {
    const { screen, store, press } = show();
    press("t");
    await screen.until("Tag the login root@185.220.101.47");
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

  test("T shows what is hidden, and hides it again", async () => {
    const { screen, press } = show(nightState(), { columns: 120, rows: 60 });
    await screen.until("hidden: 100");
    press("T");
    await screen.until("shown: 100 processes, 2 connections, 1 file (T hides)");
    press("\x1b[F");
    await screen.until("root@10.0.4.2");
    press("T");
    await screen.until("hidden: 100");
  });

  test("/ filters every pane as it is typed, letters are no commands in it, Esc brings everything back", async () => {
    const { screen, store, press } = show(nightState(), { columns: 160, rows: 50 });
    await screen.until("nginx");
    press("/qzjw");
    const text = await screen.until("1 found by /qzjw");
    expect(text).toContain("/dev/shm/qzjw81xk");
    expect(text).toContain("root@185.220.101.47"); // the login that it hangs under
    expect(text).not.toContain("nginx");
    press("\x15country:cn\r");
    await screen.until("found by /country:cn");
    press("l");
    await screen.until("a filter shows its matches wherever they are folded");
    press("\x1b");
    await screen.until("nginx");
    press("/zzzz");
    await screen.until("Nothing here matches the filter.");
    press("\x1b");
    await screen.until("nginx");
    press("\x1b");
    await screen.until("there is no filter");
    expect(store.proposed).toEqual([]);
  });

  test("p c b u go to what belongs to the selected thing, Backspace comes back, what cannot be shown is said", async () => {
    const { screen, press, mounted } = show(nightState(), { columns: 160, rows: 50 });
    const selected = () => mounted.screen.context();
    await screen.until("nginx");
    press("b");
    await eventually(() => selected().pane).toBe("binaries");
    const binary = selected().selection?.id ?? "";
    press("p");
    await eventually(() => selected().selection?.kind).toBe("process");
    const { processes, binaries } = mounted.screen.store.state;
    const process = processes.get(selected().selection?.id ?? "");
    expect([binaries.get(binary)?.writer, ...(binaries.get(binary)?.runners ?? [])]).toContain(process?.id);
    press("u");
    await eventually(() => selected().selection).toMatchObject({ kind: "login", id: INTRUDER });
    press("c");
    await eventually(() => selected().pane).toBe("connections");
    press("p");
    await eventually(() => selected().selection?.kind).toBe("process");
    press("\x7f\x7f\x7f\x7f");
    await eventually(() => selected().selection).toMatchObject({ kind: "binary", id: binary });
    press("))");
    await eventually(() => selected().selection).toMatchObject({ kind: "login", id: INTRUDER });
    press("((");
    await eventually(() => selected().selection).toMatchObject({ kind: "binary", id: binary });
    press("\x7f\x7f");
    await screen.until("there was no jump to go back from");
    press(")))))u");
    await eventually(() => selected().selection?.kind).toBe("login");
    press(")");
    await screen.until("there was no step back to undo");
  });

  test("number keys show one pane alone, 1 shows all again, and the line of views says where we are", async () => {
    const { screen, press } = show(nightState(), { columns: 80, rows: 24 });
    await screen.until("3 Connections");
    press("5");
    expect(await screen.until(/━━ 5 Logins 2/)).toMatch(/L1 {3}root@185.220.101.47 .*RU Sai.*pts\/1 +in since 21:00/);
    expect(screen.text()).not.toContain("New binaries");
    press("6");
    const map = await screen.until(/[\u2801-\u28ff]/); // the land, once it is loaded
    expect(map).toMatch(/→ +CN China/);
    expect(map).toMatch(/← +RU Russia/);
    press("7");
    expect(await screen.until("○ responder")).toContain("? unknown");
    press("1");
    await screen.until(/── 3 Connections/);
    press("\t\t\t\t");
    await screen.until("New binaries");
    await screen.until(/━━ 3 Connections/);
    press("z");
    await eventually(() => screen.text()).not.toContain("New binaries");
    press("z");
    await screen.until("New binaries");
  });

  test("a pane for which there is no room comes when it gets the focus", async () => {
    const { screen, press } = show(nightState(), { columns: 80, rows: 24 });
    await screen.until("New binaries");
    press("\t\t\t");
    await screen.until(/━━ 5 Logins/);
    press("\t\t\t\t\t");
    await screen.until("New binaries");
  });

  test("s changes the order of the pane and its title says which", async () => {
    const { screen, press } = show(nightState(), { columns: 160, rows: 50 });
    press("3");
    await screen.until("worst first");
    press("s");
    await screen.until("newest first");
    press("s");
    await screen.until("by name");
    const owners = screen
      .lines()
      .flatMap((line) => /(?:open|trying|closed|listens) .* (\.kx9fq2vz|nginx|qzjw81xk|sshd) /.exec(line)?.[1] ?? []);
    expect(owners.length).toBeGreaterThan(4);
    expect([...new Set(owners)]).toEqual([".kx9fq2vz", "nginx", "qzjw81xk", "sshd"]);
  });

  test("F keeps the cursor on the newest row until it is moved; what is new is marked for a moment", async () => {
    const { screen, store, press, mounted } = show(nightState(), { columns: 160, rows: 50 });
    const selected = () => mounted.screen.context().selection?.id;
    await screen.until("nginx");
    press("F");
    await screen.until("following the newest");
    const f = new FixtureState();
    Object.assign(f.state, store.state);
    const first = f.process(9001, "boot-1:4715:4715", "/usr/bin/nc -l", { start: store.clock });
    store.state.structure++;
    store.publish();
    await eventually(selected).toBe(first);
    await screen.until(/9001 .*nc -l .*▪ +0s/);
    const second = f.process(9002, "boot-1:4715:4715", "/usr/bin/dd", { start: store.clock + 20_000 });
    store.clock += 20_000;
    store.state.structure++;
    store.publish();
    await eventually(selected).toBe(second);
    await screen.until(/9001 .*nc -l .* 20s/);
    expect(screen.text()).not.toMatch(/9001 .*▪/);
    press("k");
    await eventually(() => screen.text()).not.toContain("following the newest");
    const there = selected();
    f.process(9003, "boot-1:4715:4715", "/usr/bin/true", { start: store.clock + 1000 });
    store.state.structure++;
    store.publish();
    await screen.until("9003");
    expect(selected()).toBe(there);
  });

  test("d tells everything about the selected thing, and scrolls where it is much", async () => {
    const { screen, press } = show(nightState(), { columns: 80, rows: 24 });
    await screen.until("New binaries");
    press("d");
    const text = await screen.until("╭─ Login");
    for (const part of ["L1 root@185.220.101.47", "still in", "Rostelecom AS12389", "pts/1", "/tmp/.kx9fq2vz", "nobody has judged it"])
      expect(text).toContain(part);
    press("\x1b[F");
    await screen.until("ls ×14");
    press("d");
    await eventually(() => screen.text()).not.toContain("╭─ Login");
    press("4\r");
    await screen.until("╭─ New binary");
    press("\x1b");
    await eventually(() => screen.text()).not.toContain("╭─ New binary");
  });

  test("f freezes the picture while events go on being counted; the header stays true; f or a tag goes on", async () => {
    const { screen, store, press } = show(nightState(), { columns: 160, rows: 50 });
    await screen.until("nginx");
    press("f");
    await screen.until("FROZEN, 0 events since");
    store.state.counts.events += 132;
    store.state.processes.clear();
    store.state.pids.clear();
    store.state.structure++;
    store.state.isolated = { response: "r1", since: store.state.now };
    store.publish();
    const text = await screen.until("FROZEN, 132 events since");
    expect(text).toContain("nginx");
    expect(text).toContain("ISOLATED");
    press("f");
    await eventually(() => screen.text()).not.toContain("nginx");
    expect(screen.text()).not.toContain("FROZEN");
    press("f");
    await screen.until("FROZEN");
    press("t");
    await screen.until("Tag the login");
    press("\r");
    await eventually(() => store.proposed.at(-1)?.kind).toBe("tag");
    await eventually(() => screen.text()).not.toContain("FROZEN");
  });

  test("the isolate dialog shows the exact plan and runs it only after it was seen", async () => {
    const { screen, store, press, mounted } = show(nightState(), { columns: 120, rows: 60 });
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
    const { screen, store, press } = show();
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
    const { screen, store } = show();
    store.show(isolateDone({ phase: "failed", error: { what: "nft is not there", next: "install nftables or use the route fallback" } }));
    const text = await screen.until("FAILED");
    expect(text).toContain("nft is not there");
    expect(text).toContain("What to do: install nftables");
  });

  test("a disabled key says why; a replay cannot change the host", async () => {
    const state = nightState();
    const { screen, store, press } = show(state);
    store.meta = { ...store.meta, mode: "replay", replay: replayPlace(state) };
    store.publish();
    expect(await screen.until("REPLAY")).toContain("playing ×4");
    press("I");
    await screen.until("this is a replay: the host cannot be changed from it");
    expect(store.proposed).toEqual([]);
  });

  test("a replay has a line with its marks, and keys that move through it; a live screen has neither", async () => {
    const state = nightState();
    const { screen, store, press } = show(state, { columns: 80, rows: 24 });
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
    const isolated = show(state);
    isolated.press("qq");
    await isolated.screen.until("The host is still isolated.");
    expect(isolated.store.proposed).toEqual([]);
    await isolated.screen.until("leaves it isolated");
    isolated.press("q");
    await isolated.mounted.waitUntilExit();
    expect(isolated.store.proposed).toEqual([{ kind: "quit" }]);

    const { mounted, press, screen, raw, stdin } = show();
    await screen.until("STAKEOUT");
    press("q");
    await mounted.waitUntilExit();
    await screen.settled();
    expect(screen.terminal.buffer.active.type).toBe("normal");
    expect(raw).toEqual([true, false]);
    expect(stdin.listenerCount("data")).toBe(0);
  });

  test("a message stays until a key is pressed", async () => {
    const { screen, store, press } = show();
    store.message = { text: "tagged as responder: 30 processes", level: "info" };
    store.publish();
    await screen.until("tagged as responder: 30 processes");
    press("j");
    await screen.until("I Isolate");
    expect(screen.text()).not.toContain("tagged as responder");
  });

  test("help lists every key, and closes", async () => {
    const { screen, press } = show(nightState(), { columns: 120, rows: 60 });
    press("?");
    await screen.until("Show what tags hide");
    press("leaveconsole\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
    expect(await screen.until("Leave the console; asks first while the host is isolated.")).not.toContain("Show what tags hide");
    press("zzz");
    await screen.until('Nothing in the help holds "leavezzz"');
    press("\x1b");
    await screen.until("Show what tags hide");
    press("\x1b");
    await eventually(() => screen.text()).not.toContain("Show what tags hide");
  });

  test("an empty session teaches instead of showing nothing", async () => {
    const { screen } = show(new FixtureState().state);
    const text = await screen.until("No process has been seen yet.");
    expect(text).toContain("No connection has been seen yet.");
    expect(text).toContain("No new binary has been seen yet.");
    expect(text).toContain("nothing is watched yet");
  });

  test("without colours and without Unicode everything is still told apart", async () => {
    const state = nightState();
    judge(state, INTRUDER, "intruder", "t3");
    const { screen } = show(state, { columns: 100, rows: 30 }, { NO_COLOR: "1", TERM: "linux" });
    expect(await screen.until("intruder")).toMatch(/! - L1 root@185\.220\.101\.47/);
    const sent = screen.written.join("").split("\x1b[");
    const styles = new Set(sent.flatMap((part) => /^[\d;]*m/.exec(part)?.[0] ?? []));
    expect([...styles].filter((style) => !["0m", "1m", "2m", "7m", "22m", "27m"].includes(style))).toEqual([]);
    expect(screen.text()).not.toMatch(/[─-▿]/);
  });

  test("too small a terminal says the size it needs, and the screen comes back", async () => {
    const { screen, resize } = show();
    await screen.until("STAKEOUT");
    await resize(50, 10);
    await screen.until("Stakeout needs 60x16");
    await resize(3, 43);
    await eventually(() => screen.lines().filter((text) => text !== "").length).toBe(1); // nothing wider wrapped onto it
    await resize(1, 1);
    await resize(120, 40);
    await screen.until("STAKEOUT");
  });

  test("from 1x1 to 10,000 columns nothing breaks, and after a storm of sizes the screen equals a fresh paint", async () => {
    const { screen, resize, press, store } = show(busyState(800));
    for (const [columns, rows] of [
      [1, 1],
      [10_000, 5],
      [10_000, 60],
      [60, 16],
      [300, 2],
      [80, 24],
      [2, 500],
      [149, 33],
      [160, 50],
    ] as const) {
      await resize(columns, rows);
      press("j\t");
    }
    press("\x1b[H\t\x1b[H\t\x1b[H"); // where a pane is scrolled to is kept, and not part of the picture
    await screen.until("STAKEOUT");
    await screen.settled();
    const fresh = new HeadlessScreen(160, 50);
    const again = mountScreen(store, {
      stdin: Object.assign(new PassThrough(), { isTTY: true }),
      stdout: Object.assign(fresh.stdout, { columns: 160, rows: 50 }),
      env: { COLORTERM: "truecolor" },
    });
    open.push(again);
    again.screen.state = open[0]?.screen.state ?? again.screen.state;
    store.publish();
    await fresh.until("STAKEOUT");
    await fresh.settled();
    const strip = (lines: string[]) => lines.map((text) => text.trimEnd());
    expect(strip(screen.lines())).toEqual(strip(fresh.lines()));
  });

  test("what a host names its files never reaches the terminal as an escape", async () => {
    const { screen, press } = show(nightState(), { columns: 160, rows: 50 });
    await screen.until("owned");
    press("jjjjjj\t\t");
    await screen.settled();
    const sent = screen.written.join("");
    expect(sent).not.toContain("\x1b]");
    expect(sent).not.toContain("\x1b[2J\x1b]0");
    expect(sent).not.toContain("\u202e");
  });

  test("can be drawn as a picture", async () => {
    const { screen } = show(nightState(), { columns: 80, rows: 24 });
    await screen.until("STAKEOUT");
    expect(Buffer.from(toPng(screen.terminal)).subarray(1, 4).toString()).toBe("PNG");
  });
});
