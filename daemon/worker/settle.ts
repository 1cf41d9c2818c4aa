import type { Names } from "../../shared/subjects.ts";
import type { JournalRecord } from "../../shared/task.ts";
import { OutcomeUnknown, type Wire } from "../nats/wire.ts";
import type { Appended, Journal } from "../queue/journal.ts";
import type { TaskMessage } from "../queue/task-message.ts";
import type { Execution } from "./execution.ts";

export interface FinishDeps {
  readonly wire: Wire;
  readonly journal: Journal;
  readonly names: Names;
  readonly workerId: string;
  readonly now: () => number;
  readonly random: () => number;
  ack(message: TaskMessage): void;
  /** Neither acknowledges nor extends it any more: the server gives it to somebody when its time is over. */
  leave(message: TaskMessage): void;
  /** This worker had lost the task: its outcome was discarded. */
  stale(execution: Execution, outcome: string): void;
  log(event: string, data: Record<string, unknown>): void;
}

const BROKER_RETRY_MS = 200;

/** What every record of an end says of its execution. */
export function base(
  deps: FinishDeps,
  execution: Execution,
): Pick<JournalRecord, "g" | "a" | "l" | "t" | "w" | "n" | "st" | "du" | "x"> {
  const now = deps.now();
  // A task can end without having started: claimed ahead, then cancelled or given back.
  const startedAt = execution.startedAt || now;
  return {
    g: execution.message.generation,
    a: execution.attempt,
    l: execution.message.level,
    t: now,
    w: deps.workerId,
    n: execution.message.name,
    st: startedAt,
    du: Math.max(0, now - startedAt),
    x: execution.maxAttempts,
  };
}

/** Appends until the broker has said yes or no: a result in hand is worth waiting for. */
async function appendSurely(
  deps: FinishDeps,
  execution: Execution,
  record: JournalRecord,
): Promise<Appended> {
  const { id, queue } = execution.message;
  for (;;) {
    try {
      return await deps.journal.append(queue, id, record, execution.claimSeq);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || deps.wire.nc.isClosed()) throw error;
      deps.log("finish_waits_for_broker", { taskId: id, error: error.message });
      await pause(BROKER_RETRY_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The same for what follows the journal: it can be repeated, so it is until it succeeded. */
export async function surely<T>(
  deps: FinishDeps,
  taskId: string,
  act: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || deps.wire.nc.isClosed()) throw error;
      deps.log("finish_waits_for_broker", { taskId, error: error.message });
      await pause(BROKER_RETRY_MS);
    }
  }
}

/**
 * The message of a task that was lost to somebody else. After a claim it is of an older generation and can go; without
 * one it may be the very message that another worker was given, and is left alone.
 */
export function yieldMessage(deps: Pick<FinishDeps, "ack" | "leave">, execution: Execution): void {
  if (execution.claimSeq === 0) deps.leave(execution.message);
  else deps.ack(execution.message);
}

/** Appends the last record of an execution and acknowledges; says when the task had been lost meanwhile. */
export async function settle(
  deps: FinishDeps,
  execution: Execution,
  record: JournalRecord,
): Promise<boolean> {
  const appended = await appendSurely(deps, execution, record);
  if (appended.kind === "lost") {
    deps.stale(execution, record.s);
    yieldMessage(deps, execution);
    return false;
  }
  if (record.s !== "dead") deps.ack(execution.message);
  return true;
}

/** The errors of the attempts before. */
export function earlier(execution: Execution): Pick<JournalRecord, "es"> {
  return execution.earlierErrors.length > 0 ? { es: execution.earlierErrors } : {};
}
