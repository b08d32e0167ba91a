// Loaded into the real program by tests (node --import): on SIGUSR2 it does what no program should, in the way SABOTAGE names.
const ways = {
  throw: () => {
    throw new Error("sabotage: thrown");
  },
  reject: () => void Promise.reject(new Error("sabotage: rejected")),
  exit: () => process.exit(7),
  render: () => {
    const { padEnd } = String.prototype;
    String.prototype.padEnd = function (...given) {
      if (new Error().stack.includes("frame")) throw new Error("sabotage: thrown while drawing");
      return padEnd.apply(this, given);
    };
  },
};
process.on("SIGUSR2", () => setImmediate(ways[process.env.SABOTAGE]));
