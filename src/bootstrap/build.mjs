// Bundles the programs into dist/: one file each, so that the first byte comes fast and a global install needs few packages.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { packAsn } from "./pack-asn.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
mkdirSync("dist", { recursive: true });
const started = performance.now();
const { version } = createRequire(import.meta.url)("@ip-location-db/asn/package.json");
const table = `dist/asn-${version}.bin.br`; // packing takes 2 s and changes only with its version
for (const name of readdirSync("dist").filter((name) => `dist/${name}` !== table)) rmSync(`dist/${name}`, { recursive: true });
const result = await build({
  entryPoints: {
    main: "src/cli/main.ts",
    "reading-process": "src/investigation/reading-process.ts",
    bench: "src/bench/main.ts",
    pictures: "src/bench/pictures.ts",
    fuzz: "src/bench/fuzz.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22",
  jsx: "automatic",
  minify: true,
  keepNames: true,
  sourcemap: "external",
  legalComments: "linked",
  metafile: true,
  loader: { ".pl": "text", ".sh": "text" },
  // React's development build costs 2.5 times as much a frame.
  define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"', ASN_TABLE: JSON.stringify(`./asn-${version}.bin.br`) },
  alias: { "react-devtools-core": "./src/bootstrap/empty.mjs" },
  external: [
    "blessed",
    "blessed-contrib",
    "map-canvas",
    "drawille-canvas-blessed-contrib",
    "cpu-features",
    "*.node",
    "@ip-location-db/*",
    "@lydell/node-pty",
    "@xterm/headless",
    "@resvg/resvg-js",
  ],
  // A bundled CommonJS package (ssh2) wants these three.
  banner: {
    js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;",
  },
});
const bytes = Object.entries(result.metafile.outputs).reduce((sum, [name, { bytes }]) => sum + (name.endsWith(".js") ? bytes : 0), 0);
if (!existsSync(table)) await packAsn(table);
process.stderr.write(
  `stakeout: built dist/ (${(bytes / 1024).toFixed(0)} kB) in ${((performance.now() - started) / 1000).toFixed(1)} s on Node ${process.version}\n`,
);
