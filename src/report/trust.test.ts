import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { watchedHost } from "#testing/watched-host";
import { clockOf } from "./clock.ts";
import { findingsSection, rotateSection } from "./trust.ts";

const EVIL = text("/tmp/`|<b>\u001b[31m\n| x |");

function night() {
  const state = emptyState();
  const tell = teller();
  const play = (draft: Parameters<typeof tell>[0]) => reduce(state, tell(draft));
  const stakeout = { sensor: "collector", tier: "x" };
  const entry_leader = { entity_id: "B:20:1", entry_meta: { type: "sshd" as const } };
  const process = { entity_id: "B:20:1", pid: 20, executable: text("/usr/sbin/sshd"), entry_leader };
  play({ event: { action: "process.start" }, process, user: { id: "0" }, stakeout });
  play({
    event: { action: "login.start", outcome: "success" },
    process,
    user: { id: "0", name: text("root") },
    source: { ip: "203.0.113.9" },
    stakeout,
  });
  play({
    event: { action: "baseline.secret" },
    file: { path: EVIL, uid: "0", mode: "0600" },
    stakeout: { ...stakeout, secret: { kind: "key", fingerprint: "SHA256:abc", cipher: text("none") } },
  });
  return { state, play, stakeout, rotate: () => rotateSection(state, clockOf(0, 0)).join("\n") };
}

test("what to rotate, by whom it was read or could be, with host text that can break no table", () => {
  const { play, stakeout, rotate } = night();
  expect(rotate()).toMatch(/could be read \|.*root.* from `203\.0\.113\.9` \(nobody vouched for it\)/);
  play({
    event: { action: "file.access" },
    process: { entity_id: "B:20:1" },
    file: { path: EVIL },
    stakeout: { ...stakeout, access: { how: "open", secret: "key" } },
  });
  const row = rotate()
    .split("\n")
    .find((line) => line.includes("SHA256:abc"));
  expect(row).toContain("| read ");
  expect(row?.split(" | ")).toHaveLength(6);
  expect(row).not.toMatch(/<b>|\n/);
});

test("findings have their technique and evidence; one of somebody who turned out to be ours is left out", () => {
  const { state, play } = night();
  const rows = () => findingsSection(state, clockOf(0, 0)).join("\n");
  expect(rows()).toContain("No rule found anything.");
  play({
    event: { action: "finding.create" },
    stakeout: {
      sensor: "analysis",
      tier: "trust",
      finding: {
        id: "f1",
        rule: "r",
        title: "somebody did something",
        level: "high",
        technique: ["T1055.008"],
        entities: ["B:20:1"],
        path: EVIL,
      },
    },
  });
  expect(rows()).toMatch(/high \| somebody did something.* \| `T1055\.008` \| the login of .*root/);
  play({
    event: { action: "tag.apply" },
    stakeout: { sensor: "console", tier: "analyst", tag: { id: "t", verdict: "responder", selector: { login: "B:20:1" }, reason: "r" } },
  });
  expect(rows()).toContain("No rule found anything.");
});

test("a finding stands as it was said, with when, and with what is true by now where a tag came since", () => {
  const h = watchedHost();
  h.start(22, 21, "/usr/bin/w");
  const told = () => findingsSection(h.state, clockOf(0, 0)).join("\n");
  expect(told()).toContain("a login without a tag asked who is logged in |");
  h.tag(20, "intruder");
  expect(told()).toContain("| When it was said |");
  expect(told()).toContain("a login without a tag asked who is logged in (by now: a login since tagged intruder asked who is logged in) |");
});
