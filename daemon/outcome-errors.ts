import { AppError, ERRORS } from "../shared/errors.ts";
import { DAY } from "../shared/time.ts";

/** A century: a longer one would reach beyond what a date can say. */
const LONGEST_DELAY_MS = 36_525 * DAY;

/** A handler throws one of these to say what becomes of the attempt. They are recognised by `outcome`, so that copies of the SDK agree. */
export interface OutcomeError extends Error {
  readonly outcome: "non-retryable" | "retry-later";
  readonly retryAfterMs?: number;
}

/** Ends the task at once as a dead letter: trying again is useless. */
export function nonRetryable(error: unknown): OutcomeError {
  const message = error instanceof Error ? error.message : String(error);
  const made = new Error(message, { cause: error });
  if (error instanceof Error && error.stack !== undefined) made.stack = error.stack;
  return Object.assign(made, { outcome: "non-retryable" as const });
}

/** Fails the attempt and names its own delay, for example from a rate limit's answer. Uses an attempt. */
export function retryLater(delayMs: number, message = `try again in ${delayMs} ms`): OutcomeError {
  return Object.assign(new Error(message), {
    outcome: "retry-later" as const,
    retryAfterMs: delayMs,
  });
}

/** A handler's arithmetic may give any number; what is no delay leaves it to the retry policy. */
function isDelay(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** An error of ours whose code says that trying again is useless (a missing folder, a bad setting) ends the task too. */
export function outcomeOf(error: unknown): { nonRetryable: boolean; retryAfterMs: number | null } {
  if (error instanceof AppError)
    return {
      nonRetryable: !ERRORS[error.code].retryable && error.code !== "internal",
      retryAfterMs: null,
    };
  if (typeof error !== "object" || error === null || !("outcome" in error)) {
    return { nonRetryable: false, retryAfterMs: null };
  }
  const after =
    "retryAfterMs" in error && isDelay(error.retryAfterMs)
      ? Math.min(error.retryAfterMs, LONGEST_DELAY_MS)
      : null;
  return {
    nonRetryable: error.outcome === "non-retryable",
    retryAfterMs: error.outcome === "retry-later" ? after : null,
  };
}
