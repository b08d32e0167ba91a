import fc from "fast-check";
import { expect, test } from "vitest";
import type { Criteria } from "#model/event";
import { text } from "#testing/events";
import { containerWords, placeIn } from "./cgroup.ts";
import { emptyState } from "./create.ts";
import { fits, matcher, networkProblem, selectorProblem } from "./criteria.ts";
import type { LoginState, ProcessState } from "./state.ts";

const process = (more: Partial<ProcessState> = {}): ProcessState => ({
  id: "B:2:1",
  pid: 2,
  children: new Set(),
  origin: "unknown",
  start: 0,
  active: 0,
  baseline: false,
  standing: "unknown",
  ...more,
});
const from = (ip: string, name = "root"): LoginState => ({
  id: "B:1:1",
  number: 1,
  type: "sshd",
  user: { id: "0", name: text(name) },
  source: { ip },
  ttys: [],
  start: 0,
  active: 0,
  standing: "unknown",
  ours: false,
  processes: 0,
  ended: { count: 0, latest: [] },
});
const matches = (criteria: Criteria, of: Partial<ProcessState>, login?: LoginState) => {
  const state = emptyState();
  if (login) state.logins.set(login.id, login);
  return matcher(criteria)(state, process({ ...of, ...(login ? { login: login.id } : {}) }));
};

test("an address, a network and an account select logins; who merely became that account is not among them", () => {
  expect(matches({ source: "198.51.100.0/24" }, {}, from("198.51.100.7"))).toBe(true);
  expect(matches({ source: "198.51.100.0/24" }, {}, from("::ffff:198.51.100.7"))).toBe(true);
  expect(matches({ source: "::ffff:198.51.100.0/120" }, {}, from("198.51.100.7"))).toBe(true);
  expect(matches({ source: "198.51.100.0/24" }, {}, from("198.51.101.7"))).toBe(false);
  expect(matches({ source: "2001:db8::/64" }, {}, from("2001:db8::9"))).toBe(true);
  expect(matches({ source: "2001:db8::/64" }, {}, from("198.51.100.7"))).toBe(false);
  expect(matches({ source: "198.51.100.7" }, {})).toBe(false);
  expect(matches({ user: "root" }, { uid: 1000 }, from("198.51.100.7"))).toBe(true);
  expect(matches({ user: "1000" }, { uid: 1000 }, from("198.51.100.7"))).toBe(false);
  expect(matches({ user: "1000" }, { uid: 1000 })).toBe(true);
  expect(matches({ user: "root", source: "203.0.113.9" }, {}, from("198.51.100.7"))).toBe(false);
});

test("a command pattern is held against what was executed, whatever it called itself", () => {
  const rsync = { executable: text("/usr/bin/rsync"), args: [text("x"), text("--server"), text("/a")] };
  expect(matches({ command: "/usr/bin/rsync" }, rsync)).toBe(true);
  expect(matches({ command: "*/rsync --server *" }, rsync)).toBe(true);
  expect(matches({ command: "*/rsync --daemon*" }, rsync)).toBe(false);
  expect(matches({ command: "/usr/bin/rsync" }, { executable: text("/tmp/evil"), args: [text("/usr/bin/rsync")] })).toBe(false);
});

test("a file of a package is unchanged by the console's list alone, and not once it was written to", () => {
  const state = emptyState();
  const runs = process({ executable: text("/usr/bin/rsync"), unit: text("backup.service") });
  const match = () => matcher({ package: "unchanged", unit: "backup.service" })(state, runs);
  expect(match()).toBe(false); // nobody looked
  state.owners.set("/usr/bin/rsync", { state: "owned", host: "same", package: text("rsync"), at: 0 });
  expect(match()).toBe(false); // the host's own word
  for (const compared of ["differs", "unlisted", "other-version"] as const) {
    state.owners.set("/usr/bin/rsync", { state: "owned", host: "same", console: compared, at: 0 });
    expect(match()).toBe(false);
  }
  state.owners.set("/usr/bin/rsync", { state: "owned", host: "same", console: "same", at: 0 });
  expect(match()).toBe(true);
  state.binaries.set("/usr/bin/rsync", {
    path: text("/usr/bin/rsync"),
    number: 1,
    writers: [],
    runners: [],
    runs: 1,
    rewritten: true,
    deleted: false,
    first: 0,
    standing: "unknown",
  });
  expect(match()).toBe(false);
});

test("units and containers are read from the cgroup, innermost first", () => {
  const id = "a".repeat(64);
  expect(placeIn("/system.slice/nginx.service")).toEqual({ unit: "nginx.service" });
  expect(placeIn(`/system.slice/docker-${id}.scope`)).toEqual({ container: id, runtime: "docker" });
  expect(placeIn(`/docker/${id}/system.slice/cron.service`)).toEqual({
    container: id,
    unit: "cron.service",
    runtime: "docker",
  });
  expect(placeIn("/lxc.payload.web/system.slice/nginx.service")).toEqual({
    container: "web",
    unit: "nginx.service",
    runtime: "lxc",
  });
  expect(placeIn("/user.slice/user-0.slice/session-4.scope")).toEqual({ unit: "session-4.scope" });
  expect(placeIn("/")).toEqual({});
  expect(placeIn(`/machine.slice/libpod-${id}.scope/container`)).toEqual({ container: id, runtime: "podman" });
  expect(placeIn(`/machine.slice/libpod-conmon-${id}.scope`)).toEqual({ unit: `libpod-conmon-${id}.scope` }); // it watches, from the host's side
  const pod = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0";
  expect(
    placeIn(
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${pod.replaceAll("-", "_")}.slice/cri-containerd-${id}.scope`,
    ),
  ).toEqual({ container: id, runtime: "containerd", pod });
  expect(placeIn(`/kubepods/burstable/pod${pod}/${id}`)).toEqual({ container: id, pod });
  expect(placeIn(`/constructor/${id}`)).toEqual({ container: id });
  expect(matches({ container: id.slice(0, 12) }, { container: text(id) })).toBe(true);
});

test("a container is told by its name, its short id and its image; what is not known of it is not made up", () => {
  const id = text("5e".repeat(32));
  expect(containerWords(id, undefined)).toBe("5e5e5e5e5e5e");
  expect(containerWords(id, { id, name: text("web"), image: text("nginx:1.25"), runtime: "docker" })).toBe(
    "web (5e5e5e5e5e5e), docker, image nginx:1.25",
  );
  expect(containerWords("web", { id: text("web"), runtime: "lxc" })).toBe("web, lxc");
  expect(containerWords(id, { id, name: text("x".repeat(500)) }).length).toBeLessThan(120);
});

test("what cannot be a selector is refused in words", () => {
  for (const source of [
    "198.51.100.0/33",
    "198.51.100",
    "127.1",
    "0x7f.0.0.1",
    "::1/129",
    "1.2.3.4/",
    "1.2.3.4/8/8",
    "fe80::1%eth0",
    "host",
    "",
  ])
    expect([source, selectorProblem({ source })]).not.toEqual([source, undefined]);
  expect(networkProblem("0.0.0.0/0")).toBe('"0.0.0.0/0" is every address there is');
  expect(networkProblem("198.51.100.0/33")).toBe('"/33" is no length of a network: it is a number from 0 to 32');
  expect(selectorProblem({})).toBe("it selects nothing");
  expect(selectorProblem({ package: "unchanged" })).toMatch(/says nothing of who runs it/);
  expect(selectorProblem({ package: "unchanged", unit: "cron.service" })).toBeUndefined();
  expect(selectorProblem({ command: "rsync" })).toMatch(/begins with/);
  expect(selectorProblem({ sha256: "abc" })).toMatch(/64/);
  expect(selectorProblem({ source: "2001:db8::/64" })).toBeUndefined();
});

test("a pattern means what a regular expression made of it means, and is quick whatever the host writes", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "/", ".", "*", "?"), { maxLength: 12 }).map((all) => all.join(""));
  fc.assert(
    fc.property(letters, letters, (value, pattern) => {
      const source = [...pattern].map((c) => (c === "*" ? "[^]*" : c === "?" ? "[^]" : c.replace(/[/.]/, "\\$&"))).join("");
      expect(fits(value, pattern)).toBe(new RegExp(`^${source}$`).test(value));
    }),
    { numRuns: 2000 },
  );
  expect(fits("a".repeat(4096), `${"*a".repeat(400)}b`)).toBe(false);
});
