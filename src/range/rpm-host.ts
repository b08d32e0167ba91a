import type { Range } from "./range.ts";

/** What a range has to be started with (`packages`) for {@link becomeRpmHost}. */
export const RPM_TOOLS: readonly string[] = ["rpm"];

/**
 * What makes a list of packages for `--packages`, as the README has it, of what rpm's options ask about. Files that are expected to be
 * changed, and what has no sha256, are left out.
 */
export const RPM_LIST = String.raw`rpm -q "$@" --qf '[%{FILEFLAGS:fflags} %{FILEDIGESTS}  %{FILENAMES}  %{=NAME} %{=VERSION}-%{=RELEASE}\n]' |
  sed -nE 's/^[^cg]* ([0-9a-f]{64}  )/\1/p'`;

/** The one package that holds these programs of Debian's, so that a host of rpm's has an `ls` of a package's. */
const COREUTILS = ["ls", "wc", "cut"];
/** Files of the package `many`. */
export const MANY = 1500;

/**
 * Makes the host of a range, which is thrown away, one of rpm's: packages are built on it by rpmbuild(8) and installed into its own
 * /var/lib/rpm, and dpkg's lists are put out of sight. Packages: `rpm` (rpm itself), `coreutils`, `tools` 1.2-3 (see the script), `twin`,
 * which has /usr/bin/tool too, `many`, `old` (MD5), `new` (SHA-512) and `slow`, which is built and not installed: its installation waits
 * for /tmp/go once /tmp/waits is there. `/run/rpms` has them all, as NAME.rpm.
 */
export async function becomeRpmHost(range: Range): Promise<void> {
  const { code, stderr } = await range.onHost(["sh", "-euc", SCRIPT]);
  if (code !== 0) throw new Error(`the host did not become one of rpm's: ${stderr.slice(-1000)}`);
}

/** Files by their package, as a spec has them. */
const PACKAGES: Record<string, string> = {
  rpm: "/usr/bin/rpm",
  coreutils: COREUTILS.map((name) => `/usr/bin/${name}`).join("\n"),
  tools: `/usr/bin/tool
/usr/bin/a-link
/bin/linked
/srv/place/placed
/usr/bin/other
%attr(4755,root,root) /usr/bin/su-tool
%config(noreplace) /etc/cron.daily/job
%verify(not md5 size mtime) /usr/bin/changes
%ghost /usr/bin/ghost`,
  twin: "/usr/bin/tool",
  many: "/usr/libexec/many",
  slow: "/usr/bin/slow",
};

/** A spec of packages with their files, without what would strip or look into these. Names of macros: rpm's own `macros` file. */
const spec = (packages: Record<string, string>) => `%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _unpackaged_files_terminate_build 0
Name: range
Version: 4.1
Release: 2
Summary: of the range
License: none
%description
Of the range.
%install
cp -a /run/rpm-files/. %{buildroot}/
${Object.entries(packages)
  .map(
    ([name, files]) => `%package -n ${name}
Summary: of the range
AutoReqProv: no
${name === "tools" ? "Version: 1.2\nRelease: 3" : ""}
%description -n ${name}
Of the range.
${name === "slow" ? "%post -n slow -p /bin/sh\n>/tmp/waits\nwhile [ ! -e /tmp/go ]; do sleep 0.1; done" : ""}
%files -n ${name}
${files}
`,
  )
  .join("")}`;

/** Builds into /run/rpms, with digests of files by that algorithm (RFC 4880, 9.4). */
const build = (packages: Record<string, string>, algorithm: number) => `
cat >range.spec <<'SPEC'
${spec(packages)}
SPEC
rpmbuild -bb --quiet --define '_rpmdir /run/rpms' --define '_rpmfilename %%{NAME}.rpm' --define '_topdir /run/rpm-top' \
  --define '_binary_payload w0.gzdio' --define '_binary_filedigest_algorithm ${algorithm}' range.spec
`;

/** Debian's own rpm keeps a database for each account, and refuses to install: it is for making packages of. */
const SCRIPT = `
mkdir -p /etc/rpm; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
cd /run; mkdir -p rpm-files/usr/bin rpm-files/etc/cron.daily rpm-files/bin rpm-files/srv/place rpm-files/usr/libexec/many
for name in tool other su-tool changes ghost old new slow; do printf '#!/bin/sh\\n# %s\\n' $name >rpm-files/usr/bin/$name; done
cp rpm-files/usr/bin/tool rpm-files/bin/linked; cp rpm-files/usr/bin/tool rpm-files/srv/place/placed
cp rpm-files/usr/bin/tool rpm-files/etc/cron.daily/job; ln -s tool rpm-files/usr/bin/a-link
cp /usr/bin/rpm ${COREUTILS.map((name) => `/usr/bin/${name}`).join(" ")} rpm-files/usr/bin/
for i in $(seq ${MANY}); do echo $i; done | split -l 1 -a 4 -d - rpm-files/usr/libexec/many/a-program-
chmod -R 755 rpm-files
${build(PACKAGES, 8)}${build({ old: "/usr/bin/old" }, 1)}${build({ new: "/usr/bin/new" }, 10)}
mv rpms/slow.rpm .; rpm -i --force-debian rpms/*.rpm; mv slow.rpm rpms/
mv /var/lib/dpkg /var/lib/dpkg-away
`;
