#!/usr/bin/env node
// The command `stakeout`. In a checkout it goes through the bootstrap, so that it works before anything was installed or built;
// in an installed package it checks the Node and runs the bundle.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

if (existsSync(fileURLToPath(new URL("../../tsconfig.json", import.meta.url)))) {
  const { main } = await import("./run.mjs");
  process.exitCode = await main(["stakeout", ...process.argv.slice(2)]);
} else {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 12)) {
    process.stderr.write(
      `stakeout needs Node 22.12 or later; this is ${process.version}. Install a newer Node, or use "npm start" in a checkout.\n`,
    );
    process.exit(1);
  }
  const program = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
  const { ARENAS, compiledIn, HEAP } = await import("./startup.mjs");
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "stakeout", "compiled");
  // In this process's place, with memory as a checkout gives it; where that cannot be (Node before 22.15, Windows), without.
  if (process.execve)
    process.execve(process.execPath, [process.execPath, ...HEAP, program, ...process.argv.slice(2)], {
      ...process.env,
      ...ARENAS,
      ...compiledIn(cache),
    });
  await import(pathToFileURL(program));
}
