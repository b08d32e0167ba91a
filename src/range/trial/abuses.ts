import { exited, must, startBound } from "../machine.ts";
import type { Range } from "../range.ts";
import type { Trial } from "./people.ts";
import type { TrialShell } from "./shell.ts";

/** One way to abuse what is trusted: done when it resolves, with the time (ms since the epoch) at which it was done. */
export interface Abuse {
  name: string;
  /** The rule that must say it. */
  rule: string;
  /** The tagged thing has to be in view again. */
  exposes: boolean;
  run(): Promise<number>;
}

export interface Stage {
  range: Range;
  responder: TrialShell;
  /** Logged in as an account that may sudo. */
  sudoer: TrialShell;
  /** With a forwarded agent. */
  agent: TrialShell;
  intruder: TrialShell;
  close(): Promise<void>;
}

/** Who it takes: three responders with terminals, one of them with a forwarded agent, one as a sudoer, and the intruder. */
export async function setStage(range: Range, trial: Trial): Promise<Stage> {
  const socket = `/tmp/${range.id}-agent`;
  const agent = startBound(["ssh-agent", "-D", "-a", socket], ["ignore", "ignore", "ignore"]);
  await must(["sh", "-c", `for i in $(seq 200); do [ -S ${socket} ] && exit 0; sleep 0.05; done; exit 1`]);
  await must(["env", `SSH_AUTH_SOCK=${socket}`, "ssh-add", "-q", range.keys.responders[1]]);
  const stage = {
    range,
    responder: await trial.shell(trial.coming("responder1")),
    sudoer: await trial.shell({ netns: range.netns.responders[0], key: range.keyFile, user: range.accounts.sudo }),
    agent: await trial.shell({ ...trial.coming("responder2"), options: ["-A"], environment: [`SSH_AUTH_SOCK=${socket}`] }),
    intruder: await trial.shell(trial.coming("intruder1")),
  };
  return {
    ...stage,
    close: async () => {
      agent.kill("SIGTERM");
      await exited(agent);
    },
  };
}

const value = async (shell: TrialShell, expression: string): Promise<string> =>
  /<<(.*?)>>/.exec(await shell.run(`echo "<<"${expression}">>"`))?.[1] ?? "";

/** The abuses of a tagged subtree, and how an intruder looks for us, each by a script that does it. The last one is left as it is. */
export function abusesOn(stage: Stage): Abuse[] {
  const { responder, sudoer, agent, intruder, range } = stage;
  const done = async (shell: TrialShell, line: string) => {
    const at = Date.now();
    await shell.run(line);
    return at;
  };
  const pid = () => value(responder, "$$");
  // PTRACE_ATTACH 16, PTRACE_GETREGS 12, PTRACE_DETACH 17 (ptrace(2)); ptrace is 101 on x86_64, 117 on arm64
  const call = process.arch === "arm64" ? 117 : 101;
  const ptrace = `perl -e 'my $p = 0 + shift; syscall(${call}, 16, $p, 0, 0); waitpid $p, 0x40000000; my $r = "\\0" x 1024; syscall(${call}, 12, $p, 0, $r); syscall(${call}, 17, $p, 0, 0)'`;
  const abuse = (name: string, rule: string, exposes: boolean, run: Abuse["run"]): Abuse => ({ name, rule, exposes, run });
  return [
    abuse("ptrace", "tagged-process-traced", true, async () => done(intruder, `${ptrace} ${await pid()}`)),
    abuse("memory", "tagged-memory-opened", true, async () => done(intruder, `head -c1 /proc/${await pid()}/mem >/dev/null 2>&1`)),
    abuse("terminal", "tagged-terminal-opened", true, async () => done(intruder, `echo hello >$(readlink /proc/${await pid()}/fd/0)`)),
    abuse("shell files", "tagged-shell-files-written", true, () => done(intruder, "echo '# more' >>/root/.bashrc")),
    abuse("agent's folder", "tagged-agent-looked-for", false, async () =>
      done(intruder, `ls $(dirname ${await value(agent, "$SSH_AUTH_SOCK")}) >/dev/null`),
    ),
    abuse("agent", "tagged-agent-used", true, async () =>
      done(intruder, `SSH_AUTH_SOCK=${await value(agent, "$SSH_AUTH_SOCK")} setsid -w ssh-add -l >/dev/null`),
    ),
    abuse("environment", "tagged-environment-read", false, async () => done(intruder, `cat /proc/${await pid()}/environ >/dev/null`)),
    abuse("dropped file", "tagged-runs-dropped-file", true, async () => {
      await intruder.run("cp /bin/true /tmp/ls2; chmod 755 /tmp/ls2");
      await new Promise((resolve) => setTimeout(resolve, 300)); // a person would not be faster
      return done(responder, "/tmp/ls2");
    }),
    abuse("preload", "tagged-preloads", true, () => done(responder, "LD_PRELOAD=/tmp/none.so setsid -w sleep 0.1 2>/dev/null")),
    abuse("PATH", "tagged-path-changed", true, () => done(responder, "PATH=/dev/shm/.x:$PATH setsid -w sleep 0.1")),
    abuse("sudo", "tagged-sudo-ridden", true, async () => {
      await sudoer.run("sudo -n true");
      return done(intruder, `su ${range.accounts.sudo} -c 'sudo -n true'`);
    }),
    abuse("suspect address", "tagged-calls-suspect-address", true, async () => {
      const connect = `perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => "${range.c2.address}:${range.c2.port}", Timeout => 1)'`;
      await intruder.run(connect);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return done(responder, connect);
    }),
    abuse("who is here", "looks-who-is-here", false, () => done(intruder, "w >/dev/null")),
    abuse("logs", "reads-logs", false, () => done(intruder, "cd /var/log; tail -1 syslog >/dev/null; cd /")),
    abuse("tracing", "looks-at-tracing", false, () => done(intruder, "ls /sys/kernel/tracing/instances >/dev/null")),
    abuse("multiplexer", "tagged-multiplexer-attached", true, async () => {
      await responder.run("tmux new-session -d -s triage 'exec bash --norc --noprofile'");
      const at = Date.now();
      intruder.type("TERM=xterm exec tmux attach -t triage\n");
      return at;
    }),
  ];
}
