import { type Execution, stopError } from "./execution.ts";

export interface DrainParts {
  /** How long running handlers may take to end by themselves. */
  readonly limitMs: number;
  readonly running: ReadonlyMap<string, Execution>;
  /** Nothing runs, and nothing is on its way to the broker. */
  idle(): boolean;
  /** Every outcome is written. */
  written(): boolean;
  /** A handler that does not end is given back under its feet. */
  giveBack(execution: Execution): void;
}

/** A handler that listens to its signal ends in a moment. */
const SIGNAL_GRACE_MS = 200;
const WRITE_LIMIT_MS = 2000;

/** Waits for what runs, aborts what takes longer, gives the rest back. */
export async function drainRunning(parts: DrainParts): Promise<void> {
  const deadline = performance.now() + parts.limitMs;
  await waitFor(() => parts.idle() || performance.now() > deadline);
  for (const execution of parts.running.values()) {
    if (execution.state !== "running" || execution.stopped !== null) continue;
    execution.stopped = { kind: "interrupted" };
    execution.abort?.abort(stopError(execution, execution.stopped));
  }
  const grace = performance.now() + SIGNAL_GRACE_MS;
  await waitFor(() => parts.idle() || performance.now() > grace);
  for (const execution of parts.running.values()) {
    if (execution.state === "running") parts.giveBack(execution);
  }
  await waitFor(() => parts.written() || performance.now() > grace + WRITE_LIMIT_MS);
}

async function waitFor(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}
