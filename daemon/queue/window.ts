/** What the last executions looked like. */
export interface Pace {
  readonly slots: number;
  /** Moving average of a handler's duration, milliseconds; null before the first. */
  readonly handlerMs: number | null;
  /** Moving average of a claim's round trip, milliseconds. */
  readonly claimMs: number;
}

/** Upper bound of tasks taken ahead: about ten milliseconds of work at full speed, so that order stays strict to that. */
const MAX_AHEAD = 256;
/** Handlers slower than this leave the round trips no matter: nothing is taken ahead of a free slot. */
const SLOW_HANDLER_MS = 20;

/**
 * How many tasks a worker takes ahead of its free slots. Short handlers finish sooner than the next claim can travel, so
 * the claims of the next ones must be under way; long ones must not hold tasks that another worker could start.
 */
export function planAhead(pace: Pace): number {
  if (pace.handlerMs === null || pace.handlerMs > SLOW_HANDLER_MS) return 0;
  const perRoundTrip = (pace.slots * pace.claimMs) / Math.max(pace.handlerMs, 0.01);
  return Math.min(MAX_AHEAD, Math.ceil(perRoundTrip));
}

/** Exponential moving average with weight 1/8 of the new value. */
export function average(before: number | null, value: number): number {
  return before === null ? value : before + (value - before) / 8;
}
