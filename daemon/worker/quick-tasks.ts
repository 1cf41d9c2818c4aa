/** Which tasks may run before they are claimed. */
export interface QuickTasks {
  /** Whether a task that nothing has happened to yet may run unclaimed. */
  mayRun(name: string, taskId: string): boolean;
  /** How long a handler took. */
  ended(name: string, tookMs: number): void;
  /** Somebody wants to change this task: should it come here, it is claimed before it runs. */
  asked(taskId: string, nowMs: number): void;
}

/** A handler that took longer than this in its last executions is claimed before it runs. */
const QUICK_MS = 25;
/** So many quick executions in a row make a task one that is claimed only when it takes its time. */
const QUICK_STREAK = 50;
/** How long a task that somebody asked for is remembered: its message may be on its way here. */
const ASKED_MS = 60_000;

export function createQuickTasks(): QuickTasks {
  /** Quick executions in a row, by task name. */
  const streaks = new Map<string, number>();
  const askedAt = new Map<string, number>();
  return {
    mayRun: (name, taskId) => (streaks.get(name) ?? 0) >= QUICK_STREAK && !askedAt.has(taskId),
    ended(name, tookMs) {
      streaks.set(name, tookMs < QUICK_MS ? (streaks.get(name) ?? 0) + 1 : 0);
    },
    asked(taskId, nowMs) {
      for (const [id, at] of askedAt) {
        if (nowMs - at < ASKED_MS) break;
        askedAt.delete(id);
      }
      askedAt.delete(taskId);
      askedAt.set(taskId, nowMs);
    },
  };
}
