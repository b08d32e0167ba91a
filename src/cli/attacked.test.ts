import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();
/** The longest that anything may take on a machine that is five times slower than a quiet one. */

/** The real program on a host that is lost, poor, or hostile. */
describe.skipIf(reason !== undefined)(`a host that gives trouble${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty;
  let bytes = "";
  const open = (...options: string[]) => {
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm", ...options];
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where]), 120, 40);
    bytes = "";
    console_.onOutput((data) => {
      bytes += data;
    });
    return console_;
  };
  const { events } = sessions;
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.trim();
  /** Ends every sshd that serves a connection, as a broken network or an attacker would; the listener stays. */
  const cutConnections = () => onHost("for p in $(pgrep -f 'sshd.*(root|priv|notty)' ); do kill -9 $p; done; echo cut");
  /** By its key; the dialog that says so stays. */
  const isolate = async () => {
    console_.press("I");
    await console_.screen.until(/Enter +isolates the host/);
    console_.press("enter");
    await console_.screen.until(/ISOLATED since.*verified ✓[\s\S]*Enter +closes/);
  };
  /** From the dialog that was left open by that. */
  const release = async () => {
    console_.press("enter");
    await until("the dialog to be closed", () => !/Enter +closes/.test(console_.screen.text()));
    console_.press("I");
    await console_.screen.until(/Enter +releases the host/);
    console_.press("enter");
    await console_.screen.until(/not isolated[\s\S]*Enter +closes/);
  };

  beforeAll(async () => {
    range = await startRange();
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  test("the host is lost while the screen is open and does not come back: it says so, and what was recorded is sealed", async () => {
    open();
    await console_.screen.until(/[●] \S+[\s\S]*sshd/);
    await onHost("mv /usr/sbin/sshd /usr/sbin/sshd.away; kill -9 $(pgrep -o sshd)");
    await cutConnections();
    await console_.screen.until(/LOST +reconnecting, attempt 2/);
    console_.press("q");
    expect(await console_.exited).toBe(3);
    await onHost("mv /usr/sbin/sshd.away /usr/sbin/sshd");
    await until("sshd to listen again", async () => (await onHost("busybox netstat -ltn")).includes(":22 "), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    expect(bytes.split("\x1b[?1049l").at(-1)).toMatch(/the host was lost: /);
    expect(events().some(({ event }) => event.action === "sensor.lost")).toBe(true);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
  });

  test("the host is lost while it is being isolated: it is not called isolated, and the host undoes what nobody proved", async () => {
    open();
    // however it watches: on a busy machine it may have gone down a tier
    await console_.screen.until(/[●] \S+[\s\S]*sshd/);
    console_.press("I");
    await console_.screen.until(/Enter +isolates the host/);
    console_.press("enter");
    await until("the rules to be on the host", async () => (await onHost("nft list tables")).includes("stakeout_isolation"), {
      timeoutMs: PATIENCE,
    });
    await cutConnections();
    const text = await console_.screen.until(/FAILED|NOT VERIFIED|NOT WATCHED|verified ✓/);
    const proven = /NOT WATCHED|verified ✓/.test(text); // the proof was quicker than the cut
    if (!proven) {
      expect(text).not.toMatch(/ISOLATED since.*verified ✓/);
      await until("the dead man to release the host", async () => (await onHost("nft list ruleset")) === "", {
        timeoutMs: 2 * PATIENCE,
        everyMs: 500,
      });
    }
    console_.press("escape");
    await until("the dialog to be closed", () => !/Enter +closes/.test(console_.screen.text()));
    console_.press("q");
    await until("a word on leaving, or the end", () => /stays isolated|recorded in/.test(bytes));
    console_.press("q");
    expect(await console_.exited).toBe(0); // it came back
    await onHost("nft flush ruleset");
  });

  test("an answer of before it was isolated, which a slow host gives after, undoes nothing on the screen", async () => {
    // the first list of our table is that of now, and told only when /run/go is there, or when nobody waits for it any more
    const slow = `trap "touch /run/told; exit 1" TERM; o=$(/usr/sbin/nft.away "$@"); c=$?; case "$*" in *"list table inet"*) if mkdir /run/first 2>/dev/null; then until [ -e /run/go ]; do sleep 0.1; done; touch /run/told; fi;; esac; printf '%s\\n' "$o"; exit $c`;
    await onHost(
      `mv /usr/sbin/nft /usr/sbin/nft.away; printf '#!/bin/sh\n%s\n' '${slow.replaceAll("'", "'\\''")}' >/usr/sbin/nft; chmod 755 /usr/sbin/nft`,
    );
    try {
      open();
      await console_.screen.until(/[●] \S+[\s\S]*sshd/);
      await until("the first look", async () => (await onHost("ls -d /run/first")) !== "", { timeoutMs: PATIENCE, everyMs: 100 });
      await isolate();
      await onHost("touch /run/go");
      await until("the first look's answer", async () => (await onHost("ls /run/told")) !== "", { timeoutMs: PATIENCE, everyMs: 100 });
      const reports = () =>
        events().filter(({ event, stakeout }) => event.action === "sensor.report" && stakeout.sensor === "isolation").length;
      const known = reports();
      await until("three more reports of the isolation", () => reports() > known + 2, { timeoutMs: PATIENCE });
      expect(events().filter(({ event }) => event.action === "baseline.isolation")).toEqual([]);
      expect(console_.screen.text()).toMatch(/ISOLATED since.*verified ✓/);
      await release();
    } finally {
      await onHost("mv /usr/sbin/nft.away /usr/sbin/nft");
    }
  });

  test("a host without perl is watched by its shell: it polls, says so and what that misses, and can be isolated", async () => {
    await onHost("mv /usr/bin/perl /usr/bin/perl.away");
    try {
      open();
      await console_.screen.until(/● poll[\s\S]*sshd[\s\S]*blind[\s\S]*no perl/);
      await isolate();
      await release();
      expect(await onHost("nft list ruleset")).toBe("");
      console_.press("enter");
      await until("the dialog to be closed", () => !/Enter +closes/.test(console_.screen.text()));
      console_.press("q");
      expect(await console_.exited).toBe(0);
    } finally {
      await onHost("mv /usr/bin/perl.away /usr/bin/perl");
    }
  });

  test("without root there is no tracing: it polls, and says what that misses", async () => {
    open("--port", "22");
    await console_.screen.until(/[●] \S+[\s\S]*sshd/);
    console_.press("q");
    await console_.exited;
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--no-sudo"];
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, `${range.accounts.plain}@devbox`, ...where]), 160, 40);
    const text = await console_.screen.until(/● poll[\s\S]*sshd[\s\S]*blind[\s\S]*Help/);
    expect(text).toMatch(/blind .*(poll|miss|short)/);
    console_.press("I");
    expect(await console_.screen.until(/FAILED[\s\S]*closes/)).toMatch(/root/);
    console_.press("enter");
    await until("the dialog to be closed", () => !console_.screen.text().includes("FAILED"));
    console_.press("q");
    expect(await console_.exited).toBe(0);
  });

  test("a host without nft and iptables: routes are what is left, the plan says what they leak, and Esc changes nothing", async () => {
    const routing = () => onHost("ip -4 rule; ip -6 rule");
    const before = await routing();
    await onHost("for t in nft iptables ip6tables xtables; do for p in /usr/sbin/$t*; do mv $p $p.away; done; done");
    try {
      open();
      await console_.screen.until(/[●] \S+[\s\S]*sshd/);
      console_.press("I");
      const text = await console_.screen.until(/Enter +isolates the host|FAILED/);
      expect(text).toMatch(/method +routes/);
      expect(text).toMatch(/cannot be stopped/);
      console_.press("escape");
      await until("the dialog to be closed", () => !/Enter +isolates/.test(console_.screen.text()));
      expect(await routing()).toBe(before);
      console_.press("q");
      expect(await console_.exited).toBe(0);
    } finally {
      await onHost("for p in /usr/sbin/*.away; do mv $p $(echo $p | sed s/.away$//); done");
    }
  });

  test("names and arguments that steer a terminal never reach it, on the screen or in sentences", async () => {
    const script = String.raw`
      my @names = ("\e]0;owned\a", "\e[2J\e[31mred", "\xe2\x80\xae" . "evil", "a\nb\r\nc", "\x9b31m", "\xff\xfe\xfd", "\e]52;c;b3duZWQ=\a", "\xe2\x80\x8bzero");
      my @pids;
      for my $n (@names) { if (my $p = fork) { push @pids, $p; next } $0 = $n; exec { "/bin/sh" } $n, "-c", "sleep 20; :", $n x 5; }
      if (my $p = fork) { push @pids, $p } else { exec "/bin/sh", "-c", "sleep 30; :", ("\e[5m" . "A" x 120000) x 8; }
      for my $n (@names) { (my $f = $n) =~ s{/}{}g; open(my $h, ">", "/tmp/x$f"); print $h "x"; close $h; }
      sleep 12; kill 9, @pids;`;
    for (const plain of [[], ["--plain"]]) {
      open(...plain);
      const begun = plain.length ? /Watching\./ : /[●] \S+[\s\S]*sshd/;
      await until("the console", () => begun.test(plain.length ? bytes : console_.screen.text()));
      const running = range.onHost(["perl", "-e", script]);
      await until(
        "the hostile names in the log",
        () => events().some(({ process }) => process?.args?.some((arg) => (arg as string).includes("\x1b]0;owned"))),
        { everyMs: 200 },
      );
      await until("the files in the log", () => events().some(({ file }) => (file?.path as string | undefined)?.includes("zero")), {
        timeoutMs: PATIENCE,
        everyMs: 200,
      });
      for (let i = 0; i < 60; i++) {
        console_.press("j");
        if (i % 20 === 19) console_.press("tab");
        await new Promise((done) => setTimeout(done, 20));
      }
      console_.press("/", ..."owned", "enter");
      await until("the filter's answer", () => /owned/.test(plain.length ? bytes : console_.screen.text()));
      console_.press("q");
      expect(await console_.exited).toBe(0);
      await running;
      expect(events().at(-1)?.event.action).toBe("session.end");
      expect(strange(bytes)).toEqual([]);
    }
  });
});

const ESC = String.fromCharCode(27);
const OURS = new RegExp(`${ESC}\\[(?:[0-9;]*[mHGKJ]|\\?(?:1049|25|2004|2026|1000|1002|1003|1006)[hl])`, "g");

/** What reached the terminal that is none of ours: we place the cursor, colour, erase and set modes, and write printable text. */
function strange(bytes: string): string[] {
  const rest = bytes.replace(OURS, "").replaceAll("\r\n", "").replaceAll("\b \b", "");
  return [...rest.matchAll(/.{0,20}(?:[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]).{0,20}/gu)].map(([found]) => JSON.stringify(found));
}
