import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "#range/machine";
import { inPty } from "#testing/pty";
import { fingerprintBySsh, NO_SSH, openPair, type Pair } from "./testing/pair.ts";

const run = promisify(execFile);
const open: Pair[] = [];
const pairOf = async (...options: Parameters<typeof openPair>) => {
  const pair = await openPair(...options);
  open.push(pair);
  return pair;
};
afterEach(async () => {
  for (const pair of open.splice(0)) await pair.stop();
});
/** What an ssh that is refused says and returns. */
const refusal = async (argv: string[]) => {
  const [program = "", ...rest] = argv;
  const failed = await run(program, rest, { timeout: 20_000 }).then(
    () => ({ code: 0, stderr: "" }),
    (error: { code: number; stderr: string }) => error,
  );
  return { code: failed.code, said: failed.stderr };
};

describe.skipIf(NO_SSH)(`with a real ssh client${NO_SSH ? ` (skipped: ${NO_SSH})` : ""}`, () => {
  test("a listed key gets a screen of its terminal's size, under the name that the list gives it", async () => {
    const pair = await pairOf();
    const jm = inPty(pair.ssh("jm"), 100, 30);
    await jm.screen.until(/jm sees 100x30 on xterm-256color/);
    jm.press("hello");
    await jm.screen.until(/typed hello/);
    jm.resize(70, 20);
    await jm.screen.until(/jm sees 70x20/);
    expect(pair.server.seats().map(({ analyst }) => analyst.name)).toEqual(["jm"]);
    jm.press("q");
    expect(await jm.exited).toBe(0);
    await until("the seat to be free", () => pair.server.seats().length === 0);
    expect(pair.attempts.map(({ outcome, analyst }) => [outcome, analyst])).toEqual([["joined", "jm"]]);
  });

  test("the fingerprint that is shown is the one that ssh sees", async () => {
    const pair = await pairOf();
    const jm = inPty(pair.ssh("jm"), 80, 24);
    await jm.screen.until(/jm sees/);
    jm.press("q");
    await jm.exited;
    expect(fingerprintBySsh(`${pair.folder}/known`)).toContain(pair.server.fingerprint);
    expect(pair.server.joinLine("jm")).toBe(`ssh -p ${pair.server.port} jm@127.0.0.1`);
  });

  test.each(["ecdsa", "rsa"])("an %s key is as good", async (type) => {
    const pair = await pairOf({}, { jm: type });
    const jm = inPty(pair.ssh("jm"), 80, 24);
    await jm.screen.until(/jm sees/);
    jm.press("q");
    expect(await jm.exited).toBe(0);
  });

  test("a key that is not listed is refused, and told with its fingerprint", async () => {
    const pair = await pairOf();
    const { code, said } = await refusal(pair.ssh("eve", "-tt"));
    expect([code, said]).toEqual([255, expect.stringMatching(/Permission denied \(publickey\)/)]);
    await until("the attempt to be told", () => pair.attempts.length > 0);
    const [attempt] = pair.attempts;
    expect(attempt).toMatchObject({ outcome: "refused", why: "its key is not in the list" });
    expect(fingerprintBySsh(`${pair.folder}/eve`)).toContain(attempt?.keys[0]);
    expect(pair.screens).toEqual([]);
  });

  test("a signature over SHA-1 is refused although the key is listed", async () => {
    const pair = await pairOf({}, { jm: "rsa" });
    const { said } = await refusal(pair.ssh("jm", "-tt", "-o", "PubkeyAcceptedAlgorithms=ssh-rsa"));
    expect(said).toMatch(/Permission denied/);
    expect(pair.screens).toEqual([]);
  });

  test("keys are exchanged anew in the middle of a session", async () => {
    const pair = await pairOf();
    const jm = inPty(pair.ssh("jm", "-o", "RekeyLimit=16K"), 100, 30);
    await jm.screen.until(/jm sees/);
    for (let i = 0; i < 40; i++) pair.screens[0]?.terminal.stdout.write(`\x1b[H${"x".repeat(4000)}`);
    jm.press("still here");
    await jm.screen.until(/typed still here/);
    jm.press("q");
    expect(await jm.exited).toBe(0);
  });

  test("passwords are not asked for", async () => {
    const pair = await pairOf();
    const argv = pair.ssh("jm", "-tt", "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive");
    expect((await refusal(argv)).said).toMatch(/Permission denied \(publickey\)/);
  });

  test("commands, sftp and sessions without a terminal are refused", async () => {
    const pair = await pairOf();
    expect((await refusal([...pair.ssh("jm"), "id"])).said).toMatch(/exec request failed/);
    expect((await refusal([...pair.ssh("jm", "-s"), "sftp"])).said).toMatch(/subsystem request failed/);
    const bare = await refusal(pair.ssh("jm", "-T"));
    expect([bare.code, bare.said]).toEqual([1, ""]);
    expect(pair.screens).toEqual([]);
  });

  test("nothing is forwarded, either way, and no variable, agent or display is taken", async () => {
    const pair = await pairOf();
    const local = await refusal(pair.ssh("jm", "-W", "127.0.0.1:22"));
    expect(local.said).toMatch(/prohibited|stdio forwarding failed/i);
    const remote = await refusal(pair.ssh("jm", "-tt", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22"));
    expect(remote.said).toMatch(/remote port forwarding failed/i);
    const jm = inPty(pair.ssh("jm", "-A", "-X", "-o", "SetEnv=LD_PRELOAD=/tmp/x STAKEOUT_ANALYST=root"), 80, 24, { DISPLAY: ":9" });
    await jm.screen.until(/jm sees/);
    expect(pair.screens[0]?.terminal.env).toEqual({ TERM: "xterm-256color", LANG: "C.UTF-8" });
    jm.press("q");
    await jm.exited;
  });
});
