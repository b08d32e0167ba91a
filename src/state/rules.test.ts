import fc from "fast-check";
import { expect, test } from "vitest";
import type { Criteria } from "#model/event";
import { text } from "#testing/events";
import { emptyState } from "./create.ts";
import { selectorProblem } from "./criteria.ts";
import { Rules } from "./rules.ts";
import type { BinaryState, LoginState, ProcessState } from "./state.ts";

const USERS = ["root", "eve", "0", "1001"];
const SOURCES = ["198.51.100.7", "198.51.100.0/24", "203.0.113.9", "2001:db8::/64"];
const PROGRAMS = ["/usr/bin/rsync", "/usr/bin/ssh", "/tmp/x"];
const COMMANDS = ["*/rsync", "/usr/bin/*", "*/rsync --server *", "/tmp/?"];
const SHA = ["a".repeat(64), "b".repeat(64)];

const some = <T>(values: readonly T[]) => fc.constantFrom(...values);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

const every = fc.record({
  user: some(USERS),
  source: some(SOURCES),
  sha256: some(SHA),
  unit: some(["ssh.service", "cron.service"]),
  cron: some(["/tmp/x"]),
  command: some(COMMANDS),
});
/** One of these, or two. */
const criteria = fc
  .tuple(every, fc.subarray(["user", "source", "sha256", "unit", "cron", "command"] as const, { minLength: 1, maxLength: 2 }))
  .map(([all, names]) => Object.fromEntries(names.map((name) => [name, all[name]])) as Criteria)
  .filter((one) => selectorProblem(one) === undefined);

const login = fc.record({
  id: some(["B:1:1", "B:2:2"]),
  user: maybe(fc.record({ id: some(["0", "1001"]), name: some(["root", "eve"].map(text)) })),
  source: maybe(some(["198.51.100.7", "198.51.100.8", "203.0.113.9", "2001:db8::5"]).map((ip) => ({ ip }))),
});
const process = fc.record({
  login: maybe(some(["B:1:1", "B:2:2", "B:3:3"])),
  uid: maybe(some([0, 1001])),
  executable: maybe(some(PROGRAMS.map(text))),
  args: maybe(some([["x", "--server", "/a"].map(text)])),
  unit: maybe(some(["ssh.service"])),
  cron: maybe(some(["/tmp/x"].map(text))),
});
/** What happens between two questions: somebody is known better, a file is another one. */
const learned = fc.oneof(
  fc.record({ login }),
  fc.record({ uid: some([0, 1001]), name: some(["root", "eve"].map(text)) }),
  fc.record({ path: some(PROGRAMS), sha256: some(SHA), rewritten: fc.boolean() }),
);

test("which rules fit is what each of them says for itself, whatever was asked before and whatever was learned since", () => {
  let fitted = 0;
  fc.assert(
    fc.property(
      fc.array(criteria, { maxLength: 12, size: "max" }),
      fc.array(fc.oneof(fc.record({ process }), fc.record({ learned })), { maxLength: 30, size: "max" }),
      (all, steps) => {
        const rules = new Rules(
          all.map((selector, i) => ({ tag: { id: `t${i}`, verdict: "responder", selector, reason: "r" }, criteria: selector })),
        );
        const state = emptyState();
        for (const step of steps) {
          if ("learned" in step) {
            const { learned: what } = step;
            if ("login" in what) {
              const known = state.logins.get(what.login.id);
              if (known) Object.assign(known, what.login);
              else state.logins.set(what.login.id, { ...what.login } as LoginState);
            } else if ("uid" in what) state.users.set(what.uid, what.name);
            else state.binaries.set(what.path, { sha256: what.sha256, rewritten: what.rewritten } as BinaryState);
          } else {
            const one = step.process as ProcessState;
            const alone = rules.all.filter(({ match }) => match(state, one));
            fitted += alone.length;
            expect(rules.fitting(state, one)).toEqual(alone);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(fitted).toBeGreaterThan(100);
});

test("rules on a content alone are found by it, whatever its letters' case", () => {
  const [a = "", b = ""] = SHA;
  const selectors: Criteria[] = [{ sha256: a.toUpperCase() }, { sha256: b }, { sha256: a, unit: "ssh.service" }, { sha256: a }];
  const rules = new Rules(
    selectors.map((selector, i) => ({ tag: { id: `t${i}`, verdict: "suspect", selector, reason: "r" }, criteria: selector })),
  );
  expect(rules.ofContent(a).map(({ tag }) => tag.id)).toEqual(["t0", "t3"]);
  expect(rules.ofContent("c".repeat(64))).toEqual([]);
});
