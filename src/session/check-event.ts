/**
 * The schema of src/session/schema.ts written out by hand: it allocates nothing, and takes a fifth of the time. It may say yes only to
 * what the schema takes; of what it says no to, the schema has the last word and names what is wrong. A test holds the two together.
 */

type Json = Record<string, unknown>;

const object = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): value is string => typeof value === "string";
/** JSON has no infinity, but 1e999 is read as one. */
const number = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const optionalText = (value: unknown): boolean => value === undefined || typeof value === "string";
const optionalNumber = (value: unknown): boolean => value === undefined || number(value);

function texts(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const one of value) if (typeof one !== "string") return false;
  return true;
}

const endpoint = (value: unknown): boolean => object(value) && text(value["ip"]) && optionalNumber(value["port"]);

function tty(value: unknown): boolean {
  if (!object(value)) return false;
  const device = value["char_device"];
  return object(device) && number(device["major"]) && number(device["minor"]);
}

function entryLeader(value: unknown): boolean {
  if (!object(value) || !text(value["entity_id"])) return false;
  const meta = value["entry_meta"];
  if (!object(meta) || !text(meta["type"])) return false;
  const source = meta["source"];
  return source === undefined || endpoint(source);
}

function process(value: unknown): boolean {
  if (!object(value) || !text(value["entity_id"])) return false;
  if (!optionalNumber(value["pid"]) || !optionalText(value["name"])) return false;
  if (!optionalText(value["executable"]) || !optionalText(value["start"]) || !optionalText(value["cgroup"])) return false;
  if (!optionalNumber(value["vpid"])) return false;
  const { args, env_vars: variables, tty: terminal, parent, entry_leader: leader } = value;
  return (
    (args === undefined || texts(args)) &&
    (variables === undefined || texts(variables)) &&
    (terminal === undefined || tty(terminal)) &&
    (parent === undefined || (object(parent) && text(parent["entity_id"]))) &&
    (leader === undefined || entryLeader(leader))
  );
}

function file(value: unknown): boolean {
  if (!object(value) || !text(value["path"])) return false;
  const hash = value["hash"];
  return hash === undefined || (object(hash) && text(hash["sha256"]) && optionalText(hash["sha1"]) && optionalText(hash["md5"]));
}

function container(value: unknown): boolean {
  if (!object(value) || !text(value["id"]) || !optionalText(value["name"]) || !optionalText(value["runtime"])) return false;
  const image = value["image"];
  return image === undefined || (object(image) && text(image["name"]));
}

function unseen(value: unknown): boolean {
  if (!object(value)) return false;
  for (const key in value) if (typeof value[key] !== "string") return false;
  return true;
}

/** What people decided and what sensors say of themselves is rare, and has many parts: that is the schema's. */
export const RARE = [
  "access",
  "secret",
  "finding",
  "tag",
  "command",
  "response",
  "report",
  "isolation",
  "evidence",
  "card",
  "subject",
  "confirmation",
  "joined",
  "left",
  "handover",
  "rule",
  "lookback",
  "looked",
  "inventory",
  "origin",
  "login",
  "ownership",
  "hashed",
  "names",
  "sockets",
  "known",
] as const;

const IS_RARE: ReadonlySet<string> = new Set(RARE);

function stakeout(value: unknown): boolean {
  if (!object(value) || !number(value["schema"]) || !text(value["session"])) return false;
  if (!text(value["sensor"]) || !text(value["tier"]) || !text(value["prev"])) return false;
  for (const name in value) if (IS_RARE.has(name)) return false;
  const { unseen: why, binary, script } = value;
  if (!optionalText(value["analyst"]) || !optionalText(value["note"]) || !optionalText(value["claim"])) return false;
  if (script !== undefined && !scriptFacts(script)) return false;
  return (why === undefined || unseen(why)) && (binary === undefined || binaryFacts(binary));
}

const optionalTexts = (value: unknown): boolean => value === undefined || texts(value);

const scriptFacts = (value: unknown): boolean =>
  object(value) && text(value["path"]) && optionalNumber(value["random"]) && optionalTexts(value["flags"]);

function binaryFacts(value: unknown): boolean {
  if (!object(value) || !optionalNumber(value["random"]) || !optionalTexts(value["flags"])) return false;
  if (!optionalText(value["moved_from"])) return false;
  if (value["program"] !== undefined || value["mount"] !== undefined) return false; // one for each new file: that is the schema's
  const owner = value["package"];
  return owner === undefined || (object(owner) && text(owner["name"]) && typeof owner["unchanged"] === "boolean");
}

/** True for an event of the schema. False says nothing yet: the schema decides. */
export function isPlainlyEvent(value: unknown): boolean {
  if (!object(value) || !text(value["@timestamp"])) return false;
  const { event, host, process: subject, source, destination, user, network, file: path, package: owner, container: box } = value;
  if (!object(event) || !text(event["action"]) || !text(event["created"]) || !text(event["kind"])) return false;
  if (!number(event["sequence"]) || !texts(event["category"]) || !texts(event["type"])) return false;
  return (
    object(host) &&
    text(host["id"]) &&
    text(host["name"]) &&
    stakeout(value["stakeout"]) &&
    (subject === undefined || process(subject)) &&
    (source === undefined || endpoint(source)) &&
    (destination === undefined || endpoint(destination)) &&
    (user === undefined || (object(user) && optionalText(user["id"]) && optionalText(user["name"]))) &&
    (network === undefined || object(network)) &&
    (path === undefined || file(path)) &&
    (box === undefined || container(box)) &&
    (owner === undefined || (object(owner) && text(owner["name"]) && optionalText(owner["version"])))
  );
}
