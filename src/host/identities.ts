import ssh2, {
  type BaseAgent,
  type IdentityCallback,
  type OpenSSHAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { bounded } from "./errors.ts";
import { fingerprint } from "./host-key.ts";
import { type KeyFile, readKeyFile } from "./key-file.ts";

export interface IdentityOptions {
  /** In the order to try; the first that exist. */
  files: readonly string[];
  /** Files that the analyst named: one that is missing is told. */
  named: ReadonlySet<string>;
  identitiesOnly: boolean;
  /** The agent's socket, if there is one. */
  agent: string | undefined;
  askPassphrase: ((file: string) => Promise<string | undefined>) | undefined;
  /** Wraps what may take as long as the analyst needs: an agent can ask for a touch or a yes. */
  waiting<T>(answer: Promise<T>): Promise<T>;
}
/** One key to offer. */
interface Identity {
  /** For the error that lists what was tried. */
  label: string;
  fingerprint: string;
  agent: BaseAgent;
}
export interface Identities {
  list: Identity[];
  /** Why a key that was to be tried is not in the list. */
  notes: string[];
}

const AGENT_TIMEOUT_MS = 5000; // to list its keys
const SIGN_TIMEOUT_MS = 120_000; // a token may wait for a touch

/**
 * The keys to offer, in ssh's order (sshconnect2.c, pubkey_prepare): the agent's keys that a file names, the agent's other keys
 * unless IdentitiesOnly, then the files whose key the agent does not hold.
 */
export async function gatherIdentities(options: IdentityOptions): Promise<Identities> {
  const notes: string[] = [];
  const files: KeyFile[] = [];
  for (const path of options.files) {
    const file = readKeyFile(path);
    if (typeof file === "string") notes.push(file);
    else if (file) files.push(file);
    else if (options.named.has(path)) notes.push(`${path} does not exist`);
  }
  const held = new Map<string, AgentKey>();
  if (options.agent !== undefined) {
    try {
      for (const key of await listAgent(options.agent, options.waiting)) held.set(key.publicKey.toString("base64"), key);
    } catch (error) {
      notes.push(`the agent at ${options.agent} cannot be asked: ${(error as Error).message}`);
    }
  }
  const list: Identity[] = [];
  for (const file of files) {
    const key = held.get(file.publicKey.toString("base64"));
    if (key) list.push({ label: `${file.path} (by the agent)`, fingerprint: fingerprint(key.publicKey), agent: key });
  }
  const ofFiles = new Set(files.map((file) => file.publicKey.toString("base64")));
  if (!options.identitiesOnly) {
    for (const [id, key] of held)
      if (!ofFiles.has(id)) {
        const shown = fingerprint(key.publicKey);
        list.push({ label: `agent key ${shown}${key.comment ? ` (${key.comment})` : ""}`, fingerprint: shown, agent: key });
      }
  }
  for (const file of files) {
    if (held.has(file.publicKey.toString("base64"))) continue;
    list.push({ label: file.path, fingerprint: fingerprint(file.publicKey), agent: new FileKey(file, options.askPassphrase) });
  }
  return { list, notes };
}

/** A key that ssh2 asks to sign only after the host said that it would accept it: so no passphrase is asked for in vain. */
abstract class OneKey extends ssh2.BaseAgent<ParsedKey> {
  readonly publicKey: Buffer;

  constructor(publicKey: Buffer) {
    super();
    this.publicKey = publicKey;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    const parsed: unknown = ssh2.utils.parseKey(this.publicKey);
    if (parsed instanceof Error) done(parsed);
    else done(null, [parsed as ParsedKey]);
  }

  override sign(key: ParsedKey, data: Buffer, options: SigningRequestOptions, done?: SignCallback): void;
  override sign(key: ParsedKey, data: Buffer, done: SignCallback): void;
  override sign(_key: ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, last?: SignCallback): void {
    const done = typeof options === "function" ? options : last;
    const hash = typeof options === "function" ? undefined : options.hash;
    this.signature(data, hash)
      .then(
        (signature) => done?.(null, signature),
        (error: Error) => done?.(error),
      )
      .catch(() => {}); // the connection ended while the analyst was thinking: it has been told already
  }

  protected abstract signature(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

class FileKey extends OneKey {
  readonly #file: KeyFile;
  readonly #ask: IdentityOptions["askPassphrase"];
  /** Kept while the connection lives: the second connection that proves our access must not ask again. */
  #unlocked: ParsedKey | undefined;

  constructor(file: KeyFile, ask: IdentityOptions["askPassphrase"]) {
    super(file.publicKey);
    this.#file = file;
    this.#ask = ask;
  }

  protected override async signature(data: Buffer, hash: string | undefined): Promise<Buffer> {
    this.#unlocked ??= await this.#unlock();
    const signature: unknown = this.#unlocked.sign(data, hash);
    if (!Buffer.isBuffer(signature)) throw signature instanceof Error ? signature : new Error("it could not sign");
    return signature;
  }

  async #unlock(): Promise<ParsedKey> {
    if (!this.#file.encrypted) return this.#file.unlock();
    if (!this.#ask) throw new Error("it is encrypted, and there is no terminal to ask for its passphrase");
    for (let attempt = 0; attempt < 3; attempt++) {
      const passphrase = await this.#ask(this.#file.path);
      if (passphrase === undefined) throw new Error("no passphrase was given");
      try {
        return this.#file.unlock(passphrase);
      } catch {
        // asked again, three times in all, as ssh does (NumberOfPasswordPrompts)
      }
    }
    throw new Error("the passphrase is wrong");
  }
}

class AgentKey extends OneKey {
  readonly comment: string;
  readonly #key: ParsedKey;
  readonly #agent: OpenSSHAgent;
  readonly #waiting: IdentityOptions["waiting"];

  constructor(key: ParsedKey, agent: OpenSSHAgent, waiting: IdentityOptions["waiting"]) {
    super(key.getPublicSSH());
    this.comment = bounded(key.comment ?? "", 80);
    this.#key = key;
    this.#agent = agent;
    this.#waiting = waiting;
  }

  protected override signature(data: Buffer, hash: string | undefined): Promise<Buffer> {
    const options = (hash === undefined ? {} : { hash }) as SigningRequestOptions;
    const signed = new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the agent did not sign")), SIGN_TIMEOUT_MS);
      this.#agent.sign(this.#key, data, options, (error, signature) => {
        clearTimeout(timer);
        if (signature) resolve(signature);
        else reject(error ?? new Error("the agent did not sign"));
      });
    });
    return this.#waiting(signed);
  }
}

function listAgent(socket: string, waiting: IdentityOptions["waiting"]): Promise<AgentKey[]> {
  const agent = new ssh2.OpenSSHAgent(socket);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it does not answer")), AGENT_TIMEOUT_MS);
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve((keys ?? []).filter((key): key is ParsedKey => !("pubKey" in key)).map((key) => new AgentKey(key, agent, waiting)));
    });
  });
}
