import { printable } from "#model/host-string";
import type { HostFacts } from "../facts/host-facts.ts";
import { UNITS } from "./found.ts";

/** File systems that are gone with the power. */
const MEMORY = /^(tmpfs|ramfs|rootfs)$/;

/** Why no isolation of this host could stand through a reboot, as the end of a sentence; undefined where one can. `method`: of the plan, where there is one. */
export function bootObstacle(facts: HostFacts, method?: string): string | undefined {
  if (facts.init !== "systemd") return `process 1 of the host is '${printable(facts.init) || "?"}', not systemd`;
  const missing = ["systemctl", "sha256sum", "sync"].filter((tool) => !facts.tools.includes(tool));
  if (missing.length > 0) return `the host has no ${missing.join(", ")}`;
  const { state, fileSystem } = facts.units;
  if (state === "missing") return `the host has no folder ${UNITS}`;
  if (state === "link") return `${UNITS} is a link: something else makes what is in it`;
  if (state === "read-only") return `${UNITS} cannot be written to`;
  if (MEMORY.test(fileSystem)) return `${UNITS} is in memory (${fileSystem}): nothing in it is there after a reboot`;
  if (method !== undefined && !method.startsWith("nft "))
    return `the method '${method}' cannot be loaded before the network is there: only nft's rules can`;
  return undefined;
}
