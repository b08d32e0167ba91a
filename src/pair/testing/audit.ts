import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const MAIN = 'import sys; sys.argv[0] = "ssh-audit"; from ssh_audit.ssh_audit import main; sys.exit(main())';

/**
 * Debian's ssh-audit, unpacked into the cache and never installed. @returns its folder of Python packages, or a sentence on why it cannot
 * be had here
 */
export function auditPackage(): { packages: string } | { missing: string } {
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "ssh-audit");
  const packages = join(folder, "usr/lib/python3/dist-packages");
  if (spawnSync("python3", ["--version"]).status !== 0) return { missing: "no python3 on this machine" };
  if (existsSync(join(packages, "ssh_audit"))) return { packages };
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync("apt-get", ["download", "ssh-audit"], { cwd: folder, stdio: "pipe", timeout: 60_000 });
    const archive = readdirSync(folder).find((name) => name.endsWith(".deb")) ?? "";
    execFileSync("dpkg-deb", ["-x", join(folder, archive), folder], { stdio: "pipe" });
    return { packages };
  } catch (error) {
    return { missing: `Debian's package ssh-audit cannot be fetched (${(error as Error).message.split("\n")[0]})` };
  }
}

/** What ssh-audit says of a server on this machine, every line of it. */
export function audit(packages: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "python3",
      ["-c", MAIN, "-n", "-p", String(port), "127.0.0.1"],
      { env: { PATH: process.env["PATH"] ?? "", PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" }, timeout: 60_000 },
      (error, stdout, stderr) => (stdout === "" ? reject(error ?? new Error(stderr)) : resolve(stdout + stderr)),
    );
  });
}
