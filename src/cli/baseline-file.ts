import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { HostString } from "#model/host-string";
import { oneName, type PackagedFile, type PackageList } from "#model/package-list";
import { SET_UP_CATEGORIES, type SetUp } from "#model/past";
import { EXIT, UserError } from "./exit.ts";

/** Largest baseline that is read: a set-up has at most 6,000 things of some hundred bytes. */
const LARGEST = 64 << 20;

const text = z.string();
const fileOfPackage = z.object({ path: text, sha256: z.string().regex(/^[0-9a-f]{64}$/), package: text, version: text });
const fileSchema = z.object({
  stakeout_baseline: z.literal(1),
  host: text,
  at: text,
  items: z.array(z.object({ category: z.enum(SET_UP_CATEGORIES), id: text, name: text, detail: text })).max(100_000),
  packages: z.array(fileOfPackage).max(100_000).optional(),
});
export interface Baseline {
  /** As the host calls itself, or as it was named where it was not asked. */
  host: string;
  /** RFC 3339, by the host's clock. */
  at: string;
  items: SetUp[];
  /** Files that were held against their package's list and were as in it, of a session. */
  packages?: (PackagedFile & { path: string })[] | undefined;
}

/** A file of `stakeout baseline save`. @throws UserError with what is wrong */
export async function baselineOfFile(file: string): Promise<Baseline> {
  if (statSync(file).size > LARGEST) throw new UserError(`${file} is too large to be a baseline.`);
  const wrong = (why: string) => new UserError(`${file} is no baseline: ${why}. Make one with stakeout baseline save.`);
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw wrong("it is not JSON");
  }
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) throw wrong(`${parsed.error.issues[0]?.path.join(".") || "the file"}: ${parsed.error.issues[0]?.message}`);
  return { ...parsed.data, items: parsed.data.items as (SetUp & { name: HostString })[] };
}

/** What a saved baseline says of packages, as a list to hold another host against. @throws UserError where it has none */
export async function packagesOfBaseline(file: string): Promise<PackageList> {
  const { packages = [] } = await baselineOfFile(file);
  if (packages.length === 0)
    throw new UserError(
      `${file} has no digests of packages: save it of a session in which programs of that host were looked at.`,
      EXIT.usage,
    );
  return new Map(packages.map(({ path, ...one }) => [oneName(path), [one]]));
}
