import { evaluate } from "./evaluation.ts";
import { type Figure, figure } from "./figure.ts";

/** A seed that the rules were built with, for a short while, and one that nobody has seen, with cron's minutes in it. */
const BUILT_WITH = { seed: 7, seconds: 30 };
const NEW_SECONDS = 180;

/** The labelled evaluation as figures, and its confusion table on standard error. */
export async function trialFigures(report: (figure: Figure) => void): Promise<void> {
  const say = (line: string) => process.stderr.write(`stakeout: ${line}\n`);
  for (const [name, seed, seconds] of [
    ["known-seed", BUILT_WITH.seed, BUILT_WITH.seconds],
    ["new-seed", Date.now() & 0xffff, NEW_SECONDS],
  ] as const) {
    const { confusion, abuses, responders, intruders } = await evaluate(seed, seconds, say);
    say(`${name} ${seed}: whose each process was (rows), and whose the log says it was (columns)`);
    for (const line of confusion.lines()) say(`  ${line}`);
    const of = (what: string) => `${what}-${name}`;
    const n = confusion.total;
    const seen = n - confusion.count("not seen");
    report(figure({ name: of("wrong-origins"), value: confusion.wrong, unit: "processes", bar: 0, n: seen, p: "sum" }));
    const unknown = (100 * confusion.count("unknown")) / seen;
    report(figure({ name: of("unknown-origins"), value: unknown, unit: "%", bar: 2, n: seen, p: "mean" }));
    report(figure({ name: of("not-seen"), value: (100 * confusion.count("not seen")) / n, unit: "%", bar: 1, n, p: "mean" }));
    const hidden = (100 * responders.hidden) / responders.events;
    report(
      figure({ name: of("responder-events-hidden"), value: hidden, unit: "%", bar: 99, better: "higher", n: responders.events, p: "mean" }),
    );
    report(
      figure({ name: of("intruder-events-hidden-unsaid"), value: intruders.hidden, unit: "events", bar: 0, n: intruders.events, p: "sum" }),
    );
    for (const { name: what, after, back } of abuses)
      report(
        figure({
          name: of(`abuse-${what.replace(/\W+/g, "-")}`),
          value: after === undefined || !back ? null : after,
          unit: "ms",
          bar: 1000,
          n: 1,
          p: "max",
        }),
      );
  }
}
