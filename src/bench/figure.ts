/** One figure of a benchmark, in the form that others read (a line of JSON each). */
export interface Figure {
  name: string;
  /** Null when it could not be measured: then it is never ok. */
  value: number | null;
  unit: string;
  /** Null for what is told and not judged: how a figure grows. */
  bar: number | null;
  better: "lower" | "higher";
  /** Measurements that went into it. */
  n: number;
  /** What the value is of them: "p50", "max", "mean", "sum". */
  p: string;
  peer?: { name: string; value: number | null };
  place: "namespace" | "vm" | "local";
  ok: boolean;
}

export function figure(given: Omit<Figure, "ok" | "better" | "place"> & Partial<Pick<Figure, "better" | "place">>): Figure {
  const { better = "lower", place = "namespace", value, bar } = given;
  const rounded = value === null || !Number.isFinite(value) ? null : Math.round(value * 1000) / 1000;
  return {
    ...given,
    value: rounded,
    better,
    place,
    ok: rounded !== null && (bar === null || (better === "lower" ? rounded <= bar : rounded >= bar)),
  };
}

/** The value below which the share `p` (0 to 1) of `values` lies; NaN of none. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

export function show({ name, value, unit, bar, better, n, p, peer, place, ok }: Figure): string {
  const beside = peer ? `; ${peer.name}: ${peer.value ?? "not measured"} ${unit}` : "";
  const held = bar === null ? "no bar" : `bar ${better === "lower" ? "<=" : ">="} ${bar}`;
  return `${ok ? "ok  " : "MISS"} ${name}: ${value ?? "not measured"} ${unit} (${p} of ${n}, ${held}, ${place}${beside})`;
}
