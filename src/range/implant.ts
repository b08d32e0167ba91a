import { type Asm, assemble } from "./assembler.ts";

export interface ImplantSpec {
  /** Where it connects: dotted IPv4. */
  address: string;
  port: number;
  /** The line that it sends, without the newline. */
  line: string;
  /** true: keeps the connection and reads until the other side ends it (a 'reverse connection'); false: sends its line and closes. */
  stays: boolean;
  /** Pause between two connections, milliseconds. */
  everyMs: number;
  /** Bytes appended to the file, so that each one has a hash of its own. */
  padding?: Uint8Array;
}

// x86_64 Linux system call numbers: arch/x86/entry/syscalls/syscall_64.tbl
const [READ, CLOSE, NANOSLEEP, SOCKET, CONNECT, SENDTO, SETSOCKOPT] = [0, 3, 35, 41, 42, 44, 54];
/** A connection attempt that is not answered is given up after this many seconds, so that attempts go on while the host is isolated. */
const GIVE_UP = 2;

/**
 * A tiny static x86_64 Linux program, harmless by construction: it opens a TCP connection to one fixed address, sends one fixed
 * line, optionally reads and throws away what comes back, closes, sleeps, and does so for ever. It starts nothing, reads and
 * writes no file, and looks at none of its arguments.
 *
 * File: one ELF header (64 bytes), one program header (56), code, data, in one read-execute segment (System V ABI, "ELF-64").
 */
export function implantElf(spec: ImplantSpec): Uint8Array {
  const line = new TextEncoder().encode(`${spec.line}\n`);
  const text = assemble([
    ["sub rsp", 512],
    { label: "again" },
    // fd = socket(AF_INET, SOCK_STREAM, 0)
    ...call(SOCKET, ["mov edi", 2], ["mov esi", 1], ["mov edx", 0]),
    ["mov ebx, eax"],
    ["test eax, eax"],
    ["js", "sleep"],
    // setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, 16): connect(2) obeys the send timeout
    ...call(SETSOCKOPT, ["mov edi, ebx"], ["mov esi", 1], ["mov edx", 21], ["lea r10", "timeout"], ["mov r8d", 16]),
    // connect(fd, &peer, 16)
    ...call(CONNECT, ["mov edi, ebx"], ["lea rsi", "peer"], ["mov edx", 16]),
    ["test eax, eax"],
    ["js", "close"],
    // sendto(fd, line, length, MSG_NOSIGNAL, 0, 0)
    ...call(SENDTO, ["mov edi, ebx"], ["lea rsi", "line"], ["mov edx", line.length], ["mov r10d", 0x4000], ["mov r8d", 0], ["mov r9d", 0]),
    ...(spec.stays ? readUntilEnd() : []),
    { label: "close" },
    ...call(CLOSE, ["mov edi, ebx"]),
    { label: "sleep" },
    // nanosleep(&pause, 0)
    ...call(NANOSLEEP, ["lea rdi", "pause"], ["mov esi", 0]),
    ["jmp", "again"],
    { label: "peer", bytes: sockaddr(spec.address, spec.port) },
    { label: "timeout", bytes: pair(GIVE_UP, 0) },
    { label: "pause", bytes: pair(Math.floor(spec.everyMs / 1000), (spec.everyMs % 1000) * 1e6) },
    { label: "line", bytes: line },
    { label: "padding", bytes: spec.padding ?? new Uint8Array() },
  ]);
  return Uint8Array.from([...elfHeaders(text.length), ...text]);
}

const call = (number: number, ...arguments_: Asm[]): Asm[] => [...arguments_, ["mov eax", number], ["syscall"]];

function readUntilEnd(): Asm[] {
  return [{ label: "read" }, ...call(READ, ["mov edi, ebx"], ["mov rsi, rsp"], ["mov edx", 512]), ["test eax, eax"], ["jg", "read"]];
}

/** struct sockaddr_in: family in host order, port and address in network order (ip(7)). */
function sockaddr(address: string, port: number): Uint8Array {
  const octets = address.split(".").map(Number);
  if (octets.length !== 4 || octets.some((octet) => !(octet >= 0 && octet <= 255))) throw new Error(`'${address}' is not an IPv4 address`);
  return Uint8Array.from([2, 0, port >> 8, port & 0xff, ...octets, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/** struct timeval or timespec: two 64-bit numbers. */
function pair(seconds: number, fraction: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigInt64(0, BigInt(seconds), true);
  bytes.setBigInt64(8, BigInt(fraction), true);
  return new Uint8Array(bytes.buffer);
}

const BASE = 0x400000;
const HEADERS = 64 + 56;

function elfHeaders(textLength: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADERS));
  const put = (offset: number, size: 2 | 4 | 8, value: number) => {
    if (size === 2) view.setUint16(offset, value, true);
    else if (size === 4) view.setUint32(offset, value, true);
    else view.setBigUint64(offset, BigInt(value), true);
  };
  [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0].forEach((byte, offset) => void view.setUint8(offset, byte)); // 64 bit, little endian, SysV
  put(16, 2, 2); // e_type: ET_EXEC
  put(18, 2, 62); // e_machine: x86-64
  put(20, 4, 1); // e_version
  put(24, 8, BASE + HEADERS); // e_entry
  put(32, 8, 64); // e_phoff
  put(52, 2, 64); // e_ehsize
  put(54, 2, 56); // e_phentsize
  put(56, 2, 1); // e_phnum
  put(64, 4, 1); // p_type: PT_LOAD
  put(68, 4, 5); // p_flags: read, execute
  put(72, 8, 0); // p_offset
  put(80, 8, BASE); // p_vaddr
  put(88, 8, BASE); // p_paddr
  put(96, 8, HEADERS + textLength); // p_filesz
  put(104, 8, HEADERS + textLength); // p_memsz
  put(112, 8, 0x1000); // p_align
  return new Uint8Array(view.buffer);
}

/** How an intruder puts the implant onto the host and starts it, as shell words to type. */
export interface Dropped {
  /** Leaves the program at `path`, executable. */
  drop: string;
  /** Starts it with `args`, in the foreground. */
  run: (args: string) => string;
}

/**
 * The implant as shell text for the file `path`. On x86_64 the ELF file goes through base64(1); elsewhere the program is a renamed
 * copy of bash that runs the same loop over /dev/tcp.
 */
export function implantShell(path: string, spec: ImplantSpec, arch: string = process.arch): Dropped {
  if (arch === "x64") {
    const base64 = Buffer.from(implantElf(spec)).toString("base64");
    return { drop: `echo ${base64} | base64 -d >${path}; chmod 755 ${path}`, run: (args) => `${path} ${args}` };
  }
  const body = spec.stays ? "while read -r _ <&3; do :; done" : ":";
  const open = `exec 3<>/dev/tcp/${spec.address}/${spec.port} && { echo ${spec.line} >&3; ${body}; exec 3>&-; }`;
  const loop = `while :; do { ${open}; } 2>/dev/null; sleep ${spec.everyMs / 1000}; done`;
  return { drop: `cp /bin/bash ${path}; chmod 755 ${path}`, run: (args) => `${path} -c '${loop}' ${path} ${args}` };
}
