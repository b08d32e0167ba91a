import { readFileSync, writeFileSync } from "node:fs";
import { exited, startBound, until } from "./machine.ts";
import type { Range } from "./range.ts";
import { prepareRootfs } from "./rootfs.ts";

/** A real sshd on one side of the range, through which others log in to the host. */
export interface JumpHost {
  address: string;
  /** An ssh_config(5) file in which `jump` is this one and `devbox` still the host. */
  sshConfig: string;
  /** Ends it and all logins through it, as a power cut would. */
  stop(): Promise<void>;
}

/**
 * In mount and pid namespaces of its own over the shared root file system, which stays as it is: what is written goes to file systems in
 * memory that are mounted over it here alone.
 */
const START = `set -e
cd "$1"
mount -t proc proc proc; mount -t tmpfs -o mode=755 run run; mkdir run/sshd
mount -t tmpfs -o mode=700 root root; mkdir -m 700 root/.ssh; install -m 600 "$2" root/.ssh/authorized_keys
mount -t tmpfs -o mode=755 dev dev; mkdir dev/pts; mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx
for node in null:3 zero:5 urandom:9; do mknod -m 666 "dev/\${node%:*}" c 1 "\${node#*:}"; done
install -m 600 "$3" run/host_key
printf '%s\\n' 'HostKey /run/host_key' 'PermitRootLogin prohibit-password' 'UsePAM no' 'UseDNS no' 'PidFile none' >run/sshd_config
exec chroot . /usr/sbin/sshd -D -e -f /run/sshd_config
`;

/** Starts one in the network of the first responder; the analyst's key lets in. It has the host key of `range.keys.responders[0]`. */
export async function startJumpHost(range: Range): Promise<JumpHost> {
  const netns = range.netns.responders[0];
  const [hostKey] = range.keys.responders;
  const address = range.addresses.responders[0];
  const rootfs = await prepareRootfs();
  const namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
  const script = ["/bin/sh", "-c", START, "jump", rootfs, `${range.keyFile}.pub`, hostKey];
  const outer = startBound(["nsenter", `--net=/run/netns/${netns}`, ...namespaces, ...script], ["ignore", "ignore", "pipe"]);
  let said = "";
  outer.stderr?.on("data", (text: Buffer) => {
    said += text.toString();
  });
  const ended = exited(outer);
  await Promise.race([
    until("the jump host's sshd to listen", () => said.includes("Server listening on 0.0.0.0")),
    ended.then((code) => {
      throw new Error(`the jump host ended at its start (exit ${code}): ${said.trim()}`);
    }),
  ]);
  const sshConfig = `${range.sshConfig}.jump`;
  const known = `${range.knownHosts}.jump`;
  const [type, blob] = readFileSync(`${hostKey}.pub`, "latin1").split(" ");
  writeFileSync(known, `${address} ${type} ${blob}\n`);
  writeFileSync(
    sshConfig,
    `Include ${range.sshConfig}\nHost jump\n  HostName ${address}\n  User root\n  IdentityFile ${range.keyFile}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile none\n`,
  );
  return {
    address,
    sshConfig,
    stop: async () => {
      outer.kill("SIGKILL");
      await ended;
    },
  };
}
