import { dirname } from "node:path/posix";
import { bounded, PREAMBLE } from "../methods/shell-words.ts";
import type { BootFiles } from "./files.ts";
import { paths, UNITS } from "./found.ts";

/** systemd reads all its units anew for one that is enabled: a second at most, but on a slow and busy host half a minute was seen. */
const SYSTEMD_SECONDS = 60;

/**
 * Defines, for the host's shell:
 * - `boot_stands`: the files are as they were written, and the unit is enabled. One process, so it can be asked each second.
 * - `boot_write`: writes and enables them; exits with 0 only if they were read back and systemd takes the unit for enabled.
 * - `survive`: that, and has systemd start the unit once: what it will do at a boot is proven now, by loading the rules that stand
 *   already in one transaction. What it could not finish it takes away again.
 */
export function bootFunctions(boot: BootFiles): string {
  const { unit, rules, link, name, nonce } = boot;
  const systemctl = `${bounded(boot.timeout, SYSTEMD_SECONDS)}systemctl`;
  const put = ({ path, text }: BootFiles["unit"]) => `cat >${path}.new <<'${nonce}' || exit\n${text}${nonce}`;
  // -C makes each a new file of ours: nothing that was put in its place is followed
  return `boot_stands() { [ ${link} -ef ${unit.path} ] && [ ! -e ${unit.path}.d ] && [ "$(sha256sum ${unit.path} ${rules.path} 2>/dev/null)" = '${unit.sha256}  ${unit.path}
${rules.sha256}  ${rules.path}' ]; }
boot_write() {
rm -f ${unit.path}.new ${rules.path}.new
( umask 077; set -C
${put(rules)}
${put(unit)}
chmod 644 ${unit.path}.new && mv -f ${rules.path}.new ${rules.path} && mv -f ${unit.path}.new ${unit.path} ) || return 1
${systemctl} --quiet enable ${name} || return 1
${bounded(boot.timeout, 30)}sync ${unit.path} ${rules.path} ${dirname(link)} ${UNITS} || { echo "not known to be on the disk itself"; return 1; }
boot_stands || { echo "not there as it was written"; return 1; }
[ "$(${systemctl} is-enabled ${name})" = enabled ] || { echo "systemd does not call it enabled"; return 1; }
}
boot_remove() {
${removeFiles([nonce], boot.timeout)}
}
survive() {
${PREAMBLE}
boot_write && ${systemctl} restart ${name} && ${systemctl} is-active --quiet ${name} && {
echo "written and enabled: ${unit.path}, ${rules.path}"; return; }
boot_remove; return 1
}`;
}

/** The same for a person with a shell on the host, as one line. */
export const removeByHand = ({ name, unit, rules }: BootFiles): string =>
  `systemctl disable --now ${name}; rm -f ${unit.path} ${rules.path}; systemctl daemon-reload`;

/**
 * Takes away the files of these isolations, and systemd's knowledge of them; prints what could not be removed. The unit has nothing to
 * stop, so this changes nothing in the kernel. Fails where one is left. Holds no single quote.
 */
export function removeFiles(nonces: readonly string[], timeout: boolean): string {
  const systemctl = `${bounded(timeout, SYSTEMD_SECONDS)}systemctl`;
  const each = nonces.map(paths);
  const names = each.map(({ name }) => name).join(" ");
  const files = each.flatMap(({ unit, rules, link }) => [link, unit, rules, `${unit}.new`, `${rules}.new`]);
  const left = files.map((file) => `[ -e ${file} ] || [ -L ${file} ]`).join(" || ");
  return `${systemctl} --quiet disable ${names} 2>/dev/null; ${systemctl} stop ${names} 2>/dev/null
rm -f ${files.join(" ")}
${systemctl} daemon-reload; ${systemctl} reset-failed ${names} 2>/dev/null
! { ${left}; }`;
}
