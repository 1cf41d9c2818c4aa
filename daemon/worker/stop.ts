import { type Execution, type StopCause, stopError } from "./execution.ts";

export interface StopDeps {
  /** How long a handler may go on after its signal was aborted before its slot is taken back. */
  readonly stopGraceMs: number;
  /** Writes the end of an execution that was stopped. */
  conclude(execution: Execution, error: Error): void;
  /** The handler ignored its signal: its slot serves others again. */
  abandoned(execution: Execution, cause: StopCause): void;
}

/**
 * Asks an execution to stop: one that waits for a slot ends at once; a running one has its signal aborted and some time to
 * obey. Whatever it returns after that time is discarded.
 */
export function createStop(deps: StopDeps): (execution: Execution, cause: StopCause) => void {
  const abandon = (execution: Execution, cause: StopCause): void => {
    if (execution.state !== "running") return;
    execution.state = "ended";
    deps.abandoned(execution, cause);
    deps.conclude(execution, stopError(execution, cause));
  };
  return (execution, cause) => {
    if (execution.state === "ended" || execution.stopped !== null) return;
    execution.stopped = cause;
    if (execution.state === "ready") {
      execution.state = "ended";
      deps.conclude(execution, stopError(execution, cause));
      return;
    }
    execution.abort?.abort(stopError(execution, cause));
    if (execution.timer !== null) clearTimeout(execution.timer);
    execution.timer = setTimeout(() => abandon(execution, cause), deps.stopGraceMs);
  };
}
