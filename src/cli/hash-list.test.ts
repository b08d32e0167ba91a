import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { DigestList } from "#model/known-files";
import { readHashList, readKnownFiles } from "./hash-list.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-hashes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(64)) as [string, string, string, string];
const MD5 = "e".repeat(32);
const SHA1 = "f".repeat(40);
const written = (text: string): string => {
  const file = join(folder, "list");
  writeFileSync(file, text);
  return file;
};
const read = (text: string) => readHashList(written(text), "bad");

test("a plain list: digests alone, as sha256sum writes them, or with a remark", async () => {
  const { list, otherDigests } = await read(
    `\uFEFF# from the last case\r\n${A}\r\n${B.toUpperCase()}  /tmp/x y\n\n${C} *bin\n${D}, the \x1b[31mminer\u202e\n${MD5}\n${SHA1}  old\n${A}${A}  a sha512\n`,
  );
  expect(list.find({ sha256: A })).toEqual({ verdict: "bad", list: "list" });
  expect(list.find({ sha256: B })).toMatchObject({ words: "/tmp/x y" });
  expect(list.find({ sha256: C })).toMatchObject({ words: "bin" });
  expect(list.find({ sha256: D })).toMatchObject({ words: "the  [31mminer" }); // nothing that steers a terminal
  expect(list.find({ sha256: "0".repeat(64), md5: MD5 })).toEqual({ verdict: "bad", list: "list", by: "md5" });
  expect(list.find({ sha256: "0".repeat(64), sha1: SHA1, md5: MD5 })).toMatchObject({ words: "old", by: "sha1" });
  expect([list.size, list.sizeOf("sha256"), otherDigests]).toEqual([6, 4, 1]);
});

test("MISP's CSV: digests of files that are meant for detection, with their event and comment", async () => {
  const text = [
    "uuid,event_id,category,type,value,comment,to_ids,date,event_info",
    `u1,7,Payload delivery,sha256,${A},"the ""loader"", first stage",1,2026,"Case 7"`,
    `u2,7,Payload delivery,filename|sha256,"a|b.so|${B}","two\nlines",1,2026,"Case 7"`,
    `u3,7,Payload delivery,sha256,${C},"what it runs: bash",0,2026,"Case 7"`,
    `u4,7,Payload delivery,md5,${MD5},,1,2026,"Case 7"`,
    `u5,7,Payload delivery,filename|sha1,x.so|${SHA1},,1,2026,"Case 7"`,
    `u6,7,Payload delivery,malware-sample,y.elf|${"1".repeat(32)},,1,2026,"Case 7"`,
    `u7,7,Payload delivery,ssdeep,3:abc:def,,1,2026,"Case 7"`,
    `u8,7,Payload delivery,sha512,${A}${B},,0,2026,"Case 7"`,
    "u9,7,Network activity,ip-dst,198.51.100.9,,1,2026,Case 7",
  ].join("\n");
  const { list, otherDigests, notMeant } = await read(text);
  expect(list.find({ sha256: A })).toMatchObject({ words: 'the "loader", first stage: Case 7' });
  expect(list.find({ sha256: B })).toMatchObject({ words: "a|b.so: two lines: Case 7" });
  expect(list.find({ sha256: C })).toBeUndefined();
  const by = (hash: object) => list.find({ sha256: D, ...hash })?.words;
  expect([by({ md5: MD5 }), by({ sha1: SHA1 }), by({ md5: "1".repeat(32) })]).toEqual(["Case 7", "x.so: Case 7", "y.elf: Case 7"]);
  expect([list.size, otherDigests, notMeant]).toEqual([5, 1, 3]);
});

test("NSRL's CSV by its first line, with a digest of each kind; and columns that stand in a remark, as feeds of malware have them", async () => {
  const nsrl = await read(
    `"SHA-256","SHA-1","MD5","CRC32","FileName","FileSize"\n"${A.toUpperCase()}","${SHA1}","${MD5}","0","bash","12"\n"","${SHA1}","${MD5}","0","old","1"\n"","","${MD5}","0","older","1"\n"","","","0","nothing","1"\n`,
  );
  expect(nsrl.list.find({ sha256: A })).toMatchObject({ words: "bash" });
  expect(nsrl.list.find({ sha256: B, sha1: SHA1 })).toMatchObject({ words: "old", by: "sha1" });
  expect(nsrl.list.find({ sha256: B, md5: MD5 })).toMatchObject({ words: "older", by: "md5" });
  expect([nsrl.list.size, nsrl.otherDigests]).toEqual([3, 1]);
  const classic = await read(`"SHA-1","MD5","CRC32","FileName"\n"${SHA1}","${MD5}","0","ls"\n`);
  expect(classic.list.find({ sha256: A, sha1: SHA1 })).toMatchObject({ words: "ls" });
  expect(classic.list.find({ sha256: A, md5: MD5 })).toBeUndefined(); // one digest of a row is enough
  const feed = await read(
    `# a feed\n# "first_seen","sha256_hash","md5_hash","file_name","signature"\n"2026", "${B}", "${MD5}", "xq.elf", "Mirai"\n`,
  );
  expect(feed.list.find({ sha256: B })).toMatchObject({ words: "xq.elf: Mirai" });
});

test.each([
  [`${A}\nnot one\n`, "line 2: it does not begin with a sha256, SHA-1 or MD5"],
  [`${A}0\n`, "line 1: it does not begin with a sha256, SHA-1 or MD5"],
  [`sha256,name\n${A},x\nzz,y\n`, 'line 3: its column of digests has none: "zz"'],
  [`sha256,name\n${A},"x\n`, "line 2: a field in quotes does not end"],
  [`type,value,to_ids\nsha256,${A}b,1\n`, "line 2: its column of digests has none"],
  [`md5,name\n${A}0,x\n`, "line 2: its column of digests has none"],
  [`${A}${B}\n`, "has no sha256, SHA-1 or MD5 (1 digests of another kind)"],
  ["# nothing\n", "has no sha256, SHA-1 or MD5: nothing could be looked up"],
  [`${"x".repeat(70_000)}\n`, "line 1: it is too long"],
])("a mistake is told with its line, and a list that can find nothing is refused: %#", async (text, why) => {
  await expect(read(text)).rejects.toThrow(why);
});

test("no file, and a folder, are told; what cannot be looked up is said, and bad goes before good", async () => {
  await expect(readHashList(join(folder, "none"), "good")).rejects.toThrow("--known-good");
  await expect(readHashList(folder, "good")).rejects.toThrow("is no file");
  const good = join(folder, "rds");
  writeFileSync(good, `${A}\n${B}\n`);
  const said: string[] = [];
  const known = await readKnownFiles([written(`${A}\n${MD5}\n${B}${C}\n`)], [good], (line) => said.push(line));
  expect([known.find({ sha256: A })?.verdict, known.find({ sha256: B })?.verdict, known.find({ sha256: C })]).toEqual([
    "bad",
    "good",
    undefined,
  ]);
  expect(known.source).toBe("bad: list (2, 1 of them md5); good: rds (2)");
  expect(known.weak).toEqual(["md5"]);
  expect(said).toEqual([
    expect.stringMatching(/--known-bad .*: 1 by MD5, since they have no sha256: the host computes that as well/),
    expect.stringMatching(/1 entries cannot be looked up/),
  ]);
  const strong = await readKnownFiles([], [good], () => {});
  expect(strong.weak).toEqual([]);
});

test("a list finds exactly what was put into it, at any size, digests that begin alike too", () => {
  const digest = fc
    .tuple(fc.constantFrom("00000000", "00000001", "ffffffff"), fc.integer({ min: 0, max: 40 }))
    .map(([start, n]) => start + createHash("sha256").update(String(n)).digest("hex").slice(8));
  fc.assert(
    fc.property(fc.array(digest), fc.array(digest), (put, asked) => {
      const list = new DigestList("l", "good");
      for (const one of put) list.add(one, one.slice(8, 16));
      expect(list.size).toBe(new Set(put).size);
      for (const one of [...put, ...asked])
        expect(list.find({ sha256: one })?.words).toBe(put.includes(one) ? one.slice(8, 16) : undefined);
    }),
  );
  const large = new DigestList("l", "bad");
  const nth = (n: number) => createHash("sha256").update(String(n)).digest("hex");
  for (let n = 0; n < 10_000; n++) large.add(nth(n), `w${n % 7}`);
  expect(large.size).toBe(10_000);
  for (let n = 0; n < 10_000; n++) expect(large.find({ sha256: nth(n) })?.words).toBe(`w${n % 7}`);
  expect(large.find({ sha256: nth(10_000) })).toBeUndefined();
});
