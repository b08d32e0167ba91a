import { createHash } from "node:crypto";
import type { HostString } from "#model/host-string";
import { SET_UP_CATEGORIES, type SetUp, type SetUpCategory } from "#model/past";
import { address } from "../wire.ts";
import type { Answer, Item } from "./answer.ts";

/** Things of one set-up that are kept. */
const MOST = 6000;

/** How the host is set up, each thing once, by its id. Two looks at the same host, or at two hosts, are compared by these. */
export function inventoryOf({ items }: Pick<Answer, "items">): SetUp[] {
  const found = new Map<string, SetUp>();
  for (const item of items) {
    const thing = thingOf(item);
    if (thing && !found.has(thing.id) && found.size < MOST) found.set(thing.id, thing);
  }
  return [...found.values()];
}

function thingOf({ category, name, detail }: Item): SetUp | undefined {
  const known = SET_UP_CATEGORIES.find((one) => one === category);
  if (known === undefined) return undefined;
  const of = (text: string, about: string, id = `${text} ${about}`): SetUp => ({
    category: known,
    id: `${known} ${id}`,
    name: text as HostString,
    detail: about as HostString,
  });
  if (known === "key") {
    const key = authorizedKey(detail);
    return of(`${name}: ${key.fingerprint}`, key.about);
  }
  if (known === "module") return of(name, "", name);
  if (known === "listener" || known === "connection") return socketOf(known, name, detail, of);
  return of(name, detail);
}

type Make = (text: string, about: string, id?: string) => SetUp;

/** "tcp 7f000001 22": an address as the kernel's table has it. A port of the ephemeral range names nothing that will be there tomorrow. */
function socketOf(category: SetUpCategory, name: string, program: string, make: Make): SetUp | undefined {
  const [transport, ...rest] = name.split(" ");
  try {
    const [local, port, far, farPort] = [address(rest[0]), rest[1], rest[2], rest[3]];
    const at = local.includes(":") ? `[${local}]` : local;
    if (category === "listener") return make(`${transport} ${at}:${port}`, program);
    const there = address(far);
    const outward = Number(port) >= 32_768 || Number(farPort) < 1024;
    return outward
      ? make(`${transport} to ${there.includes(":") ? `[${there}]` : there}:${farPort}`, program)
      : make(`${transport} from ${there} to port ${port}`, program);
  } catch {
    return undefined; // no address: whoever wrote it, it is nothing that we could show
  }
}

const KINDS = /(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s+(.*))?$/;

/** A line of authorized_keys (sshd(8)) as fingerprint, kind, comment and options; what is no key is told as it stands. */
export function authorizedKey(line: string): { fingerprint: string; about: string } {
  const match = KINDS.exec(line);
  if (!match) return { fingerprint: "not a key", about: line };
  const [, kind, blob = "", comment = ""] = match;
  const fingerprint = `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
  const options = line.slice(0, match.index).trim();
  return { fingerprint, about: [kind, comment, options].filter(Boolean).join(" ") };
}

/** What is in `now` and was not `before`, and the other way round. */
export function inventoryDiff(before: ReadonlyMap<string, SetUp>, now: readonly SetUp[]): { added: SetUp[]; removed: SetUp[] } {
  const ids = new Set(now.map(({ id }) => id));
  return { added: now.filter(({ id }) => !before.has(id)), removed: [...before.values()].filter(({ id }) => !ids.has(id)) };
}
