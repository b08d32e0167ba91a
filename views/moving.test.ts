import { describe, expect, test } from "vitest";
import { FixtureState } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { eventually, shownScreen } from "#testing/shown-screen";

const INTRUDER = "boot-1:4711:4711";

describe("moving about the screen", () => {
  test("T shows what is hidden, and hides it again", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 120, rows: 60 });
    await screen.until("hidden: 100");
    press("T");
    await screen.until("shown: 100 processes, 2 connections, 1 file (T hides)");
    press("\x1b[F");
    await screen.until("root@10.0.4.2");
    press("T");
    await screen.until("hidden: 100");
  });

  test("a pane that has the body for itself says how many of its own rows tags hide", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 120, rows: 40 });
    await screen.until("hidden: 100");
    press("5");
    await screen.until(/5 Logins 2 .*hidden: \d+ logins? \(T shows\)/);
    press("3");
    await screen.until(/3 Connections \d+ .*hidden: 2 connections \(T shows\)/);
    press("4");
    await screen.until(/4 New binaries \d+ .*hidden: 1 file \(T shows\)/);
    press("T");
    await screen.until(/4 New binaries \d+ .*shown: 1 file \(T hides\)/);
  });

  test("/ filters every pane as it is typed, letters are no commands in it, Esc brings everything back", async () => {
    const { screen, store, press } = shownScreen(nightState(), { columns: 160, rows: 50 });
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
    const { screen, press, mounted } = shownScreen(nightState(), { columns: 160, rows: 50 });
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
    const { screen, press } = shownScreen(nightState(), { columns: 80, rows: 24 });
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
    const { screen, press } = shownScreen(nightState(), { columns: 80, rows: 24 });
    await screen.until("New binaries");
    press("\t\t\t");
    await screen.until(/━━ 5 Logins/);
    press("\t\t\t\t\t");
    await screen.until("New binaries");
  });

  test("s changes the order of the pane and its title says which", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 160, rows: 50 });
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

  test("panes of several kinds say so in the words of their order", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 160, rows: 50 });
    press("8");
    await screen.until("by kind, worst first");
    press("9");
    await screen.until("changes first");
  });

  test("F keeps the cursor on the newest row until it is moved; what is new is marked for a moment", async () => {
    const { screen, store, press, mounted } = shownScreen(nightState(), { columns: 160, rows: 50 });
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
    const { screen, press } = shownScreen(nightState(), { columns: 80, rows: 24 });
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
    const { screen, store, press } = shownScreen(nightState(), { columns: 160, rows: 50 });
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

  test("help lists every key, and closes", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 120, rows: 60 });
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
});
