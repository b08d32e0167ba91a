const BASE = 0x8048000;
const HEADERS = 52 + 32;

/**
 * A tiny static 32-bit x86 Linux program. File: one ELF header (52 bytes), one program header (32), code, in one read-execute segment
 * (System V ABI, "ELF-32"). System calls go by int 0x80, numbers of arch/x86/entry/syscalls/syscall_32.tbl: exit 1, execve 11, nanosleep 162.
 */
function elf32(code: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADERS));
  const half = (offset: number, value: number) => view.setUint16(offset, value, true);
  const word = (offset: number, value: number) => view.setUint32(offset, value, true);
  [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0].forEach((byte, offset) => void view.setUint8(offset, byte)); // 32 bit, little endian, SysV
  half(16, 2); // e_type: ET_EXEC
  half(18, 3); // e_machine: EM_386
  word(20, 1); // e_version
  word(24, BASE + HEADERS); // e_entry
  word(28, 52); // e_phoff
  half(40, 52); // e_ehsize
  half(42, 32); // e_phentsize
  half(44, 1); // e_phnum
  word(52, 1); // p_type: PT_LOAD
  word(60, BASE); // p_vaddr
  word(64, BASE); // p_paddr
  word(68, HEADERS + code.length); // p_filesz
  word(72, HEADERS + code.length); // p_memsz
  word(76, 5); // p_flags: read, execute
  word(80, 0x1000); // p_align
  return Uint8Array.from([...new Uint8Array(view.buffer), ...code]);
}

const little = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
const exit = (code: number) => [0xbb, ...little(code), 0xb8, ...little(1), 0xcd, 0x80]; // mov ebx, code; mov eax, 1; int 0x80

/** A program that looks at none of its arguments and ends after that many milliseconds; with 0 at once. */
function endsElf32(ms: number): Uint8Array {
  if (ms === 0) return elf32(exit(0));
  const sleep = (at: number) => [0xbb, ...little(BASE + HEADERS + at), 0x31, 0xc9, 0xb8, ...little(162), 0xcd, 0x80]; // ebx: timespec, ecx: 0
  const code = (at: number) => [...sleep(at), ...exit(0)];
  const at = code(0).length;
  return elf32([...code(at), ...little(Math.floor(ms / 1000)), ...little((ms % 1000) * 1e6)]);
}

/** A program that executes its arguments in its own place, by the 32-bit system call; ends with 127 where it cannot. */
const runsElf32 = (): Uint8Array =>
  elf32([
    ...[0x8b, 0x04, 0x24], // mov eax, [esp]: argc
    ...[0x8d, 0x4c, 0x24, 0x08], // lea ecx, [esp + 8]: argv + 1
    ...[0x8b, 0x19], // mov ebx, [ecx]: what it executes
    ...[0x8d, 0x54, 0x84, 0x08], // lea edx, [esp + 4 * eax + 8]: the environment
    ...[0xb8, ...little(11), 0xcd, 0x80], // execve
    ...exit(127),
  ]);

/**
 * Shell text that starts, `rounds` times each, programs that end at once: a 32-bit one by a 64-bit program, the same by a 32-bit one, and
 * /bin/true by a 32-bit one; with arguments of which the first is `i` and the round. Prints `done`. `name`: as given to {@link dropElf32}.
 */
export const loadElf32 = (name: string, rounds: number): string => `exec perl -e '
  for my $i (1 .. ${rounds}) {
    for my $way (["${name}-ends"], ["${name}-runs", "${name}-ends"], ["${name}-runs", "/bin/true"]) {
      my $p = fork; if (!$p) { exec @$way, "i$i", "two words", "last" } waitpid $p, 0; $? and die "exit $?";
    }
  }
  print "done";
'
`;

/** What {@link loadElf32} executes, in order. */
export const executedElf32 = (name: string, rounds: number): string[][] =>
  Array.from({ length: rounds }, (_, i) => [`i${i + 1}`, "two words", "last"]).flatMap((rest) => [
    [`${name}-ends`, ...rest],
    [`${name}-runs`, `${name}-ends`, ...rest],
    [`${name}-ends`, ...rest],
    [`${name}-runs`, "/bin/true", ...rest],
    ["/bin/true", ...rest],
  ]);

/** Shell text that leaves them executable: NAME-ends, NAME-lives (50 ms) and NAME-runs. */
export const dropElf32 = (name: string): string =>
  (
    [
      ["ends", endsElf32(0)],
      ["lives", endsElf32(50)],
      ["runs", runsElf32()],
    ] as const
  )
    .map(([what, file]) => `echo ${Buffer.from(file).toString("base64")} | base64 -d >${name}-${what}; chmod 755 ${name}-${what}`)
    .join("\n");
