import { TRACE_FORMATS, TRACE_HEADER } from "#sensors/testing/trace-stream";

/** Lines of the collector as they are on a real host: one of each kind. What is mutated begins from something that is understood. */
const LINES = [
  "H\tb-1\tm1\tdevbox\t6.1.0\tx86_64\t2\t100\tinit\t88\t86\t0\ttracefs+proc\t4198400\tone thing\x1fanother",
  "C\t1437798903478\t1795560428844291959",
  "P\t1\t0\t1\t1\t0\t0\t0\t4294967295\tsystemd\t/usr/lib/systemd/systemd\t\t/\t=/sbin/init\x1fsplash\t\t",
  "N\t180\t212",
  "F\t7\t1\t90",
  "E\t1437798903478\t92\t/usr/bin/id\t1\t5000\t10\t34816\t0\t0\t4294967295\tid\t/usr/bin/id\tc\t/root\t=id\x1f-u\t\t40",
  `a\t1437798903479\t92\t/usr/bin/id\t${"\t".repeat(12)}sauxc\t\t4\t1300 syscall=59 uid=0 tty=pts0 comm="id"\x001309 argc=2 a0="id" a1=2D75\x001307 cwd="/"`,
  "X\t9\t92",
  "S\t9\t90\tC\tS\t7f000001\t0\t00000000000000000000ffffcb007142\t443\t3",
  "K\ttcp\tL\t00000000000000000000000000000000\t22\t00000000000000000000000000000000\t0\t0\t86",
  "J\t12\t+\tudp\t9001\t0a4d000b\t5353\tcb007142\t53\t33\t90",
  "L\t12\t90\t0a4d000b\t22\t0a4d0001\t40112",
  "W\t13\tc\t/tmp/\\x1b[2Jxq7\t92",
  `I\t/tmp/xq7\t9120\t33261\t0\t1795560428844291959\t77\t${"ab".repeat(32)}\t1\tbits=64\x1ftype=2\x1fsections=1\x1fid=0123456789abcdef\x1fmade=go\x1fentropy=612\t`,
  `w\t/bin/ls\t/usr/bin/ls\tdpkg\tcoreutils\t9.1-1\td\t${"ab".repeat(32)}\t65024.7.151344.1732219314.0\t`,
  "k\t1\t1\t2\t/run/docker.sock\t90,92",
  "e\t12\t0\t",
  "v\t92\t7",
  `c\t${"5e".repeat(32)}\tweb\tdocker.io/library/nginx:1.25`,
  "U\t0\troot",
  "T\t14\t0\t0\t0\t10\t8000\t12",
  "Y\t12\tp\t97\t/bin/true",
  "Z\t11\tcn_proc\ttampered\ttracing_on is now 0\t0\tone\x1ftwo",
  "!\t0\tsomething",
  "V\t12\t92\to\t/etc/shadow",
  "M\t15\ts\t92\t90\t9",
  "A\t16\t92\tPATH=/bin\x1fLD_PRELOAD=/tmp/a.so",
  "=\t/root/.ssh/id_rsa\tkey\t0\t0\t384\t411\t0000000b7373\tnone\t",
  "G\t93\t92",
  "R\t1000000500",
  "D\te\t316\t16\t8:4\t12:4\t16:4",
  "D\tx\t319\t16\t24:4\t32:1",
  "D\tn\t130\t16\t4:4\t8:4\t28:8",
  "D\tg\t261\t16\t4:4\t8:4\t36:4",
  "D\tt\t368\t16\t4:4\t12:4",
  "%\t12\t0a4d000b\t5353\tcb007142\t443\t4096\t123456\t25000",
  "O\t12\t90\t0a4d000b\t5353\tcb007142\t53",
  "D\td\t2264\t16\t2:1\t4:4\t56:2\t58:2\t28:4\t32:4",
  "D\t6\t2315\t16\t2:1\t4:4\t64:2\t66:2\t31:16\t47:16",
  "D\ts\t1500\t16\t2:1\t4:4\t8:8\t16:4\t20:4\t28:2\t24:2\t26:2\t32:4\t36:4\t40:16\t56:16",
];
/** Lines of a shell's tracer after its formats. */
const TRACE_LINES = [
  "H\t50 51 52 53\t4194304\t1\tnot seen\x1fnor this",
  "G\t93\t92",
  "N",
  "R\t1000000500",
  "R\t9999999999999",
  "T\t1000000600\t3\t40",
  "Y\t1000000600\t97\t/bin/true",
  "P\tremoved \\x1b[2J",
  "Z\ttampered\ttracing_on is now 0",
  "!\tnot root",
];
const EVIL = [0, 9, 10, 0x1b, 0x1f, 0x5c, 0x7f, 0x80, 0x9b, 0xc2, 0xe2, 0xff];

/** Streams that a hostile host could send, the same for the same seed (xorshift32, Marsaglia 2003). */
export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) | 1;
  }

  #below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  /** Up to 60 lines and frames, some as they should be, some changed. */
  stream(): Buffer {
    // the formats are the host's word, too: half of the streams have some that are well written and lead anywhere
    const [odd, formats] = [this.#below(2) === 1, LINES.filter((line) => line.startsWith("D"))];
    const parts = formats.map((line) => (odd && this.#below(2) ? Buffer.from(`${this.#format(line)}\n`) : this.#line(line)));
    for (let n = this.#below(56) + 4; n > 0; n--) {
      const kind = this.#below(10);
      if (kind < 6) parts.push(this.#line(LINES[this.#below(LINES.length)] as string));
      else if (kind < 8) parts.push(this.#frame("B", this.#page()));
      else if (kind < 9) parts.push(this.#frame("Q", this.#perishables()));
      else parts.push(this.#noise(this.#below(400)));
    }
    return Buffer.concat(parts);
  }

  /** The channel of a shell's tracer: texts and pages, some as they should be, some changed. */
  trace(): Buffer {
    const parts = [this.#text([TRACE_HEADER, ...TRACE_FORMATS])];
    for (let n = this.#below(30) + 4; n > 0; n--) {
      const kind = this.#below(12);
      if (kind < 5) parts.push(Buffer.concat([this.#page(), Buffer.alloc(4096)]).subarray(0, 4096));
      else if (kind < 11)
        parts.push(this.#text(Array.from({ length: 1 + this.#below(3) }, () => TRACE_LINES[this.#below(TRACE_LINES.length)] as string)));
      else parts.push(this.#noise(this.#below(6000)));
    }
    return Buffer.concat(parts);
  }

  #text(lines: readonly string[]): Buffer {
    const bytes = Buffer.concat(lines.map((line) => (this.#below(4) ? Buffer.from(`${line}\n`, "latin1") : this.#line(line))));
    const told = this.#below(20) ? bytes.length : this.#below(70_000); // a length that is a lie
    return Buffer.concat([Buffer.from(`STAKEOUT${String(told).padStart(7)}\n`), bytes]);
  }

  /** The same bytes in pieces. */
  cut(data: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < data.length; ) {
      const size = 1 + this.#below(this.#below(2) ? 8 : 900);
      pieces.push(data.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }

  #line(line: string): Buffer {
    const bytes = Buffer.from(`${line}\n`, "latin1");
    return this.#below(3) ? bytes : this.#changed(bytes);
  }

  /** The format of an event with its fields at other places and of other sizes, some of them missing. */
  #format(line: string): string {
    const [mark, code, id, data, ...places] = line.split("\t");
    const moved = places.map((place) => {
      const [offset, size] = place.split(":");
      if (this.#below(12) === 0) return "";
      const at = this.#below(3) ? offset : this.#below(this.#below(8) ? 72 : 10_000);
      return `${at}:${this.#below(2) ? size : 2 ** this.#below(5)}`;
    });
    return [mark, code, id, this.#below(8) ? data : this.#below(1000), ...moved].join("\t");
  }

  #changed(bytes: Buffer): Buffer {
    for (let n = 1 + this.#below(4); n > 0; n--)
      bytes[this.#below(bytes.length)] = this.#below(2) ? (EVIL[this.#below(EVIL.length)] as number) : this.#below(256);
    return this.#below(4) ? bytes : bytes.subarray(0, this.#below(bytes.length));
  }

  #frame(kind: string, bytes: Buffer): Buffer {
    const told = this.#below(12) ? bytes.length : this.#below(200_000); // a length that is a lie
    return Buffer.concat([Buffer.from(`${kind}${told}\n`), bytes]);
  }

  #noise(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#below(256);
    return bytes;
  }

  /** Some events of the kinds whose formats were told, of any length and content; an address family that leads on is likely. */
  #events(): Buffer[] {
    const parts: Buffer[] = [];
    for (let n = this.#below(6); n > 0; n--) {
      const event = this.#noise(4 * (1 + this.#below(28)));
      event.writeUInt16LE([316, 319, 130, 1500, 2264, 2315][this.#below(6)] as number, 0);
      if (event.length >= 32 && this.#below(2)) {
        event.writeUInt16LE(this.#below(2) ? 2 : 10, 28);
        event.writeUInt32LE(1 + this.#below(12), 16);
        event.writeUInt32LE(1 + this.#below(12), 20);
      }
      const head = Buffer.alloc(4);
      head.writeUInt32LE(event.length / 4 + 32 * this.#below(1000));
      parts.push(head, event);
    }
    return parts;
  }

  /** A page of the ring buffer with an exec and whatever else. */
  #page(): Buffer {
    const pid = 1 + this.#below(200);
    const exec = Buffer.alloc(32);
    exec.writeUInt16LE(316, 0);
    exec.writeUInt32LE(20 + (8 << 16), 8);
    exec.writeUInt32LE(pid, 12);
    exec.writeUInt32LE(pid, 16);
    exec.write("/bin/id\0", 20, "latin1");
    const head = Buffer.alloc(4);
    head.writeUInt32LE(exec.length / 4);
    const events = [...this.#events(), head, exec, ...this.#events(), this.#below(2) ? this.#noise(4 * this.#below(30)) : Buffer.alloc(0)];
    const data = Buffer.concat(events);
    const page = Buffer.alloc(16);
    page.writeUInt32LE(1_000_000_000, 0);
    page.writeUInt32LE(this.#below(8) ? data.length : this.#below(2 ** 20), 8);
    const whole = Buffer.concat([page, data]);
    return this.#below(3) ? whole : this.#changed(whole);
  }

  #perishables(): Buffer {
    const texts = [0, 1, 2, 3, 4, 5].map(() => this.#noise(this.#below(3) ? this.#below(20) : 0));
    const head = Buffer.alloc(16);
    head.writeUInt32LE(1 + this.#below(200));
    for (const [i, bytes] of texts.entries()) head.writeUInt16LE(this.#below(20) ? bytes.length : this.#below(65_536), 4 + 2 * i);
    return Buffer.concat([head, ...texts]);
  }
}
