import { createHash } from "node:crypto";
import { z } from "zod";
import { networkProblem, selectorProblem } from "#state/criteria";

/** Text that has to fulfil something; `problem` says in words what it does not. */
const checked = (what: string, problem: (text: string) => string | undefined, most = 1000) =>
  z
    .string({ error: `${what} is text` })
    .min(1, `${what} is empty`)
    .max(most, `${what} has at most ${most} characters`)
    .superRefine((text, context) => {
      const message = problem(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    });
const name = checked("a name", () => undefined, 80);

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
/** A line of authorized_keys or a .pub file: type, key in base64 (RFC 4253, 6.6), comment. */
const PUBLIC = /^(?:ssh-|ecdsa-|sk-)\S+ +([A-Za-z0-9+/]+=*)(?: .*)?$/;
/** A key by its fingerprint, as `ssh-keygen -l` shows it; a public key is given its own. */
const key = checked(
  "a key",
  (text) =>
    FINGERPRINT.test(text) || PUBLIC.test(text)
      ? undefined
      : "a key is written as its fingerprint (SHA256:…, ssh-keygen -l) or as a line of a .pub file",
  16_384,
).transform((text) => {
  const blob = PUBLIC.exec(text)?.[1];
  if (blob === undefined) return text;
  return `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
});

const value = checked("it", () => undefined);
const criteria = z
  .strictObject({
    user: z.union([value, z.number().int().nonnegative().transform(String)], { error: "a user is a name or a numeric id" }).optional(),
    source: checked("an address", networkProblem).optional(),
    sha256: value.optional(),
    package: z.literal("unchanged", { error: 'package can only be "unchanged"' }).optional(),
    unit: value.optional(),
    container: value.optional(),
    cron: value.optional(),
    command: value.optional(),
  })
  .superRefine((given, context) => {
    const message = given.source !== undefined && networkProblem(given.source) !== undefined ? undefined : selectorProblem(given as never);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
const verdict = z.enum(["responder", "known-good", "suspect", "intruder"], {
  error: "a verdict is responder, known-good, suspect or intruder",
});
const reason = checked("a reason", () => undefined, 500);

const list = <T extends z.ZodType>(of: T, what: string, most: number) =>
  z
    .array(of, { error: `${what} is a list` })
    .max(most, `${what} has at most ${most} entries`)
    .default([]);

/** A profile of the team: src/model/profile.ts. */
export const profileSchema = z.strictObject({
  analysts: list(
    z.strictObject({
      name,
      keys: list(key, "keys", 50),
      addresses: list(checked("an address", networkProblem), "addresses", 200),
      users: list(name, "users", 50),
    }),
    "analysts",
    200,
  ),
  customer: list(checked("an address", networkProblem), "customer", 200),
  tools: list(
    checked("a tool", (text) => selectorProblem({ command: text })),
    "tools",
    500,
  ),
  tags: list(z.strictObject({ verdict, selector: criteria, reason }), "tags", 200),
});

/** Tags that hold on one host in every session: decided there, kept here. */
export const hostSchema = z.strictObject({
  host: name.optional(),
  tags: list(
    z.strictObject({ verdict, selector: criteria, reason, analyst: name, since: name, hides_flagged: z.literal(true).optional() }),
    "tags",
    200,
  ),
});
