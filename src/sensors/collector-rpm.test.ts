import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { becomeRpmHost, MANY, RPM_TOOLS } from "#range/rpm-host";
import { lookAt } from "./look/look.ts";
import { lookBackOf } from "./look/past.ts";
import { observedRange } from "./testing/observed-range.ts";
import { until, watch } from "./testing/watched.ts";

/** Whose files are, asked of a host whose packages are rpm's, with a real database of real packages. */
describe.skipIf(rangeAvailable() !== undefined)("which package a file belongs to, on a host of rpm's", () => {
  const host = observedRange(undefined, { range: { packages: RPM_TOOLS }, prepare: becomeRpmHost });
  const { onHost } = host;
  /** The answers about paths, in the order of the question. */
  const ask = async (...paths: string[]) => {
    const before = host.seen.of("file-owner").length;
    for (const path of paths) expect(host.seen.collector.requestOwner(path, 0, undefined)).toBe(true);
    await until(
      () => host.seen.of("file-owner").length === before + paths.length,
      () => `${host.seen.of("file-owner").length - before} of ${paths.length} answers`,
    );
    const told = host.seen.of("file-owner").slice(before);
    return paths.map((path) => told.find((one) => one.path === path));
  };
  const words = (told: Awaited<ReturnType<typeof ask>>) => told.map((one) => [one?.package, one?.found, one?.why]);
  /** In the place of rpm, until the test is over: a script of sh that has rpm's own at /usr/bin/rpm.real. */
  const standIn = (script: string) =>
    onHost("mv /usr/bin/rpm /usr/bin/rpm.real; cat >/usr/bin/rpm; chmod 755 /usr/bin/rpm", `#!/bin/sh\n${script}\n`);

  beforeEach(async () => {
    // what a collector may take of the host's CPU is a store that a new one has whole
    await host.seen.collector.stop();
    host.seen = await watch(host.runner);
  });
  afterEach(() => onHost("[ ! -e /usr/bin/rpm.real ] || mv /usr/bin/rpm.real /usr/bin/rpm"));

  test("unchanged, by whatever name of its folder, owned by two, with an old digest; a link; nobody's", async () => {
    await onHost("mv /srv/place /srv/elsewhere; ln -s elsewhere /srv/place; cp /bin/true /usr/bin/mine");
    const sha256 = (await onHost("sha256sum /usr/bin/tool")).slice(0, 64);
    const tools = { manager: "rpm", package: "tools", version: "1.2-3", found: "same" };
    const [tool, link, linked, placed, su, old, ls, mine, cat] = await ask(
      ...["/usr/bin/tool", "/usr/bin/a-link", "/bin/linked", "/srv/place/placed", "/usr/bin/su-tool", "/usr/bin/old", "/bin/ls"],
      ...["/usr/bin/mine", "/usr/bin/cat"],
    );
    expect(["tools", "twin"]).toContain(tool?.package);
    expect(tool).toMatchObject({ manager: "rpm", found: "same", sha256, file: "/usr/bin/tool" });
    expect(link).toMatchObject({ found: "same", file: "/usr/bin/tool" });
    expect(linked).toMatchObject({ ...tools, file: "/usr/bin/linked" });
    expect(placed).toMatchObject({ ...tools, file: "/srv/elsewhere/placed" });
    expect(su).toMatchObject(tools);
    expect(old).toMatchObject({
      manager: "rpm",
      package: "old",
      version: "4.1-2",
      found: "same",
      sha256: expect.stringMatching(/^.{64}$/),
    });
    expect(ls).toMatchObject({ package: "coreutils", found: "same", file: "/usr/bin/ls" });
    for (const nobodys of [mine, cat]) {
      expect(nobodys).toMatchObject({ found: "none" });
      expect(nobodys).not.toHaveProperty("package");
    }
  });

  test("changed is told; what its package expects to be changed is not called that, a new set-user-ID is, and a file in a link's place", async () => {
    await onHost(`
      for f in other old new changes ghost; do echo more >>/usr/bin/$f; done; echo more >>/etc/cron.daily/job
      chmod 4755 /usr/bin/tool; rm /usr/bin/a-link; cp /bin/true /usr/bin/a-link`);
    const expected = "changed, as its package expects of it";
    const named = (...names: string[]) => ask(...names.map((name) => `/usr/bin/${name}`));
    expect(words(await ask("/etc/cron.daily/job"))).toEqual([["tools", "undigested", expected]]);
    expect(words(await named("other", "old", "changes", "ghost", "a-link"))).toEqual([
      ["tools", "differs", undefined],
      ["old", "differs", undefined],
      ["tools", "undigested", expected],
      ["tools", "undigested", undefined],
      ["tools", "differs", "its package has a link or a folder in its place"],
    ]);
    expect(words(await named("new"))).toEqual([["new", "undigested", "the digest in its package is of a kind that we do not compute"]]);
    expect((await named("tool"))[0]).toMatchObject({ found: "differs", why: "set-user-ID, and not so in its package" });
    expect((await named("su-tool"))[0]).toMatchObject({ found: "same" }); // its package has it so
    await onHost("chmod 755 /usr/bin/tool; rpm -i --force-debian --force /run/rpms/tools.rpm");
    expect((await named("tool", "other")).map((one) => one?.found)).toEqual(["same", "same"]);
  });

  test("of two packages that have another content for one path, the one whose content lies there counts", async () => {
    // as with two architectures: rpm keeps in its database that the first one's was replaced
    await onHost(`
      cd /run
      cat >second.spec <<'SPEC'
Name: second
Version: 4.2
Release: 1
Summary: of the test
License: none
AutoReqProv: no
%global debug_package %{nil}
%description
Of the test.
%install
mkdir -p %{buildroot}/usr/bin; echo second >%{buildroot}/usr/bin/tool; chmod 755 %{buildroot}/usr/bin/tool
%files
/usr/bin/tool
SPEC
      rpmbuild -bb --quiet --define '_rpmdir /run/rpms' --define '_rpmfilename second.rpm' --define '_topdir /run/rpm-top' second.spec
      rpm -i --force-debian --replacefiles rpms/second.rpm`);
    expect((await ask("/usr/bin/tool"))[0]).toMatchObject({ package: "second", version: "4.2-1", found: "same" });
    await onHost("echo '#!/bin/sh' >/usr/bin/tool; echo '# tool' >>/usr/bin/tool"); // what the others had
    expect((await ask("/usr/bin/tool"))[0]).toMatchObject({ package: "second", found: "differs" });
    await onHost("rpm -e second");
  });

  test("while rpm installs nothing is called changed, and afterwards it is", async () => {
    await onHost("echo more >>/usr/bin/other; rm -f /tmp/go /tmp/waits");
    const installing = host.range.onHost(["rpm", "-i", "--force-debian", "--nodeps", "/run/rpms/slow.rpm"]);
    await until(async () => (await host.range.onHost(["test", "-e", "/tmp/waits"])).code === 0, "rpm to be at work");
    expect(words(await ask("/usr/bin/other"))).toEqual([[undefined, "unknown", "packages are being installed at this moment"]]);
    await onHost("touch /tmp/go");
    expect((await installing).code).toBe(0);
    expect(words(await ask("/usr/bin/other"))).toEqual([["tools", "differs", undefined]]);
  });

  test("a hundred programs of one large package are told, each package's list once", async () => {
    const all = Array.from({ length: 128 }, (_, i) => `/usr/libexec/many/a-program-${String(i * Math.floor(MANY / 128)).padStart(4, "0")}`);
    const told = await ask(...all);
    expect(told.filter((one) => one?.package === "many" && one.found === "same")).toHaveLength(128);
  });

  test("no file's name forges an answer: rpm's words about it hold the name as it is", async () => {
    const sha256 = (await onHost("echo evil >/tmp/evil; chmod 755 /tmp/evil; sha256sum /tmp/evil")).slice(0, 64);
    // rpm says "file NAME is not owned by any package", on its standard output
    const forged = [`=coreutils\t9.9-9`, `/tmp/evil\t${sha256}`, ""].join("\n");
    const name = `/tmp/a\n${forged}x`;
    await onHost('mkdir -p "$(dirname "$(cat)")"', name);
    await onHost(
      'read -r first; { printf "%s\\n" "$first"; cat; printf x; } >/tmp/name; IFS= name=$(cat /tmp/name); cp /bin/true "$name"',
      name.slice(0, -1),
    );
    const [evil, odd] = await ask("/tmp/evil", name);
    expect(evil).toMatchObject({ found: "none" });
    expect(evil).not.toHaveProperty("package");
    expect(odd).toMatchObject({ found: "unknown", why: "rpm is not asked about a name that holds a control character" });
  });

  test("the look back has what rpm itself knows of installations, and says where rpm does not answer", async () => {
    await onHost("printf '%s SUBDEBUG Installed: first-1-1.noarch\\n' \"$(date -u -d '1 day ago' +%FT%TZ)\" >/var/log/dnf.rpm.log");
    const back = async () => lookBackOf(await lookAt(host.runner, ["past"]));
    const { rows, blind } = await back();
    const told = rows.find(({ kind, from }) => kind === "package" && from.includes("rpm's database"));
    expect(told).toMatchObject({ methods: ["install, in no package log"], text: expect.stringContaining("tools-1.2-3.x86_64") });
    expect(blind.join("\n")).not.toContain("rpm");
    await standIn("exec sleep 300");
    expect((await back()).blind).toContain("rpm's database: rpm gave no answer within 6 s");
  });

  test("rpm runs as nobody, with two variables, nicely, and writes nothing", async () => {
    await onHost("install -m 666 /dev/null /tmp/witness; find /var/lib/rpm -type f | xargs stat -c '%n %s %Z' | sort >/tmp/before");
    await standIn('{ id -u; id -G; env | sort; cut -d" " -f19 /proc/$$/stat; } >>/tmp/witness; exec /usr/bin/rpm.real "$@"');
    expect((await ask("/usr/bin/ls"))[0]).toMatchObject({ package: "coreutils", found: "same" });
    const nice = (await onHost("cat /tmp/witness")).split("\n");
    expect(nice.slice(0, nice.length / 2)).toEqual(["65534", "65534", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/root", "10"]);
    expect(await onHost("find /var/lib/rpm -type f | xargs stat -c '%n %s %Z' | sort | diff /tmp/before - && echo as before")).toBe(
      "as before",
    );
  });

  test("an rpm of before 4.6, that has no word for digests of any kind, is asked for MD5", async () => {
    await standIn(
      `case "$*" in *FILEDIGESTS*) echo 'error: incorrect format: unknown tag' >&2; exit 1 ;; esac; exec /usr/bin/rpm.real "$@"`,
    );
    expect((await ask("/usr/bin/old", "/usr/bin/ls")).map((one) => one?.package)).toEqual(["old", "coreutils"]);
  });

  test("rpm that lies, is silent, floods or hangs holds nothing up, and nobody's is not said", async () => {
    for (const [script, why] of [
      ["exit 0", /^rpm does not know itself: its database is not readable, or not this host's$/],
      ["echo 'error: cannot open Packages index' >&2; exit 1", /not readable.*\(error: cannot open Packages index\)$/],
      ["head -c 3000000 /dev/urandom", /^rpm gave more than we read$/],
      ["head -c 3000 /dev/urandom; head -c 3000000 /dev/urandom >&2", /^rpm does not know itself/],
      ["sleep 300 & exec sleep 301", /^rpm gave no answer within 20 s$/],
    ] as const) {
      await standIn(script);
      const [ls] = await ask("/usr/bin/ls");
      expect(ls, script).toMatchObject({ found: "unknown", why: expect.stringMatching(why) });
      await onHost("mv /usr/bin/rpm.real /usr/bin/rpm");
    }
    expect(await onHost("ps -eo args= | grep -c '^sleep 30[01]' || true")).toBe("0");
  });

  test("records that were altered are passed over by rpm: then nobody's is not said", async () => {
    // as an intruder would who puts the digest of his own file in
    await onHost(
      "cp -a /var/lib/rpm /var/lib/rpm-before; python3 -; rpm -q rpm", // the last one makes sqlite's companions, that nobody cannot make
      `import sqlite3
db = sqlite3.connect("/var/lib/rpm/rpmdb.sqlite")
for number, record in db.execute("select hnum, blob from Packages").fetchall():
    if b"\\0tools\\0" in record: db.execute("update Packages set blob = ? where hnum = ?", (record.replace(b"su-tool", b"su-evil"), number))
db.commit()
`,
    );
    const [other, ls] = await ask("/usr/bin/other", "/usr/bin/ls");
    expect(other).toMatchObject({
      found: "unknown",
      why: expect.stringMatching(/^rpm passed over records of its database that were altered/),
    });
    expect(ls).toMatchObject({ package: "coreutils", found: "same" });
    await onHost("rm -r /var/lib/rpm; mv /var/lib/rpm-before /var/lib/rpm");
  });

  test("a database that nobody may read, none, and no rpm: not known, with the reason", async () => {
    const why = async () => (await ask("/usr/bin/ls"))[0];
    await onHost("chmod 700 /var/lib/rpm");
    expect(await why()).toMatchObject({
      found: "unknown",
      why: expect.stringMatching(/^rpm does not know itself: its database is not readable.*error: /),
    });
    await onHost("chmod 755 /var/lib/rpm; mv /var/lib/rpm /var/lib/rpm-away");
    expect(await why()).toMatchObject({ found: "unknown", why: expect.stringMatching(/^rpm does not know itself/) });
    await onHost("mv /var/lib/rpm-away /var/lib/rpm; mkdir -p /var/lib/dpkg/info"); // dpkg is a package of Fedora's, too
    expect(await why()).toMatchObject({ package: "coreutils", found: "same" });
    await onHost("chmod 644 /usr/bin/rpm");
    expect(await why()).toMatchObject({ found: "unknown", why: "no package database that we can read: neither dpkg nor rpm" });
    await onHost("chmod 755 /usr/bin/rpm");
  });
});
