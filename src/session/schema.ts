import { z } from "zod";
import type { StakeoutEvent } from "#model/event";
import { isPlainlyEvent } from "./check-event.ts";

const text = z.string();
const tty = z.looseObject({ char_device: z.looseObject({ major: z.number(), minor: z.number() }) });
const endpoint = z.looseObject({ ip: text, port: z.number().optional() });
/** What the reduce relies on; every other key is kept as it is. */
export const eventSchema = z.looseObject({
  "@timestamp": text,
  event: z.looseObject({
    action: text,
    category: z.array(text),
    type: z.array(text),
    sequence: z.number(),
    created: text,
    kind: text,
  }),
  host: z.looseObject({ id: text, name: text }),
  process: z
    .looseObject({
      entity_id: text,
      pid: z.number().optional(),
      name: text.optional(),
      executable: text.optional(),
      start: text.optional(),
      args: z.array(text).optional(),
      env_vars: z.array(text).optional(),
      tty: tty.optional(),
      cgroup: text.optional(),
      vpid: z.number().optional(),
      parent: z.looseObject({ entity_id: text }).optional(),
      entry_leader: z.looseObject({ entity_id: text, entry_meta: z.looseObject({ type: text, source: endpoint.optional() }) }).optional(),
    })
    .optional(),
  source: endpoint.optional(),
  destination: endpoint.optional(),
  user: z.looseObject({ id: text.optional(), name: text.optional() }).optional(),
  network: z.looseObject({}).optional(),
  file: z
    .looseObject({ path: text, hash: z.looseObject({ sha256: text, sha1: text.optional(), md5: text.optional() }).optional() })
    .optional(),
  package: z.looseObject({ name: text, version: text.optional() }).optional(),
  container: z
    .looseObject({
      id: text,
      name: text.optional(),
      runtime: text.optional(),
      image: z.looseObject({ name: text }).optional(),
    })
    .optional(),
  stakeout: z.looseObject({
    schema: z.number(),
    session: text,
    sensor: text,
    tier: text,
    prev: text,
    unseen: z.record(text, text).optional(),
    analyst: text.optional(),
    note: text.optional(),
    subject: z.looseObject({ kind: text, id: text }).optional(),
    claim: text.optional(),
    confirmation: z.looseObject({ needed: z.number(), given: z.number() }).optional(),
    joined: z.looseObject({ seat: text, role: text, key: text.optional(), address: text.optional() }).optional(),
    left: z.looseObject({ seat: text }).optional(),
    handover: z.looseObject({ from: text, to: text }).optional(),
    rule: z.looseObject({ people: z.number() }).optional(),
    access: z
      .looseObject({
        how: text,
        signal: z.number().optional(),
        target: z.looseObject({ entity_id: text }).optional(),
        secret: text.optional(),
      })
      .optional(),
    secret: z
      .looseObject({ kind: text, fingerprint: text.optional(), cipher: text.optional(), hosts: z.array(text).optional() })
      .optional(),
    finding: z
      .looseObject({
        id: text,
        rule: text,
        title: text,
        level: text,
        technique: z.array(text),
        entities: z.array(text),
        path: text.optional(),
        exposes: z.array(text).optional(),
        by: z.looseObject({ pid: z.number(), name: text }).optional(),
      })
      .optional(),
    tag: z
      .looseObject({
        id: text,
        verdict: text,
        reason: text,
        selector: z.looseObject({
          login: text.optional(),
          process: text.optional(),
          user: text.optional(),
          source: text.optional(),
          sha256: text.optional(),
          package: text.optional(),
          unit: text.optional(),
          container: text.optional(),
          cron: text.optional(),
          command: text.optional(),
        }),
        scope: text.optional(),
        hides_flagged: z.boolean().optional(),
        effect: z
          .looseObject({ logins: z.number(), processes: z.number(), connections: z.number(), binaries: z.number(), flagged: z.number() })
          .optional(),
        kept: z.looseObject({ since: text, analyst: text }).optional(),
      })
      .optional(),
    command: z
      .looseObject({
        id: text,
        line: text,
        exit_code: z.number().optional(),
        ended: text.optional(),
        bytes: z.number().optional(),
        output: text.optional(),
        file: text.optional(),
        sha256: text.optional(),
        error: text.optional(),
      })
      .optional(),
    response: z
      .looseObject({
        id: text,
        kind: text,
        outside_scope: z.looseObject({ scope: z.array(text), reason: text }).optional(),
        steps: z.array(z.looseObject({ name: text, milliseconds: z.number() })).optional(),
        keeps: text.optional(),
        on_disk: z.array(text).optional(),
        target: text.optional(),
        undoes: text.optional(),
        replaced_by: text.optional(),
        compared: z.looseObject({ against: text, same: z.array(text), differs: z.array(text) }).optional(),
        modules_loaded: z.array(text).optional(),
      })
      .optional(),
    report: z.looseObject({ blind: z.array(text).optional() }).optional(),
    isolation: z
      .looseObject({
        holds: z.boolean(),
        wrong: z.array(text).optional(),
        verified: text.optional(),
        out: z.number().optional(),
        dropped: z.number().optional(),
        guard: text,
        boot: text.optional(),
        put_back: z.number(),
      })
      .optional(),
    evidence: z.looseObject({ what: text, file: text, sha256: text, bytes: z.number(), complete: z.boolean() }).optional(),
    card: z
      .looseObject({
        analyst: text,
        scope: z.array(text).optional(),
        authorised_by: text.optional(),
        ticket: text.optional(),
        notes: text.optional(),
      })
      .optional(),
    lookback: z
      .looseObject({
        kind: text,
        from: z.array(text),
        count: z.number(),
        text: text.optional(),
        tty: text.optional(),
        methods: z.array(text).optional(),
        keys: z.array(text).optional(),
      })
      .optional(),
    looked: z.looseObject({ more: z.record(text, z.number()), blind: z.array(text) }).optional(),
    inventory: z.looseObject({ category: text, items: z.array(z.looseObject({ id: text, name: text, detail: text })) }).optional(),
    origin: z.looseObject({ type: text, login: text.optional() }).optional(),
    login: z
      .looseObject({
        from: z.array(text),
        method: text.optional(),
        key: text.optional(),
        audit: z.looseObject({ loginuid: z.number().optional(), session: z.number().optional() }).optional(),
        contradicts: z.array(text).optional(),
      })
      .optional(),
    sockets: z
      .looseObject({
        items: z.array(
          z.looseObject({
            path: text,
            type: text,
            listening: z.boolean(),
            connections: z.number(),
            processes: z.array(z.looseObject({ pid: z.number(), entity_id: text.optional(), name: text.optional() })),
          }),
        ),
        unnamed: z.number(),
        more: z.number(),
        why: text.optional(),
      })
      .optional(),
    ownership: z
      .looseObject({
        state: text,
        manager: text.optional(),
        host: text.optional(),
        console: text.optional(),
        file: text.optional(),
        why: text.optional(),
      })
      .optional(),
    hashed: z.looseObject({ by: text, bytes: z.number(), size: z.number().optional() }).optional(),
    script: z.looseObject({ path: text, random: z.number().optional(), flags: z.array(text).optional() }).optional(),
    names: z.looseObject({ items: z.array(text), why: text.optional() }).optional(),
    known: z.looseObject({ verdict: z.enum(["bad", "good"]), list: text, words: text.optional(), by: text.optional() }).optional(),
    binary: z
      .looseObject({
        random: z.number().optional(),
        flags: z.array(text).optional(),
        moved_from: text.optional(),
        mount: z
          .looseObject({
            point: text.optional(),
            type: text.optional(),
            source: text.optional(),
            root: z.boolean().optional(),
            detached: z.boolean().optional(),
          })
          .optional(),
        program: z
          .looseObject({
            bits: z.number().optional(),
            linked: text.optional(),
            interpreter: text.optional(),
            stripped: z.boolean().optional(),
            sections: z.boolean().optional(),
            build_id: text.optional(),
            made_by: text.optional(),
            packer: text.optional(),
            entropy: z.number().optional(),
          })
          .optional(),
        package: z.looseObject({ name: text, unchanged: z.boolean() }).optional(),
      })
      .optional(),
  }),
});

/** The event of one line, or what is wrong with the line. */
export function parseEvent(line: string): StakeoutEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  if (isPlainlyEvent(value)) return value as StakeoutEvent;
  const result = eventSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    return `it is no event: ${issue?.path.join(".") || "the line"}: ${issue?.message}`;
  }
  return result.data as unknown as StakeoutEvent;
}
