import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { exited, startBound, until } from "../machine.ts";
import { Agent } from "./agent.ts";
import type { Disk } from "./disk.ts";
import { GUEST } from "./guest-files.ts";

/** The longest path that a Unix socket can have (unix(7), sun_path without its NUL). */
const LONGEST = 107;

export interface Start extends Disk {
  /** A folder for the sockets, the console's text and the throw-away disk; short of path and readable by us alone. */
  folder: string;
  /** What stands before qemu's own argv: the network namespace in which `tap` is. */
  into: readonly string[];
  tap: string;
  /** A state to go on from: then nothing is written to the disk, whose changes go with the process. Else it boots, and the disk is written. */
  state?: string;
}

/** One emulated machine. */
export interface Qemu {
  agent: Agent;
  /** Its exit code, when it has ended: by a shutdown of the guest, or by {@link kill}. */
  ended: Promise<number | null>;
  /** What the guest's kernel and init said on the console, and qemu itself; for messages. */
  told(): string;
  /** Writes the guest's memory and devices to `file`, and ends. */
  save(file: string): Promise<void>;
  kill(): Promise<void>;
}

/**
 * Starts qemu as an emulator: KVM is asked of no machine, since inside a virtual machine it seldom is there. One processor, half a gigabyte, a disk, one
 * network card on the tap, two serial ports, and nothing else. It dies with us.
 */
export async function startQemu(start: Start): Promise<Qemu> {
  const at = (name: string) => join(start.folder, name);
  if (at("agent").length > LONGEST) throw new Error(`'${at("agent")}' is too long for a socket: set TMPDIR to a shorter folder`);
  const argv = [
    ...["qemu-system-x86_64", "-machine", "q35,usb=off", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-smp", "1", "-m", "512"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-kernel", start.vmlinuz, "-initrd", start.initrd],
    ...["-append", "console=ttyS0 quiet net.ifnames=0 mitigations=off panic=0"],
    ...["-drive", `file=${start.disk.replaceAll(",", ",,")},format=raw,if=virtio${start.state ? ",snapshot=on" : ""}`],
    ...["-netdev", `tap,id=net,ifname=${start.tap},script=no,downscript=no`, "-device", `virtio-net-pci,netdev=net,mac=${GUEST.mac}`],
    ...["-device", "virtio-rng-pci", "-serial", "file:console", "-serial", "unix:agent,server=on,wait=off", "-qmp", "stdio"],
    ...(start.state ? ["-incoming", `exec:cat ${quoted(start.state)}`] : []),
  ];
  const log = openSync(at("qemu.log"), "a");
  const child = startBound(["env", "-C", start.folder, `TMPDIR=${start.folder}`, ...start.into, ...argv], ["pipe", "pipe", log]);
  closeSync(log);
  const ended = exited(child);
  const told = () => ["qemu.log", "console"].map((name) => tail(at(name))).join("");
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const monitor = monitorOf(child);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  try {
    const agent = await until(
      "qemu to listen",
      () => {
        if (over) throw new Error(`qemu ended at its start: ${told().trim()}`);
        return Agent.connect(at("agent")).catch(() => undefined);
      },
      { everyMs: 50 },
    );
    await monitor("qmp_capabilities");
    // what is sent to a serial port before its state is there would be lost with the state that it had
    const running = async () => (await monitor("query-status"))["status"] === "running";
    await until("qemu to have read the saved state", running, { timeoutMs: 120_000, everyMs: 50 });
    return { agent, ended, told, kill, save: (file) => save(monitor, file).then(() => ended.then(() => {})) };
  } catch (error) {
    await kill();
    throw error;
  }
}

type Monitor = (execute: string, args?: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** QMP over standard input and output (docs/interop/qmp-spec): a command at a time; events are passed over. */
function monitorOf(child: ChildProcess): Monitor {
  const waiting: ((answer: { return?: Record<string, unknown>; error?: { desc: string } }) => void)[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const answer = JSON.parse(line) as { return?: Record<string, unknown>; error?: { desc: string } };
    if (answer.return || answer.error) waiting.shift()?.(answer);
  });
  void exited(child).then(() => {
    for (const answer of waiting.splice(0)) answer({ error: { desc: "qemu has ended" } });
  });
  return (execute, args) =>
    new Promise((resolve, reject) => {
      waiting.push(({ return: value, error }) =>
        value ? resolve(value) : reject(new Error(`qemu refused '${execute}': ${error?.desc ?? "no reason"}`)),
      );
      child.stdin?.write(`${JSON.stringify({ execute, ...(args ? { arguments: args } : {}) })}\n`);
    });
}

async function save(monitor: Monitor, file: string): Promise<void> {
  await monitor("migrate-set-parameters", { "max-bandwidth": 10 * 2 ** 30 });
  await monitor("migrate", { uri: `exec:cat >${quoted(file)}` });
  const done = async () => {
    const { status, "error-desc": why } = await monitor("query-migrate");
    if (status === "failed") throw new Error(`qemu could not save the state of the virtual machine: ${why}`);
    return status === "completed";
  };
  await until("qemu to save the virtual machine's state", done, { timeoutMs: 300_000, everyMs: 200 });
  await monitor("quit");
}

const quoted = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`;

function tail(file: string): string {
  try {
    return readFileSync(file, "latin1").slice(-1500);
  } catch {
    return "";
  }
}
