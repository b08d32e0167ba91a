import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../machine.ts";
import type { Range } from "../range.ts";
import { type Undo, undoAll } from "../undo.ts";
import { GUEST } from "./guest-files.ts";

/** The range's one wire to a virtual machine: a tap of this name in the router's namespace. */
export const TAP = "vm";

/** What a machine is made of: `undo` takes what `boot` adds to it, `stop` takes all of it back and can be called twice. */
interface Making {
  folder: string;
  undo: Undo[];
  stop(): Promise<void>;
}

/** Makes a machine on the wire, with a folder of its own; what it was made of goes again where `boot` throws. */
export async function onWire<T>(range: Range, boot: (making: Making) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(`${range.sshConfig}.vm-`);
  const undo: Undo[] = [{ what: "a virtual machine's files", run: async () => rmSync(folder, { recursive: true, force: true }) }];
  const stop = () => undoAll(undo.splice(0));
  try {
    undo.push({ what: "the wire to a virtual machine", run: await layWire(range) });
    return await boot({ folder, undo, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lays the wire, with the router at its end; gives what takes it away. */
async function layWire(range: Range): Promise<() => Promise<void>> {
  const router = ["ip", "-n", range.netns.router];
  const wire = [
    `tuntap add ${TAP} mode tap`,
    `link set ${TAP} address ${GUEST.gatewayMac} up`,
    `addr add ${GUEST.gateway}/24 dev ${TAP}`,
    `addr add ${GUEST.gateway6}/64 dev ${TAP} nodad`,
  ];
  await must([...router, "-batch", "-"], wire.join("\n"));
  return async () => void (await must([...router, "link", "del", TAP]));
}

/** In `folder`, what an ssh client needs for the guest as root, with the analyst's key; `hostKey` is the file of the guest's public one. */
export function clientFiles(range: Range, folder: string, hostKey: string): { sshConfig: string; knownHosts: string } {
  const [knownHosts, sshConfig] = [join(folder, "known_hosts"), join(folder, "ssh_config")];
  const [type, blob] = readFileSync(hostKey, "latin1").split(" ");
  writeFileSync(knownHosts, `${GUEST.address},${GUEST.address6} ${type} ${(blob as string).trim()}\n`);
  const config = [
    `Host ${GUEST.name}`,
    `  HostName ${GUEST.address}`,
    "  User root",
    `  IdentityFile ${range.keyFile}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    "",
  ];
  writeFileSync(sshConfig, config.join("\n"));
  return { sshConfig, knownHosts };
}
