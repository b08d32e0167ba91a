import { expect, test } from "vitest";
import { OwnConnections } from "./own-connections.ts";

test("a login is ours by address and port, once; the same port from elsewhere is somebody else's", () => {
  const own = new OwnConnections({ localAddress: "::ffff:10.0.0.250", localPort: 5000 });
  expect(own.claims({ ip: "203.0.113.9", port: 5000 })).toBe(false);
  expect(own.claims({ ip: "10.0.0.250", port: 5001 })).toBe(false);
  expect(own.claims({ ip: "10.0.0.250", port: 5000 })).toBe(true);
  expect(own.claims({ ip: "10.0.0.250", port: 5000 })).toBe(false); // the port is free again, and anybody's
  own.opened(5002);
  expect(own.claims({ ip: "10.0.0.250", port: 5002 })).toBe(true);
});
