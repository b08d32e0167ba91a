/**
 * Does `text` match `pattern`, where `*` stands for any run of characters and `?` for one (ssh_config(5), "PATTERNS")?
 * Linear in practice and at worst length × length: a pattern of many stars cannot hang us.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1; // the last star seen, and how much of the text it has swallowed so far
  let swallowed = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      swallowed = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++swallowed;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/**
 * Does `text` match a list of patterns? One that starts with `!` and matches wins over every other; a list of negations alone
 * matches nothing (ssh_config(5), "PATTERNS"). Host names compare without case.
 */
export function matchesPatternList(patterns: readonly string[], text: string): boolean {
  const name = text.toLowerCase();
  let positive = false;
  for (const raw of patterns) {
    const pattern = raw.toLowerCase();
    if (pattern.startsWith("!")) {
      if (matchesPattern(pattern.slice(1), name)) return false;
    } else if (matchesPattern(pattern, name)) positive = true;
  }
  return positive;
}
