import { trial } from "./testing/trial.ts";

// long enough for every shape of work and every abuse; three minutes of it: evaluation-long.test.ts
trial(8);
