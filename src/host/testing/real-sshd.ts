import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * OpenSSH's own sshd, in a mount and pid namespace of its own over an overlay of a root file system, one process a connection
 * (sshd -i) behind a listener on loopback: the machine itself is not touched, and nothing of it is left when the test ends.
 */
export interface RealSshd {
  port: number;
  /** Public halves of the host's keys, as lines of ssh-keygen. */
  hostKeys: { ed25519: string; rsa: string };
  /** Runs a shell line inside, as root. */
  inside(line: string): string;
  /** Adds an account that root's keys let in, with a password if one is given, and lines of sudoers(5). */
  account(name: string, options?: { password?: string; sudoers?: string }): void;
  /** What sshd said, all connections together. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * The root file system of a suspect host, with openssh-server in it: STAKEOUT_ROOTFS, else the newest that the range has built and
 * cached. Undefined when there is none here, or we are not root: then there is no real sshd to test with.
 */
export function suspectRootfs(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "rootfs");
  const built = existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name)) : [];
  const newest = built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return [process.env["STAKEOUT_ROOTFS"] ?? "", ...newest].find((folder) => folder !== "" && existsSync(join(folder, "usr/sbin/sshd")));
}

/** Makes a key pair with ssh-keygen and returns the path of the private half. */
export function makeKey(folder: string, name: string, options: { type?: string; passphrase?: string; extra?: string[] } = {}): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    options.type ?? "ed25519",
    "-N",
    options.passphrase ?? "",
    "-C",
    name,
    "-f",
    path,
    ...(options.extra ?? []),
  ]);
  return path;
}

const INIT = `set -e
mount -t tmpfs -o mode=755 sshd "$D"; mkdir "$D/up" "$D/work" "$D/root"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$D/up,workdir=$D/work" "$D/root"
N=$D/root; mkdir -p $N/proc $N/dev $N/run/sshd $N/root/.ssh
mount -t proc proc $N/proc; mount -t tmpfs -o mode=755 dev $N/dev; mkdir $N/dev/pts; mount -t devpts -o newinstance,ptmxmode=0666 devpts $N/dev/pts; ln -s pts/ptmx $N/dev/ptmx; mount -t tmpfs -o mode=755 run $N/run; mkdir $N/run/sshd
for n in null:1:3 zero:1:5 urandom:1:9 tty:5:0; do IFS=: read a b c <<X
$n
X
mknod -m 666 $N/dev/$a c $b $c; done
printf '%s\\n' "$KEYS" >$N/root/.ssh/authorized_keys; chmod 700 $N/root $N/root/.ssh; chmod 600 $N/root/.ssh/authorized_keys
for t in ed25519 rsa; do ssh-keygen -q -t $t -N '' -f $N/run/host_$t; done
printf '%s\\n' "HostKey /run/host_ed25519" "HostKey /run/host_rsa" "PermitRootLogin yes" "UsePAM no" "UseDNS no" "PidFile none" "$CONFIG" >$N/run/sshd_config
cat $N/run/host_ed25519.pub $N/run/host_rsa.pub
exec chroot $N /bin/sh -c 'echo ready; exec cat' # ready only once its root is its own: an sshd started before would look for itself on the machine`;

/** Starts one; `authorizedKeys` are paths of public halves, `config` further lines of sshd_config. */
export async function startRealSshd(rootfs: string, options: { authorizedKeys: string[]; config?: string }): Promise<RealSshd> {
  const folder = mkdtempSync(join(tmpdir(), "stakeout-sshd-"));
  const keys = options.authorizedKeys.map((path) => readFileSync(path, "utf8").trim()).join("\n");
  const env = { ...process.env, D: folder, LOWER: rootfs, KEYS: keys, CONFIG: options.config ?? "" };
  // The cat at its end is the host's pid 1: it ends, and the host with it, when our end of the pipe closes, however we die.
  const outer = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "/bin/sh", "-c", INIT], {
    env,
  });
  const said = await untilReady(outer);
  const [ed25519 = "", rsa = ""] = said.split("\n");
  const pid = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim();
  const enter = ["--target", pid, "--mount", "--pid", "--root", "--wd=/"];
  let log = "";
  const serving = new Set<ChildProcess>();
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    // sshd gets the TCP socket itself, so that it knows the true addresses of both ends.
    const sshd = spawn("nsenter", [...enter, "/usr/sbin/sshd", "-i", "-e", "-f", "/run/sshd_config"], {
      stdio: [socket, socket, "pipe"],
      env: {},
    });
    serving.add(sshd);
    sshd.once("exit", () => serving.delete(sshd));
    sshd.stderr?.on("data", (text: Buffer) => {
      log += text.toString();
    });
    socket.destroy(); // our copy: sshd's stays open
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const inside = (line: string) => execFileSync("nsenter", [...enter, "/bin/sh", "-c", line], { encoding: "utf8", stdio: "pipe" });
  return {
    port: address.port,
    hostKeys: { ed25519, rsa },
    inside,
    account: (name, { password, sudoers } = {}) => {
      inside(`useradd -m -s /bin/bash ${name} && cp -r /root/.ssh /home/${name}/ && chown -R ${name}: /home/${name}`);
      inside(`echo '${name}:${password ?? "*"}' | chpasswd ${password === undefined ? "-e" : ""}`);
      if (sudoers !== undefined) inside(`echo '${sudoers}' >/etc/sudoers.d/${name}; chmod 440 /etc/sudoers.d/${name}`);
    },
    log: () => log,
    stop: async () => {
      server.close();
      const gone = new Promise((resolve) => outer.once("exit", resolve));
      outer.kill("SIGKILL");
      await gone;
      // nsenter stops itself with the sshd that a test has frozen, and would stay so when that is gone
      await Promise.all([...serving].map((child) => new Promise((ended) => child.once("exit", ended) && child.kill("SIGKILL"))));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    child.stderr?.on("data", (text: Buffer) => {
      err += text.toString();
    });
    child.stdout?.on("data", (text: Buffer) => {
      out += text.toString();
      if (out.endsWith("ready\n")) resolve(out);
    });
    child.once("exit", (code) => reject(new Error(`the host did not start (${code}): ${err}`)));
  });
}
