import type { HostRunner, RemoteProcess } from "#host/runner";
import { printable } from "#model/host-string";
import { judgeDatagram } from "../datagram.ts";
import type { Counts } from "../methods/method.ts";
import { methodOf } from "../methods/methods.ts";
import type { IsolationPlan } from "../plan.ts";
import { watchMark } from "../processes.ts";
import { Links } from "./links.ts";
import { type Told, WatchDecoder } from "./parse.ts";
import { watchScript } from "./script.ts";
import type { IsolationStatus, WatchFinding } from "./status.ts";

export type WatchEnd = "released" | "replaced" | "lost";

export interface WatchOptions {
  onStatus(status: IsolationStatus): void;
  onFinding(finding: WatchFinding): void;
  /** The watch is over: `released` or `replaced` when a console ended it for that. Nothing is put back any more, the rules stay as they are. */
  onEnd(why: WatchEnd): void;
  now?: () => number;
}

export interface Watch {
  stop(): void;
}

/** Keeps an isolation: its script runs on the host until `stop`, or until the channel is lost. */
export async function watchIsolation(runner: HostRunner, plan: IsolationPlan, since: string, options: WatchOptions): Promise<Watch> {
  const process = await runner.open(["/bin/sh", "-s", "--", watchMark(plan.nonce)]);
  const keeper = new Keeper(plan, since, options);
  const decoder = new WatchDecoder(plan.nonce);
  process.stdout.on("data", (chunk: Buffer) => {
    for (const told of decoder.push(chunk)) keeper.take(told);
  });
  process.stderr.resume();
  process.stdin.on("error", () => {}); // the exit says so
  process.stdin.end(watchScript(plan));
  return ended(process, keeper);
}

function ended(process: RemoteProcess, keeper: Keeper): Watch {
  let stopped = false;
  process.exit.then(
    () => stopped || keeper.end(),
    () => stopped || keeper.end(),
  );
  return {
    stop() {
      stopped = true;
      process.close();
    },
  };
}

/** Turns what the watch tells into a status and findings. */
class Keeper {
  readonly #plan: IsolationPlan;
  readonly #options: WatchOptions;
  readonly #now: () => number;
  readonly #links: Links;
  #status: IsolationStatus;
  #counts: Counts | undefined;
  #open: WatchFinding | undefined;
  /** Looks since it was opened. */
  #looks = 0;
  #why: WatchEnd = "lost";
  #uncovered = false;
  /** Why what was tried last shows that the host is not cut off. */
  #left: string | undefined;

  constructor(plan: IsolationPlan, since: string, options: WatchOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#links = new Links(plan.devices, plan.own);
    this.#status = {
      method: plan.method,
      since,
      holds: false,
      wrong: ["not looked at yet"],
      lookedAt: 0,
      guard: plan.guard ? "up" : "none",
      ...(plan.boot ? { boot: "kept" } : {}),
      putBack: 0,
    };
  }

  take(told: Told): void {
    switch (told.kind) {
      case "broken":
        return this.#find({ kind: "isolation-changed", title: "Somebody changed the isolation's rules", at: this.#now() });
      case "gone":
        if (told.gone && this.#open) {
          this.#open.kind = "isolation-removed";
          this.#open.title = "Somebody removed the isolation";
        }
        if (told.gone && this.#status.guard !== "up") this.#uncovered = true;
        return;
      case "back":
        this.#status = { ...this.#status, putBack: this.#status.putBack + 1 };
        if (told.code === 0) return;
        return this.#tell({ kind: "not-put-back", title: "The isolation's rules could not be put back", at: this.#now(), replan: true });
      case "unguarded":
        this.#status = { ...this.#status, guard: "down" };
        return this.#find({ kind: "guard-ended", title: "Somebody ended the process that guards the isolation", at: this.#now() });
      case "guard":
        this.#status = { ...this.#status, guard: told.code === 0 ? "up" : "down" };
        return;
      case "disk":
        return this.#disk(told.code === 0);
      case "by":
        if (this.#open) this.#open.by = { pid: told.pid, name: told.name };
        return this.#flush();
      case "monitor":
        return this.#tell({ kind: "watch-ended", title: "Somebody ended the monitor of the isolation; it runs again", at: this.#now() });
      case "released":
      case "replaced":
        this.#why = told.kind;
        return;
      case "look":
        return this.#look(told.sections);
    }
  }

  end(): void {
    this.#flush();
    if (this.#why === "lost")
      this.#tell({ kind: "watch-ended", title: "The watch over the isolation has ended: whether it stands is not known", at: this.#now() });
    this.#options.onEnd(this.#why);
  }

  #look(sections: Map<string, string>): void {
    this.#looks += 1;
    // on a busy host a look comes in between the change and the line that says by whom it was made
    if (this.#plan.monitor === undefined || this.#looks > 1) this.#flush();
    const get = (name: string) => sections.get(name) ?? "";
    const { wrong, counts } = methodOf(this.#plan.method).judge(this.#plan, get);
    const datagram = sections.get("datagram");
    if (datagram !== undefined) this.#leaves(judgeDatagram(this.#plan, datagram).left);
    if (this.#left !== undefined) wrong.push(this.#left);
    if (!sections.has("end")) wrong.push("the host's answer was cut short");
    const at = this.#now();
    for (const finding of this.#links.compare(get, at)) this.#tell(finding);
    this.#status = {
      ...this.#status,
      holds: wrong.length === 0,
      wrong: wrong.map((reason) => printable(reason)),
      lookedAt: at,
      ...(wrong.length === 0 ? { verifiedAt: at } : {}),
      ...(counts ? this.#count(counts) : {}),
    };
    this.#uncovered = false;
    this.#options.onStatus(this.#status);
  }

  /** The rules are listed as they should be, and what they should drop is let out: told once. */
  #leaves(left: string | undefined): void {
    if (left !== undefined && this.#left === undefined)
      this.#tell({ kind: "not-put-back", title: `The host is not cut off, whatever its tools say: ${left}`, at: this.#now() });
    this.#left = left;
  }

  /** Counters begin anew when rules are put back: then what they show is all new. */
  #count(counts: Counts): Pick<IsolationStatus, "out" | "dropped" | "toAnalysts"> {
    const last = this.#counts;
    const since = (name: keyof Counts) => (last && counts[name] >= last[name] ? counts[name] - last[name] : counts[name]);
    const passed = since("analysts") + since("neighbours") + since("servers");
    this.#counts = counts;
    const { out = 0, dropped = 0, toAnalysts = 0 } = this.#status;
    return {
      // what left the interfaces in the second in which our rules were gone, less what they have let through since
      out: out + (this.#uncovered ? Math.max(0, this.#links.sent - passed) : 0),
      dropped: dropped + since("droppedOut") + since("droppedIn"),
      toAnalysts: toAnalysts + since("analysts"),
    };
  }

  /** The watch found the files for a reboot changed or gone, and wrote them again, or could not. */
  #disk(written: boolean): void {
    this.#status = { ...this.#status, boot: written ? "kept" : "lost" };
    const [kind, title] = written
      ? ([
          "boot-changed",
          "Somebody changed or removed the files by which the isolation stands through a reboot; they are there again",
        ] as const)
      : ([
          "boot-lost",
          "The isolation would not survive a reboot: its files on the host's disk are not as they were, and could not be put back",
        ] as const);
    this.#tell({ kind, title, at: this.#now() });
  }

  /** Waits for who did it, until the look after the next: they come a second apart. */
  #find(finding: WatchFinding): void {
    this.#flush();
    this.#looks = 0;
    this.#open = finding;
  }

  #flush(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#tell(open);
  }

  #tell(finding: WatchFinding): void {
    const by = finding.by ? `: process ${finding.by.pid} (${printable(finding.by.name)})` : "";
    this.#options.onFinding({ ...finding, title: `${finding.title}${by}` });
  }
}
