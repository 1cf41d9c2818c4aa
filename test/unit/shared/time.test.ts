import { expect, test } from "vitest";

import { outcomeOf, retryLater } from "../../../daemon/outcome-errors.ts";
import { isoInstant, LAST_INSTANT_MS } from "../../../shared/time.ts";

test("an instant beyond all calendars is told as the last one, and does not throw", () => {
  expect(isoInstant(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(isoInstant(8.64e18)).toBe("9999-12-31T23:59:59.999Z");
  expect(isoInstant(-1e20)).toBe("1970-01-01T00:00:00.000Z");
});

test("a handler's own delay stays within what a date can say; what is no delay is left to the policy", () => {
  const after = (delayMs: number): number | null => outcomeOf(retryLater(delayMs)).retryAfterMs;
  expect(after(5000)).toBe(5000);
  for (const endless of [1e20, Number.POSITIVE_INFINITY])
    expect(Date.UTC(2026, 0) + after(endless)!).toBeLessThan(LAST_INSTANT_MS);
  for (const none of [Number.NaN, -1]) expect(after(none)).toBe(null);
});
