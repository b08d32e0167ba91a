import { describe, expect, test } from "vitest";
import { fileFlags } from "#model/file-flags";
import { rangeAvailable } from "#range/available";
import { observedRange } from "./testing/observed-range.ts";

/** Where a program lies, by the kernel's own word for the mount: paths mean something else to each process. */
describe.skipIf(rangeAvailable() !== undefined)("the mount that a program lies on, on a real host", () => {
  const host = observedRange();
  const { onHost, facts } = host;

  test("the root's, a tmpfs with a blank in its name and nothing as its device, an overlay, and a file that is bound to another", async () => {
    await onHost(`
      cp /bin/sleep /opt/plain
      mkdir -p '/mnt/a b' /mnt/low /mnt/up /mnt/over; mount -t tmpfs '' '/mnt/a b'; cp /bin/sleep '/mnt/a b/x'
      mount -t tmpfs tmpfs /mnt/up; mkdir /mnt/up/w /mnt/up/u; cp /bin/sleep /mnt/low/x
      mount -t overlay ours -o lowerdir=/mnt/low,upperdir=/mnt/up/u,workdir=/mnt/up/w /mnt/over
      touch /opt/bound; mount --bind '/mnt/a b/x' /opt/bound`);
    const plain = await facts("/opt/plain");
    expect(plain.mount).toMatchObject({ point: "/", root: true });
    expect(fileFlags(plain.path, plain)).toEqual([]);
    const tmpfs = await facts("/mnt/a b/x");
    expect(tmpfs.mount).toEqual({ point: "/mnt/a b", type: "tmpfs" });
    expect((await facts("/mnt/over/x")).mount).toEqual({ point: "/mnt/over", type: "overlay", source: "ours" });
    expect((await facts("/opt/bound")).mount).toMatchObject({ point: "/opt/bound", type: "tmpfs" });
    expect((await facts("/nowhere")).mount).toBeUndefined();
  });

  test("a mount that only the process has, one that was taken out of the list while it was in use, and no mount at all", async () => {
    const pid = async (script: string) => Number(await onHost(script));
    const own = await pid(
      `unshare -m sh -c 'mount -t tmpfs secret /srv; cp /bin/sleep /srv/x; exec /srv/x 300' >/dev/null 2>&1 & p=$!
       until [ "$(readlink /proc/$p/exe)" = /srv/x ]; do sleep 0.05; done; echo $p`,
    );
    expect((await facts("/srv/x", own)).mount).toEqual({ point: "/srv", type: "tmpfs", source: "secret" });
    const detached = await pid(
      `mkdir -p /mnt/lazy; mount -t tmpfs lazy /mnt/lazy; cp /bin/sleep /mnt/lazy/x; /mnt/lazy/x 300 >/dev/null 2>&1 & p=$!
       until [ "$(readlink /proc/$p/exe)" = /mnt/lazy/x ]; do sleep 0.05; done; umount -l /mnt/lazy; echo $p`,
    );
    // the kernel names what such a process runs from the detached mount's root on
    const path = await onHost(`readlink /proc/${detached}/exe`);
    const gone = await facts(path, detached);
    expect(gone).toMatchObject({ mount: { detached: true }, sha256: (await onHost("sha256sum </bin/sleep")).slice(0, 64) });
    expect(fileFlags(path, gone)).toEqual(["mount"]);
    const script = `import os; fd = os.memfd_create("k"); os.write(fd, open("/bin/sleep", "rb").read()); os.execve(fd, ["k", "300"], {})`;
    const memory = await pid(
      `python3 -c '${script}' >/dev/null 2>&1 & p=$!
       until readlink /proc/$p/exe | grep -q memfd; do sleep 0.05; done; echo $p`,
    );
    const memfd = await facts("/memfd:k", memory);
    expect(memfd).toMatchObject({ elf: true });
    expect(memfd.mount).toBeUndefined();
    expect(fileFlags(memfd.path, memfd)).toEqual(["memfd"]);
    await onHost(`kill ${own} ${detached} ${memory}`);
  });
});
