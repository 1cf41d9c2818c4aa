import { setTimeout as pause } from "node:timers/promises";
import type { BulkOutcome, RunView } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { isTerminal } from "../../shared/task.ts";
import { actOnEach } from "./bulk.ts";

/** Between two phases a run has no task to cancel: the next one comes within this time, or never. */
const NEXT_PHASE_MS = 3000;
const LOOK_MS = 25;

export interface CancelRunDeps {
  /** The run as it stands. */
  look(): RunView;
  cancelTask(id: string): Promise<void>;
}

/**
 * Cancels what a run is doing. A phase that ends at this very moment would start the next one, so this looks again until it
 * has cancelled a task or the run has ended. Rejects as `cancelTask` does, but for tasks that ended before.
 */
export async function cancelRun({ look, cancelTask }: CancelRunDeps): Promise<BulkOutcome> {
  const deadline = performance.now() + NEXT_PHASE_MS;
  for (;;) {
    const run = look();
    const ids = unfinished(run);
    const outcome = await actOnEach(ids, false, cancelTask).catch((error: unknown) => {
      if (error instanceof AppError && error.code === "task-not-in-state") return null;
      throw error;
    });
    if (outcome !== null && (outcome.matched > 0 || run.status !== "running")) return outcome;
    if (performance.now() > deadline)
      return outcome ?? { matched: 0, applied: 0, refused: [], refusedCount: 0, dryRun: false };
    await pause(LOOK_MS);
  }
}

function unfinished({ phases }: RunView): string[] {
  return phases.flatMap(({ taskId, status }) =>
    taskId !== null && status !== "pending" && !isTerminal(status) ? [taskId] : [],
  );
}
