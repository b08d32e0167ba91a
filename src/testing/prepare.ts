import { rangeAvailable } from "#range/available";
import { prepareRootfs } from "#range/rootfs";

/** Before the first test: the suspect hosts' disk is made if it is not in the cache, so that no test waits for it or is skipped. */
export async function setup(): Promise<void> {
  const started = performance.now();
  const say = (line: string): void => {
    process.stdout.write(`stakeout: ${line}\n`);
  };
  const reason = rangeAvailable();
  if (reason !== undefined) {
    // In CI what should run does run: there a machine that cannot make hosts is a failure.
    if (process.env["CI"]) throw new Error(`no suspect host can be made here: ${reason}`);
    return say(`no suspect host can be made here (${reason}): tests against real hosts are skipped`);
  }
  let told = -1;
  await prepareRootfs({
    say,
    onProgress: ({ fraction, phrase }) => {
      if (Math.floor(fraction * 4) <= told) return;
      told = Math.floor(fraction * 4);
      say(`making the suspect host's disk: ${Math.round(fraction * 100)} %, ${phrase}`);
    },
  });
  say(`the suspect host's disk is there after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
