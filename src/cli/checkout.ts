import { existsSync } from "node:fs";
import { join } from "node:path";

/** The checkout that this bundle was built in, or undefined in an installed package. */
export function checkout(): string | undefined {
  const root = join(import.meta.dirname, "..");
  return existsSync(join(root, "tsconfig.json")) && existsSync(join(root, "sessions")) ? root : undefined;
}

/** The night that came with the package, recorded by the demo. */
export function recordedNight(): string | undefined {
  const folder = join(import.meta.dirname, "..", "sessions", "the-night");
  return existsSync(join(folder, "events.jsonl")) ? folder : undefined;
}
