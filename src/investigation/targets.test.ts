import { expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { emptyState } from "#state/create";
import type { LoginState, ProcessState, Standing, State } from "#state/state";
import { particulars, suspects } from "./targets.ts";

/** sshd (100) serves us (200) and an intruder (300), who runs sh (301) and below it a beacon (302). */
function night(): State {
  const state = emptyState();
  const add = (pid: number, name: string, parent: number | undefined, standing: Standing, login?: number) => {
    const id = `B:${pid}:${pid * 1e9}`;
    const parentId = parent === undefined ? undefined : `B:${parent}:${parent * 1e9}`;
    state.processes.set(id, {
      id,
      pid,
      name: name as HostString,
      children: new Set(),
      start: pid,
      standing,
      ...(parentId ? { parent: parentId } : {}),
      ...(login === undefined ? {} : { login: `B:${login}:${login * 1e9}` }),
    } as ProcessState);
    state.pids.set(pid, id);
    if (parentId) state.processes.get(parentId)?.children.add(id);
  };
  add(100, "sshd", undefined, "unknown");
  add(200, "sshd", 100, "responder", 200);
  add(300, "sshd", 100, "intruder", 300);
  add(301, "sh", 300, "intruder", 300);
  add(302, "xq7", 301, "intruder", 300);
  const login = (pid: number, ours: boolean, standing: Standing) =>
    state.logins.set(`B:${pid}:${pid * 1e9}`, { id: `B:${pid}:${pid * 1e9}`, type: "sshd", ours, standing } as LoginState);
  login(200, true, "responder");
  login(300, false, "intruder");
  return state;
}

test("suspects are what runs and is judged so, the newest first; the sshd that serves them is left alone", () => {
  expect(suspects(night())).toEqual([
    { pid: 302, startTicks: 30_200, name: "xq7" },
    { pid: 301, startTicks: 30_100, name: "sh" },
  ]);
});

test("a process is taken with all below it, the parents first", () => {
  const found = particulars(night(), { response: "suspend", on: { process: "B:301:301000000000" } });
  expect(found).toMatchObject({
    kind: "suspend",
    more: { processes: [{ pid: 301 }, { pid: 302 }], target: "sh (301) and all below it (2)" },
  });
});

test("nothing of ours is stopped or blocked, nor what our way in comes from", () => {
  const state = night();
  for (const on of [{ process: "B:100:100000000000" }, { process: "B:200:200000000000" }])
    expect(particulars(state, { response: "kill", on })).toMatch(/it is ours/);
  expect(particulars(state, { response: "kill", on: { login: "B:200:200000000000" } })).toMatch(/own login/);
  expect(particulars(state, { response: "block", on: { group: "B:100:100000000000" } })).toMatch(/ours/);
});

test("only what stands is taken back, and once", () => {
  const state = night();
  const undo = { response: "unblock", undoes: "r1" } as const;
  expect(particulars(state, undo)).toMatch(/nothing/);
  state.responses.set("r1", { id: "r1", kind: "block", phase: "succeeded", analyst: "jm", at: 0, undo: "nft delete …" });
  expect(particulars(state, undo)).toMatchObject({ kind: "unblock", more: { undoes: { id: "r1", undo: "nft delete …" } } });
  state.responses.set("r1", { id: "r1", kind: "block", phase: "succeeded", analyst: "jm", at: 0, undo: "x", undone: "r2" });
  expect(particulars(state, undo)).toMatch(/already/);
});
