import type { Range } from "#range/range";

/** Where {@link fakeSystemd} puts its programs: first in the PATH of whoever is to see a systemd. */
export const FAKE = "/run/fake-systemd";

/** Does of systemctl what concerns a unit's files, and starts it by running its ExecStart; refuses to while /run/refuses is there. */
const SYSTEMCTL = `#!/bin/sh
[ "$1" = --quiet ] && shift
d=/etc/systemd/system
case $1 in
enable) mkdir -p $d/sysinit.target.wants && ln -sf $d/$2 $d/sysinit.target.wants/$2;;
disable) shift; for n; do rm -f $d/sysinit.target.wants/$n; done;;
is-enabled) [ -e $d/sysinit.target.wants/$2 ] && echo enabled;;
restart) [ ! -e /run/refuses ] || { echo "refused"; exit 1; }; $(sed -n 's/^ExecStart=//p' $d/$2);;
esac
`;

const CAT = `#!/bin/sh
[ "$*" = /proc/1/comm ] && { echo systemd; exit; }
exec /bin/cat "$@"
`;

/** The range's hosts have no systemd: for what an isolation asks of one, and writes where its units are, this is enough. No boot reads it. */
export async function fakeSystemd(range: Range): Promise<void> {
  const script = (name: string, text: string) => `cat >${FAKE}/${name} <<'END'\n${text}END\nchmod +x ${FAKE}/${name}`;
  const { code, stderr } = await range.onHost([
    "/bin/sh",
    "-c",
    `mkdir -p ${FAKE} /etc/systemd/system\n${script("systemctl", SYSTEMCTL)}\n${script("cat", CAT)}`,
  ]);
  if (code !== 0) throw new Error(`the host took no systemd: ${stderr}`);
}
