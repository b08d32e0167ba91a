import { join } from "node:path";
import { exited, must, startBound, until } from "../machine.ts";
import type { Range } from "../range.ts";
import { type Coming, sshArguments, TrialShell } from "./shell.ts";
import { readRecord, type TrialRecord, WORK } from "./work.ts";

/** Whom the trial knows to be what. */
export const RESPONDERS = ["responder1", "responder2", "responder3", "responder3-channel2", "responder3-channel3"];
export const INTRUDERS = ["intruder1", "intruder2-same-key", "intruder1-same-nat"];

export interface TrialOptions {
  seed: number;
  /** How long everybody works. */
  seconds: number;
}

const FOLDER = "/opt/trial";
const LOGS = "/run/trial";

/** Lays the work on the host, and the noise: a CI service under init, and a cron job each minute. To be called before anybody watches. */
export async function layTrial(range: Range, { seed, seconds }: TrialOptions): Promise<void> {
  await onHost(range, `mkdir -p ${FOLDER} ${LOGS}; cat >${FOLDER}/work.pl`, WORK);
  const ci = `${FOLDER}/ci.sh`;
  await onHost(
    range,
    `cat >${ci}; chmod 755 ${ci}`,
    `#!/bin/sh\n: >${LOGS}/ready\nwhile [ ! -e ${LOGS}/go ]; do sleep 0.2; done\nperl ${FOLDER}/work.pl ci ${seed + 90} ${seconds} >${LOGS}/ci\nexec sleep 1000000\n`,
  );
  // the daemon reads it within the minute; what it starts writes its own record
  await onHost(range, "cat >/etc/cron.d/trial", `* * * * * root perl ${FOLDER}/work.pl cron ${seed + 91} 8 >>${LOGS}/cron\n`);
  // busybox's init reads its table again on SIGHUP
  await onHost(range, `echo '::respawn:${ci}' >>/etc/inittab; kill -HUP 1`);
  // a service that begins while the console connects may be one whose beginning nobody saw: this one is there before
  await until("the CI service", async () => (await onHost(range, `ls ${LOGS}`)).includes("ready"));
}

export async function onHost(range: Range, script: string, input?: string): Promise<string> {
  const { stdout } = await range.onHost(["sh", "-c", script], input);
  return stdout;
}

/** Three responders, two intruders of whom one has a responder's key and one comes by a responder's address, and the noise, all at once. */
export class Trial {
  readonly #range: Range;
  readonly #options: TrialOptions;
  readonly #shells: TrialShell[] = [];
  #master: { child: ReturnType<typeof startBound>; socket: string } | undefined;

  constructor(range: Range, options: TrialOptions) {
    this.#range = range;
    this.#options = options;
  }

  coming(who: string): Coming {
    const { netns, keys } = this.#range;
    const [first, second] = netns.responders;
    if (who === "responder1") return { netns: first, key: keys.responders[0] };
    if (who.startsWith("responder")) return { netns: second, key: keys.responders[1] };
    if (who === "intruder2-same-key") return { netns: netns.intruder, key: keys.responders[0] };
    if (who === "intruder1-same-nat") return { netns: first, key: keys.intruder };
    return { netns: netns.intruder, key: keys.intruder };
  }

  #work(who: string, seed: number): string {
    const { c2 } = this.#range;
    const calls = who.startsWith("intruder") ? ` ${c2.address} ${c2.port}` : "";
    return `exec perl ${FOLDER}/work.pl ${who} ${seed} ${this.#options.seconds}${calls}`;
  }

  /** Everybody logs in and works. Resolves with the record when all have come to their end. */
  async play(): Promise<TrialRecord> {
    const socket = join("/tmp", `${this.#range.id}-master`);
    const master = sshArguments(this.#range, { ...this.coming("responder3"), options: ["-M", "-S", socket, "-N"] });
    const child = startBound(master, ["ignore", "ignore", "ignore"]);
    this.#master = { child, socket };
    await must(["sh", "-c", `for i in $(seq 200); do [ -S ${socket} ] && exit 0; sleep 0.05; done; exit 1`]);
    await onHost(this.#range, `touch ${LOGS}/go`);
    const people = [...RESPONDERS, ...INTRUDERS];
    const working = people.map((who, i) => {
      const coming = this.coming(who);
      const options = who.startsWith("responder3") ? ["-S", socket] : [];
      const shell = new TrialShell(this.#range, { ...coming, options }, this.#work(who, this.#options.seed + i));
      this.#shells.push(shell);
      return shell;
    });
    await Promise.all(working.map(({ over }) => over));
    const noise = await onHost(this.#range, `cat ${LOGS}/ci ${LOGS}/cron 2>/dev/null`);
    return readRecord([...working.map(({ said }) => said), noise].join("\n"));
  }

  /** A login with a shell of its own, for what is done by hand. */
  async shell(coming: Coming): Promise<TrialShell> {
    const shell = new TrialShell(this.#range, coming);
    this.#shells.push(shell);
    await shell.run("stty -echo; unset PROMPT_COMMAND; PS1=");
    return shell;
  }

  async end(): Promise<void> {
    for (const shell of this.#shells) shell.close();
    const child = this.#master?.child;
    child?.kill("SIGTERM");
    if (child) await exited(child);
  }
}
