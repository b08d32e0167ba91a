import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reverseNames } from "./reverse-names.ts";

/** A name server that knows one address (messages as in RFC 1035, 4.1); of another it has no name, and of a third it says nothing useful. */
const server = createSocket("udp4");
let address = "";
beforeAll(async () => {
  server.on("message", (ask, from) => {
    const question = ask.subarray(12);
    const name = question.toString("latin1");
    const is = (...labels: string[]) => name.startsWith(labels.map((label) => String.fromCharCode(label.length) + label).join(""));
    const [flags, answers] = is("9", "113", "0", "203", "in-addr") || is("1", "0", "0") ? [0x8180, 1] : is("8") ? [0x8183, 0] : [0x8182, 0];
    const head = Buffer.alloc(12);
    head.set(ask.subarray(0, 2));
    head.writeUInt16BE(flags, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers, 6);
    const end = question.indexOf(0) + 5;
    const data = Buffer.from("\u0004mail\u0007example\u0000", "latin1");
    const record = Buffer.concat([Buffer.from([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, data.length]), data]);
    server.send(Buffer.concat([head, question.subarray(0, end), answers > 0 ? record : Buffer.alloc(0)]), from.port, from.address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  address = `127.0.0.1:${server.address().port}`;
});
afterAll(() => server.close());

test("a name, no name, and no answer are three things", async () => {
  expect(await reverseNames("203.0.113.9", [address])).toEqual(["mail.example"]);
  expect(await reverseNames("::ffff:203.0.113.9", [address])).toEqual(["mail.example"]);
  expect(await reverseNames("2001:db8::1", [address])).toEqual(["mail.example"]);
  expect(await reverseNames("203.0.113.8", [address])).toEqual([]);
  await expect(reverseNames("203.0.113.7", [address])).rejects.toThrow(/the resolver gave no answer: ESERVFAIL/);
  await expect(reverseNames("no address", [address])).rejects.toThrow("it is no address");
});
