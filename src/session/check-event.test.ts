import fc from "fast-check";
import { expect, test } from "vitest";
import type { z } from "zod";
import { isPlainlyEvent, RARE } from "./check-event.ts";
import { eventSchema } from "./schema.ts";

const said = (value: unknown) => eventSchema.safeParse(value).success;

/** An event with every field that the checker knows: those of the schema but what it leaves to that. */
const WHOLE = {
  "@timestamp": "2026-11-27T21:00:00.000000Z",
  event: { action: "process.start", category: ["process"], type: ["start"], sequence: 1, created: "c", kind: "event", more: null },
  host: { id: "h", name: "n" },
  process: {
    entity_id: "B:1:1",
    pid: 1,
    name: "a",
    executable: "/a",
    start: "s",
    args: ["a", "b"],
    env_vars: ["A=b"],
    cgroup: "/c",
    vpid: 1,
    tty: { char_device: { major: 136, minor: 0 } },
    parent: { entity_id: "B:0:0" },
    entry_leader: { entity_id: "B:0:0", entry_meta: { type: "sshd", source: { ip: "i", port: 1 } } },
  },
  source: { ip: "i", port: 1 },
  destination: { ip: "i", port: 1 },
  user: { id: "0", name: "root" },
  network: { transport: "tcp" },
  file: { path: "/f", hash: { sha256: "h", sha1: "i", md5: "j" } },
  package: { name: "p", version: "1" },
  container: { id: "c", name: "n", runtime: "docker", image: { name: "i" } },
  stakeout: {
    schema: 1,
    session: "s",
    sensor: "x",
    tier: "y",
    prev: "p",
    unseen: { a: "raced" },
    script: { path: "/s", random: 0.5, flags: ["tmp"] },
    binary: { random: 0.5, moved_from: "/g", flags: ["tmp"], package: { name: "p", unchanged: true } },
    analyst: "jm",
    note: "n",
    claim: "mine",
  },
};

/** Every place in a value, as the keys that lead there. */
function places(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, below]) => places(below, [...path, key]))];
}
const PLACES = places(WHOLE);
const GONE = Symbol("gone");

/** A copy with something else, or nothing, at one place. */
function changed(value: unknown, path: readonly string[], into: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return into;
  if (typeof value !== "object" || value === null) return value;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const below = changed(copy[key], rest, into);
  if (below === GONE) delete copy[key];
  else Object.defineProperty(copy, key, { value: below, enumerable: true, configurable: true, writable: true });
  return copy;
}

const anything = fc.oneof(
  fc.constantFrom<unknown>(GONE, null, true, 0, 1.5, -0, Number.POSITIVE_INFINITY, "", "x", [], {}, [""], [1], [null], [[]], { ip: 1 }),
  fc.constant(JSON.parse('{"__proto__":1}')),
  fc.constant(JSON.parse('{"__proto__":"x","constructor":"y"}')),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The names of all fields of a schema, as the keys that lead to each. */
function fields(schema: z.core.$ZodType, path: string[] = []): string[] {
  const { def } = schema._zod as unknown as { def: { type: string; innerType?: z.core.$ZodType; shape?: Record<string, z.core.$ZodType> } };
  if (def.innerType) return fields(def.innerType, path);
  const here = path.length > 0 ? [path.join(".")] : [];
  return def.shape ? [...here, ...Object.entries(def.shape).flatMap(([key, below]) => fields(below, [...path, key]))] : here;
}

test("every field of the schema is one that the checker looks at, or leaves to the schema", () => {
  const rare = new RegExp(`^stakeout\\.(${RARE.join("|")}|binary\\.(?:program|mount))(\\.|$)`);
  const known = new Set(PLACES.map((path) => path.join(".")));
  const all = fields(eventSchema);
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter((field) => !known.has(field) && !rare.test(field))).toEqual([]);
  const binary = { ...WHOLE.stakeout.binary, program: { bits: 64 } };
  expect(isPlainlyEvent({ ...WHOLE, stakeout: { ...WHOLE.stakeout, binary } })).toBe(false);
  const mounted = { ...WHOLE.stakeout.binary, mount: { point: "/", type: "ext4", root: true } };
  expect(isPlainlyEvent({ ...WHOLE, stakeout: { ...WHOLE.stakeout, binary: mounted } })).toBe(false);
  for (const name of RARE)
    for (const value of [{}, 1, null, { id: "x" }])
      expect(isPlainlyEvent({ ...WHOLE, stakeout: { ...WHOLE.stakeout, [name]: value } })).toBe(false);
});

test("the checker by hand and the schema say the same of every change of an event", () => {
  expect([isPlainlyEvent(WHOLE), said(WHOLE)]).toEqual([true, true]);
  for (const path of PLACES)
    for (const into of [GONE, null, true, 1, Number.POSITIVE_INFINITY, "x", [], {}, ["x"], [1]]) {
      const value = changed(WHOLE, path, into);
      expect(isPlainlyEvent(value), `${path.join(".")} = ${String(JSON.stringify(into))}`).toBe(said(value));
    }
});

test("what the checker lets through, the schema lets through, whatever was done to the event", () => {
  let through = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...PLACES), anything), { minLength: 1, maxLength: 4 }), (changes) => {
      let value: unknown = WHOLE;
      for (const [path, into] of changes) value = changed(value, path, into);
      const yes = isPlainlyEvent(value);
      if (yes) through += 1;
      if (yes) expect(said(value)).toBe(true);
    }),
    { numRuns: 5000 },
  );
  expect(through).toBeGreaterThan(100); // else the property would have looked at nothing
});
