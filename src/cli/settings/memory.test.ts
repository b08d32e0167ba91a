import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Memory } from "./memory.ts";
import { openSettings } from "./open.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-memory-"));
  file = join(folder, "stakeout", "console.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("what the console remembers", () => {
  test("a saved filter is there in the next run; only its owner can read the file, and nothing half-written stays", () => {
    expect(new Memory(file).shelf([]).save("abroad", "-country:de")).toBeUndefined();
    expect(new Memory(file).shelf([]).all).toEqual([{ name: "abroad", text: "-country:de" }]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "stakeout"))).toEqual(["console.json"]);
    new Memory(file).shelf([]).forget("abroad");
    expect(new Memory(file).shelf([]).all).toEqual([]);
  });

  test("two consoles at once lose nothing of each other", () => {
    const [one, other] = [new Memory(file), new Memory(file)];
    one.shelf([]).save("a", "x");
    other.shelf([]).save("b", "y");
    one.sawTour();
    expect(new Memory(file).shelf([]).all.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(new Memory(file).tourSeen).toBe(true);
  });

  test("filters of the config file come first and cannot be changed from here", () => {
    const shelf = new Memory(file).shelf([{ name: "mine", text: "x", fixed: true }]);
    shelf.save("other", "y");
    expect(shelf.all.map(({ name }) => name)).toEqual(["mine", "other"]);
    expect(shelf.save("mine", "z")).toContain("config file");
    expect(shelf.forget("mine")).toContain("config file");
  });

  test("a damaged file is no reason to stop", () => {
    mkdirSync(join(folder, "stakeout"));
    for (const text of ["", "{", "[]", '{"filters":[{"name":5}]}']) {
      writeFileSync(file, text);
      expect(new Memory(file).shelf([]).all).toEqual([]);
    }
  });

  test("what cannot be kept is said, and holds for this run", () => {
    writeFileSync(join(folder, "stakeout"), "a file where the folder should be");
    const shelf = new Memory(file).shelf([]);
    expect(shelf.save("a", "x")).toContain("for this run alone");
    expect(shelf.all).toEqual([{ name: "a", text: "x" }]);
  });

  test("the tour is due once", async () => {
    const env = { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
    const first = await openSettings(undefined, env);
    expect(first.tour.due).toBe(true);
    first.tour.seen();
    expect((await openSettings(undefined, env)).tour.due).toBe(false);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ tour: true });
  });

  test("a config that was named must be there; one that nobody named may be missing", async () => {
    const env = { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
    await expect(openSettings(join(folder, "no.yaml"), env)).rejects.toThrow(/cannot be read/);
    expect((await openSettings(undefined, env)).mouse).toBe(true);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "latin1.yaml"), Buffer.from([0x61, 0x3a, 0xe4]));
    await expect(openSettings(join(folder, "latin1.yaml"), env)).rejects.toThrow(/not UTF-8/);
  });
});
