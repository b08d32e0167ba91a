import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { makeKeymap } from "#commands/keymap";
import { FixtureStore, isolatePlan } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { HeadlessScreen } from "#testing/screen";
import { type MountedScreen, mountScreen } from "./mount.tsx";
import { defaultSettings, type Settings } from "./settings.ts";

const eventually = <T,>(what: () => T) => expect.poll(what, { timeout: 15_000 });
const open: MountedScreen[] = [];
afterEach(() => {
  for (const mounted of open.splice(0)) mounted.unmount();
});

function show(more: Partial<Settings> = {}, size = { columns: 120, rows: 40 }) {
  const screen = new HeadlessScreen(size.columns, size.rows);
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const store = new FixtureStore(nightState());
  const settings = { ...defaultSettings(), ...more };
  const mounted = mountScreen(store, { stdin, stdout: Object.assign(screen.stdout, size), env: { COLORTERM: "truecolor" }, settings });
  open.push(mounted);
  const press = (keys: string) => void stdin.write(keys);
  const click = (x: number, y: number) => press(`\x1b[<0;${x + 1};${y + 1}M\x1b[<0;${x + 1};${y + 1}m`);
  /** Where a text stands on the screen. */
  const find = (text: string) => {
    const y = screen.lines().findIndex((line) => line.includes(text));
    return { x: screen.lines()[y]?.indexOf(text) ?? -1, y };
  };
  const selected = () => mounted.screen.context().selection;
  return { screen, store, press, click, find, selected, mounted, settings };
}

describe("the palette on the screen", () => {
  test("runs what was chosen, as its key would; keys typed in it are letters", async () => {
    const { screen, store, press } = show();
    await screen.until("nginx");
    press(":isolate");
    const text = await screen.until("> isolate");
    expect(text).toContain("Changes the host, after it has asked.");
    expect(store.proposed).toEqual([]);
    press("\r");
    await eventually(() => store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
  });

  test("what was typed ahead of a plan is not meant for it", async () => {
    const { screen, store, press } = show();
    await screen.until("nginx");
    press(":isolate\r\rq");
    await eventually(() => store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
  });

  test("goes to a pid, wherever it is folded, and back", async () => {
    const { screen, press, selected, mounted } = show();
    await screen.until("nginx");
    const before = selected();
    const { processes } = mounted.screen.store.state;
    const kernel = [...processes.values()].find(({ name }) => name?.startsWith("kworker"));
    press(`:${kernel?.pid}\r`);
    await eventually(selected).toMatchObject({ kind: "process", id: kernel?.id });
    press("\x7f");
    await eventually(selected).toEqual(before);
  });

  test("Enter on what cannot be done says why and stays; Esc closes", async () => {
    const { screen, press, mounted } = show();
    await screen.until("nginx");
    press(":slower\r");
    await screen.until("Slower: only in a replay");
    expect(mounted.screen.state.dialog?.kind).toBe("palette");
    press("\x1b");
    await eventually(() => mounted.screen.state.dialog).toBeUndefined();
  });
});

describe("named filters", () => {
  test("Ctrl-S keeps the filter under a name; Tab, and the palette, offer it; Del forgets it", async () => {
    const { screen, press, settings } = show();
    await screen.until("nginx");
    press("/country:cn\x13");
    await screen.until("Save this filter");
    press("far 東\r");
    await screen.until("saved as far 東");
    expect(settings.filters.all).toEqual([{ name: "far 東", text: "country:cn" }]);
    const clear = async () => {
      press("\x1b");
      await eventually(() => screen.text()).not.toContain("found by");
    };
    await clear();
    press("/\t");
    await screen.until("found by /country:cn");
    await clear();
    press(":far\r");
    await screen.until("found by /country:cn");
    await clear();
    press(":far\x1b[3~");
    await screen.until("the filter far 東 is forgotten");
    expect(settings.filters.all).toEqual([]);
  });

  test("what is odd is said while it is typed", async () => {
    const { screen, press } = show();
    press("/pid:x");
    await screen.until("pid: is a number, not x");
    press("\x7f4");
    await eventually(() => screen.text()).not.toContain("is a number");
    press("\x15\x13");
    await screen.until("there is nothing to save yet");
  });
});

describe("the analyst's own marks", () => {
  test("m marks a row in any pane, ' goes along them and back to the first, m again unmarks", async () => {
    const { screen, press, selected, store } = show();
    await screen.until("nginx");
    press("jm");
    await screen.until("marked for you alone, not in the log: process");
    const first = selected();
    await eventually(() => screen.lines().filter((line) => line.endsWith("◈")).length).toBe(1);
    press("\tm");
    await eventually(() => screen.lines().filter((line) => line.endsWith("◈")).length).toBe(2);
    press("\t'");
    await screen.until("your mark 1 of 2");
    expect(selected()).toEqual(first);
    press("'");
    await screen.until("your mark 2 of 2");
    expect(selected()?.kind).toBe("connection");
    press("m");
    await screen.until("no longer marked");
    press("/zzzz\r'");
    await screen.until("is not among what the filter shows");
    press("\x1b");
    await eventually(() => screen.lines().filter((line) => line.endsWith("◈")).length).toBe(1);
    expect(store.proposed).toEqual([]);
  });
});

describe("copying", () => {
  test("y sends the value to the clipboard and says which; Y all of it as Markdown", async () => {
    const { screen, press } = show();
    await screen.until("nginx");
    press("y");
    await screen.until("login sent to your terminal's clipboard: root@185.220.101.47; again: its address");
    press("yY");
    await screen.until("as Markdown");
    const sent = screen.written
      .join("")
      .split("\x1b]52;c;")
      .slice(1)
      .map((part) => Buffer.from(part.split("\x07")[0] ?? "", "base64").toString());
    expect(sent.slice(0, 2)).toEqual(["root@185.220.101.47", "185.220.101.47"]);
    expect(sent[2]).toMatch(/^### `login L1 root@185\.220\.101\.47`\n\n- login: `L1 root/);
  });
});

describe("the mouse", () => {
  test("a click selects a row and its pane, another one on it folds, the wheel scrolls the pane under it", async () => {
    const { screen, click, find, selected, mounted, press } = show();
    await screen.until("CN Guangzhou");
    const { x, y } = find("CN Guangzhou");
    click(x, y);
    await eventually(selected).toMatchObject({ kind: "connection" });
    const login = find("root@185.220.101.47");
    click(login.x, login.y);
    await eventually(selected).toMatchObject({ kind: "login" });
    click(login.x, login.y);
    await eventually(() => mounted.screen.state.toggled.size).toBe(1);
    const before = mounted.screen.state.cursors.tree;
    press(`\x1b[<65;${x + 1};${y + 1}M`);
    await eventually(() => mounted.screen.state.cursors.connections.index).toBeGreaterThan(0);
    expect(mounted.screen.state.cursors.tree).toEqual(before);
    expect(mounted.screen.state.pane).toBe("tree");
  });

  test("a click on a key of the footer presses it, but none confirms what changes the host", async () => {
    const { screen, store, click, find, press } = show();
    await screen.until("I Isolate");
    const { x, y } = find("I Isolate");
    click(x + 3, y);
    await eventually(() => store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
    store.show(isolatePlan());
    await screen.until("Enter  isolates the host");
    const enter = find("Enter  isolates");
    click(enter.x + 2, enter.y);
    await screen.until("a dialog takes keys alone");
    expect(store.proposed).toHaveLength(1);
    press("\r");
    await eventually(() => store.proposed.at(-1)?.kind).toBe("confirm");
  });

  test("a click on the line of a replay goes to that moment", async () => {
    const { screen, store, click, mounted } = show();
    const { now, started } = mounted.screen.store.state;
    store.meta = {
      ...store.meta,
      mode: "replay",
      replay: { at: started, from: started, to: now, position: 1, length: 9, playing: false, speed: 1, marks: [] },
    };
    store.publish();
    await screen.until("paused");
    const y = screen.lines().length - 3;
    const line = screen.lines()[y] ?? "";
    const [from, to] = [line.search(/[●━]/), line.lastIndexOf("─")];
    click(from, y);
    click(to, y);
    click(0, y);
    await eventually(() => store.proposed).toEqual([
      { kind: "seek", to: { at: started } },
      { kind: "seek", to: { at: now } },
    ]);
  });

  test("it is asked for and given back; switched off, it is left to the terminal", async () => {
    const on = show();
    await on.screen.until("nginx");
    expect(on.screen.written.join("")).toContain("\x1b[?1000h\x1b[?1006h");
    on.mounted.unmount();
    expect(on.screen.written.join("")).toContain("\x1b[?1006l");
    expect(on.screen.written.join("")).toContain("\x1b[?1000l");
    const off = show({ mouse: false });
    await off.screen.until("nginx");
    expect(off.screen.written.join("")).not.toContain("\x1b[?1000h");
  });

  test("pasted text runs no key, and is text where text is wanted", async () => {
    const { screen, store, press, mounted } = show();
    await screen.until("nginx");
    press(`\x1b[200~qIt\rq${"x".repeat(2_000_000)}\x1b[201~`);
    press("t");
    await screen.until("Tag the login");
    press("\x1b[200~入侵 q\rI\x1b[201~");
    await screen.until("入侵 q I");
    expect(store.proposed).toEqual([]);
    expect(mounted.screen.state.dialog?.kind).toBe("tag");
  });
});

describe("the tour", () => {
  const tour = () => {
    const seen: string[] = [];
    return { seen, due: { tour: { due: true, seen: () => void seen.push("seen") } } };
  };

  test("is shown once on the live screen, five steps by Enter", async () => {
    const { seen, due } = tour();
    const { screen, press, mounted } = show(due, { columns: 80, rows: 24 });
    const text = await screen.until("1 of 5: Who is there");
    expect(text).toContain("root@185.220.101.47");
    expect(text).toContain("blind");
    expect(seen).toEqual(["seen"]);
    for (const step of ["2 of 5", "3 of 5", "4 of 5", "5 of 5"]) {
      press("\r");
      await screen.until(step);
    }
    press("\r");
    await eventually(() => mounted.screen.state.dialog).toBeUndefined();
    press(":tour\r");
    await screen.until("1 of 5");
    press("\x1b");
    await eventually(() => mounted.screen.state.dialog).toBeUndefined();
  });

  test("any other key ends it and does its work", async () => {
    const { screen, press } = show(tour().due);
    await screen.until("1 of 5");
    press("t");
    expect(await screen.until("Tag the login L1 root@185.220.101.47")).not.toContain("1 of 5:");
  });

  test("gives way to the plan of a response", async () => {
    const { screen, store, press } = show(tour().due);
    await screen.until("1 of 5");
    press("I");
    store.show(isolatePlan());
    await screen.until("Enter  isolates the host");
    press("\r");
    await eventually(() => store.proposed.at(-1)?.kind).toBe("confirm");
  });
});

describe("rebound keys", () => {
  const keymap = makeKeymap({ isolate: ["ctrl-o"], "show-hidden": ["f5", "H"], palette: [], tag: ["x"] });

  test("footer, titles, help, messages and tour say the key that works, and the old one does nothing", async () => {
    const { screen, store, press } = show({ keymap }, { columns: 160, rows: 50 });
    const text = await screen.until("Ctrl-O Isolate");
    expect(text).toContain("(F5 shows)");
    expect(text).not.toContain(": Palette");
    press("?hidden");
    await screen.until("F5 H");
    press("\r"); // closes it
    press("I:t");
    press("\x1b[15~");
    await screen.until("(F5 hides)");
    expect(store.proposed).toEqual([]);
    press("\x0f");
    await eventually(() => store.proposed).toEqual([{ kind: "plan", response: "isolate" }]);
  });
});
