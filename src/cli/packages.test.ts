import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compareWithList } from "#model/package-list";
import { parsePackageList, readPackageList } from "./packages.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-packages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const A = "a".repeat(64);
const B = "b".repeat(64);

test("a list is read, whichever name of a merged /usr it has, with several versions of a file", async () => {
  const file = join(folder, "list");
  writeFileSync(
    file,
    `# of bookworm\n${A}  /bin/ls  coreutils 9.1-1\n${B}  /usr/bin/ls  coreutils 9.4-3\n\n${A} */opt/a b/c  tool 1:2~rc1\n`,
  );
  const list = await readPackageList(file);
  expect(list.get("/usr/bin/ls")).toEqual([
    { sha256: A, package: "coreutils", version: "9.1-1" },
    { sha256: B, package: "coreutils", version: "9.4-3" },
  ]);
  expect(list.get("/opt/a b/c")).toEqual([{ sha256: A, package: "tool", version: "1:2~rc1" }]);
});

test.each([
  ["zz  /bin/ls  coreutils 9.1-1", "it does not begin with a sha256"],
  [`${A} /bin/ls  coreutils 9.1-1`, "two blanks and a path that begins with /"],
  [`${A}  bin/ls  coreutils 9.1-1`, "two blanks and a path that begins with /"],
  [`${A}  /bin/ls coreutils`, "the package, a blank and its version"],
  [`${A}  /bin/ls`, "the package, a blank and its version"],
])("a mistake is told with its line: %s", (line, why) => {
  expect(() => parsePackageList(`${A}  /bin/cp  coreutils 9.1-1\n${line}\n`, "list")).toThrow(`--packages list, line 2: `);
  expect(() => parsePackageList(`${A}  /bin/cp  coreutils 9.1-1\n${line}\n`, "list")).toThrow(why);
});

test("an empty list, a folder and no file are told, and not taken for a list that vouches for nothing", async () => {
  expect(() => parsePackageList("# nothing\n", "list")).toThrow("it would vouch for nothing");
  await expect(readPackageList(folder)).rejects.toThrow("is no file");
  await expect(readPackageList(join(folder, "none"))).rejects.toThrow("cannot be read");
});

test("a host's file is the list's, is changed, is another version, or is not in it; by either name", () => {
  const list = parsePackageList(`${A}  /bin/ls  coreutils 9.1-1\n`, "list");
  expect(compareWithList(list, "/usr/bin/ls", A, "9.1-1")).toBe("same");
  expect(compareWithList(list, "/bin/ls", A, undefined)).toBe("same");
  expect(compareWithList(list, "/usr/bin/ls", B, "9.1-1")).toBe("differs");
  expect(compareWithList(list, "/usr/bin/ls", B, undefined)).toBe("differs"); // no version to excuse it by
  expect(compareWithList(list, "/usr/bin/ls", B, "9.9-9")).toBe("other-version");
  expect(compareWithList(list, "/usr/bin/cp", A, "9.1-1")).toBe("unlisted");
});
