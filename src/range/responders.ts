import type { Login } from "./login.ts";
import type { Random } from "./random.ts";

/** What responders type all night, each in an order of their own. */
const ROUTINE = [
  "ps aux",
  "ps -eo pid,ppid,user,lstart,args --sort=start_time",
  "top -b -n1 | head -25",
  "lsof -nP -i",
  "lsof -nP +L1",
  "ss -tanp",
  "apt list --installed 2>/dev/null | wc -l",
  "last -a | head",
  "w",
  "tail -50 /var/log/syslog",
  "cat /var/log/auth.log 2>/dev/null || grep sshd /var/log/syslog",
  "ls -la /tmp /var/tmp /dev/shm",
  "cat /etc/crontab; ls -la /etc/cron.d",
  "dpkg -l | tail -5",
  "df -h; free -m",
  "find /etc -mmin -60 -type f 2>/dev/null",
];

/** A responder's rounds, noisy and without end: ends with `LoginOver`. `between` runs between two commands. */
export async function respond(
  login: Login,
  random: Random,
  ready: () => void,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  await login.ready();
  ready();
  for (;;) {
    for (const command of random.shuffle(ROUTINE)) {
      await between();
      await login.run(command);
      await login.pause(300, 1800);
    }
    await login.watch("tail -f /var/log/syslog", random.between(2000, 4000));
  }
}

/** A responder has seen the beacon: kills it, and looks again. `killed` runs when it is dead. */
export async function killBeacon(login: Login, name: string, killed: () => void): Promise<void> {
  await login.run(`ss -tanp | grep ${name}; ls -la /proc/$(pgrep -x ${name})/exe`);
  await login.run(`kill -9 $(pgrep -x ${name})`);
  killed();
  await login.run(`pgrep -ax ${name} || echo it is gone`);
}

export async function seeItBack(login: Login, name: string): Promise<void> {
  await login.run(`pgrep -ax ${name} && echo it came back`);
}
