import { expect, test } from "vitest";
import type { Endpoint } from "#model/event";
import type { LiveConnection } from "#response/isolation/facts/host-facts";
import { text } from "#testing/events";
import { ago, FixtureState } from "#testing/fixture-state";
import { colleaguesCut, connectionsInWords, likelyOurs } from "./preview.ts";

const CN: Endpoint = {
  ip: "203.0.113.66",
  port: 443,
  geo: { country_iso_code: "CN", country_name: "China", city_name: "Guangzhou" },
  as: { number: 4134, organization: { name: "Chinanet" } },
};
const HOST = "10.0.4.17";
const locate = (ip: string) => (ip === CN.ip ? CN : {});

/** An intruder who calls abroad, a login that looks like ours, one that is tagged, and a service with a client. */
function host() {
  const f = new FixtureState();
  const sshd = f.process(690, undefined, "/usr/sbin/sshd -D");
  const comes = (pid: number, ip: string, more = {}) => {
    const source = { ip, port: 50_000 + pid };
    const login = f.login(pid, sshd, "root", source, { start: ago(100), ...more });
    f.connection(login, source, { direction: "ingress", source, destination: { ip: HOST, port: 22 } });
    return login;
  };
  const intruder = comes(800, "185.220.101.1");
  const beacon = f.process(801, intruder, "/tmp/.kx9fq2vz");
  f.connection(beacon, CN, { source: { ip: HOST, port: 40_001 } });
  comes(900, "10.0.4.2", { standing: "responder", info: { key: "SHA256:ours", from: [] } });
  const colleague = comes(910, "10.0.4.3", { info: { key: "SHA256:ours", from: [] } });
  const nginx = f.process(645, undefined, "/usr/sbin/nginx");
  f.connection(
    nginx,
    { ip: HOST, port: 80 },
    { direction: "ingress", source: { ip: "10.0.9.9", port: 4000 }, destination: { ip: HOST, port: 80 } },
  );
  return { state: f.state, colleague };
}
const socket = (pid: number, name: string, port: number, remote: { ip: string; port: number }): LiveConnection => ({
  transport: "tcp",
  state: "ESTAB",
  local: { ip: HOST, port },
  remote,
  pid,
  name: text(name),
});
const ssh = (pid: number, ip: string) => socket(pid, "sshd", 22, { ip, port: 50_000 + pid });

test("what dies is told with its place, its direction and whose login it is; what goes abroad stands first", () => {
  const { state } = host();
  const told = connectionsInWords(state, locate, [
    socket(645, "nginx", 80, { ip: "10.0.9.9", port: 4000 }),
    ssh(800, "185.220.101.1"),
    ssh(910, "10.0.4.3"),
    socket(801, "kx", 40_001, { ip: CN.ip, port: 443 }),
    socket(801, "kx", 40_001, { ip: CN.ip, port: 443 }),
  ]);
  expect(told).toEqual([
    "kx 801 to 203.0.113.66:443 tcp, CN Guangzhou, Chinanet AS4134, L1 root@185.220.101.1, unknown",
    "nginx 645 from 10.0.9.9:4000 tcp",
    "sshd 800 from 185.220.101.1:50800 tcp, L1 root@185.220.101.1, unknown",
    "sshd 910 from 10.0.4.3:50910 tcp, L3 root@10.0.4.3, looks like ours",
  ]);
});

test("what a job of somebody's started is told with whom it goes back to", () => {
  const { state } = host();
  const [intruder] = state.logins.keys();
  const root = state.pids.get(645) ?? "";
  const entry = { path: text("/etc/cron.d/kx") };
  state.origins.set("cron", {
    id: "cron",
    type: "cron",
    login: intruder ?? "",
    entry,
    ttys: [],
    start: ago(9),
    last: ago(9),
    runs: 1,
    roots: [root],
    live: 1,
  });
  expect(connectionsInWords(state, locate, [socket(645, "nginx", 80, { ip: "10.0.9.9", port: 4000 })])).toEqual([
    "nginx 645 from 10.0.9.9:4000 tcp, goes back to L1 root@185.220.101.1",
  ]);
});

test("the console's own login is called that", () => {
  const { state } = host();
  const login = [...state.logins.values()].find(({ source }) => source?.ip === "10.0.4.2");
  if (login) login.ours = true;
  expect(connectionsInWords(state, locate, [ssh(900, "10.0.4.2")])).toEqual([
    "sshd 900 from 10.0.4.2:50900 tcp, L2 root@10.0.4.2, this console",
  ]);
});

test("a socket that the session does not know is told by what the host says of it, made printable", () => {
  const { state } = host();
  const [told] = connectionsInWords(state, locate, [socket(4, "a\u001b[2J", 9, { ip: "fd00::1", port: 8 })]);
  expect(told).toMatch(/^a\S+ 4 \[fd00::1\]:8 tcp$/);
  expect(told).not.toContain("\u001b");
});

test("who a profile of the team says is ours is named, too; a tag of a wider kind names no login", () => {
  const { state } = host();
  const stranger = [...state.logins.values()].find(({ source }) => source?.ip === "185.220.101.1")?.id ?? "";
  const said = { key: "k", verdict: "responder" as const, reason: "r", why: "team.yml" };
  const ours = likelyOurs(state, [
    { ...said, selector: { login: stranger } },
    { ...said, selector: { command: "*/tcpdump" } },
  ]);
  expect([...ours]).toEqual([stranger]);
  expect(colleaguesCut(state, [], ours)).toEqual(["L1 root@185.220.101.1"]);
  expect(connectionsInWords(state, locate, [ssh(800, "185.220.101.1")], ours)).toEqual([
    "sshd 800 from 185.220.101.1:50800 tcp, L1 root@185.220.101.1, looks like ours",
  ]);
});

test("who looks like ours and would be cut off is named, until somebody tags him, lets him in, or he leaves", () => {
  const { state, colleague } = host();
  expect(colleaguesCut(state, ["10.0.4.2"])).toEqual(["L3 root@10.0.4.3"]);
  expect(colleaguesCut(state, ["10.0.4.2", "10.0.4.3"])).toEqual([]);
  const login = state.logins.get(colleague);
  if (login) login.end = ago(1);
  expect(colleaguesCut(state, ["10.0.4.2"])).toEqual([]);
});
