/**
 * The few x86_64 instructions that the implant is made of (Intel SDM volume 2). A string operand is a label: an address
 * relative to the next instruction, 32 bits. A labelled entry with `bytes` is data.
 */
export type Asm = [Plain] | [Immediate, number] | [Relative, string] | { label: string; bytes?: Uint8Array };

const PLAIN = {
  syscall: [0x0f, 0x05],
  "mov ebx, eax": [0x89, 0xc3],
  "mov edi, ebx": [0x89, 0xdf],
  "mov rsi, rsp": [0x48, 0x89, 0xe6],
  "test eax, eax": [0x85, 0xc0],
} as const;
const IMMEDIATE = {
  "mov eax": [0xb8],
  "mov edi": [0xbf],
  "mov esi": [0xbe],
  "mov edx": [0xba],
  "mov r8d": [0x41, 0xb8],
  "mov r9d": [0x41, 0xb9],
  "mov r10d": [0x41, 0xba],
  "sub rsp": [0x48, 0x81, 0xec],
} as const;
const RELATIVE = {
  "lea rdi": [0x48, 0x8d, 0x3d],
  "lea rsi": [0x48, 0x8d, 0x35],
  "lea r10": [0x4c, 0x8d, 0x15],
  js: [0x0f, 0x88],
  jg: [0x0f, 0x8f],
  jmp: [0xe9],
} as const;
type Plain = keyof typeof PLAIN;
type Immediate = keyof typeof IMMEDIATE;
type Relative = keyof typeof RELATIVE;

/** Machine code of `program`. Throws when a label is not defined in it. */
export function assemble(program: readonly Asm[]): Uint8Array {
  const code: number[] = [];
  const labels = new Map<string, number>();
  const fixes: { at: number; label: string }[] = [];
  for (const entry of program) {
    if (!Array.isArray(entry)) {
      labels.set(entry.label, code.length);
      for (const byte of entry.bytes ?? []) code.push(byte);
    } else if (entry.length === 1) code.push(...PLAIN[entry[0]]);
    else if (typeof entry[1] === "number") code.push(...IMMEDIATE[entry[0] as Immediate], ...little(entry[1]));
    else {
      code.push(...RELATIVE[entry[0] as Relative]);
      fixes.push({ at: code.length, label: entry[1] });
      code.push(0, 0, 0, 0);
    }
  }
  for (const { at, label } of fixes) {
    const target = labels.get(label);
    if (target === undefined) throw new Error(`the label '${label}' is not defined`);
    code.splice(at, 4, ...little(target - (at + 4)));
  }
  return Uint8Array.from(code);
}

/** A 32-bit number, lowest byte first. */
const little = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
