import { expect, test } from "vitest";
import type { HostString } from "./host-string.ts";
import { looksPacked, type ProgramFacts, programWords } from "./program.ts";

test.each<[ProgramFacts, boolean, string]>([
  [
    { bits: 64, linked: "dynamic", interpreter: "/lib64/ld-linux-x86-64.so.2" as HostString, stripped: true, sections: true, entropy: 6.1 },
    false,
    "64 bits, dynamic, stripped, entropy 6.10 of 8",
  ],
  [
    { bits: 64, linked: "static", stripped: true, sections: false, packer: "upx", entropy: 7.95 },
    true,
    "64 bits, static, no list of sections, packed by UPX, entropy 7.95 of 8: looks packed",
  ],
  [
    {
      bits: 32,
      linked: "dynamic",
      interpreter: "/tmp/ld.so" as HostString,
      stripped: false,
      sections: true,
      made_by: "go",
      build_id: "ab",
    },
    false,
    "32 bits, dynamic, loader /tmp/ld.so, with symbols, made by Go, build id ab",
  ],
  [{ bits: 64, linked: "library", stripped: true, sections: true }, false, "64 bits, no loader (a library, or static), stripped"],
])("%j is told in words, and looks packed: %s", (facts, packed, words) => {
  expect([looksPacked(facts), programWords(facts)]).toEqual([packed, words]);
});
