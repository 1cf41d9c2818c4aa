/** Callers that wait for a number to be reached. */
export interface Waiters {
  /** Resolves when `reached(n)` was called with n ≥ `target`; at once when it was already. */
  wait(target: number): Promise<void>;
  reached(value: number): void;
  /** Starts again at a lower value; who waits goes on waiting. */
  reset(value: number): void;
  failAll(error: Error): void;
  readonly lowest: number;
}

interface Waiter {
  readonly target: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createWaiters(): Waiters {
  let waiters: Waiter[] = [];
  let at = 0;
  /** Infinity when nobody waits: one comparison a record is all that the usual case costs. */
  let lowest = Number.POSITIVE_INFINITY;
  const settle = (): void => {
    lowest = waiters.reduce(
      (least, { target }) => Math.min(least, target),
      Number.POSITIVE_INFINITY,
    );
  };
  return {
    wait(target) {
      if (target <= at) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiters.push({ target, resolve, reject });
        lowest = Math.min(lowest, target);
      });
    },
    reached(value) {
      at = Math.max(at, value);
      if (at < lowest) return;
      const done = waiters.filter(({ target }) => target <= at);
      waiters = waiters.filter(({ target }) => target > at);
      settle();
      for (const { resolve } of done) resolve();
    },
    reset(value) {
      at = value;
    },
    failAll(error) {
      const failed = waiters;
      waiters = [];
      settle();
      for (const { reject } of failed) reject(error);
    },
    get lowest() {
      return lowest;
    },
  };
}
