// The bootstrap: plain JavaScript without dependencies, run by whatever Node is there (18 and later). Every npm script and the bin go
// through it: it makes node_modules equal the lockfile, picks the pinned Node, builds when sources are newer, and hands over.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ARENAS, compiledIn, HEAP } from "./startup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const at = (...parts) => join(root, ...parts);
const say = (line) => process.stderr.write(`stakeout: ${line}\n`);
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));
const windows = process.platform === "win32";

/** Why node_modules must be installed again, or "" when it matches the lockfile. By content: times lie after a checkout. */
function staleInstall() {
  const hidden = at("node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return "node_modules is missing";
  try {
    const have = readJson(hidden).packages;
    for (const [path, want] of Object.entries(readJson(at("package-lock.json")).packages)) {
      if (want.link || !path.startsWith("node_modules/")) continue;
      const got = have[path];
      if (!want.optional && !(got && existsSync(at(path)))) return `${path} is missing`;
      if (got && (got.version !== want.version || got.integrity !== want.integrity)) return `${path} differs from the lockfile`;
    }
    return "";
  } catch (error) {
    return `node_modules is unreadable (${error.message})`;
  }
}

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** One install or build at a time per checkout; a lock whose owner died is taken over. */
async function locked(work) {
  const lock = at(".stakeout-lock");
  for (let waited = false; ; ) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      let owner = 0;
      try {
        owner = Number(readFileSync(join(lock, "pid"), "utf8"));
      } catch {}
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (owner ? !alive(owner) : age > 5000) {
        rmSync(lock, { recursive: true, force: true });
        continue;
      }
      if (!waited) say(`waiting for process ${owner} to finish preparing this checkout`);
      waited = true;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
  writeFileSync(join(lock, "pid"), String(process.pid));
  const drop = () => rmSync(lock, { recursive: true, force: true });
  process.once("exit", drop);
  try {
    return await work();
  } finally {
    drop();
    process.off("exit", drop);
  }
}

function install(reason) {
  const started = Date.now();
  say(`${reason}; running npm ci (once, about 30 s and 650 MB with the city database)`);
  const npm = process.env.npm_execpath; // set when npm started us
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--no-progress"];
  args.push("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000");
  const env = { ...process.env };
  for (const name of ["npm_config_omit", "npm_config_global", "npm_config_production", "NODE_ENV"]) delete env[name];
  const options = { cwd: root, env, stdio: ["ignore", 2, 2] };
  const viaNpm = npm && /npm-cli\.js$/.test(npm); // under npx it names npx's own script
  const result = viaNpm ? spawnSync(process.execPath, [npm, ...args], options) : spawnSync("npm", args, { ...options, shell: windows });
  if (result.status !== 0) {
    say(
      `npm ci failed (${result.error?.message ?? `exit ${result.status}`}). Is the registry reachable? Run "npm ci" by hand to see more.`,
    );
    process.exit(1);
  }
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** The pinned Node when npm had one for this platform, else the running one when it is new enough. */
function pickNode() {
  const pinned = at("node_modules", ".bin", windows ? "node.cmd" : "node");
  if (existsSync(pinned) && spawnSync(pinned, ["--version"], { shell: windows }).status === 0) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return process.execPath;
  say(`no pinned Node for ${process.platform}-${process.arch}: install Node 22.12 or later (this is ${process.version})`);
  return process.exit(1);
}

/** As timeout(1) has it: what was begun did not end in time. */
const TOO_LATE = 124;

/** Runs Node on `args` and gives the exit code; what is not over after `minutes` hangs and is ended. */
function run(node, args, extraEnv = {}, minutes = undefined) {
  const env = { ...process.env, PATH: at("node_modules", ".bin") + delimiter + (process.env.PATH ?? ""), ...extraEnv };
  return new Promise((done) => {
    const child = spawn(node, args, { cwd: process.env.INIT_CWD ?? process.cwd(), env, stdio: "inherit" });
    process.on("SIGINT", () => {}); // a terminal sends it to the child too, which decides
    for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => child.kill(signal));
    child.on("error", (error) => {
      say(error.message);
      done(127);
    });
    let hangs = false;
    const late =
      minutes &&
      setTimeout(() => {
        hangs = true;
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
      }, minutes * 60_000);
    child.on("exit", (code, signal) => {
      clearTimeout(late);
      if (hangs) say(`${basename(args[0])} did not end within ${minutes} minutes`);
      done(hangs ? TOO_LATE : (code ?? 128 + (constants.signals[signal] ?? 1)));
    });
  });
}

function newest(path) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  return readdirSync(path).reduce((max, name) => Math.max(max, newest(join(path, name))), info.mtimeMs);
}
const built = () => statSync(at("dist", "main.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const staleBuild = () => built() <= Math.max(...["src", "views", "package-lock.json", "tsconfig.json"].map((name) => newest(at(name))));
const build = (node, force) =>
  locked(() => (force || staleBuild() ? run(node, [at("src", "bootstrap", "build.mjs")], { INIT_CWD: root }) : 0));

/** Runs one task of the checkout and gives its exit code. */
export async function main([task = "start", ...rest]) {
  if (staleInstall())
    await locked(() => {
      const reason = staleInstall(); // a second starter finds the work done
      if (reason) install(reason);
    });
  const node = pickNode();
  if (task === "exec") {
    const [name, ...args] = rest;
    const pkg = { tsc: "typescript", biome: "@biomejs/biome" }[name] ?? name;
    const { bin } = readJson(at("node_modules", pkg, "package.json"));
    return run(node, [at("node_modules", pkg, typeof bin === "string" ? bin : bin[name]), ...args]);
  }
  if (task === "build" || staleBuild()) {
    const code = await build(node, task === "build");
    if (code || task === "build") return code;
  }
  const environment = { ...ARENAS, ...compiledIn(at("dist", "compiled")) };
  const bundle = (name, ...args) => run(node, ["--enable-source-maps=false", ...HEAP, at("dist", `${name}.js`), ...args], environment);
  if (task === "start") return bundle("main", ...(rest.length ? rest : ["demo"]));
  if (task === "stakeout") return bundle("main", ...rest);
  if (task === "bench") return bundle("bench", ...rest);
  if (task === "pictures") return bundle("pictures", ...rest);
  if (task === "fuzz") return bundle("fuzz", ...rest);
  const tests = async (env, minutes) => {
    const code = await run(node, [at("node_modules", "vitest", "vitest.mjs"), "run", ...rest], { INIT_CWD: root, ...env }, minutes);
    if (code === TOO_LATE) process.stdout.write("0 passed, 1 failed\n");
    return code;
  };
  if (task === "test") {
    // The checks that need no host come first: a type error should not wait for a range.
    for (const check of [
      ["typescript", "tsc", "--noEmit"],
      ["@biomejs/biome", "biome", "check", "."],
      ["knip", "knip"],
    ]) {
      const [pkg, name, ...args] = check;
      const started = Date.now();
      const { bin } = readJson(at("node_modules", pkg, "package.json"));
      const code = await run(node, [at("node_modules", pkg, typeof bin === "string" ? bin : bin[name]), ...args], { INIT_CWD: root }, 10);
      say(`${name}: ${code ? "failed" : "fine"} after ${((Date.now() - started) / 1000).toFixed(1)} s`);
      if (code) {
        process.stdout.write("0 passed, 1 failed\n");
        return code;
      }
    }
    return tests({ STAKEOUT_TESTS: "short" }, 30);
  }
  if (task === "test:long") {
    // Two soaks of five minutes beside the hosts that take long: half an hour in all, and twice that before it hangs.
    return tests({ STAKEOUT_TESTS: "long", STAKEOUT_SOAK_SECONDS: process.env.STAKEOUT_SOAK_SECONDS ?? "300" }, 60);
  }
  say(`unknown task "${task}"`);
  return 2;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
