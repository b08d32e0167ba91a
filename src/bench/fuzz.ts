import { encodeHostString, printable } from "#model/host-string";
import type { Observation } from "#model/observation";
import { Decoder } from "#sensors/decoder";
import { TraceDecoder, type TraceWord } from "#sensors/trace-words";
import { Mutator } from "./mutator.ts";

/** No observation of the decoder holds more text than this, whatever it was fed: the longest line and room to spare. */
const MOST_TEXT = 1 << 20;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that none of them comes through is what is tested
const STEERING = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/**
 * Feeds the decoders (of the collector, and of a shell's tracer) hostile bytes for some seconds. Whole and cut at random places they must give the same; nothing may throw, and no
 * text of the host may reach a terminal with a character that steers it. Prints one line; exits 1 with the seed that shows the fault.
 */
function main(): number {
  const flags = process.argv.slice(2);
  const value = (name: string, otherwise: number) => {
    const at = flags.indexOf(name);
    return at < 0 ? otherwise : Number(flags[at + 1]);
  };
  const seconds = value("--seconds", 60);
  const first = value("--seed", Date.now() % 2 ** 31);
  if (!(seconds > 0) || !Number.isInteger(first)) {
    process.stderr.write("stakeout: usage: npm run fuzz -- [--seconds 60] [--seed N]\n");
    return 2;
  }
  const end = performance.now() + seconds * 1000;
  let [rounds, bytes, observations, refused] = [0, 0, 0, 0];
  for (let seed = first; performance.now() < end; seed++, rounds++) {
    const mutator = new Mutator(seed);
    const traced = seed % 4 === 0;
    const data = traced ? mutator.trace() : mutator.stream();
    bytes += data.length;
    try {
      const told = traced ? decoded(mutator, data, () => new TraceDecoder()) : decoded(mutator, data, () => new Decoder());
      observations += told.observations;
      refused += told.refused;
    } catch (error) {
      process.stderr.write(`stakeout: a fault with --seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
      return 1;
    }
  }
  process.stdout.write(
    `${rounds} streams, ${(bytes / 1e6).toFixed(1)} MB, ${observations} observations, ${refused} refused: no crash, nothing steers a terminal (first seed ${first})\n`,
  );
  return observations > 0 && refused > 0 ? 0 : 1; // a fuzzer that never gets through, or is never refused, tests nothing
}

/** What reads the bytes of a host. */
interface Reads {
  readonly undecodable: number;
  readonly fault: Error | undefined;
  push(bytes: Uint8Array): readonly (Observation | TraceWord)[];
}

function decoded(mutator: Mutator, data: Buffer, made: () => Reads): { observations: number; refused: number } {
  const whole = made();
  const found = whole.push(data);
  const parts = made();
  const pieces = mutator.cut(data).flatMap((piece) => parts.push(piece));
  if (parts.undecodable !== whole.undecodable || text(pieces) !== text(found))
    throw new Error("cut at other places it gives something else");
  for (const observation of found) inspect(observation);
  if (whole.fault) throw whole.fault;
  return { observations: found.length, refused: whole.undecodable };
}

const text = (found: readonly unknown[]) => JSON.stringify(found, (_key, value) => (typeof value === "bigint" ? `${value}n` : value));

/** Every text in it is bounded, gives back its bytes, and is printed without a character that steers. */
function inspect(value: unknown): void {
  if (typeof value === "string") {
    if (value.length > MOST_TEXT) throw new Error(`a text of ${value.length} characters`);
    if (STEERING.test(printable(value))) throw new Error(`it would reach the terminal: ${JSON.stringify(value)}`);
    encodeHostString(value);
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error("a number that is none");
  } else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) inspect(inner);
}

process.exitCode = main();
