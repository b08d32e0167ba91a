import { expect, test } from "vitest";
import type { EventDraft, StakeoutEvent } from "#model/event";
import type { Response } from "#model/response";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { changesOf } from "./changes.ts";

async function ticket(...played: [action: StakeoutEvent["event"]["action"], stakeout: Partial<EventDraft["stakeout"]>][]) {
  const tell = teller();
  const events = played.map(([action, stakeout]) =>
    tell({ event: { action }, stakeout: { sensor: "console", tier: "analyst", analyst: "jm", ...stakeout } }),
  );
  const state = emptyState();
  for (const event of events) reduce(state, event);
  async function* all() {
    yield* events;
  }
  return changesOf(state, all(), "devbox");
}
const block: Response = {
  id: "r1",
  kind: "block",
  method: "nft",
  plan: "nft -f - <<'x'\n\u001b]0;owned\u0007\nx",
  plan_sha256: "h",
  undo: "nft delete table inet stakeout_block_0123456789ab",
  target: text("everything to and from 203.0.113.66 | <b>"),
};

test("a ticket tells what ran, how it is taken back, and what is still changed", async () => {
  const markdown = await ticket(
    ["sensor.start", { sensor: "collector", tier: "tracefs+proc" }],
    ["response.proposed", { response: { ...block, id: "r0" } }],
    ["response.confirmed", { response: block }],
    [
      "response.succeeded",
      { response: { ...block, steps: [{ name: "the block stands", ok: true, milliseconds: 4 }], modules_loaded: ["nf_tables"] } },
    ],
  );
  expect(markdown).toMatch(/### .* Block: .*203\.0\.113\.66/);
  expect(markdown).toContain("How it is taken back by hand:\n\n    nft delete table inet stakeout_block_0123456789ab\n");
  expect(markdown).toContain("trace instances named stakeout.* in tracefs");
  expect(markdown).toContain("made the kernel load `nf_tables`");
  expect(markdown).toMatch(/## What is still changed\n\n- Block .*\(r1\)/);
  expect(markdown).toContain("    ?]0;owned?");
  expect(markdown).not.toContain("<b>");
  expect(markdown.match(/^### /gm)).toHaveLength(1); // what was only planned changed nothing
});

test("what was taken back stands no more", async () => {
  const markdown = await ticket(
    ["response.succeeded", { response: block }],
    ["response.succeeded", { response: { id: "r2", kind: "unblock", undoes: "r1", plan: "x", plan_sha256: "h" } }],
  );
  expect(markdown).toMatch(/- taken back .* by jm/);
  expect(markdown).toContain("## What is still changed\n\nNothing that this session knows of.");
});

test("files on the host's disk are named, with how they go by hand, until a release has taken them away", async () => {
  const [unit, rules] = ["/etc/systemd/system/stakeout-isolation-0.service", "/etc/systemd/system/stakeout-isolation-0.nft"];
  const isolation: Response = {
    id: "r1",
    kind: "isolate",
    keeps: "boot",
    plan: "survive() {",
    plan_sha256: "h",
    undo: `systemctl disable --now x; rm -f ${unit} ${rules}`,
  };
  const made = { response: { ...isolation, on_disk: [unit, rules] } };
  const standing = await ticket(["response.succeeded", made]);
  expect(standing).toMatch(/- written to the host's disk, and enabled with systemd.*`\S+0\.service` and `\S+0\.nft`/);
  expect(standing).toContain(`How it is taken back by hand:\n\n    ${isolation.undo}\n`);
  expect(standing).not.toContain("Nothing was written to the host's disk by us.");
  expect(standing).toContain(`- \`${unit}\` on the host's disk: it is isolated again after a reboot.`);
  const released = await ticket(
    ["response.succeeded", made],
    ["response.succeeded", { response: { id: "r2", kind: "release", plan: "x", plan_sha256: "h" } }],
  );
  expect(released).toContain("Nothing that this session knows of.");
  expect(released).toMatch(/- taken back .* by jm/);
  expect(released).not.toContain("taken back by hand");
  const failed = await ticket(["response.succeeded", { response: isolation }]);
  expect(failed).toMatch(/written to the host's disk: \*\*FAILED\*\*/);
});

test("what analysts typed on the host is a change as well, and nobody vouches for what it did", async () => {
  const markdown = await ticket(
    ["command.start", { command: { id: "c1", line: "rm -f /tmp/x | tee /etc/y" } }],
    ["command.end", { command: { id: "c1", line: "rm -f /tmp/x | tee /etc/y", exit_code: 3 } }],
    ["command.start", { command: { id: "c2", line: "reboot" } }],
  );
  expect(markdown).toContain("## By commands of analysts\n\n2 commands were typed");
  expect(markdown).toMatch(/\| jm \| `rm -f \/tmp\/x `&#124;` tee \/etc\/y` \| exit 3 \|/);
  expect(markdown).toMatch(/\| `?reboot`? \| its end was not recorded \|/);
  expect(markdown).not.toContain("Nothing was written to the host's disk by us.");
  expect(markdown).toContain("what the commands above wrote is not known");
  expect(markdown).not.toContain("Nothing that this session knows of.");
});

test("a ticket keeps all commands, however many the screen has let go", async () => {
  const many = Array.from(
    { length: 40 },
    (_, i) => ["command.end", { command: { id: `c${i}`, line: `touch /x${i}`, exit_code: 0 } }] as const,
  );
  expect(
    (await ticket(...many.map(([action, command]): [typeof action, typeof command] => [action, command]))).match(/touch \/x/g),
  ).toHaveLength(40);
});

test("steps are told in words, in the order in which they were decided, and what is copied is whole", async () => {
  const undo = `nft delete table netdev x; printf "delete table inet x\\n" | nft -f - # ${"y".repeat(3000)}`;
  const markdown = await ticket(
    ["response.proposed", { response: { ...block, id: "r1", kind: "isolate" } }],
    ["response.proposed", { response: { ...block, id: "r2", kind: "rehearse" } }],
    ["response.succeeded", { response: { ...block, id: "r2", kind: "rehearse" } }],
    ["response.confirmed", { response: { ...block, id: "r1", kind: "isolate" } }],
    [
      "response.succeeded",
      { response: { ...block, id: "r1", kind: "isolate", undo, plan: undo, steps: [{ name: "armed", ok: true, milliseconds: 4 }] } },
    ],
  );
  expect(markdown.indexOf(" Rehearse")).toBeLessThan(markdown.indexOf(" Isolate"));
  expect(markdown).toContain("- done: dead man armed (4 ms)");
  expect(markdown.split(`    ${undo}\n`)).toHaveLength(3);
});
