/** The line of a part's text below which its subs sleep. */
export const ASLEEP = "# asleep";

/**
 * Collector: compiles a text of subs when the first of them is called, perlsub(1), "Autoloading". It stands behind every `my` of the parts,
 * for what is compiled here sees those, and those alone.
 */
export function waking(texts: readonly string[]): string {
  const there = texts.filter((text) => text !== "");
  if (there.length === 0) return "";
  const end = "ASLEEP"; // no line of perl is this word
  return String.raw`
my @asleep = (${there.map(() => `<<'${end}'`).join(", ")});
${there.map((text) => `${text}\n${end}\n`).join("")}
sub wake { push @_, do { local ($@, $!); eval $_[0]; $@ }; die $_[1] if length $_[1] }
sub AUTOLOAD {
our $AUTOLOAD;
my ($name) = $AUTOLOAD =~ /(\w+)\z/;
my ($at) = grep { $asleep[$_] =~ /^sub $name\b/m } 0 .. $#asleep;
die "no sub $name\n" unless defined $at;
wake(splice @asleep, $at, 1);
goto &$AUTOLOAD;
}
`;
}
