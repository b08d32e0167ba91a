import { trial } from "./testing/trial.ts";

// cron's minutes are in it
trial(180);
