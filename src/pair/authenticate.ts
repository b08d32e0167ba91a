import type { AuthContext, Connection } from "ssh2";
import { printable } from "#model/host-string";
import type { Limits } from "./admission.ts";
import type { ListedAnalyst } from "./analysts.ts";
import { fingerprintOf } from "./wire.ts";

/** What a connection has shown so far. */
export interface Shown {
  /** Set when a signature by a listed key was verified, and never before. */
  analyst?: ListedAnalyst;
  /** The name that it asked for: it means nothing, and is hostile. */
  user: string;
  /** Fingerprints of the keys that it offered, the first few. */
  keys: string[];
  /** Why the last of them was refused. */
  why: string;
}

const MOST_KEYS = 5;

/** Lets in whoever proves to hold a listed key; the name that is asked for plays no part. */
export function authenticate(client: Connection, analysts: ReadonlyMap<string, ListedAnalyst>, limits: Limits): Shown {
  const shown: Shown = { user: "", keys: [], why: "it offered no key" };
  let offers = 0;
  let wrong = 0;
  const refuse = (attempt: AuthContext, why: string) => {
    shown.why = why;
    attempt.reject(["publickey"]);
  };
  client.on("authentication", (attempt) => {
    shown.user = printable(attempt.username).slice(0, 64);
    if (++offers > limits.offers) {
      shown.why = `it offered more than ${limits.offers} keys`;
      return client.end();
    }
    if (attempt.method !== "publickey")
      return refuse(attempt, attempt.method === "none" ? shown.why : `it tried ${attempt.method}: keys alone are taken`);
    const { data, algo } = attempt.key;
    const fingerprint = fingerprintOf(data);
    if (shown.keys.length < MOST_KEYS && !shown.keys.includes(fingerprint)) shown.keys.push(fingerprint);
    const listed = analysts.get(data.toString("base64"));
    if (!listed) return refuse(attempt, "its key is not in the list");
    // A signature over SHA-1 (the algorithm that is called ssh-rsa, as its key is) comes without a name of a hash.
    if (algo !== listed.key.type || (algo === "ssh-rsa" && attempt.hashAlgo === undefined))
      return refuse(attempt, `a signature by ${algo} is not taken`);
    if (!attempt.signature || !attempt.blob) return attempt.accept(); // it may sign; it is nobody yet
    if (listed.key.verify(attempt.blob, attempt.signature, attempt.hashAlgo) !== true) {
      refuse(attempt, "its signature is wrong");
      if (++wrong >= limits.signatures) client.end();
      return;
    }
    shown.analyst = listed;
    attempt.accept();
  });
  return shown;
}
