import { expect, test } from "vitest";
import { runLocal } from "#range/machine";
import { BASE } from "./base.ts";
import { GUARD } from "./guard.ts";
import { MAIN } from "./main.ts";

const [SLOW = ""] = /^sub slow \{.*?^\}/ms.exec(MAIN) ?? [];
/** What is due once a second, with nothing else of the collector, and with a program of ours (a pid that nobody has) that was sent at the first second. */
const ABSENT = `my (%inst, @roots, %watched, %dir_of, %refused, $fan, $ino, $eye, $eye_test, $eye_asked, $RENAMED, $by_old, $SOCKETS, $awaits, $tested, $refill, $cnfd,
    @whose, $spared, $spared_at, $stolen, $wire, $heard, $clocked, $slowed, $backlog) = ();
  ($spared, $wire, $stolen, $heard, $clocked, $slowed, $backlog, $looked, $canary_at, $tier) = (0, '', '', 1e9, 9e18, 1e9, 4 << 20, 9e18, 9e18, 'tracefs+proc');`;
const STUBS = `sub guard_files {} sub tick {} sub end {} sub listen_console {} sub tracing { 1 } sub scan {} sub expire {} sub sweep_pids {} sub udp_weigh {}
  sub others {} sub diag {} sub next_answer {} sub climb_back {} my $fell = ''; sub fall { $fell = join ': ', @_ }`;

/** After how many seconds of those that `each` tells it is said that it was not shown, and what; at most 40 looks. */
async function verdict(each: string, before = "", print = ""): Promise<string> {
  const [vars, use] = [ABSENT.slice(0, ABSENT.indexOf(";") + 1), ABSENT.slice(ABSENT.indexOf(";") + 1)];
  const script = `${before}${BASE}${vars}${GUARD}${use}${SLOW}${STUBS}
    ($canary, $canary_sent) = (2 ** 22 + 1, 1e9);
    my ($now, $n) = (1e9, 0);
    while (!length $fell && $n++ < 40) { $now += 1e9 * do { ${each} }; $heard = $now; slow($now) }
    ${print}; print length $fell ? int($now / 1e9) . " s, $n looks, $fell" : 'never';`;
  const { code, stdout, stderr } = await runLocal(["perl", "-"], script);
  expect(code, stderr).toBe(0);
  return stdout;
}

const SAID = "tampered: a program of ours was not shown to us within 5 s";

test("a program of ours that is not shown is said to be, however often the sensor is stopped meanwhile", async () => {
  expect(await verdict("1")).toBe(`7 s, 6 looks, ${SAID}`);
  expect(await verdict("2.5")).toBe(`16 s, 6 looks, ${SAID}`); // each time a second of it is its own
  expect(await verdict("4.9")).toBe(`30 s, 6 looks, ${SAID}`);
  expect(await verdict("$n == 2 ? 60 : 1")).toBe(`66 s, 6 looks, ${SAID}`); // one long stop is owed whole
});

test("what went with the rest of a full buffer, or waits for the line, accuses nobody", async () => {
  expect(await verdict("$lost = 5 if $n == 3; 1")).toBe("never");
  expect(await verdict("$out = ' ' x (5 << 20); 1")).toBe("never");
  expect(await verdict("$out = $n < 20 ? ' ' x (5 << 20) : ''; 1")).toBe(`26 s, 25 looks, ${SAID}`);
});

test("where no program of ours can be started, or none is there, that is said once, and accuses nobody", async () => {
  const noFork = "BEGIN { *CORE::GLOBAL::fork = sub { $! = 11; undef } }";
  const told = await verdict("($canary, $canary_at) = (0, 0); 5", noFork, "print $out");
  expect(told.match(/cannot be tested: no process can be started: Resource temporarily unavailable/g)).toHaveLength(1);
  expect(told).toMatch(/never$/);
  const gone = await verdict("$TRUE = '/nowhere' if $n == 1; 1", noFork);
  expect(gone).toBe("never");
});
