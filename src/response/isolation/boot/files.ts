import { createHash } from "node:crypto";
import { type RulesetInput, replaced } from "../methods/nft-ruleset.ts";
import { about } from "../methods/shell-words.ts";
import { paths } from "./found.ts";

export interface BootFile {
  path: string;
  text: string;
  sha256: string;
}

/** All that an isolation puts on the host's disk to stand again after a reboot. */
export interface BootFiles {
  nonce: string;
  /** The unit's name; `link` is what enables it. */
  name: string;
  link: string;
  unit: BootFile;
  /** The inet table alone: devices are not there yet when it is loaded, and one that is missing makes nft refuse all. */
  rules: BootFile;
  timeout: boolean;
}

/** Pure. The rules say the same as those in the kernel, mark included, so that whoever comes after the reboot finds the same isolation. */
export function bootFiles(input: RulesetInput, nft: string, timeout: boolean): BootFiles {
  const { unit, rules, link, name } = paths(input.nonce);
  const mark = about(input);
  return {
    nonce: input.nonce,
    name,
    link,
    unit: file(unit, unitText(mark, nft, rules)),
    rules: file(rules, `# "${mark}"\n${replaced({ ...input, devices: [] }, "inet")}`),
    timeout,
  };
}

function file(path: string, text: string): BootFile {
  return { path, text, sha256: createHash("sha256").update(text).digest("hex") };
}

/**
 * network-pre.target is what everything that sets up a network waits for (systemd.special(7)). nftables.service begins with a flush of the
 * ruleset (Debian, Fedora): ours comes after it, and again whenever it is restarted. A load that hangs must not hold the boot up for ever.
 */
const unitText = (mark: string, nft: string, rules: string): string => `# Written by Stakeout by an analyst's choice; a release removes it.
[Unit]
Description=Isolation of this host (${mark})
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
After=nftables.service
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=60
ExecStart=${nft} -f ${rules}

[Install]
WantedBy=sysinit.target
`;
