import type { Reporter } from "vitest/node";

/** Makes "N passed, N failed(, N skipped)" the last line; a file or hook that failed without a failed test counts as one. */
export default class LastLine implements Reporter {
  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules, errors) => {
    let [passed, failed, skipped] = [0, errors.length, 0];
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped++;
      }
      if (before === failed && module.state() === "failed") failed++;
    }
    process.on("exit", () => process.stdout.write(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}\n`));
  };
}
