import { beforeEach, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { inventoryOf } from "./look/inventory.ts";
import { lookAt } from "./look/look.ts";
import { observedRange } from "./testing/observed-range.ts";
import { until, watch } from "./testing/watched.ts";

/** What an account that may do nothing on the host can write or hold, so that we see less: each of these once stopped, blinded or swelled us. */
describe.skipIf(rangeAvailable() !== undefined)("an account without rights cannot take our sight", () => {
  const host = observedRange();
  const { onHost } = host;
  const asReader = (script: string) => onHost("exec setpriv --reuid reader --regid reader --clear-groups sh -e", `cd ~reader\n${script}\n`);
  /** By ssh, so that what it starts has an origin that the collector knows at once. */
  const inside = async (script: string) => (await host.runner.open(["/bin/sh", "-c", script])).exit;
  /** A program of now is told. */
  const seesPrograms = async () => {
    const path = `/tmp/now-${host.seen.all.length}`;
    await inside(`cp /bin/true ${path}; ${path}`);
    await host.seen.see("exec", (o) => o.path === path);
  };
  const rss = () => host.seen.of("tick").at(-1)?.rssKb ?? 0;

  beforeEach(async () => {
    await host.seen.collector.stop();
    host.seen = await watch(host.runner);
  });

  test("a line of blanks in his ssh_config or known_hosts, or one of endless names", async () => {
    await asReader(
      `cd .ssh; perl -e 'print "Host x", " " x 1_000_000, "y\\n"' >config; perl -e 'print join(",", 1 .. 140_000), " x\\n"' >known_hosts`,
    );
    await host.seen.see("secret", (o) => o.path === "/home/reader/.ssh/config");
    const { hosts } = await host.seen.see("secret", (o) => o.path === "/home/reader/.ssh/known_hosts");
    expect(hosts?.length).toBeLessThan(4096);
    await seesPrograms();
    await asReader("rm .ssh/config .ssh/known_hosts");
  });

  test("a line of blanks in his authorized_keys does not end the look before the rest is told", async () => {
    await asReader(`cp .ssh/authorized_keys keys; perl -e 'print "x", " " x 250_000, "y\\n"' >.ssh/authorized_keys`);
    const answer = await lookAt(host.runner, ["set-up"]);
    expect(answer.complete).toBe(true);
    expect(inventoryOf(answer).some(({ category }) => category === "listener")).toBe(true);
    await asReader("mv keys .ssh/authorized_keys");
  });

  test("hundreds of folders in /tmp leave those unwatched, and no other", async () => {
    await asReader("mkdir -p /tmp/many; cd /tmp/many; mkdir $(seq 700)");
    await host.seen.collector.stop();
    host.seen = await watch(host.runner);
    await onHost("echo x >/etc/cron.d/planted; install -d -m 700 /root/.ssh; echo x >/root/.ssh/planted");
    for (const path of ["/etc/cron.d/planted", "/root/.ssh/planted"]) await host.seen.see("file", (o) => o.path === path);
    await host.seen.see("problem", (o) => /folders in \/tmp/.test(o.what));
    await onHost("rm -r /tmp/many /etc/cron.d/planted /root/.ssh/planted");
  });

  test("a folder of thousands of files that is renamed over and over is told within bounds, and that it was too much is said", async () => {
    await onHost("mkdir /tmp/a; cd /tmp/a; seq 4000 | xargs touch; chown -R reader /tmp/a");
    const from = host.seen.all.length;
    const renames = asReader("perl -e 'for (1 .. 100) { rename qw(/tmp/a /tmp/b); rename qw(/tmp/b /tmp/a) }'");
    await host.seen.see("problem", (o) => o.about === "files-lost" && /names in new folders/.test(o.what));
    await renames;
    await seesPrograms();
    const told = host.seen.all.slice(from);
    const seconds = told.filter(({ kind }) => kind === "tick").length + 1;
    expect(told.filter((o) => o.kind === "file" && /^\/tmp\/[ab]\/\d+$/.test(o.path)).length).toBeLessThanOrEqual(4096 * seconds);
    await onHost("rm -r /tmp/a /tmp/b 2>/dev/null || :");
  });

  test("thousands of sockets that are called like tmux's, in one process", async () => {
    await onHost("cp /bin/true /tmp/tmux; install -d -m 777 /tmp/tmux-65534");
    const holder = asReader(
      `ulimit -n 8192; exec python3 - <<'PY'
import os, socket, time
held = []
for n in range(3000):
    one = socket.socket(socket.AF_UNIX); one.bind(f"/tmp/tmux-65534/{n}"); one.listen(1); held.append(one)
open("/tmp/held", "w").close()
while not os.path.exists("/tmp/let-go"): time.sleep(0.05)
PY`,
    );
    await until(async () => (await host.range.onHost(["test", "-e", "/tmp/held"])).code === 0, "the sockets");
    await inside("/tmp/tmux"); // now terminals that are handed over are looked for
    const spent = async () => (await host.seen.see("tick", (o) => o === host.seen.of("tick").at(-1))).cpuMs;
    const [from, ticks] = [await spent(), host.seen.of("tick").length];
    await until(() => host.seen.of("tick").length >= ticks + 5, "five seconds of it");
    expect((await spent()) - from).toBeLessThan(2500); // of five seconds
    await seesPrograms();
    await onHost("touch /tmp/let-go");
    await holder;
  });

  test("sessions with large environments", async () => {
    await seesPrograms();
    await until(() => host.seen.of("tick").length > 2, "its memory to be told");
    const before = rss();
    await inside(
      `exec setpriv --reuid reader --regid reader --clear-groups python3 - <<'PY'
import os
names = ["PATH", "LD_LIBRARY_PATH", "BASH_ENV", "PROMPT_COMMAND", "SSH_AUTH_SOCK", "HISTFILE", "PYTHONSTARTUP", "PERL5OPT", "NODE_OPTIONS"]
for n in range(300):
    child = os.fork()
    if child == 0:
        os.setsid()
        os.execve("/bin/true", ["true"], {name: str(n) + "\\\\t" * 500 for name in names})
    os.waitpid(child, 0)
PY`,
    );
    const now = host.seen.of("tick").length;
    await until(() => host.seen.of("tick").length > now + 2, "the rest of it");
    expect(rss() - before).toBeLessThan(4000); // KB; 300 times 9 times 2 KB are 5400, kept and on the way
  });
});
