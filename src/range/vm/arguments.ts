import type { Vm } from "./vm.ts";

/** One program that the load started: what a sensor must have told of it. */
export interface Started {
  pid: number;
  args: string[];
}

/** Runs in the guest; a line a program, written by its parent before it begins: the arguments in hexadecimal, and the pid after. */
const LOAD = String.raw`
use strict; use POSIX (); $| = 1;
my ($rounds, @counts) = @ARGV;
my @words = ('', 'two words', "line\nbreak", "tab\tquote'\"", "\xc3\xa9\xe2\x82\xac", '-n', '--flag=value', 'x' x 60);
for my $round (1 .. $rounds) {
  for my $count (@counts) {
    my @argv = ('/bin/true', map { "$round." . $_ . $words[$_ % @words] } 1 .. $count - 1);
    $argv[$round == 1 ? -1 : $count / 2] = '' if $round =~ /^[13]$/ && $count > 2;
    print join(' ', map { 'x' . unpack 'H*', $_ } @argv);
    my $pid = fork; defined $pid or die "fork: $!";
    if (!$pid) { exec { $argv[0] } @argv; POSIX::_exit(127) }
    waitpid $pid, 0; $? == 0 or die "exit $?";
    print " $pid\n";
  }
}
`;

/**
 * Has the guest start programs that end at once, `rounds` of them with each number of arguments (their own name counts as one): with
 * blanks, newlines, quotes, bytes beyond ASCII, and empty ones. Resolves with the load's own record when the last one has ended.
 */
export async function startPrograms(vm: Pick<Vm, "run">, rounds: number, counts: readonly number[]): Promise<Started[]> {
  const { code, stdout, stderr } = await vm.run(`perl - ${rounds} ${counts.join(" ")}`, { input: LOAD, timeoutMs: 300_000 });
  const started = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const words = line.split(" ");
      return { pid: Number(words.pop()), args: words.map((word) => Buffer.from(word.slice(1), "hex").toString()) };
    });
  if (code !== 0 || started.length !== rounds * counts.length)
    throw new Error(
      `the load in the virtual machine started ${started.length} of ${rounds * counts.length} programs (exit ${code}): ${stderr}`,
    );
  return started;
}
