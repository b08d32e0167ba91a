import { configDefaults, defineConfig } from "vitest/config";

// Long or short by STAKEOUT_SOAK_SECONDS: `npm test` has its first seconds.
const SOAK = "src/cli/soak.test.ts";
// What waits for dead men, walks a matrix of hosts or attacks for minutes: `npm run test:long` runs it, `npm test` leaves it out.
const LONG = [
  "src/bench/evaluation-long.test.ts",
  "src/cli/isolation.test.ts",
  "src/cli/attacked.test.ts",
  "src/cli/owned-rpm.test.ts", // makes packages
  "src/cli/origins.test.ts", // waits for cron's minute
  "src/cli/away.test.ts",
  "src/cli/ways.test.ts",
  "src/cli/vm.test.ts", // emulated machines
  "src/sensors/collector-arm64.test.ts",
  "src/sensors/collector-attacked.test.ts", // lays the host down
  "src/sensors/collector-audit.test.ts",
  "src/sensors/collector-canary.test.ts", // stops it for seconds, again and again
  "src/sensors/collector-ends.test.ts", // waits for patience to end
  "src/sensors/shell-collector.test.ts", // waits for the looks of shells
  "src/sensors/traced-shell.test.ts", // kills shells, cuts lines, waits for patience to end
  "src/sensors/traced-shell-vm.test.ts", // emulated machines
  "src/sensors/collector-auditd.test.ts",
  "src/sensors/collector-rpm.test.ts", // makes packages
  "src/cli/vm-boot.test.ts",
  "src/response/isolation/forged.test.ts",
  "src/response/isolation/hostile.test.ts",
  "src/response/isolation/isolation.test.ts", // waits for tools that hang, and for the dead man
  "src/response/isolation/keep.test.ts",
  "src/response/isolation/lock-out.test.ts",
  "src/response/isolation/methods/fallbacks.test.ts",
  "src/response/isolation/rehearse.test.ts",
  "src/response/isolation/topologies.test.ts",
  "src/response/isolation/watch/firewalls.test.ts",
];
const which = process.env["STAKEOUT_TESTS"];

export default defineConfig({
  test: {
    include: which === "long" ? [SOAK, ...LONG] : ["src/**/*.test.ts", "src/**/*.test.tsx", "views/**/*.test.ts", "views/**/*.test.tsx"],
    exclude: which === "short" ? [...configDefaults.exclude, ...LONG] : configDefaults.exclude,
    reporters: ["default", "./src/testing/last-line.ts"],
    globalSetup: "./src/testing/prepare.ts",
    // A net below the tests' own waits (src/testing/patience.ts), each of which says what it waited for in vain.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    // Two at a time: hosts share two cores, and a test that waits for a busy one proves nothing.
    maxWorkers: 2,
  },
});
