import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Which room may import which: the table of the README. */
const MAY: Record<string, readonly string[]> = {
  model: [],
  host: ["model"],
  session: ["model"],
  state: ["model"],
  pair: ["model"],
  sensors: ["model", "host"],
  range: ["model", "host"],
  commands: ["model", "state"],
  analysis: ["model", "state"],
  report: ["model", "state"],
  response: ["model", "host"],
  views: ["model", "state", "commands"],
  investigation: ["model", "session", "state", "analysis", "sensors", "response"],
};
const ALL = new Set(["cli", "bench", "testing", "bootstrap"]);
/** Packages that one room, or two, have to themselves. */
const DOORS: Record<string, readonly string[]> = { ssh2: ["host", "pair"], ink: ["views", "cli"], react: ["views", "cli"] };

const imports = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).imports as Record<string, string>;
const files = ["src", "views"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(root, folder, name)),
);
const isTest = (file: string) => /\.test\.tsx?$/.test(file) || /\/testing\//.test(file);
const roomOf = (file: string) => {
  const [first, second] = relative(root, file).split("/");
  return first === "src" ? (second as string) : (first as string);
};

function targets(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^;"']*?\bfrom\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s+["']([^"']+)["']/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

function fileOf(from: string, target: string): string | undefined {
  if (target.startsWith(".")) return resolve(dirname(from), target);
  if (!target.startsWith("#")) return undefined;
  for (const [pattern, path] of Object.entries(imports)) {
    const [head] = pattern.split("*") as [string];
    if (target.startsWith(head)) return resolve(root, path.replace("*", target.slice(head.length)));
  }
  throw new Error(`${relative(root, from)} imports ${target}, which package.json does not know`);
}

test("rooms import only what the table allows, types included", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    if (ALL.has(room) || isTest(file)) continue;
    for (const target of targets(file)) {
      const other = fileOf(file, target);
      const otherRoom = other === undefined ? undefined : roomOf(other);
      if (otherRoom === undefined) {
        const keepers = DOORS[target.split("/")[0] as string];
        if (keepers && !keepers.includes(room)) wrong.push(`${relative(root, file)} imports ${target}`);
      } else if (otherRoom !== room && !MAY[room]?.includes(otherRoom)) wrong.push(`${relative(root, file)} imports ${target}`);
      else if (other !== undefined && isTest(other)) wrong.push(`${relative(root, file)} imports the test code ${target}`);
    }
    expect(MAY, `the room of ${relative(root, file)} is not in the table`).toHaveProperty(room);
  }
  expect(wrong).toEqual([]);
});

test("imports run one way: there is no cycle", () => {
  const graph = new Map(
    files.map((file) => [
      file,
      targets(file)
        .map((target) => fileOf(file, target))
        .filter((target) => target !== undefined),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].map((name) => relative(root, name)).join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test("the table can be broken: the test sees an import that it does not allow", () => {
  expect(targets(join(root, "src/session/event-log.ts"))).toContain("#model/event");
  expect(fileOf(join(root, "src/state/reduce.ts"), "./files.ts")).toBe(join(root, "src/state/files.ts"));
});
