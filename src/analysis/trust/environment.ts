import { isStranger, isTrusted, processOf, type Scene, type Suspicion, whoOf } from "./scene.ts";

/** Folders that a distribution's own PATH has. */
const USUAL = /^(?:\/usr(?:\/local)?)?\/s?bin$|^\/snap\/bin$|^\/usr(?:\/local)?\/games$|^\/usr\/lib\/(?:jvm|git-core|go)\b/;
const PRELOAD = /^(LD_PRELOAD|LD_AUDIT|LD_LIBRARY_PATH|BASH_ENV|PROMPT_COMMAND)=(.+)$/s;
const MOST = 10_000;
const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** What environments give away: code put into tagged programs, another order of folders, and whose ssh agent somebody asks. */
export class EnvironmentWatch {
  /** The folders of a login's first PATH. */
  readonly #paths = new Map<string, ReadonlySet<string>>();
  /** The login that had an agent's socket in its environment first: sshd gives it to the login whose agent it is. */
  readonly #agents = new Map<string, string>();

  look({ state, event, actor }: Scene): Suspicion[] {
    if (event.event.action === "file.access") return this.#folder({ state, event, actor });
    const variables = event.event.action === "process.change" ? event.process?.env_vars : undefined;
    if (!variables || !actor) return [];
    const found: (Suspicion | undefined)[] = variables.map((variable) => {
      if (variable.startsWith("SSH_AUTH_SOCK=")) return this.#agent({ state, event, actor }, variable.slice(14));
      if (variable.startsWith("PATH=")) return this.#path({ state, event, actor }, variable.slice(5));
      const [, name = ""] = PRELOAD.exec(variable) ?? [];
      if (name === "" || !isTrusted(actor) || (name !== "LD_PRELOAD" && name !== "LD_AUDIT" && !/\/(?:tmp|dev\/shm)\//.test(variable)))
        return undefined;
      return {
        rule: "tagged-preloads",
        title: `${name} is set in a tagged login: its programs run other code than their own`,
        level: "high",
        technique: [name.startsWith("LD_") ? "T1574.006" : "T1546.004"],
        entities: [actor.id],
        exposes: [actor.id],
        about: `${name} ${whoOf(actor)}`,
      };
    });
    return found.filter((one) => one !== undefined);
  }

  #path({ actor }: Scene, value: string): Suspicion | undefined {
    if (!actor) return undefined;
    const folders = value.split(":");
    const first = this.#paths.get(whoOf(actor));
    if (!first) {
      if (this.#paths.size < MOST) this.#paths.set(whoOf(actor), new Set(folders));
      return undefined;
    }
    if (!isTrusted(actor) || folders.every((folder) => first.has(folder) || USUAL.test(folder))) return undefined;
    return {
      rule: "tagged-path-changed",
      title: "PATH was changed in a tagged login: its commands may be another's",
      level: "medium",
      technique: ["T1574.007"],
      entities: [actor.id],
      exposes: [actor.id],
      about: `${value.slice(0, 200)} ${whoOf(actor)}`,
    };
  }

  #agent({ state, actor }: Scene, socket: string): Suspicion | undefined {
    if (!actor || socket === "") return undefined;
    const owner = this.#agents.get(socket);
    if (owner === undefined) {
      if (this.#agents.size < MOST) this.#agents.set(socket, whoOf(actor));
      return undefined;
    }
    const theirs = state.logins.get(owner) ?? processOf(state, owner);
    if (owner === whoOf(actor) || !isStranger(actor) || !isTrusted(theirs)) return undefined;
    return {
      rule: "tagged-agent-used",
      title: "the forwarded ssh agent of a tagged login is used by another",
      level: "critical",
      technique: ["T1563.001", "T1552.004"],
      entities: [actor.id, owner],
      exposes: [owner],
      about: `${whoOf(actor)} ${owner}`,
    };
  }

  /** Somebody looked into the folder of an agent's socket: nobody else knows its name. */
  #folder({ state, event, actor }: Scene): Suspicion[] {
    const path = event.file?.path;
    if (path === undefined || !path.startsWith("/tmp/ssh-") || !isStranger(actor)) return [];
    const owner = [...this.#agents].find(([socket]) => folderOf(socket) === path || socket === path)?.[1];
    const theirs = owner === undefined ? undefined : (state.logins.get(owner) ?? processOf(state, owner));
    if (owner === undefined || owner === whoOf(actor) || !isTrusted(theirs)) return [];
    return [
      {
        rule: "tagged-agent-looked-for",
        title: "the folder of the ssh agent of a tagged login was opened by another",
        level: "medium",
        technique: ["T1563.001"],
        entities: [actor.id, owner],
        path: event.file?.path as NonNullable<Suspicion["path"]>,
        about: `${whoOf(actor)} ${owner}`,
      },
    ];
  }
}
