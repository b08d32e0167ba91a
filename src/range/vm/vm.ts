import { readFileSync } from "node:fs";
import type { Ran } from "../machine.ts";
import type { Range } from "../range.ts";
import { GUEST } from "./guest-files.ts";
import type { Kernel } from "./kernels.ts";
import { startQemu } from "./qemu.ts";
import { prepareVm, type VmOptions, within } from "./saved.ts";
import { clientFiles, onWire, TAP } from "./wire.ts";

/** A suspect host that is a virtual machine with a kernel of its own, on a wire behind the range's router. */
export interface Vm {
  host: { name: string; address: string; address6: string };
  /** An ssh_config(5) file in which `vmbox` is this host; accounts and the analyst's key are as on the range's other host. */
  sshConfig: string;
  knownHosts: string;
  /** /proc/sys/kernel/random/boot_id as the guest has it now, or is to have again after {@link reboot}. */
  bootId: string;
  /** Runs shell text as root in the guest, not by ssh: ground truth for tests. A code that is not 0 is returned, not thrown. */
  run(script: string, options?: { input?: string; timeoutMs?: number }): Promise<Ran>;
  /** Has it boot anew, by its own init, on the disk as it is; resolves with the new boot id once its services are up. */
  reboot(): Promise<string>;
  /** Shuts it down by its own init; resolves when the power is off. */
  shutDown(): Promise<void>;
  /** Pulls the plug and removes what it was made of; can be called twice. */
  stop(): Promise<void>;
}

/** Restoring takes two seconds, a boot 20 to 40: see saved.ts for the patience. */
const RESTORE_MS = 120_000;
const BOOT_MS = 400_000;

/**
 * Goes on from a saved guest (see {@link prepareVm}), on a throw-away disk, with the range's keys; one at a time in a range. From it the
 * range's own networks can be reached and nothing else. Whoever calls stops it before the range.
 */
export async function startVm(range: Range, kernel: Kernel, options: VmOptions = {}): Promise<Vm> {
  const saved = await prepareVm(kernel, options);
  return onWire(range, async ({ folder, undo, stop }) => {
    const qemu = await startQemu({ ...saved, folder, into: range.inNetns(range.netns.router, []), tap: TAP });
    undo.push({
      what: "a virtual machine",
      run: async () => {
        qemu.agent.close();
        await qemu.kill();
      },
    });
    const ready = await within("return", RESTORE_MS, qemu, qemu.agent.run(READY, { input: keysOf(range), timeoutMs: RESTORE_MS }));
    if (ready.code !== 0) throw new Error(`the virtual machine did not come back: ${ready.stderr}; ${qemu.told()}`);
    const vm: Vm = {
      host: { name: GUEST.name, address: GUEST.address, address6: GUEST.address6 },
      ...clientFiles(range, folder, saved.hostKey),
      bootId: ready.stdout.trim(),
      run: (script, how) => qemu.agent.run(script, how),
      async reboot() {
        const known = qemu.agent.boots.length;
        await qemu.agent.leave("systemctl --no-block reboot");
        vm.bootId = await within("boot", BOOT_MS, qemu, qemu.agent.hello(known));
        return vm.bootId;
      },
      async shutDown() {
        await qemu.agent.leave("systemctl --no-block poweroff");
        await qemu.ended;
      },
      stop,
    };
    return vm;
  });
}

/** The time in the first line of its input; then the keys of root and of the accounts. Says the boot id. */
const READY = `set -e
read -r now; date -s "@$now" >/dev/null
cat >/root/.ssh/authorized_keys
for user in ops reader; do head -n 1 /root/.ssh/authorized_keys >/home/$user/.ssh/authorized_keys; chown $user: /home/$user/.ssh/authorized_keys; done
cat /proc/sys/kernel/random/boot_id`;

function keysOf(range: Range): string {
  const files = [range.keyFile, ...range.keys.responders, range.keys.intruder];
  return `${(Date.now() / 1000).toFixed(3)}\n${files.map((file) => readFileSync(`${file}.pub`, "latin1")).join("")}`;
}
