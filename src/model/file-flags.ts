import type { HostString } from "./host-string.ts";

/**
 * Where a program lies that few programs lie, one short word each, the gravest first: on the screen, in filters and in the log.
 * `mount`: on another mount than the host's root. `hidden`: it or a folder above it begins with a dot. The others are their folders.
 */
export const FILE_FLAGS = ["memfd", "deleted", "mount", "hidden", "dev-shm", "run-user", "var-tmp", "tmp"] as const;
export type FileFlag = (typeof FILE_FLAGS)[number];

/** The mount that a file lies on, by the id that the kernel names it with and mountinfo (proc(5)). */
export interface Mount {
  /** Where it is mounted, what it is, and of which device; left out of a detached one. */
  point?: HostString;
  type?: HostString;
  source?: HostString;
  /** It is that of the host's root. */
  root?: true;
  /** It is in no list of mounts any more (umount -l), and goes on until what runs from it has ended. */
  detached?: true;
}

const FOLDERS: readonly [FileFlag, RegExp][] = [
  ["dev-shm", /^\/(?:dev|run)\/shm\//],
  ["run-user", /^\/(?:var\/)?run\/user\//],
  ["var-tmp", /^\/var\/tmp\//],
  ["tmp", /^\/tmp\//],
];
/** A component that begins with a dot and is more than `.` and `..`, which are no names. */
const HIDDEN = /\/(?!\.{1,2}(?:\/|$))\.[^/]/;

export const isHiddenPath = (path: string): boolean => HIDDEN.test(path);

/** The flags of a file, in the order of {@link FILE_FLAGS}. Of a program in memory alone nothing else says where it lies. */
export function fileFlags(path: string, { deleted, mount }: { deleted?: boolean | undefined; mount?: Mount | undefined } = {}): FileFlag[] {
  if (path.startsWith("/memfd:")) return ["memfd"];
  const found: FileFlag[] = [];
  if (deleted) found.push("deleted");
  if (mount && !mount.root) found.push("mount");
  if (isHiddenPath(path)) found.push("hidden");
  for (const [flag, folder] of FOLDERS) if (folder.test(path)) found.push(flag);
  return found;
}

/** The mount in words. Holds host text. */
export function mountWords({ point, type, source, root, detached }: Mount): string {
  if (detached) return "on a mount that was taken out of the list of mounts while it was in use";
  const from = source !== undefined && source !== type ? ` from ${source}` : "";
  return `on ${root ? "the root's mount" : "the mount"} ${point ?? "?"} (${type ?? "?"}${from})`;
}
