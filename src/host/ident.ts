import type { Duplex } from "node:stream";
import type { HostString } from "#model/host-string";
import { seconds } from "./dial.ts";
import { bounded, HostError, quoted } from "./errors.ts";

/** Bytes that a server may send up to the end of its identification: RFC 4253, section 4.2 allows lines before it, and 255 bytes for it. */
const LIMIT = 16 << 10;
const LINE_LIMIT = 255;

/**
 * Waits for the server's identification line and leaves the socket paused, with that line as the next thing to read: what a server
 * says before it is dropped, and one that never comes to the point, or drips it byte by byte, is found out here.
 * @returns the line, such as `SSH-2.0-OpenSSH_9.2p1`
 * @throws HostError `timeout` when nothing comes, `socket` when what comes is not SSH
 */
export async function readIdent(socket: Duplex, where: string, timeoutMs: number): Promise<HostString> {
  let bytes = Buffer.alloc(0);
  let lineStart = 0;
  const ident = await new Promise<string>((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(timer);
      socket.off("readable", onReadable).off("close", onClose);
      act();
    };
    const notSsh = (why: string) => {
      const said = bounded(bytes.toString("latin1"));
      const shown = said === "" ? "" : ` It said ${quoted(said)}.`;
      finish(() =>
        reject(
          new HostError(
            "socket",
            `${where} does not speak SSH: ${why}.${shown}`,
            "Check the port: another service, or a proxy in between, may be answering there.",
            { said },
          ),
        ),
      );
    };
    const onReadable = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        bytes = Buffer.concat([bytes, chunk]);
        for (let end = bytes.indexOf(10, lineStart); end >= 0; end = bytes.indexOf(10, lineStart)) {
          const line = bytes.toString("latin1", lineStart, end).replace(/\r$/, "");
          if (line.startsWith("SSH-")) {
            if (line.length > LINE_LIMIT) return notSsh("its identification is longer than SSH allows");
            if (!/^SSH-(2\.0|1\.99)-./.test(line)) return notSsh("it offers no version 2 of the protocol");
            return finish(() => resolve(line));
          }
          lineStart = end + 1;
        }
        if (bytes.length > LIMIT) return notSsh(`${LIMIT >> 10} KB came and no identification among them`);
      }
    };
    const onClose = () => notSsh("it closed the connection before it said who it is");
    const timer = setTimeout(() => {
      if (bytes.length > 0) notSsh(`its identification was not complete within ${seconds(timeoutMs)}`);
      else
        finish(() =>
          reject(
            new HostError(
              "timeout",
              `${where} accepted the connection and then said nothing for ${seconds(timeoutMs)}`,
              "The host may be overloaded or frozen, or a firewall answers in its place: try again.",
            ),
          ),
        );
    }, timeoutMs);
    socket.on("readable", onReadable).on("close", onClose);
    socket.once("end", onClose);
    onReadable();
  });
  socket.removeAllListeners("end");
  socket.unshift(bytes.subarray(lineStart));
  await new Promise((resolve) => setImmediate(resolve)); // the stream takes a tick to leave its reading mode
  return bounded(ident);
}
