import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  backoffMs,
  type Failure,
  maxAttemptsOf,
  mustBeAlone,
  POISON_LIMIT,
  planLost,
  planRetry,
} from "../../../../daemon/queue/retry.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../../../../shared/task.ts";

const calm: RetryPolicy = { ...DEFAULT_RETRY, jitter: 0 };
const half = (): number => 0.5;

function aFailure(change: Partial<Failure> = {}): Failure {
  return {
    attempt: 1,
    maxAttempts: 4,
    policy: calm,
    nonRetryable: false,
    retryAfterMs: null,
    ...change,
  };
}

describe("backoff", () => {
  test("the delay doubles from 60 s and ends at 15 min", () => {
    const delays = [1, 2, 3, 4, 5, 6, 50].map((attempt) => backoffMs(calm, attempt, half));
    expect(delays).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
  });

  test("the random part stays within its share and under the longest delay", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, r) => {
          const plain = Math.min(60_000 * 2 ** (attempt - 1), 900_000);
          const delay = backoffMs(DEFAULT_RETRY, attempt, () => r);
          return (
            delay >= Math.floor(plain * 0.9) && delay <= Math.min(900_000, Math.ceil(plain * 1.1))
          );
        },
      ),
    );
  });
});

describe("a failed attempt", () => {
  test("three retries mean four attempts", () => {
    expect(maxAttemptsOf(DEFAULT_RETRY)).toBe(4);
    const kinds = [1, 2, 3, 4].map((attempt) => planRetry(aFailure({ attempt }), half).kind);
    expect(kinds).toEqual(["retry", "retry", "retry", "dead"]);
  });

  test("an error that says that trying again is useless ends the task at once", () => {
    expect(planRetry(aFailure({ nonRetryable: true, retryAfterMs: 5 }), half)).toEqual({
      kind: "dead",
      reason: "non-retryable",
    });
  });

  test("an error may name its own delay, but not another attempt than the last", () => {
    expect(planRetry(aFailure({ retryAfterMs: 1234 }), half)).toEqual({
      kind: "retry",
      delayMs: 1234,
    });
    expect(planRetry(aFailure({ attempt: 4, retryAfterMs: 1234 }), half)).toEqual({
      kind: "dead",
      reason: "attempts-exhausted",
    });
  });
});

describe("a lost worker", () => {
  test("uses up an attempt: the last one makes the task dead", () => {
    expect(planLost({ attempt: 3, maxAttempts: 4, lostInARow: 1 })).toEqual({ kind: "wait" });
    expect(planLost({ attempt: 4, maxAttempts: 4, lostInARow: 1 })).toEqual({
      kind: "dead",
      reason: "worker-lost",
    });
  });

  test("leaves its tasks together, but one whose next loss would be its end runs alone", () => {
    expect(mustBeAlone({ attempt: 1, maxAttempts: 4, lostInARow: 0 })).toBe(false);
    expect(mustBeAlone({ attempt: 4, maxAttempts: 4, lostInARow: 0 })).toBe(false);
    expect(mustBeAlone({ attempt: 2, maxAttempts: 4, lostInARow: 1 })).toBe(false);
    expect(mustBeAlone({ attempt: 3, maxAttempts: 9, lostInARow: 2 })).toBe(true);
    expect(mustBeAlone({ attempt: 4, maxAttempts: 4, lostInARow: 1 })).toBe(true);
    expect(mustBeAlone({ attempt: 2, maxAttempts: 2, lostInARow: 1 })).toBe(true);
  });

  test("three in a row make a task poison, whatever attempts are left", () => {
    expect(POISON_LIMIT).toBe(3);
    expect(planLost({ attempt: 3, maxAttempts: 100, lostInARow: 3 })).toEqual({
      kind: "dead",
      reason: "poison",
    });
  });
});

describe("tasks that kill their worker, among others that do not", () => {
  interface Simulated {
    readonly poisonous: boolean;
    readonly maxAttempts: number;
    attempt: number;
    lost: number;
    end: "none" | "completed" | "dead";
  }

  /** Who begins in one process, of those that wait, in this order. */
  function begin(waiting: readonly Simulated[], slots: number): Simulated[] {
    const inside: Simulated[] = [];
    for (const task of waiting) {
      const alone = mustBeAlone({
        attempt: task.attempt + 1,
        maxAttempts: task.maxAttempts,
        lostInARow: task.lost,
      });
      if (alone && inside.length === 0) return [task];
      if (alone || inside.length === slots) continue;
      inside.push(task);
    }
    return inside;
  }

  /** One life of a process: it dies when one of its tasks is poisonous. */
  function live(inside: readonly Simulated[]): void {
    const dies = inside.some(({ poisonous }) => poisonous);
    for (const task of inside) {
      task.attempt++;
      if (!dies) task.end = "completed";
      else {
        task.lost++;
        const { attempt, maxAttempts, lost: lostInARow } = task;
        if (planLost({ attempt, maxAttempts, lostInARow }).kind === "dead") task.end = "dead";
      }
    }
  }

  const aTask = fc.record({
    poisonous: fc.boolean(),
    maxAttempts: fc.integer({ min: 2, max: 6 }),
    attempt: fc.constant(0),
    lost: fc.constant(0),
    end: fc.constant<Simulated["end"]>("none"),
  });

  test("end as dead letters after three lives at most, and no other task of two attempts or more does", () => {
    fc.assert(
      fc.property(
        fc.array(aTask, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 10 }),
        fc.infiniteStream(fc.nat()),
        (tasks, slots, chance) => {
          const world = tasks.map((task): Simulated => ({ ...task }));
          for (let lives = 0; lives < 3 * world.length; lives++) {
            // In any order: levels, other processes and delays decide who comes first.
            const waiting = world
              .filter(({ end }) => end === "none")
              .map((task) => ({ task, key: chance.next().value }))
              .sort((a, b) => a.key - b.key)
              .map(({ task }) => task);
            if (waiting.length === 0) break;
            live(begin(waiting, slots));
          }
          for (const task of world) expect(task.end).toBe(task.poisonous ? "dead" : "completed");
        },
      ),
    );
  });
});
