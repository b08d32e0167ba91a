import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version in the package's own package.json, which lies beside dist/. */
export const VERSION: string = (() => {
  try {
    return (JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")) as { version: string }).version;
  } catch {
    return "unknown";
  }
})();
