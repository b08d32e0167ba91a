/** Names of keys that are more than one character, as the key parser gives them and as people read them. */
const NAMED: Record<string, string> = {
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
  insert: "Ins",
  delete: "Del",
  tab: "Tab",
  "shift-tab": "Shift-Tab",
  enter: "Enter",
  escape: "Esc",
  backspace: "Backspace",
  " ": "Space",
};
/** What people write for them in a config file. */
const ALIASES: Record<string, string> = {
  space: " ",
  esc: "escape",
  return: "enter",
  pgup: "pageup",
  pgdn: "pagedown",
  pgdown: "pagedown",
  del: "delete",
  ins: "insert",
};
/** A terminal sends the same byte for both (ASCII: Ctrl takes a letter's lower five bits). */
const SAME_BYTE: Record<string, string> = { "ctrl-i": "Tab", "ctrl-m": "Enter", "ctrl-j": "Enter", "ctrl-h": "Backspace" };

/** A key as the footer and the tables write it: 'T', 'Ctrl-X', '↑', 'F5'. */
export function keyLabel(name: string): string {
  const named = NAMED[name];
  if (named !== undefined) return named;
  const [, modifier, key = ""] = /^(ctrl|alt)-(.+)$/su.exec(name) ?? [];
  if (modifier === "ctrl") return `Ctrl-${key.toUpperCase()}`;
  if (modifier === "alt") return `Alt-${key}`;
  return /^f\d+$/.test(name) ? name.toUpperCase() : name;
}

/** A key as somebody wrote it ('T', 'ctrl-x', 'PgUp', 'F5') as the key parser names it; or, after `wrong:`, why there is no such key. */
export function keyNamed(written: string): { name: string } | { wrong: string } {
  if ([...written].length === 1)
    return /^[\p{Cc}\p{Cf}\p{M}]$/u.test(written) ? { wrong: "is not a character of its own" } : { name: written };
  const small = written.toLowerCase();
  const name = ALIASES[small] ?? small;
  if (NAMED[name] !== undefined || /^f([1-9]|1[0-2])$/.test(name)) return { name };
  if (/^ctrl-[a-z]$/.test(name)) {
    const same = SAME_BYTE[name];
    if (same) return { wrong: `is the same as ${same} to every terminal` };
    if (name === "ctrl-c") return { wrong: "always leaves and cannot be given to anything else" };
    if (name === "ctrl-z") return { wrong: "always stops the program for a while (fg goes on) and cannot be given to anything else" };
    return { name };
  }
  if (/^alt-.$/u.test(small)) return { name: `alt-${[...written].at(-1)}` };
  return {
    wrong: `is no key; keys are single characters, ${Object.keys(NAMED)
      .filter((key) => key !== " ")
      .join(" ")} space, f1 to f12, ctrl-a to ctrl-z, alt-a`,
  };
}
