import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { nightState } from "#testing/night-state";
import { columns } from "../HostText.ts";
import { factLines, LABEL_WIDTH } from "../panes/detail.ts";
import { buildConnections } from "../rows/connections.ts";
import { buildPlaces } from "../rows/places.ts";
import { makeTheme } from "../theme.ts";
import { factsOf } from "./facts.ts";

const theme = makeTheme("none");
const INTRUDER = "boot-1:4711:4711";
const tell = (
  state: ReturnType<typeof nightState>,
  kind: "login" | "process" | "binary" | "connection" | "place" | "group",
  id: string,
  members?: readonly string[],
) =>
  Object.fromEntries(
    factsOf(theme, state, { kind, id, ...(members ? { members } : {}) }, state.now).map(({ label, text }) => [label, text]),
  );

describe("everything about the selected thing", () => {
  test("no label touches what it is the label of", () => {
    const state = nightState();
    const things = [
      ...[...state.processes.keys()].map((id) => ({ kind: "process", id }) as const),
      ...[...state.logins.keys()].map((id) => ({ kind: "login", id }) as const),
      ...[...state.connections.keys()].map((id) => ({ kind: "connection", id }) as const),
      ...[...state.binaries.keys()].map((id) => ({ kind: "binary", id }) as const),
    ];
    const labels = new Set(things.flatMap((thing) => factsOf(theme, state, thing, state.now).map(({ label }) => label)));
    expect(labels.size).toBeGreaterThan(10);
    expect([...labels].filter((label) => label.length >= LABEL_WIDTH)).toEqual([]);
  });

  test("of a login: who, from where, since when, whether still in, what it ran, wrote and talked to", () => {
    const state = nightState();
    const facts = tell(state, "login", INTRUDER);
    expect(facts).toMatchObject({ login: "L1 root@185.220.101.47", ran: "30 processes, 7 of them now", tty: "pts/1" });
    expect(facts["from"]).toContain("Russia");
    expect(facts["since"]).toContain("still in");
    expect(facts["network"]).toContain("to 203.0.113.66:443 CN Guangzhou ×12");
    expect(facts["wrote"]).toContain("/dev/shm/qzjw81xk");
    expect(facts["programs"]).toContain("ls ×14");
    const login = state.logins.get(INTRUDER);
    if (login) login.end = state.now;
    expect(tell(state, "login", INTRUDER)["since"]).toContain("left 21:06:42");
  });

  test("of a new binary: what a list and its own head say, its owner and a time that it brought along; of whom it calls, the name", () => {
    const state = nightState();
    const path = "/dev/shm/qzjw81xk" as HostString;
    const binary = state.binaries.get(path);
    expect(tell(state, "binary", path)).not.toHaveProperty("listed");
    if (!binary) throw new Error("no such binary");
    Object.assign(binary, {
      known: { verdict: "bad", list: "iocs.csv", words: "miner" },
      program: { bits: 64, linked: "static", stripped: true, sections: false, packer: "upx" },
      uid: 0,
      modified: Date.UTC(2001, 1, 3),
    });
    expect(tell(state, "binary", path)).toMatchObject({
      listed: "KNOWN BAD by the list iocs.csv: miner",
      program: "64 bits, static, no list of sections, packed by UPX",
      owner: "uid 0, modified 2001-02-03 00:00:00: before it was seen to appear, so kept from elsewhere, or set",
    });
    binary.sha256 = "a".repeat(64);
    binary.hashed = { bytes: 12, size: 9 };
    expect(tell(state, "binary", path)["sha256"]).toMatch(
      /^a{64} \(made here, of 12 bytes .*; it had 9 when it was looked at, so it changed/,
    );
    expect(tell(state, "binary", path)["where"]).toBe("deleted, dev-shm; its mount was not seen");
    binary.mount = { point: "/dev/shm" as HostString, type: "tmpfs" as HostString };
    expect(tell(state, "binary", path)["where"]).toBe("deleted, mount, dev-shm; on the mount /dev/shm (tmpfs)");
    const call = [...state.connections.values()].find(({ destination }) => destination.ip === "203.0.113.66");
    expect(tell(state, "connection", call?.id ?? "")["name"]).toBe("not asked for");
    state.names.set("203.0.113.66", { items: ["mail.example" as HostString], at: state.now, analyst: "jm" });
    expect(tell(state, "connection", call?.id ?? "")["name"]).toBe("mail.example (by whoever owns the address; asked by jm)");
  });

  test("of a process: the script that it interprets, and what matters of its environment, its own or from above", () => {
    const state = nightState();
    const process = [...state.processes.values()].find(({ login, parent }) => login === INTRUDER && parent !== undefined);
    const above = state.processes.get(process?.parent ?? "");
    if (!process || !above) throw new Error("no such process");
    expect(tell(state, "process", process.id)["environ"]).toBe("not looked at");
    above.environment = ["PATH=/usr/bin", "HISTFILE=/dev/null"] as HostString[];
    above.login = process.login;
    process.script = "/dev/shm/x.py" as HostString;
    const facts = tell(state, "process", process.id);
    expect(facts["environ"]).toMatch(/^PATH=\/usr\/bin {2}HISTFILE=\/dev\/null \(of .+\)$/);
    expect(facts["script"]).toBe("/dev/shm/x.py (a new binary, interpreted)");
  });

  test("whose its file is: not looked at, unchanged by the host's own list alone, changed", () => {
    const state = nightState();
    const id = "boot-1:4811:4811";
    const path = state.processes.get(id)?.executable as string;
    const belongs = () => tell(state, "process", id)["package"];
    expect(belongs()).toBe("not looked at");
    state.owners.set(path, { state: "none", at: 0 });
    expect(belongs()).toBe("no package, by the host's own list");
    state.owners.set(path, { state: "unknown", why: "no package database" as HostString, at: 0 });
    expect(belongs()).toBe("not known: no package database");
    const coreutils = { state: "owned", package: "coreutils" as HostString, version: "9.1-1" as HostString, at: 0 } as const;
    state.owners.set(path, { ...coreutils, host: "same" });
    expect(belongs()).toBe("coreutils 9.1-1, unchanged by the host's own list, which root there can edit");
    state.owners.set(path, { ...coreutils, host: "differs", console: "differs" });
    expect(belongs()).toBe("coreutils 9.1-1, CHANGED: it differs from the host's own list; CHANGED: it differs from the console's list");
    const ofRpm = { ...coreutils, manager: "rpm" } as const;
    state.owners.set(path, { state: "none", manager: "rpm", at: 0 });
    expect(belongs()).toBe("no package, by the host's own rpm database");
    state.owners.set(path, { ...ofRpm, host: "undigested", why: "changed, as its package expects of it" as HostString });
    expect(belongs()).toBe("coreutils 9.1-1, changed, as its package expects of it");
    state.owners.set(path, { ...ofRpm, host: "differs", why: "set-user-ID, and not so in its package" as HostString });
    expect(belongs()).toBe("coreutils 9.1-1, CHANGED: set-user-ID, and not so in its package");
    const changed = factsOf(theme, state, { kind: "process", id }, state.now).find(({ label }) => label === "package");
    expect(changed?.style).toBe("bad");
  });

  test("what was not seen is said with its reason, never left empty", () => {
    const state = nightState();
    const process = state.processes.get("boot-1:4811:4811");
    if (process) {
      Object.assign(process, { unseen: { "process.args": "raced", "process.working_directory": "denied" } });
      for (const key of ["args", "cwd", "uid", "executable"] as const) delete process[key];
    }
    const facts = tell(state, "process", "boot-1:4811:4811");
    expect(facts).toMatchObject({
      file: "not seen",
      uid: "not seen",
      cwd: "not seen",
      unseen: "process.args (raced), process.working_directory (denied)",
    });
    expect(tell(state, "connection", "c1")["bytes"]).toContain("not known");
  });

  test("of a binary: all who wrote it, also that somebody did whom nobody saw", () => {
    const state = nightState();
    const binary = state.binaries.get("/tmp/.kx9fq2vz");
    if (binary) binary.unseenHand = true;
    expect(tell(state, "binary", "/tmp/.kx9fq2vz")).toMatchObject({
      written: "by -bash 4715; by somebody whom no sensor saw",
      ran: expect.stringMatching(/^7 times: \.kx9fq2vz 4802/),
    });
    if (binary) binary.writers = [];
    expect(tell(state, "binary", "/tmp/.kx9fq2vz")["written"]).toBe("by somebody whom no sensor saw");
  });

  test("of a connection: from where it began, in words that can be read aloud", () => {
    const state = nightState();
    const one = (direction: "egress" | "ingress") =>
      [...state.connections.values()].find((c) => c.direction === direction && c.phase !== "listening");
    expect(tell(state, "connection", one("egress")?.id ?? "")["state"]).toMatch(/, tcp, called by the host$/);
    expect(tell(state, "connection", one("ingress")?.id ?? "")["state"]).toMatch(/, tcp, came to the host$/);
  });

  test("of a beacon: how often, how often it got through, and how regularly", () => {
    const state = nightState();
    const [beacon] = buildConnections(state, false);
    expect(tell(state, "connection", beacon?.latest.id ?? "")["attempts"]).toBe(
      "31 attempts by this program, 29 got through, one every 5 s on average",
    ); // whatever logins it ran in, as its row counts them
    const peer = state.peers.get(`${beacon?.latest.destination.ip} ${beacon?.latest.destination.port}`);
    expect([...(peer?.callers?.values() ?? [])].map(({ attempts }) => attempts)).toEqual([30, 1]);
    if (peer) peer.attempts += 4;
    peer?.callers?.set(" another", { attempts: 4, tries: peer.tries });
    expect(tell(state, "connection", beacon?.latest.id ?? "")["attempts"]).toMatch(
      /^35 attempts by all, 31 of them by this program; 29 of all got through/,
    );
  });

  test("of a group what it holds, of a place its far ends", () => {
    const state = nightState();
    const members = [...state.processes.values()]
      .filter(({ name, login }) => name === ("ls" as HostString) && login === INTRUDER)
      .map(({ id }) => id);
    const group = factsOf(theme, state, { kind: "group", id: "r:x:ls", members }, state.now);
    expect(group).toHaveLength(1 + 14);
    expect(group[1]?.text).toMatch(/^\d+ .*ls -la/);
    const [china] = buildPlaces(state, buildConnections(state, false));
    expect(tell(state, "place", "CN", china?.selection.members)["far ends"]).toContain("to 203.0.113.66:443 ×13");
  });

  test("wide characters lose nothing at the end of a line, and every line is as wide as the pane", () => {
    const text = "日本語のファイル名がとても長い場合は折り返す🚀終".repeat(3);
    const rows = factLines(theme, [{ label: "path", text }], 40).rows.map((row) => stripVTControlCharacters(row));
    for (const row of rows) expect(columns(row)).toBe(40);
    expect(rows.map((row) => row.slice(12).trim()).join("")).toBe(text);
  });
});
