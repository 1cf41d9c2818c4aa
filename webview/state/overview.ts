import type { MetricsView, RunView, StatusView } from "../../shared/control.ts";
import type { Bucket } from "../../shared/priority.ts";
import { HOUR, MINUTE } from "../../shared/time.ts";
import type { Address, ViewLimits } from "../../shared/view/messages.ts";

/** One number of the overview with its recent course; null: nobody knows, which is not zero. */
export interface Figures {
  readonly waiting: readonly (number | null)[];
  readonly running: readonly (number | null)[];
  readonly completed: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
  /** Completed in the last whole minute. */
  readonly donePerMinute: number | null;
  /** Failed executions of all that ended in the last hour, 0–1; null: none ended. */
  readonly failedShare: number | null;
}

/** The courses and rates out of what the daemon measured. Pure. */
export function figuresOf(metrics: MetricsView): Figures {
  const { steps, stepMs, endedLastHour, failedAttemptsLastHour } = metrics;
  // The last step still grows.
  const whole = steps.slice(0, -1);
  const minute = whole.slice(-Math.max(1, Math.round(MINUTE / stepMs)));
  const known = minute.filter((step) => step !== null);
  const executions = endedLastHour.completed + failedAttemptsLastHour;
  return {
    waiting: steps.map(
      (step) => step && step.waiting.high + step.waiting.normal + step.waiting.low,
    ),
    running: steps.map((step) => step?.running ?? null),
    completed: whole.map((step) => step?.completed ?? null),
    failed: whole.map((step) => step?.failed ?? null),
    donePerMinute:
      known.length === 0
        ? null
        : (known.reduce((sum, step) => sum + step.completed, 0) * MINUTE) / (known.length * stepMs),
    failedShare: executions === 0 ? null : failedAttemptsLastHour / executions,
  };
}

/** Waiting tasks of a bucket over time, and the instants of the steps. */
export function depthOf(metrics: MetricsView, bucket: Bucket): (number | null)[] {
  return metrics.steps.map((step) => step?.waiting[bucket] ?? null);
}

export function timesOf({ steps, stepMs, lastStepAt }: MetricsView): number[] {
  return steps.map((_, index) => lastStepAt - (steps.length - 1 - index) * stepMs);
}

/** From the first known value to the last; null when fewer than two are known. */
export function courseOf(values: readonly (number | null)[]): { from: number; to: number } | null {
  const known = values.filter((value) => value !== null);
  const from = known[0];
  const to = known.at(-1);
  return known.length < 2 || from === undefined || to === undefined ? null : { from, to };
}

/** Something that a person should look at, the worst first. Numbers are for the words. */
export type Concern =
  | { readonly kind: "degraded"; readonly reasons: readonly string[] }
  | { readonly kind: "audit"; readonly cause: string | null }
  | { readonly kind: "dead"; readonly count: number; readonly lastHour: number }
  | { readonly kind: "no-worker"; readonly queue: string; readonly waiting: number }
  | {
      readonly kind: "slow";
      readonly queue: string;
      readonly oldestMs: number;
      readonly limitMs: number;
    }
  | {
      readonly kind: "backlog";
      readonly queue: string;
      readonly waiting: number;
      readonly limit: number;
    }
  | { readonly kind: "worker"; readonly pool: string; readonly state: "silent" | "given-up" }
  | {
      readonly kind: "run";
      readonly id: string;
      readonly pipeline: string;
      readonly endedAt: string;
    };

/** What needs attention, by fixed thresholds. Pure. */
export function concernsOf(
  status: StatusView,
  runs: readonly RunView[],
  deadLastHour: number,
  limits: ViewLimits,
  now: number,
): Concern[] {
  const { daemon, audit, counts, queues, workers } = status;
  const concerns: Concern[] = [];
  if (daemon.degraded.length > 0) concerns.push({ kind: "degraded", reasons: daemon.degraded });
  else if (audit.state !== "ok") concerns.push({ kind: "audit", cause: audit.cause });
  if (counts.dead > 0) concerns.push({ kind: "dead", count: counts.dead, lastHour: deadLastHour });
  for (const { queue, pool, waiting, oldestWaitMs } of queues) {
    if (waiting === 0) continue;
    if (pool === null) concerns.push({ kind: "no-worker", queue, waiting });
    else if (oldestWaitMs !== null && oldestWaitMs > limits.oldestWaitMs) {
      concerns.push({ kind: "slow", queue, oldestMs: oldestWaitMs, limitMs: limits.oldestWaitMs });
    } else if (waiting >= limits.backlog) {
      concerns.push({ kind: "backlog", queue, waiting, limit: limits.backlog });
    }
  }
  for (const { pool, state } of workers) {
    if (state === "silent" || state === "given-up") concerns.push({ kind: "worker", pool, state });
  }
  for (const { id, pipeline, status: outcome, endedAt } of runs) {
    const isRecent = endedAt !== null && now - Date.parse(endedAt) < HOUR;
    if (outcome === "failed" && isRecent) concerns.push({ kind: "run", id, pipeline, endedAt });
  }
  return concerns;
}

/** Where a concern is dealt with. */
export function addressOf(concern: Concern): Address | null {
  switch (concern.kind) {
    case "degraded":
    case "audit":
    case "worker":
      return { screen: "connection" };
    case "dead":
      return { screen: "dead" };
    case "no-worker":
    case "slow":
    case "backlog":
      return { screen: "queues", filter: `queue:${concern.queue}` };
    case "run":
      return { screen: "run", id: concern.id };
    default:
      return concern satisfies never;
  }
}
