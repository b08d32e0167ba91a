import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { rangeAvailable } from "./available.ts";
import { debootstrapProgress } from "./debootstrap.ts";
import { withLock } from "./lock.ts";
import { runLocal, until } from "./machine.ts";

/** A child of ours runs the source itself, on any Node that the project supports. */
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];
const folder = mkdtempSync(join(tmpdir(), "stakeout-lock-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const linux = test.skipIf(process.platform !== "linux");

test("the progress of a build never falls and stays between 0 and 1, whatever debootstrap says", () => {
  const verb = fc.constantFrom("Retrieving", "Validating", "Extracting", "Unpacking", "Configuring", "Base system installed");
  fc.assert(
    fc.property(fc.array(fc.tuple(verb, fc.string())), (lines) => {
      const read = debootstrapProgress(20);
      let last = 0;
      for (const [word, rest] of lines) {
        const step = read(`I: ${word} ${rest}`);
        if (!step) continue;
        expect(step.fraction).toBeGreaterThanOrEqual(last);
        expect(step.fraction).toBeLessThanOrEqual(1);
        last = step.fraction;
      }
    }),
  );
});

test("the progress of a whole build comes near 1", () => {
  const read = debootstrapProgress(3);
  const packages = ["adduser 3.134", "apt 2.6.1", "at 3.2.5"];
  const lines = ["Retrieving", "Extracting", "Unpacking", "Configuring"].flatMap((verb) => packages.map((name) => `I: ${verb} ${name}...`));
  const steps = lines.map(read);
  expect(steps[0]?.phrase).toBe("retrieving adduser");
  expect(steps[0]?.fraction).toBeCloseTo(0.1);
  expect(steps.at(-1)?.fraction).toBeCloseTo(0.99);
});

linux("only one at a time holds a lock", async () => {
  const file = join(folder, "one");
  let inside = 0;
  let most = 0;
  const enter = () =>
    withLock(file, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    });
  await Promise.all([enter(), enter(), enter()]);
  expect(most).toBe(1);
  await expect(withLock(file, () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  await enter(); // a failed holder has let it go
});

linux("a lock whose holder was killed is taken over", async () => {
  const file = join(folder, "dead");
  const script = `
    const { withLock } = await import(${JSON.stringify(join(import.meta.dirname, "lock.ts"))});
    await withLock(${JSON.stringify(file)}, () => new Promise(() => { console.log("held"); setInterval(() => {}, 1000); }));
  `;
  const owner = spawn(process.execPath, [...FLAGS, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => owner.stdout.once("data", resolve));
  let waited = false;
  const mine = withLock(
    file,
    async () => "taken",
    () => {
      waited = true;
      owner.kill("SIGKILL");
    },
  );
  expect(await mine).toBe("taken");
  expect(waited).toBe(true);
});

linux("a lock in a folder that is not there is an error that names it", async () => {
  await expect(withLock("/nowhere/at/all", async () => 1)).rejects.toThrow("/nowhere/at/all");
});

test.skipIf(rangeAvailable() !== undefined)("a build that is killed leaves nothing that looks finished, and no process", async () => {
  const cache = join(folder, "cache");
  const script = `
    const { prepareRootfs } = await import(${JSON.stringify(join(import.meta.dirname, "rootfs.ts"))});
    const onProgress = ({ phrase }) => console.log(phrase);
    await prepareRootfs({ cache: ${JSON.stringify(cache)}, onProgress });
  `;
  const owner = spawn(process.execPath, [...FLAGS, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => owner.stdout.once("data", resolve));
  const building = () =>
    readdirSync("/proc").filter((entry) => {
      try {
        return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, "latin1").includes(`${cache}/`);
      } catch {
        return false; // ended since the folder was read
      }
    });
  expect(building().length).toBeGreaterThan(0);
  owner.kill("SIGKILL");
  await until("debootstrap and all it started to end", () => building().length === 0);
  expect(readdirSync(cache).every((name) => name.endsWith(".lock") || name.includes(".new-"))).toBe(true);
  expect(readFileSync("/proc/self/mountinfo", "latin1")).not.toContain(cache);
});

test.skipIf(process.getuid?.() !== 0 || process.platform !== "linux")("without root the reason says what to do", async () => {
  const script = `
    const { rangeAvailable } = await import(${JSON.stringify(join(import.meta.dirname, "available.ts"))});
    process.setuid(65534);
    console.log(rangeAvailable());
  `;
  const { stdout } = await runLocal([process.execPath, ...FLAGS, "-e", script]);
  expect(stdout).toMatch(/needs root: run it as root/);
});
