import fc from "fast-check";
import { expect, test } from "vitest";
import { HostError } from "./errors.ts";
import { parseTarget } from "./target.ts";

test.each([
  ["web1", { host: "web1" }],
  ["root@web1", { host: "web1", user: "root" }],
  ["root@web1:2222", { host: "web1", user: "root", port: 2222 }],
  ["web1:2222", { host: "web1", port: 2222 }],
  ["ssh://root@web1:2222", { host: "web1", user: "root", port: 2222 }],
  ["ssh://root@web1/", { host: "web1", user: "root" }],
  ["ssh://ad%5Cjo@[2001:db8::1]:2222", { host: "2001:db8::1", user: "ad\\jo", port: 2222 }],
  ["[2001:db8::1]:22", { host: "2001:db8::1", port: 22 }],
  ["root@[2001:db8::1]", { host: "2001:db8::1", user: "root" }],
  ["2001:db8::1", { host: "2001:db8::1" }],
  ["fe80::1%eth0", { host: "fe80::1%eth0" }],
  ["jo@corp.example@web1", { host: "web1", user: "jo@corp.example" }],
])("%s", (text, target) => {
  expect(parseTarget(text)).toEqual(target);
});

test.each([
  "",
  "@web1",
  "web1:",
  "web1:0",
  "web1:65536",
  "web1:22x",
  "[2001:db8::1]x",
  "-oProxyCommand=x",
  "a b",
  "web\n1",
  "ssh://%zz@web1",
  "a/b",
])("%j is refused, with what to write instead", (text) => {
  expect(() => parseTarget(text)).toThrow(HostError);
  expect(() => parseTarget(text)).toThrow(/is not a host to connect to/);
});

test("whatever is typed gives a target or a HostError", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab:@[]/%1-. \n") }), (text) => {
      try {
        const target = parseTarget(text);
        expect(target.host).not.toBe("");
        if (target.port !== undefined) expect(target.port).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(HostError);
      }
    }),
  );
});
