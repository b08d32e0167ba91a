import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import type { LoginState, PastState } from "#state/state";
import { text } from "#testing/events";
import { pastSection } from "./past.ts";

const BERLIN = { ip: "203.0.113.9", port: 40_112, geo: { country_iso_code: "DE", country_name: "Germany", city_name: "Berlin" } };

test("whoever came in or was refused is told with his address, and whose login it was where we saw it as well", () => {
  const state = emptyState();
  const row = (more: Partial<PastState>): PastState => ({ id: "x", kind: "login", from: ["syslog"], first: 1, last: 1, count: 1, ...more });
  const login = (more: Partial<LoginState>) => state.logins.set(more.id ?? "", more as LoginState);
  login({ id: "a", source: BERLIN, standing: "intruder", ours: false });
  login({ id: "b", source: { ip: "10.0.0.5", port: 5000 }, standing: "responder", ours: true });
  state.past.at = 1;
  const user = text("root");
  state.past.rows.push(row({ user, source: BERLIN }));
  state.past.rows.push(row({ user, source: { ip: "10.0.0.5", port: 5000 } }));
  state.past.rows.push(row({ user, source: { ip: "10.0.0.5", port: 5001 } }));
  state.past.rows.push(row({ user, kind: "failed", count: 812, source: { ip: "198.51.100.99" } }));
  const told = pastSection(state).join("\n");
  expect(told).toContain("`root` from `203.0.113.9` (Berlin, Germany), seen as well: intruder |");
  expect(told).toContain("`root` from `10.0.0.5` (private network), this console's own login |");
  expect(told).toContain("`root` from `10.0.0.5` (private network) |");
  expect(told).toContain("| 812 | `root` from `198.51.100.99` (");
});

test("of more rows than a report has the worst are in it, not the newest", () => {
  const state = emptyState();
  state.past.at = 1;
  const refused = (ip: string, last: number): PastState => ({
    id: ip,
    kind: "failed",
    from: ["btmp"],
    user: text("root"),
    ip,
    source: { ip },
    first: 1,
    last,
    count: 9,
  });
  state.past.rows.push({ ...refused("203.0.113.9", 5), kind: "login", from: ["wtmp"] });
  for (let i = 1; i <= 40; i++) state.past.rows.push(refused(`198.51.100.${i}`, 1000 + i));
  state.past.rows.push(refused("203.0.113.9", 4));
  const told = pastSection(state).slice(pastSection(state).indexOf("**Logins that were refused**")).join("\n");
  expect(told).toContain("203.0.113.9");
  expect(told).toContain("Left out: 16 further rows.");
});
