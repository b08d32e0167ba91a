import type { HostString } from "#model/host-string";
import { Malformed, text, whole } from "../wire.ts";

/** A file's bytes as they came: `from` is where in the file they begin. */
export interface Shipped {
  kind: string;
  path: HostString;
  /** Bytes of the whole file. */
  size: number;
  /** Milliseconds since the epoch. */
  mtime: number;
  mode: number;
  uid: number;
  from: number;
  bytes: Buffer;
}
export interface Absent {
  kind: string;
  path: HostString;
  /** What the host's system said, or "link". */
  why: HostString;
  /** Where the link leads. */
  to?: HostString;
}
export interface ChangedFile {
  path: HostString;
  size: number;
  mtime: number;
  ctime: number;
  mode: number;
  uid: number;
}
/** One thing of how the host is set up: a line as the host's files have it. */
export interface Item {
  category: HostString;
  name: HostString;
  detail: HostString;
}
/** What a login's own processes say of it. */
export interface LoginTold {
  /** Of its sshd. */
  pid: number;
  /** -1 where it could not be read. */
  loginuid: number;
  session: number;
  /** SSH_CONNECTION. */
  connection: HostString;
  /** The content of the file that SSH_USER_AUTH names (sshd_config(5), ExposeAuthInfo). */
  auth: HostString;
}
/** What a look at the host came to. */
export interface Answer {
  /** Seconds that the host's zone is east of UTC. */
  zone: number;
  /** Milliseconds since the epoch, by the host's clock. */
  now: number;
  root: boolean;
  arch: string;
  files: Shipped[];
  absent: Absent[];
  changed: ChangedFile[];
  items: Item[];
  logins: LoginTold[];
  /** It came to its end. */
  complete: boolean;
  /** Lines that could not be read. */
  undecodable: number;
}

const MOST = 50_000;

/** Reads what collectors/look.ts says. It never throws: the far end is a suspect host, and what cannot be read is counted. */
export function readAnswer(said: Buffer): Answer {
  const answer: Answer = {
    zone: 0,
    now: 0,
    root: false,
    arch: "",
    files: [],
    absent: [],
    changed: [],
    items: [],
    logins: [],
    complete: false,
    undecodable: 0,
  };
  for (let at = 0; at < said.length; ) {
    const end = said.indexOf(10, at);
    const line = said.toString("latin1", at, end < 0 ? said.length : end);
    at = end < 0 ? said.length : end + 1;
    try {
      const behind = readLine(line.split("\t"), answer);
      if (behind) {
        behind.bytes = said.subarray(at, at + behind.length);
        at += behind.length;
        if (answer.files.length < MOST) answer.files.push(behind);
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      answer.undecodable += 1;
    }
  }
  return answer;
}

/** One line into the answer; a file's line gives what is filled by the bytes behind it. @throws Malformed */
function readLine(f: readonly string[], answer: Answer): (Shipped & { length: number }) | undefined {
  const get = (i: number) => {
    const value = f[i];
    if (value === undefined) throw new Malformed("a field is missing");
    return value;
  };
  const size = (i: number) => {
    const value = whole(get(i));
    if (value < 0) throw new Malformed("less than nothing");
    return value;
  };
  switch (f[0]) {
    case "Z":
      Object.assign(answer, { zone: whole(get(1)), now: millis(whole(get(2))), root: get(3) === "1", arch: get(4).replace(/[^\w-]/g, "") });
      return undefined;
    case "F": {
      const kind = word(get(1));
      const length = size(8);
      if (length > 8 << 20) throw new Malformed("more than a look ships");
      const [path, bytes] = [text(get(2)), Buffer.alloc(0)];
      return { kind, path, size: size(3), mtime: millis(whole(get(4))), mode: size(5), uid: size(6), from: size(7), length, bytes };
    }
    case "M": {
      const to = get(4);
      if (answer.absent.length < MOST)
        answer.absent.push({ kind: word(get(1)), path: text(get(2)), why: text(get(3)), ...(to === "" ? {} : { to: text(to) }) });
      return undefined;
    }
    case "G":
      if (answer.changed.length < MOST)
        answer.changed.push({
          path: text(get(1)),
          size: size(2),
          mtime: millis(whole(get(3))),
          ctime: millis(whole(get(4))),
          mode: size(5),
          uid: size(6),
        });
      return undefined;
    case "V":
      if (answer.items.length < MOST) answer.items.push({ category: text(word(get(1))), name: text(get(2)), detail: text(get(3)) });
      return undefined;
    case "L":
      if (answer.logins.length < MOST)
        answer.logins.push({ pid: size(1), loginuid: whole(get(2)), session: whole(get(3)), connection: text(get(4)), auth: text(get(5)) });
      return undefined;
    case "E":
      answer.complete = true;
      return undefined;
    default:
      throw new Malformed("not a line of a look");
  }
}

function word(value: string): string {
  if (!/^[a-z]{1,20}$/.test(value)) throw new Malformed("not a word");
  return value;
}
const millis = (seconds: number): number => (Math.abs(seconds) < 8.64e12 ? seconds * 1000 : 0);
