import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import { Entities, processRef } from "./entities.ts";

test("each line of what a login does names its source's address; where in the world that is, the login itself says once", async () => {
  const source = (await Enricher.open()).endpoint("185.220.101.1", 51234);
  expect(source.geo?.country_iso_code).toBeDefined();
  const entities = new Entities("B");
  const sshd = entities.add(7, 7, undefined);
  sshd.leader = { entity_id: sshd.id, entry_meta: { type: "sshd", source } };
  const shell = entities.add(8, 8, sshd);
  const leader = { entity_id: "B:7:7", entry_meta: { type: "sshd", source: { ip: "185.220.101.1", port: 51234 } } };
  expect(processRef(shell).entry_leader).toEqual(leader);
  expect(processRef(sshd).entry_leader).toEqual(leader);
  expect(sshd.leader.entry_meta.source).toBe(source);
});
