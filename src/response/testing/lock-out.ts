import type { Range } from "#range/range";
import { sections } from "../isolation/facts/parse.ts";
import { parseState, stateScript } from "../isolation/facts/state.ts";
import { prepareIsolation } from "../isolation/prepare.ts";
import { clear } from "./clear.ts";
import { connectRange } from "./range-host.ts";

/** What the way of an analyst into an isolated host depends on. */
const DIMENSIONS = {
  account: ["root", "sudo"],
  ip: ["v4", "v6"],
  /** A jump host is whom the host sees: the analyst's own address is not known to it. */
  from: ["on-link", "routed", "jump host"],
  /** Three: two more, with addresses, and policy routing by source. */
  nics: ["one NIC", "three NICs"],
  method: ["nft inet+netdev", "iptables-nft", "iptables-legacy", "routes"],
  cut: ["cut before", "cut during", "cut after"],
} as const;

export type Cell = { readonly [K in keyof typeof DIMENSIONS]: (typeof DIMENSIONS)[K][number] };

export const cellName = (cell: Cell): string => Object.values(cell).join(", ");

/** Every cell: each value with each other of all. */
export function allCells(): Cell[] {
  let cells: Record<string, string>[] = [{}];
  for (const [key, values] of Object.entries(DIMENSIONS))
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [key]: value })));
  return cells as Cell[];
}

/** As few cells as a greedy choice needs for each pair of values to be in one. */
export function pairwise(): Cell[] {
  const pairs = (cell: Cell) => {
    const entries = Object.entries(cell).map(([key, value]) => `${key}=${value}`);
    return entries.flatMap((one, i) => entries.slice(i + 1).map((other) => `${one} ${other}`));
  };
  const cells = allCells();
  const open = new Set(cells.flatMap(pairs));
  const chosen: Cell[] = [];
  while (open.size > 0) {
    const gain = (cell: Cell) => pairs(cell).filter((pair) => open.has(pair)).length;
    const best = cells.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    chosen.push(best);
    for (const pair of pairs(best)) open.delete(pair);
  }
  return chosen;
}

/**
 * Isolates the host as the cell says, loses the analyst's connection at its moment, and gives what is wrong then: nothing, when the
 * analyst gets back in, the host is isolated only where access was proven, and a release leaves the network as it was.
 */
export async function lockOut(range: Range, cell: Cell): Promise<string | undefined> {
  const places = { "on-link": range.netns.analyst, routed: range.netns.intruder, "jump host": range.netns.responders[0] };
  const netns = places[cell.from];
  const [user, sudo] = cell.account === "root" ? ["root", false] : ["ops", true];
  const way = { netns, user, sudo, v6: cell.ip === "v6" };
  if (cell.nics === "three NICs") await addNics(range);
  const before = await stateOf(range);
  const host = await connectRange(range, way);
  try {
    const plan = await prepareIsolation(host.runner, {
      analyst: "jm",
      session: "matrix",
      method: cell.method,
      want: "isolate",
      deadManSeconds: cell.cut === "cut during" ? 3 : 60,
    });
    if (cell.cut === "cut before") host.vanish();
    const lost = async () => {
      host.vanish();
      return { ok: false, milliseconds: 1, error: "the console vanished" };
    };
    const done = await plan.execute({ probeAccess: cell.cut === "cut after" ? host.probeAccess : lost });
    host.vanish();
    if (done.ok !== (cell.cut === "cut after")) return `isolating ended with ok=${done.ok}: ${done.error ?? "no reason"}`;
    if (!(await backIn(() => host.login(netns, range.keyFile, user as string, "exit 0")))) return "the analyst did not get back in";
    const again = await connectRange(range, way);
    try {
      if (cell.cut === "cut after") {
        const release = await prepareIsolation(again.runner, { analyst: "jm", session: "matrix", before });
        if (release.kind !== "release") return "the isolation did not stay";
        const released = await release.execute({ probeAccess: again.probeAccess });
        release.dispose();
        if (!released.ok) return `the release failed: ${released.error}`;
      }
      return await settled(range, before);
    } finally {
      again.vanish();
    }
  } finally {
    host.vanish();
    await clear(range);
    if (cell.nics === "three NICs") await removeNics(range);
  }
}

/** Polls for as long as a dead man may take, and then some. */
async function backIn(login: () => Promise<{ code: number | null }>): Promise<boolean> {
  for (const end = performance.now() + 30_000; performance.now() < end; ) {
    if ((await login()).code === 0) return true;
  }
  return false;
}

/** Whether the network is as before: a dead man may still be at work. */
async function settled(range: Range, before: Awaited<ReturnType<typeof stateOf>>): Promise<string | undefined> {
  let wrong = "";
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    const after = await stateOf(range);
    const different = (Object.keys(before) as (keyof typeof before)[]).filter((key) => before[key] !== after[key]);
    if (different.length === 0) return undefined;
    wrong = different.map((key) => `${key}:\n${before[key]}\n--- now\n${after[key]}`).join("\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return `the network is not as it was: ${wrong}`;
}

async function stateOf(range: Range) {
  const script = `s() { printf '\\nmatrix %s\\n' "$1"; }\n${stateScript("", "")}\n`;
  const found = sections((await range.onHost(["sh", "-c", script])).stdout, "matrix");
  return parseState((name) => found.get(name));
}

async function addNics(range: Range): Promise<void> {
  const { address, address6 } = range.host;
  const gateway = "$(ip -4 route show default | sed 's/.*via \\([^ ]*\\).*/\\1/')";
  const gateway6 = "$(ip -6 route show default | sed 's/.*via \\([^ ]*\\).*/\\1/')";
  const nics = ["mgmt", "stor"].map(
    (name, i) =>
      `ip link add ${name} type bridge; ip link set ${name} addrgenmode none; ip addr add 10.98.${i}.2/24 dev ${name}; ip link set ${name} up`,
  );
  const policy = [
    `ip -4 route add default via ${gateway} dev eth0 table 100`,
    `ip -4 rule add pref 500 from ${address} lookup 100`,
    `ip -6 route add default via ${gateway6} dev eth0 table 100`,
    `ip -6 rule add pref 500 from ${address6} lookup 100`,
  ];
  const made = await range.onHost(["sh", "-ec", [...nics, ...policy].join("\n")]);
  if (made.code !== 0) throw new Error(`The host's NICs could not be made: ${made.stderr}`);
}

async function removeNics(range: Range): Promise<void> {
  await range.onHost(["sh", "-c", "ip link del mgmt; ip link del stor; ip -4 route flush table 100; ip -6 route flush table 100"]);
}
