import type { Clock } from "../shared/time.ts";

/** The machine's clocks. Rules take a `Clock`, so that tests can hold time still. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
