import type { DeadReason, RetryPolicy } from "../../shared/task.ts";

/** What a failed attempt leads to. */
export type RetryPlan =
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "dead"; readonly reason: DeadReason };

/** Lost workers in a row after which a task counts as one that kills its worker. */
export const POISON_LIMIT = 3;

/** Attempts that a policy allows, the first execution included. */
export function maxAttemptsOf(policy: RetryPolicy): number {
  return policy.retries + 1;
}

/**
 * Milliseconds until attempt `attempt + 1`, after attempt `attempt` (1 = the first) failed: `delayMs` times
 * `factor` per further failure, at most `maxDelayMs`, with ± `jitter` of it at random so that tasks that failed together
 * do not return together.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const plain = Math.min(policy.delayMs * policy.factor ** (attempt - 1), policy.maxDelayMs);
  const spread = plain * policy.jitter;
  return Math.max(
    0,
    Math.min(policy.maxDelayMs, Math.round(plain - spread + 2 * spread * random())),
  );
}

export interface Failure {
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly policy: RetryPolicy;
  /** The error says that trying again is useless. */
  readonly nonRetryable: boolean;
  /** The error names its own delay (a rate limit). */
  readonly retryAfterMs: number | null;
}

export function planRetry(failure: Failure, random: () => number): RetryPlan {
  if (failure.nonRetryable) return { kind: "dead", reason: "non-retryable" };
  if (failure.attempt >= failure.maxAttempts) return { kind: "dead", reason: "attempts-exhausted" };
  return {
    kind: "retry",
    delayMs: failure.retryAfterMs ?? backoffMs(failure.policy, failure.attempt, random),
  };
}

/**
 * Whether a task must run in nobody's company. When a worker's process dies, each task that it ran may be the one that
 * killed it; one whose next loss would be its end runs alone, so that it never dies of another's fault. Before that it runs
 * beside others: most processes die of something else, and their tasks are to go on together at once. `attempt`: the one
 * that is to begin; `lostInARow`: those before it.
 */
export function mustBeAlone(task: {
  attempt: number;
  maxAttempts: number;
  lostInARow: number;
}): boolean {
  if (task.lostInARow === 0) return false;
  return planLost({ ...task, lostInARow: task.lostInARow + 1 }).kind === "dead";
}

/** What becomes of a running task whose worker is gone: it waits again, unless its attempts or its chances are used up. */
export function planLost(task: {
  attempt: number;
  maxAttempts: number;
  lostInARow: number;
}): { readonly kind: "wait" } | { readonly kind: "dead"; readonly reason: DeadReason } {
  if (task.lostInARow >= POISON_LIMIT) return { kind: "dead", reason: "poison" };
  if (task.attempt >= task.maxAttempts) return { kind: "dead", reason: "worker-lost" };
  return { kind: "wait" };
}
