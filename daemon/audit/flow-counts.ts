import type { JournalRecord } from "../../shared/task.ts";
import type { FollowedRecord } from "./followed-record.ts";
import { BOARD } from "./messages.ts";

/** How much of each happened since the daemon started; the numbers only grow. */
export interface FlowCounts {
  readonly enqueued: number;
  readonly completed: number;
  /** Executions that failed, retried or not. */
  readonly failed: number;
  readonly dead: number;
  readonly cancelled: number;
}

/**
 * Whether a record ends an execution that failed. The record of a person's or the system's act repeats the error of the
 * attempt before and ends none, but for the one that ends the lease of a lost worker.
 */
export function isFailedExecution(record: JournalRecord): boolean {
  const { act, s } = record;
  if (act === "lost") return true;
  if (act !== undefined) return false;
  return s === "retrying" || s === "dead" || (s === "waiting" && record.e !== undefined);
}

/** Raises the numbers on the board that a record stands for. */
function raise(board: BigInt64Array, record: JournalRecord): void {
  const { s } = record;
  if (s === "completed" || s === "cancelled" || s === "dead") Atomics.add(board, BOARD[s], 1n);
  if (isFailedExecution(record)) Atomics.add(board, BOARD.failed, 1n);
}

/**
 * Counts the records as they are followed, each once although the journal may be read again, and only those written since
 * `sinceMs` (epoch ms): of what happened while no daemon ran nobody knows the pace.
 */
export function createFlowCounter(
  board: BigInt64Array,
  sinceMs: number,
): { count(followed: FollowedRecord): void; reached(last: number): void } {
  return {
    count({ seq, record }) {
      if (BigInt(seq) <= Atomics.load(board, BOARD.counted)) return;
      Atomics.store(board, BOARD.counted, BigInt(seq));
      if (record !== null && record.t >= sinceMs) raise(board, record);
    },
    /** A stream that ends before what was counted has lost records, or is a new one: its next ones are new. */
    reached(last) {
      if (BigInt(last) < Atomics.load(board, BOARD.counted))
        Atomics.store(board, BOARD.counted, BigInt(last));
    },
  };
}
