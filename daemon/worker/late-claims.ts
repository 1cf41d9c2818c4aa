import type { Execution } from "./execution.ts";
import type { FinishDeps } from "./settle.ts";
import { runningText } from "./usual-records.ts";

/** Claims of tasks that run already. */
export interface LateClaims {
  /** An unclaimed task whose handler did not end at once: it is claimed if it goes on. */
  watch(execution: Execution): void;
  /** It has ended by itself: no claim is needed any more. */
  forget(execution: Execution): void;
  /** Claims it now. Lost: somebody else was first; its finish will be refused like any late one. */
  claimNow(execution: Execution): Promise<void>;
}

/** An unclaimed task that runs for this long is claimed. */
const LATE_CLAIM_MS = 25;

export function createLateClaims(
  finish: FinishDeps,
  isOverdue: (execution: Execution) => boolean,
): LateClaims {
  const unclaimed = new Set<Execution>();
  let lateTimer: NodeJS.Timeout | null = null;
  const watchUnclaimed = (execution: Execution): void => {
    unclaimed.add(execution);
    if (lateTimer === null) lateTimer = setTimeout(claimLateOnes, LATE_CLAIM_MS);
  };
  const claimLateOnes = (): void => {
    lateTimer = null;
    const now = finish.now();
    for (const execution of unclaimed) {
      if (now - execution.startedAt < LATE_CLAIM_MS) break;
      void claimLate(execution);
    }
    if (unclaimed.size > 0) lateTimer = setTimeout(claimLateOnes, LATE_CLAIM_MS);
  };

  const claimLate = (execution: Execution): Promise<void> => {
    unclaimed.delete(execution);
    if (execution.claiming !== null || execution.claimSeq !== 0 || isOverdue(execution))
      return execution.claiming ?? Promise.resolve();
    const { message } = execution;
    const text = runningText(message, finish.workerId, execution.startedAt, execution.maxAttempts);
    execution.claiming = new Promise((resolve) => {
      finish.journal.submit(message.queue, message.id, text, 0, (outcome) => {
        execution.claiming = null;
        if (!(outcome instanceof Error) && outcome.kind === "appended")
          execution.claimSeq = outcome.seq;
        else finish.log("late_claim_refused", { taskId: message.id });
        resolve();
      });
    });
    return execution.claiming;
  };

  return {
    watch: watchUnclaimed,
    forget: (execution) => void unclaimed.delete(execution),
    claimNow: claimLate,
  };
}
