import { expect, test } from "vitest";
import { FILE_FLAGS, type FileFlag, fileFlags, mountWords } from "./file-flags.ts";
import type { HostString } from "./host-string.ts";

const host = (text: string) => text as HostString;

test.each([
  ["/usr/bin/ls", {}, []],
  ["/tmp/x", {}, ["tmp"]],
  ["/tmpx/x", {}, []],
  ["/var/tmp/a/x", {}, ["var-tmp"]],
  ["/dev/shm/x", { deleted: true }, ["deleted", "dev-shm"]],
  ["/run/shm/x", {}, ["dev-shm"]],
  ["/run/user/1000/x", {}, ["run-user"]],
  ["/home/a/.cache/x", {}, ["hidden"]],
  ["/opt/.x", {}, ["hidden"]],
  ["/opt/.../x", {}, ["hidden"]],
  ["/opt/.. /x", {}, ["hidden"]],
  ["/opt/../bin/./x", {}, []],
  ["/opt/a.b/x.y", {}, []],
  ["/memfd:/tmp/.x", { deleted: true }, ["memfd"]],
  ["/mnt/x", { mount: { point: host("/mnt"), type: host("vfat") } }, ["mount"]],
  ["/mnt/x", { mount: { detached: true } }, ["mount"]],
  ["/srv/x", { mount: { point: host("/"), type: host("ext4"), root: true } }, []],
  ["/tmp/.a/x", { deleted: true, mount: { point: host("/tmp"), type: host("tmpfs") } }, ["deleted", "mount", "hidden", "tmp"]],
] as [string, Parameters<typeof fileFlags>[1], FileFlag[]][])("%s %j", (path, about, flags) => {
  expect(fileFlags(path, about)).toEqual(flags);
  expect(fileFlags(path, about)).toEqual(FILE_FLAGS.filter((flag) => flags.includes(flag))); // the gravest first
});

test("a mount in words: where, what, and of which device", () => {
  expect(mountWords({ point: host("/mnt"), type: host("vfat"), source: host("/dev/sdb1") })).toBe(
    "on the mount /mnt (vfat from /dev/sdb1)",
  );
  expect(mountWords({ point: host("/"), type: host("overlay"), source: host("overlay"), root: true })).toBe(
    "on the root's mount / (overlay)",
  );
  expect(mountWords({ detached: true })).toMatch(/taken out of the list/);
});
