/**
 * The connections that this console made, as the host sees them: by address and port, each good for one login. By the port alone an
 * intruder who can list the host's sockets could connect from a port of the same number, and be taken for us and folded away.
 * Behind a translated address none matches: then our further logins are shown as unknown, which hides nobody.
 */
export class OwnConnections {
  #address: string;
  #ports: Set<number>;

  constructor({ localAddress, localPort }: { localAddress: string; localPort: number }) {
    this.#address = plain(localAddress);
    this.#ports = new Set([localPort]);
  }

  /** We came back by another connection, perhaps from another address; those of before are gone. */
  cameBack({ localAddress, localPort }: { localAddress: string; localPort: number }): void {
    this.#address = plain(localAddress);
    this.#ports = new Set([localPort]);
  }

  /** We opened one more, from this port. */
  opened(port: number): void {
    this.#ports.add(port);
  }

  /** Whether a login from there is ours; true once for each connection. */
  claims({ ip, port }: { ip: string; port: number }): boolean {
    return plain(ip) === this.#address && this.#ports.delete(port);
  }
}

/** Sockets of both families name an IPv4 address as ::ffff:1.2.3.4 (RFC 4291, 2.5.5.2). */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
