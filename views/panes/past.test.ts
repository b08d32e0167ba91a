import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { originStart } from "#state/origins";
import type { PastState, State } from "#state/state";
import { event } from "#testing/events";
import { nightState } from "#testing/night-state";
import { factsOf } from "../facts/facts.ts";
import { columns } from "../HostText.ts";
import { buildLogins } from "../rows/logins.ts";
import { buildPast, buildSetUp } from "../rows/past.ts";
import { makeTheme } from "../theme.ts";
import { loginRow } from "./login-row.ts";
import { pastRow, setUpRow } from "./past-row.ts";

const theme = makeTheme("none");
const plain = stripVTControlCharacters;
const host = (text: string) => text as HostString;
const INTRUDER = "boot-1:4711:4711";
const base = (state: State, width: number) => ({ theme, state, now: state.now, width, selected: false, focused: false });
const row = (state: State, more: Partial<PastState>): void => {
  const id = `p${state.past.rows.length}`;
  state.past.rows.push({ id, kind: "login", from: ["auth.log"], first: state.now - 9e8, last: state.now - 9e7, count: 3, ...more });
};

describe("what the host remembers", () => {
  test("gaps come first, each row says how often and from where, and whatever the host wrote can do nothing", () => {
    const state = nightState();
    row(state, {
      user: host("root"),
      methods: ["publickey"],
      ip: "203.0.113.9",
      source: { ip: "203.0.113.9", geo: { country_iso_code: "RU" } },
    });
    row(state, { kind: "shell", from: ["history"], text: host("curl \u001b[2J\u0007\u202e evil") });
    row(state, {
      kind: "gap",
      from: ["comparison"],
      path: host("/root/.bash_history"),
      text: host("a history that is a link to /dev/null"),
    });
    const rows = buildPast(state);
    expect(rows.map(({ past }) => past.kind)).toEqual(["gap", "login", "shell"]);
    for (const width of [60, 80, 200])
      for (const one of rows) {
        const text = plain(pastRow(one, base(state, width)));
        expect(columns(text)).toBe(width);
        expect(text).not.toMatch(/\p{Cc}|\p{Cf}/u);
      }
    expect(plain(pastRow(rows[1] as (typeof rows)[0], base(state, 200)))).toMatch(
      /login +11-23 20:06 +×3 +root, from 203\.0\.113\.9 RU, first 11-14 11:06, by publickey/,
    );
    const facts = Object.fromEntries(factsOf(theme, state, { kind: "past", id: "p0" }, state.now).map(({ label, text }) => [label, text]));
    expect(facts["why here"]).toBe("none of ours came from that address; root");
    expect(facts["trust"]).toBe("root can forge this, and any account can add such lines (logger)");
  });
});

test("a login's row begins with who, from where and whether he is still in; a key is shortened there, and whole in the details", () => {
  const state = nightState();
  const key = "SHA256:u2rL1q8nmvwQdm/XC2i7pTV4nupF8TytAMeweEmTNJ8";
  const source = {
    ip: "203.0.113.9",
    geo: { country_iso_code: "DE", city_name: "Berlin" },
    as: { number: 60729, organization: { name: "A Long Name" } },
  };
  row(state, { user: host("root"), methods: ["publickey"], keys: [host(key)], open: true, count: 1, source });
  const [one] = buildPast(state);
  if (!one) throw new Error("there is no row");
  expect(plain(pastRow(one, base(state, 80)))).toContain("root, from 203.0.113.9 DE Berlin, not ended");
  expect(plain(pastRow(one, base(state, 200)))).toContain(`${key.slice(0, 15)}…`);
  const facts = Object.fromEntries(factsOf(theme, state, { kind: "past", id: "p0" }, state.now).map(({ label, text }) => [label, text]));
  expect(facts["keys"]).toBe(key);
});

test("a login that we see as well is told by its number and standing, and the console's own as the console's", () => {
  const state = nightState();
  const login = state.logins.get(INTRUDER);
  if (!login) throw new Error("there is no intruder");
  Object.assign(login, { source: { ip: "203.0.113.9", port: 40_112 }, standing: "intruder", end: state.now - 1000 });
  const own = { ...login, id: "boot-1:1:1", source: { ip: "198.51.100.7", port: 5000 }, standing: "responder" as const, ours: true };
  state.logins.set(own.id, own);
  const user = host("root");
  row(state, { user, count: 1, open: true, source: { ip: "203.0.113.9", port: 40_112 } });
  row(state, { user, count: 1, source: { ip: "198.51.100.7", port: 5000 } });
  row(state, { user, count: 1, open: true, source: { ip: "203.0.113.9", port: 40_113 } });
  const texts = buildPast(state).map((one) => plain(pastRow(one, base(state, 80))));
  expect(texts[0]).toMatch(/▲ L\d root, from 203\.0\.113\.9/);
  expect(texts[0]).not.toContain("not ended"); // it was so at the first look; he has left since
  expect(texts[1]).toMatch(/ {2}root, from 203\.0\.113\.9 place unknown, not ended/); // another port: another login
  expect(texts[2]).toContain("this console: root, from 198.51.100.7"); // the last to be looked at
  for (const text of texts) expect(columns(text)).toBe(80);
  const facts = (id: string) => factsOf(theme, state, { kind: "past", id }, state.now).find(({ label }) => label === "seen as")?.text;
  expect(facts("p0")).toMatch(/^L\d, intruder, left /);
  expect(facts("p1")).toMatch(/^this console's own login/);
  expect(facts("p2")).toBeUndefined();
});

describe("the baseline", () => {
  test("what is new and what is gone stands on top, with + and -", () => {
    const state = nightState();
    const thing = (id: string, status: "here" | "new" | "gone") =>
      state.setUp.set(id, { category: "user", id, name: host(id), detail: host("uid 0"), status, at: state.now - 1000 });
    thing("root", "here");
    thing("old", "gone");
    thing("eve", "new");
    expect(
      buildSetUp(state).map((one) =>
        plain(setUpRow(one, base(state, 80)))
          .trim()
          .split(/ +/)
          .slice(0, 3)
          .join(" "),
      ),
    ).toEqual(["+ user eve", "- user old", "user root uid"]);
  });
});

describe("what began below a login", () => {
  test("sudo stands under its login, and a job under the login that wrote its entry", () => {
    const state = nightState();
    const at = state.now - 5000;
    const start = (n: number, type: "sudo" | "cron", more: object, process: object) =>
      originStart(
        state,
        event(n, {
          event: { action: "origin.start" },
          process: { entity_id: `boot-1:9${n}:1`, ...process },
          stakeout: { sensor: "c", tier: "t", origin: { type, login: INTRUDER } },
          ...more,
        }),
        at,
      );
    start(1, "sudo", { user: { name: host("root"), effective: { name: host("dev") } } }, {});
    const entry = { path: host("/etc/cron.d/kx"), line: host("* * * * * root /dev/shm/b") };
    for (const n of [2, 3]) start(n, "cron", {}, { entry_leader: { entity_id: `boot-1:9${n}:1`, entry_meta: { type: "cron", entry } } });
    const texts = buildLogins(state, false).map((one) => plain(loginRow(one, base(state, 120))).trim());
    const place = texts.findIndex((text) => text.includes("185.220.101.47"));
    expect(texts.slice(place + 1, place + 3).join("\n")).toMatch(/sudo root as dev/);
    expect(texts.slice(place + 1, place + 3).join("\n")).toMatch(/cron \/etc\/cron\.d\/kx, written by L1 root@185\.220\.101\.47: .* ×2/);
  });
});
