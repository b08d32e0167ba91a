import type { Selection } from "#commands/command";
import { printable } from "#model/host-string";
import { farEnd } from "#state/selectors";
import type { State } from "#state/state";
import { pastText } from "./panes/past-row.ts";
import { thingName } from "./thing.ts";
import { address, loginName } from "./words.ts";

/** Something that can be copied: what it is, and the text as it goes to the clipboard. */
export interface Copyable {
  what: string;
  text: string;
}

/** Characters of one value, and of a page of details: some terminals drop a clipboard that is longer than 100 kB of base64. */
const LONGEST_VALUE = 4096;
const LONGEST_PAGE = 32_768;

/** The values of what is selected, the likeliest first; each one printable line. */
export function copyables(state: State, selection: Selection): Copyable[] {
  return valuesOf(state, selection).flatMap(([what, text]) => (text === undefined || text === "" ? [] : [{ what, text: oneLine(text) }]));
}

type Value = readonly [what: string, text: string | undefined];

function valuesOf(state: State, { kind, id, members }: Selection): Value[] {
  if (kind === "process") {
    const p = state.processes.get(id);
    return p
      ? [
          ["command line", p.args?.map(quoted).join(" ")],
          ["path", p.executable],
          ["pid", String(p.pid)],
          ["working folder", p.cwd],
          ["name", p.name],
        ]
      : [];
  }
  if (kind === "login") {
    const login = state.logins.get(id);
    return login
      ? [
          ["login", loginName(login)],
          ["address", login.source?.ip],
          ["user", login.user?.name],
        ]
      : [];
  }
  if (kind === "connection") {
    const c = state.connections.get(id);
    if (!c) return [];
    const far = c.phase === "listening" ? c.source : farEnd(c);
    const pid = c.process === undefined ? undefined : state.processes.get(c.process)?.pid;
    return [
      ["address and port", address(far)],
      ["address", far.ip],
      ["pid", pid === undefined ? undefined : String(pid)],
    ];
  }
  if (kind === "binary") {
    const b = state.binaries.get(id);
    return b
      ? [
          ["path", b.path],
          ["sha256", b.sha256],
        ]
      : [];
  }
  if (kind === "past") {
    const past = state.past.rows.find((row) => row.id === id);
    return past
      ? [
          ["text", pastText(past)],
          ["address", past.ip],
          ["user", past.user],
          ["path", past.path],
        ]
      : [];
  }
  if (kind === "set-up") {
    const thing = state.setUp.get(id);
    return thing
      ? [
          ["name", thing.name],
          ["line", thing.detail],
        ]
      : [];
  }
  if (kind === "place") {
    const ends = (members ?? []).flatMap((member) => state.connections.get(member) ?? []).map((c) => farEnd(c).ip);
    return [
      ["addresses", [...new Set(ends)].join(" ")],
      ["place", id],
    ];
  }
  const pids = (members ?? []).flatMap((member) => state.processes.get(member)?.pid ?? []);
  return [["pids", pids.join(" ")]];
}

/** One printable line, cut where it becomes too long to be one. */
function oneLine(text: string): string {
  const line = printable(text.slice(0, LONGEST_VALUE));
  return text.length > LONGEST_VALUE ? `${line}…` : line;
}

/** An argument as a POSIX shell would read it back (XCU 2.2.2, single quotes): pasted, it is an argument again and no command. */
const quoted = (arg: string) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);

/** Facts about a thing as a Markdown list; host text stands in code spans that it cannot break out of. */
export function factsAsMarkdown(title: string, facts: readonly { label: string; text: string }[]): string {
  const lines = facts.map(({ label, text }) => `- ${label}: ${code(oneLine(text))}`);
  const page = [`### ${code(oneLine(title))}`, "", ...lines, ""].join("\n");
  return page.length > LONGEST_PAGE
    ? `${page.slice(0, page.lastIndexOf("\n", LONGEST_PAGE))}\n- and more that was too long to copy\n`
    : page;
}

/** A code span (CommonMark 6.1): fenced by more backticks than there are in it. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = /^`|`$|^ .* $/.test(text) ? " " : "";
  return text === "" ? "` `" : `${fence}${pad}${text}${pad}${fence}`;
}

/** The key that copies: pressed again on the same thing it takes the next of its values. */
export class Copier {
  #last: { id: string; at: number } | undefined;

  /** What is to be sent to the terminal, and what is said of it; `facts` are given where all of them are wanted. */
  copy(state: State, selection: Selection, facts?: readonly { label: string; text: string }[]): { notice: string; send?: string } {
    if (facts) {
      const name = thingName(state, selection);
      const send = clipboardSequence(factsAsMarkdown(name, facts));
      return { notice: `all about ${name} sent to your terminal's clipboard, as Markdown`, send };
    }
    const values = copyables(state, selection);
    const at = this.#last?.id === selection.id ? (this.#last.at + 1) % Math.max(1, values.length) : 0;
    const value = values[at];
    if (!value) return { notice: "nothing of it is known that could be copied" };
    this.#last = { id: selection.id, at };
    const next = values.length > 1 ? `; again: its ${values[(at + 1) % values.length]?.what}` : "";
    return { notice: `${value.what} sent to your terminal's clipboard: ${value.text}${next}`, send: clipboardSequence(value.text) };
  }
}

/** What puts a text into the clipboard of the analyst's terminal (xterm ctlseqs, OSC 52): base64, so no byte of the text itself is sent. */
export function clipboardSequence(text: string): string {
  return `\x1b]52;c;${Buffer.from(text, "utf8").toString("base64")}\x07`;
}
