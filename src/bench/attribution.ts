import { attributionSpeed } from "./attribution-speed.ts";
import type { Figure } from "./figure.ts";
import { trialFigures } from "./trial.ts";

/** What attribution is measured by; each part tells its own figures. */
const PARTS: readonly ((report: (figure: Figure) => void) => Promise<void>)[] = [attributionSpeed, trialFigures];

/** Who did what, and what a tag makes of it. */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  for (const part of PARTS) await part(report);
}
