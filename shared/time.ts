export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The wall clock in epoch milliseconds and the monotonic one in milliseconds; injected so that rules can be tested. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** The end of the year 9999 in epoch milliseconds: no task may wait for a later instant. */
export const LAST_INSTANT_MS = 253_402_300_799_999;

/** ISO 8601 UTC. An instant beyond the last one is told as the last one: one odd record must not spoil a whole list. */
export function isoInstant(epochMs: number): string {
  return new Date(Math.min(Math.max(epochMs, 0), LAST_INSTANT_MS)).toISOString();
}

/** `850 ms`, `4.2 s`, `1m 04s`, `2h 05m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  const pad = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${pad((ms % MINUTE) / SECOND)}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${pad((ms % HOUR) / MINUTE)}m`;
  return `${Math.floor(ms / DAY)}d ${Math.floor((ms % DAY) / HOUR)}h`;
}
