import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Ran } from "../machine.ts";

/** The guest has gone, or has booted, before it answered. */
class Gone extends Error {}

/** The way to the guest's agent: a Unix socket that stands for its second serial port. The protocol is told in guest-files.ts. */
export class Agent {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, { resolve(ran: Ran): void; reject(error: Error): void }>();
  readonly #boots: string[] = [];
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket }).on("line", (line) => this.#line(line));
    for (const emitter of [socket, lines]) emitter.on("error", () => {}); // the socket's close says so
    socket.on("close", () => this.#fail("the virtual machine has ended"));
  }

  /** Resolves when `path` takes us; rejects as long as nobody listens there. */
  static connect(path: string): Promise<Agent> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => {
        socket.off("error", reject);
        resolve(new Agent(socket));
      });
      socket.once("error", reject);
    });
  }

  /** Boot ids (/proc/sys/kernel/random/boot_id) that the agent has said hello with since we listen. */
  get boots(): readonly string[] {
    return this.#boots;
  }

  /** Runs shell text as root in the guest. Rejects when it has not ended after `timeoutMs`, or when the guest goes away or boots meanwhile. */
  run(script: string, { input = "", timeoutMs = 60_000 }: { input?: string; timeoutMs?: number } = {}): Promise<Ran> {
    const id = randomBytes(6).toString("hex");
    const coded = (text: string) => Buffer.from(text).toString("base64") || "=";
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`the virtual machine did not answer within ${timeoutMs / 1000} s to: ${script.slice(0, 200)}`));
      }, timeoutMs);
      const ending =
        <T>(end: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          end(value);
        };
      this.#waiting.set(id, { resolve: ending(resolve), reject: ending(reject) });
      this.#socket.write(`run ${id} ${coded(script)} ${coded(input)}\n`);
    });
  }

  /** Runs what ends the guest or boots it anew, which may end the agent before it has answered: the silence of one that goes is no failure. */
  async leave(script: string): Promise<void> {
    const ran = await this.run(script).catch((error: unknown) => {
      if (!(error instanceof Gone)) throw error;
    });
    if (ran !== undefined && ran.code !== 0) throw new Error(`the virtual machine would not do it: ${script}: ${ran.stderr.trim()}`);
  }

  /** Resolves with the boot id of the next hello after the first `known` ones. */
  async hello(known: number): Promise<string> {
    while (this.#boots.length <= known) {
      if (this.#socket.destroyed) throw new Error("the virtual machine has ended");
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.#boots[known] as string;
  }

  close(): void {
    this.#socket.destroy();
  }

  #line(line: string): void {
    const [verb, id, code, out, err] = line.trim().split(" ");
    if (verb === "hello" && id !== undefined) {
      this.#boots.push(id);
      this.#fail("the virtual machine has booted meanwhile");
      return;
    }
    const waiting = this.#waiting.get(id ?? "");
    if (verb !== "done" || id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    const text = (coded = "") => Buffer.from(coded, "base64").toString();
    waiting.resolve({ code: Number(code), stdout: text(out), stderr: text(err) });
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Gone(why));
    this.#waiting.clear();
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}
