/** Waits between attempts, milliseconds: short at first, because most outages are restarts. */
const STEPS_MS = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000] as const;

/** How long to wait before attempt `attempt + 1`, with ± 20 % so that windows do not return together. */
export function backoffMs(attempt: number, random: () => number): number {
  const step = STEPS_MS[Math.min(Math.max(attempt, 1), STEPS_MS.length) - 1]!;
  return Math.round(step * (0.8 + 0.4 * random()));
}
