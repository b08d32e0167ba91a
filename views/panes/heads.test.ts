import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { State } from "#state/state";
import { nightState } from "#testing/night-state";
import { eventually, shownScreen } from "#testing/shown-screen";
import { buildBinaries } from "../rows/binaries.ts";
import { buildConnections } from "../rows/connections.ts";
import { buildLogins } from "../rows/logins.ts";
import { makeTheme } from "../theme.ts";
import { binaryHead, binaryRow } from "./binary-row.ts";
import { connectionHead, connectionRow } from "./connection-row.ts";
import { loginHead, loginRow } from "./login-row.ts";

const theme = makeTheme("none");
const WIDTHS = [60, 70, 80, 96, 104, 120, 139, 160, 200];

/** The night with bytes on its beacon, so that every column holds something. */
function night(): State {
  const state = nightState();
  for (const c of state.connections.values())
    if (c.destination.ip === "203.0.113.66") c.carried = { sent: 48_200_000, received: 900, at: state.now };
  return state;
}
const context = (state: State, width: number) => ({ theme, state, now: state.now, width, selected: false, focused: false });
const plain = (line: string) => stripVTControlCharacters(line);

/** What stands in a row under that name of its head: from its first column on, or up to its last for one that is set to the right. */
function under(head: string, row: string, name: string, right = false): string {
  const at = head.indexOf(name);
  if (at < 0) return "";
  if (right)
    return (
      row
        .slice(0, at + name.length)
        .split(" ")
        .at(-1) ?? ""
    );
  expect(row[at - 1], `before ${name} in ${row}`).toBe(" ");
  return row.slice(at);
}

test.each(WIDTHS)("at %i columns every name stands over its column", (width) => {
  const state = night();
  const far = buildConnections(state, false).find(({ owner, attempts }) => owner === ".kx9fq2vz" && attempts > 2);
  if (!far) throw new Error("no beacon");
  const [head, row] = [plain(connectionHead(theme, width)), plain(connectionRow(far, context(state, width)))];
  expect([head.length, row.length]).toEqual([width, width]);
  const connection = (name: string, right = false) => under(head, row, name, right);
  expect(connection("far end")).toMatch(/^203\.0\.113\.66:443/);
  expect(connection("place")).toMatch(/^CN/);
  expect(connection("network")).toMatch(/^Chi|^$/); // where nothing is left for it, it is not named
  expect(connection("program")).toMatch(/^\.kx/);
  if (width >= 84) expect(connection("pid", true)).toBe(String(far.pid));
  if (width >= 96) expect(connection("state")).toMatch(/^trying/);
  if (width >= 130) expect(connection("sent", true)).toBe("MB");
  expect(connection("age", true)).toMatch(/^\d+[sm]$/);

  const binary = buildBinaries(state, false).find(({ binary: { sha256, writer } }) => sha256 !== undefined && writer !== undefined);
  if (!binary) throw new Error("no binary");
  const [fileHead, fileRow] = [plain(binaryHead(theme, width)), plain(binaryRow(binary, context(state, width)))];
  expect(under(fileHead, fileRow, "path")).toMatch(/^\//);
  if (width >= 76) expect(under(fileHead, fileRow, "sha256")).toMatch(new RegExp(`^${binary.binary.sha256?.slice(0, 12)}`));
  if (width >= 96) expect(under(fileHead, fileRow, "brought by")).toMatch(/^root@/);

  const login = buildLogins(state, false)[0];
  if (login?.kind !== "login") throw new Error("no login");
  login.login.ttys = ["137:212"]; // pts/468: the widest that a busy host has
  const [loginNames, whose] = [plain(loginHead(theme, width)), plain(loginRow(login, context(state, width)))];
  expect(under(loginNames, whose, "login")).toMatch(/^root@185/);
  expect(under(loginNames, whose, "in or left")).toMatch(width >= 70 ? /^in since/ : /^since/);
  if (width >= 84) expect(under(loginNames, whose, "standing")).toMatch(/^unknown/);
});

test("a pane alone names its columns, and a click still means the row under it", async () => {
  const { screen, press, mounted } = shownScreen(night());
  await screen.until("CN Guangzhou");
  expect(screen.text()).not.toMatch(/far end +place/);
  press("3");
  await screen.until(/state +far end +place +network +program/);
  const y = screen.lines().findIndex((line) => line.includes("10.0.4.30:5432"));
  expect(y).toBeGreaterThan(0);
  press(`\x1b[<0;30;${y + 1}M\x1b[<0;30;${y + 1}m`);
  await eventually(() => screen.lines()[y]?.startsWith("▌")).toBe(true);
  const { state } = mounted.screen.store;
  const selected = mounted.screen.context().selection;
  expect(state.connections.get(selected?.id ?? "")?.destination).toMatchObject({ ip: "10.0.4.30", port: 5432 });
});

test("where the rows leave half of the body empty, all about the selected one is told there, a fact a line", async () => {
  for (const size of [
    { columns: 80, rows: 24 },
    { columns: 120, rows: 40 },
  ]) {
    const { screen, press } = shownScreen(night(), size);
    await screen.until("CN Guangzhou");
    press("4");
    await screen.until(/[━=] 4 New binaries/);
    await screen.until(/^ +path +B\d+ \/[\s\S]*^ +sha256 +[0-9a-f]{64}/m);
    press("2"); // a long list has the body
    await screen.until(/[━=] 2 Processes/);
    expect(screen.text()).not.toMatch(/^ +command .*\n +pid/m);
  }
});
