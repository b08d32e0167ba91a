import type { HostString } from "./host-string.ts";
import type { SecretKind } from "./observation.ts";

/** Of a file's content, hexadecimal (ECS `file.hash`); MD5 and SHA-1 where a list has digests of that kind alone. */
export interface Digests {
  sha256: string;
  sha1?: string;
  md5?: string;
}

/** What is told of a file (ECS `file`). */
export interface FileFacts {
  path: HostString;
  name?: HostString;
  size?: number;
  mode?: string;
  uid?: string;
  mtime?: string;
  inode?: string;
  hash?: Digests;
}

/** Of `file.package` (ECS `package`): the package that a file belongs to, as the host's own list names it. */
export interface PackageFacts {
  name: HostString;
  version?: HostString;
}

/**
 * Of `file.package`: whose a file is. Root on the host can edit the host's own list, so `host` alone vouches for nothing; `console` is the
 * comparison with a list that the analyst brought.
 */
export interface Ownership {
  /** `none`: no package of the host's list has it. `unknown`: nobody could say, and `why` has the reason. */
  state: "owned" | "none" | "unknown";
  /** Whose list that is; not of what is unknown. */
  manager?: "dpkg" | "rpm";
  /** Against the digest in the host's own list; `undigested` where that has none, or expects another. `why` has more, if there is. */
  host?: "same" | "differs" | "undigested";
  /** Against the console's list; `other-version` where that has only other versions of the package. Left out where there is no list. */
  console?: "same" | "differs" | "unlisted" | "other-version";
  /** Where the path leads to, if that is elsewhere. */
  file?: HostString;
  why?: HostString;
}

/**
 * Of `file.access` and `process.access`: how somebody reached for a thing. `held` is a terminal that was handed over by another process;
 * `target` is the process that was traced, signalled, or whose memory or environment was opened.
 */
export interface Access {
  how: "open" | "held" | "trace" | "signal";
  /** Number of the signal (signal(7)). */
  signal?: number;
  target?: { entity_id: string; pid?: number };
  /** What kind of secret the file is. */
  secret?: SecretKind;
}

/** Of `baseline.secret`: a secret that lies on the host. Never its content. */
export interface Secret {
  kind: SecretKind;
  /** Of a key: what ssh-keygen -l and sshd's log call it, "SHA256:...". */
  fingerprint?: string;
  /** Of a private key: "none" when no passphrase protects it. */
  cipher?: HostString;
  /** Of known_hosts and ssh_config: the machines that it names. */
  hosts?: HostString[];
}
