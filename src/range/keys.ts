import { readFileSync } from "node:fs";
import { must } from "./machine.ts";

/** Makes an ed25519 key pair without a passphrase at `file` and `file`.pub, for this run alone. */
export async function makeKey(file: string, comment: string): Promise<{ private: string; public: string }> {
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
  return { private: readFileSync(file, "latin1"), public: readFileSync(`${file}.pub`, "latin1") };
}
