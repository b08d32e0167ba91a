import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Tag } from "#model/event";
import { EXIT, UserError } from "../exit.ts";
import { hostFile, parseProfile, profileFiles, readHost, readProfiles, writeWhole } from "./files.ts";
import { tagKeeper } from "./keeper.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-profiles-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const told = (text: string): string[] => {
  try {
    parseProfile(text, "team.yml");
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== EXIT.usage) throw error;
    return error.message.split("\n").slice(0, -1);
  }
  return [];
};
const FINGERPRINT = `SHA256:${"a".repeat(43)}`;

describe("a profile", () => {
  test("names analysts with keys, addresses and accounts, tools, and tags", () => {
    const text = `analysts:
  - name: jm
    keys: [${FINGERPRINT}, ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 jm@laptop]
    addresses: [198.51.100.7, 2001:db8::/64]
    users: [jm]
customer: [10.20.0.0/16]
tools: ["*/tcpdump"]
tags:
  - {verdict: known-good, selector: {unit: backup.service, user: 34}, reason: the nightly backup}
`;
    expect(parseProfile(text, "/x/team.yml")).toMatchObject({
      name: "team",
      analysts: [
        { name: "jm", keys: [FINGERPRINT, expect.stringMatching(/^SHA256:[\w+/]{43}$/)], addresses: ["198.51.100.7", "2001:db8::/64"] },
      ],
      customer: ["10.20.0.0/16"],
      tools: ["*/tcpdump"],
      tags: [{ verdict: "known-good", selector: { unit: "backup.service", user: "34" } }],
    });
    expect(parseProfile("", "t.yml")).toEqual({ name: "t", analysts: [], customer: [], tools: [], tags: [] });
  });

  test("a mistake is told with line and column, and nothing of it is taken", () => {
    expect(told("analysts:\n  - name: jm\n    addresses:\n      - 198.51.100.7\n      - 198.51.100.0/33\n")).toEqual([
      'team.yml:5:9: "/33" is no length of a network: it is a number from 0 to 32',
    ]);
    expect(told("analysts:\n  - name: jm\n   keys: []\n")[0]).toMatch(/^team\.yml:3:\d+: /);
    expect(told("analysts:\n  - name: jm\n    phone: 1\n")).toEqual(['team.yml:3:5: there is no "phone" here']);
    expect(told("people: []\n")).toEqual(['team.yml:1:1: there is nothing called "people"; there are analysts, customer, tools, tags']);
    expect(told("customer: [10.0.0.0/33]\n")[0]).toMatch(/^team\.yml:1:12: /);
    expect(told("tools: [tcpdump]\n")[0]).toMatch(/^team\.yml:1:9: a command pattern begins with \/ or \*/);
    expect(told("tags:\n  - {verdict: ours, selector: {user: x}, reason: r}\n")).toEqual([
      "team.yml:2:15: a verdict is responder, known-good, suspect or intruder",
    ]);
    expect(told("tags:\n  - verdict: suspect\n    selector: {package: unchanged}\n    reason: r\n")[0]).toMatch(
      /^team\.yml:3:15: that a package owns/,
    );
    const login = "tags:\n  - verdict: suspect\n    selector: {login: x}\n    reason: r\n";
    expect(told(login)).toContain('team.yml:3:16: there is no "login" here');
    expect(told("analysts: [{name: a, keys: [x]}]")[0]).toMatch(/^team\.yml:1:29: a key is written/);
    expect(told("analysts: 7")).toEqual(["team.yml:1:11: analysts is a list"]);
    expect(told("a: &a [*a]\n").length).toBeGreaterThan(0);
  });

  test("one with a mistake does not keep the others from being read", () => {
    writeFileSync(join(folder, "good.yml"), "tools: [/usr/bin/lsof]\n");
    writeFileSync(join(folder, "bad.yaml"), "tools: 1\n");
    writeFileSync(join(folder, "notes.txt"), "x");
    const { profiles, problems } = readProfiles(profileFiles(folder));
    expect(profiles.map(({ name }) => name)).toEqual(["good"]);
    expect(problems).toEqual([expect.stringContaining("bad.yaml:1:8: tools is a list")]);
    expect(profileFiles(join(folder, "none"))).toEqual([]);
  });
});

describe("tags that are kept", () => {
  const tag = (more: Partial<Tag>): Tag => ({
    id: "t1",
    verdict: "responder",
    selector: { source: "198.51.100.7" },
    reason: "jm",
    ...more,
  });
  const keeper = () => tagKeeper({ host: hostFile(FINGERPRINT, folder), label: "db1", now: () => 0, profiles: join(folder, "profiles") });

  test("for a host: in a file of its own, readable by the analyst alone, until they are forgotten", () => {
    expect(keeper().keep(tag({ scope: "host" }), "jm")).toBeUndefined();
    expect(keeper().keep(tag({ scope: "host", verdict: "known-good", hides_flagged: true }), "kim")).toBeUndefined();
    expect(keeper().keep(tag({ scope: "host", selector: { user: "backup" } }), "jm")).toBeUndefined();
    const file = hostFile(FINGERPRINT, folder);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readHost(file)).toMatchObject({
      host: "db1",
      tags: [
        {
          verdict: "known-good",
          selector: { source: "198.51.100.7" },
          analyst: "kim",
          since: "1970-01-01T00:00:00.000Z",
          hides_flagged: true,
        },
        { selector: { user: "backup" } },
      ],
    });
    expect(keeper().forget(tag({ scope: "host" }))).toBeUndefined();
    expect(readHost(file).tags).toHaveLength(1);
  });

  test("for the team: in the profile, whose comments and analysts stay", () => {
    const file = join(folder, "profiles", "blue.yml");
    writeWhole(file, "# our team\nanalysts:\n  - name: jm # on call\n");
    expect(keeper().keep(tag({ scope: "profile", selector: { command: "/opt/agent*" } }), "jm")).toBeUndefined();
    const text = readFileSync(file, "utf8");
    expect(text).toContain("# our team");
    expect(text).toContain("# on call");
    expect(parseProfile(text, file)).toMatchObject({ analysts: [{ name: "jm" }], tags: [{ selector: { command: "/opt/agent*" } }] });
    expect(keeper().forget(tag({ scope: "profile", selector: { command: "/opt/agent*" } }))).toBeUndefined();
    expect(parseProfile(readFileSync(file, "utf8"), file).tags).toEqual([]);
  });

  test("a file with a mistake is left as it is, and that is said", () => {
    const file = hostFile(FINGERPRINT, folder);
    writeWhole(file, "tags: 7\n");
    expect(keeper().keep(tag({ scope: "host" }), "jm")).toMatch(
      /holds in this session alone, it could not be kept: .*:1:7: tags is a list/,
    );
    expect(readFileSync(file, "utf8")).toBe("tags: 7\n");
    expect(() => readHost(file)).toThrow(UserError);
  });
});
