import fc from "fast-check";
import { expect, test } from "vitest";
import { Admission, LIMITS, networkOf } from "./admission.ts";

function gate(limits: Partial<typeof LIMITS> = {}) {
  let now = 0;
  const admission = new Admission({ ...LIMITS, strangers: 1000, ...limits }, () => now);
  const knock = (address: string) => admission.enter(address);
  const later = (ms: number) => {
    now += ms;
  };
  return { admission, knock, later };
}

test("an address gets so many answers at once, and one more with time", () => {
  const { knock, later } = gate({ perAddress: 3, perAddressMs: 1000 });
  const tries = () => Array.from({ length: 5 }, () => typeof knock("192.0.2.1") !== "string").filter(Boolean).length;
  expect(tries()).toBe(3);
  later(2000);
  expect(tries()).toBe(2);
  later(3_600_000);
  expect(tries()).toBe(3);
  expect(knock("192.0.2.1")).toBe("too many attempts from this address");
  expect(knock("192.0.2.2")).not.toBeTypeOf("string");
});

test("many addresses have one limit together", () => {
  const { knock } = gate({ inAll: 20 });
  const let_ = Array.from({ length: 500 }, (_, i) => knock(`198.51.${i >> 8}.${i & 255}`)).filter((entry) => typeof entry !== "string");
  expect(let_).toHaveLength(20);
});

test("who turns out to be listed has used nothing up", () => {
  const { knock } = gate({ perAddress: 2, perAddressMs: 1e9, inAll: 2, inAllMs: 1e9 });
  for (let i = 0; i < 50; i++) {
    const entry = knock("127.0.0.1");
    if (typeof entry === "string") throw new Error(`${i}: ${entry}`);
    entry.known();
    entry.gone();
  }
});

test("only so many strangers are talked to at once", () => {
  const { knock } = gate({ strangers: 2 });
  const [first, second] = [knock("192.0.2.1"), knock("192.0.2.2")];
  expect(knock("192.0.2.3")).toMatch(/at once/);
  if (typeof first === "string" || typeof second === "string") throw new Error("refused");
  first.gone();
  first.gone(); // told twice, counted once
  expect(knock("192.0.2.3")).not.toBeTypeOf("string");
  expect(knock("192.0.2.4")).toMatch(/at once/);
});

test("what is remembered is bounded, however many addresses knock", () => {
  const { admission, knock } = gate({ inAll: 1e9 });
  for (let i = 0; i < 20_000; i++) knock(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(admission.remembered).toBeLessThanOrEqual(4096);
});

test("the addresses of one IPv6 network count as one", () => {
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(networkOf("2001:db8:1:2::9")).toBe("2001:db8:1:2::/64");
  expect(networkOf("2001:0db8::1")).toBe("2001:db8:0:0::/64");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(networkOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("192.0.2.7")).toBe("192.0.2.7");
  fc.assert(
    fc.property(fc.ipV6(), fc.ipV6(), (a, b) => {
      expect(networkOf(a)).toMatch(/^[0-9a-f:.]+(::\/64)?$/);
      expect(networkOf(a) === networkOf(b) || a !== b).toBe(true);
    }),
  );
});
