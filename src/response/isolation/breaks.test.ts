import { describe, expect, it } from "vitest";
import type { HostString } from "#model/host-string";
import { facts } from "../testing/facts.ts";
import { mayBreak } from "./breaks.ts";
import type { LiveConnection } from "./facts/host-facts.ts";

const host = (text: string) => text as HostString;
const served = (remote: string, port: number, local = 443): LiveConnection => ({
  transport: "tcp",
  state: "ESTAB",
  local: { ip: "10.0.0.5", port: local },
  remote: { ip: remote, port },
  pid: 9,
  name: host("nginx"),
});

describe("what the cut may break", () => {
  it("is said in a customer's words, with what was seen", () => {
    const said = mayBreak(
      facts({
        names: ["kubelet", "corosync", "node_exporter", "bash"].map(host),
        vendor: host("Amazon EC2"),
        rootType: "nfs4",
        networkMounts: [host("/srv/data")],
      }),
      [],
    ).join("\n");
    for (const word of ["Kubernetes", "(seen: kubelet)", "fence", "Monitoring", "scaling group", "whole host will hang", "/srv/data"])
      expect(said).toContain(word);
  });

  it("counts the business clients by port, and not us, nor the host itself", () => {
    const connections = [
      served("198.51.100.1", 1000),
      served("198.51.100.1", 1001),
      served("198.51.100.2", 1000),
      served("192.0.2.9", 50_000, 22),
      served("127.0.0.1", 5),
      served("203.0.113.66", 443, 40_000),
    ];
    const said = mayBreak(facts({ connections, listening: [22, 443] }), ["192.0.2.9"]);
    expect(said[0]).toBe("3 clients are connected to port 443 (nginx): they are cut in the middle of what they do.");
    expect(said).toHaveLength(1);
  });

  it("is nothing where nothing was seen, and cannot be steered by a name", () => {
    expect(mayBreak(facts(), [])).toEqual([]);
    const steering = mayBreak(facts({ networkMounts: [host("/mnt/\u001b[2J")] }), []).join("");
    expect(steering).not.toContain("\u001b");
  });
});
