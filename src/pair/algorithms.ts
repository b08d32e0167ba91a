import type { Algorithms, KexAlgorithm } from "ssh2";

const KEX: KexAlgorithm[] = ["curve25519-sha256", "curve25519-sha256@libssh.org"];

/**
 * What the server offers and nothing besides: curve25519 (RFC 8731), ed25519 (RFC 8709), AES-GCM (RFC 5647); the MACs only fill a list
 * that must not be empty. Every OpenSSH since 6.5 (2014) speaks these.
 *
 * The prefix truncation of Terrapin (CVE-2023-48795) has nothing to act on in GCM, whose counter no injected packet can move. So the
 * marker of strict key exchange, which ssh2 appends to whatever list it is given, would promise nothing, and older audits do not know
 * it: the list stays as it is.
 */
export const ALGORITHMS: Algorithms = {
  kex: Object.assign([...KEX], { concat: () => [...KEX] }),
  serverHostKey: ["ssh-ed25519"],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
  compress: ["none"],
};
