import { type Figure, show } from "./figure.ts";

const BENCHES: Record<string, () => Promise<{ bench(report: (figure: Figure) => void): Promise<void> }>> = {
  main: () => import("./night.ts"),
  capture: () => import("./capture.ts"),
  screen: () => import("./screen.ts"),
  isolate: () => import("./isolate.ts"),
  pair: () => import("./pair.ts"),
  attribution: () => import("./attribution.ts"),
};

const [name = "", ...flags] = process.argv.slice(2);
const load = BENCHES[name];
if (!load || flags.some((flag) => flag !== "--json")) {
  process.stderr.write(`stakeout: usage: npm run bench -- ${Object.keys(BENCHES).join("|")} [--json]\n`);
  process.exit(2);
}
let missed = 0;
try {
  const { bench } = await load();
  await bench((figure) => {
    if (!figure.ok) missed += 1;
    process.stdout.write(`${flags.includes("--json") ? JSON.stringify(figure) : show(figure)}\n`);
  });
} catch (error) {
  process.stderr.write(`stakeout: the benchmark could not run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
process.exit(missed ? 1 : 0);
