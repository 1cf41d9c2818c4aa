import type { Execution } from "./execution.ts";
import type { FinishDeps } from "./settle.ts";
import { runningText } from "./usual-records.ts";

/** Claims of tasks that run already. */
export interface LateClaims {
  /** An unclaimed task whose handler did not end at once: it is claimed if it goes on. */
  watch(execution: Execution): void;
  /** It has ended by itself: no claim is needed any more. */
  forget(execution: Execution): void;
  /** Claims it now, or finds that somebody else was first. */
  claimNow(execution: Execution): Promise<void>;
  /** Asks the journal whether the task is still this worker's; an unclaimed one is claimed when nobody was first. */
  recheck(execution: Execution): Promise<void>;
}

export interface LateClaimsDeps {
  readonly finish: Pick<FinishDeps, "journal" | "workerId" | "now" | "log">;
  isOverdue(execution: Execution): boolean;
  /** The task is somebody else's now: its finish would be refused. */
  lost(execution: Execution): void;
}

/** An unclaimed task that runs for this long is claimed. */
const LATE_CLAIM_MS = 25;

export function createLateClaims(deps: LateClaimsDeps): LateClaims {
  const { finish, isOverdue } = deps;
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
    execution.claiming = new Promise<void>((resolve) => {
      finish.journal.submit(message.queue, message.id, text, 0, (outcome) => {
        if (outcome instanceof Error) {
          // The broker is away: the worker asks again when it is back.
          finish.log("late_claim_refused", { taskId: message.id, error: outcome.message });
          resolve();
        } else if (outcome.kind === "appended") {
          execution.claimSeq = outcome.seq;
          resolve();
        } else {
          const failed = (error: unknown): void =>
            finish.log("late_claim_refused", { taskId: message.id, error: String(error) });
          resolve(lookAt(execution).catch(failed));
        }
      });
    }).finally(() => {
      execution.claiming = null;
    });
    return execution.claiming;
  };

  /** A record is there. It is of this very execution when the answer to an earlier claim was lost. */
  const lookAt = async (execution: Execution): Promise<void> => {
    const { message, claimSeq } = execution;
    const entry = await finish.journal.read(message.queue, message.id);
    // It was claimed meanwhile.
    if (execution.claimSeq !== claimSeq) return;
    const own =
      entry?.record.s === "running" &&
      entry.record.w === finish.workerId &&
      entry.record.g === message.generation &&
      (claimSeq === 0 || entry.seq === claimSeq);
    if (own) execution.claimSeq = entry.seq;
    else if (entry !== null || claimSeq !== 0) deps.lost(execution);
  };

  return {
    watch: watchUnclaimed,
    forget: (execution) => void unclaimed.delete(execution),
    claimNow: claimLate,
    async recheck(execution) {
      await execution.claiming;
      await lookAt(execution);
      if (execution.claimSeq !== 0 || execution.stopped !== null || execution.state === "ended")
        return;
      await claimLate(execution);
    },
  };
}
