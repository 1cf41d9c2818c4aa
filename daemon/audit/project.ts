import type { PriorityAction } from "../../shared/priority.ts";
import { DEFAULT_RETRY, type JournalRecord, type TaskStatus } from "../../shared/task.ts";

/** What of a task's row changes in its life. Times are epoch ms. */
export interface TaskState {
  readonly status: TaskStatus;
  readonly level: number;
  readonly generation: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly worker: string | null;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly result: string | null;
  readonly resultRefBytes: number | null;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly deadReason: string | null;
  readonly lastSeq: number;
}

/** An attempt as it stands after a record. `outcome` is `running` until it ends. */
export interface AttemptChange {
  readonly generation: number;
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly outcome: string;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly stack: string | null;
}

interface PriorityRow {
  readonly at: number;
  readonly by: string;
  readonly role: string;
  readonly from: number;
  readonly to: number;
  readonly action: PriorityAction;
  readonly reason: string | null;
}

export interface Projection {
  readonly state: TaskState;
  readonly attempts: readonly AttemptChange[];
  readonly priority: PriorityRow | null;
}

/** Attempts of a task that the daemon did not enqueue and whose records do not say: the default policy's. */
const DEFAULT_MAX_ATTEMPTS = DEFAULT_RETRY.retries + 1;

/** A task before its first record. */
export const UNTOUCHED: TaskState = {
  status: "waiting",
  level: 0,
  generation: 1,
  attempts: 0,
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  worker: null,
  dueAt: null,
  startedAt: null,
  endedAt: null,
  durationMs: null,
  result: null,
  resultRefBytes: null,
  error: null,
  errorCode: null,
  deadReason: null,
  lastSeq: 0,
};

const PRIORITY_ACTS: ReadonlySet<string> = new Set<PriorityAction>([
  "prioritize",
  "urgent",
  "critical",
  "raise",
  "lower",
  "undo",
  "ageing",
]);

const NO_ATTEMPTS: readonly AttemptChange[] = [];

/**
 * What a journal record makes of a task's rows; null when the row reflects a later record already.
 * `resultText` is the record's result as the JSON text that was written, so that 64-bit integers stay exact.
 */
export function project(
  before: TaskState,
  record: JournalRecord,
  seq: number,
  resultText: string | null,
): Projection | null {
  if (seq <= before.lastSeq) return null;
  return {
    state: stateAfter(before, record, seq, resultText),
    attempts: attemptsAfter(before, record),
    priority: priorityOf(record),
  };
}

function stateAfter(
  before: TaskState,
  record: JournalRecord,
  seq: number,
  resultText: string | null,
): TaskState {
  const moved = {
    ...UNTOUCHED,
    status: record.s,
    level: record.l,
    generation: record.g,
    attempts: record.a,
    maxAttempts: record.x ?? before.maxAttempts,
    // The last attempt's error stays readable while the task waits for, or is in, its next one.
    error: record.e?.message ?? before.error,
    errorCode: record.e?.code ?? before.errorCode,
    lastSeq: seq,
  };
  const startedAt = record.st ?? (before.status === "running" ? before.startedAt : null);
  switch (record.s) {
    case "scheduled":
    case "waiting":
      return record.act === "redrive"
        ? { ...moved, dueAt: record.due ?? null, error: null, errorCode: null }
        : { ...moved, dueAt: record.due ?? null };
    case "retrying":
      return { ...moved, dueAt: record.due ?? null, startedAt, durationMs: record.du ?? null };
    case "running":
      return { ...moved, worker: record.w ?? null, startedAt: record.st ?? record.t };
    case "completed":
      return {
        ...moved,
        ...ended(before, record, startedAt),
        error: null,
        errorCode: null,
        result: record.rr === undefined ? (resultText ?? "null") : null,
        resultRefBytes: record.rr ?? null,
      };
    case "cancelled":
      return { ...moved, ...ended(before, record, startedAt) };
    case "dead":
      return { ...moved, ...ended(before, record, startedAt), deadReason: record.dead ?? null };
    default:
      return record.s satisfies never;
  }
}

type Ended = Pick<TaskState, "worker" | "startedAt" | "endedAt" | "durationMs">;

function ended(before: TaskState, record: JournalRecord, startedAt: number | null): Ended {
  return {
    worker: record.w ?? before.worker,
    startedAt,
    endedAt: record.t,
    durationMs: record.du ?? (startedAt === null ? null : Math.max(0, record.t - startedAt)),
  };
}

function attemptsAfter(before: TaskState, record: JournalRecord): readonly AttemptChange[] {
  if (record.s === "running") {
    const opened: AttemptChange = {
      generation: record.g,
      attempt: record.a,
      worker: record.w ?? null,
      startedAt: record.st ?? record.t,
      endedAt: null,
      durationMs: null,
      outcome: "running",
      errorCode: null,
      error: null,
      stack: null,
    };
    const same = before.generation === record.g && before.attempts === record.a;
    // Running after running with another attempt is a takeover: the worker before it was lost.
    return before.status === "running" && !same
      ? [closed(before, record, "lost"), opened]
      : [opened];
  }
  const outcome = outcomeOf(before, record);
  return outcome === null ? NO_ATTEMPTS : [closed(before, record, outcome)];
}

/** How the attempt ended that this record ends; null when it ends none. */
function outcomeOf(before: TaskState, record: JournalRecord): string | null {
  const wasRunning = before.status === "running";
  switch (record.s) {
    case "completed":
      return "completed";
    case "retrying":
      return record.e?.code ?? "handler-failed";
    case "cancelled":
      return wasRunning || record.st !== undefined ? "cancelled" : null;
    case "dead":
      if (!wasRunning && record.st === undefined) return null;
      return record.act === "lost" ? "lost" : (record.e?.code ?? "handler-failed");
    case "scheduled":
    case "waiting":
      if (record.act === "handback") return "interrupted";
      if (record.act === "lost") return "lost";
      return wasRunning ? (record.e?.code ?? "lost") : null;
    case "running":
      return null;
    default:
      return record.s satisfies never;
  }
}

/** The row tells which attempt ran; without it the record must (its task was published without the daemon). */
function closed(before: TaskState, record: JournalRecord, outcome: string): AttemptChange {
  const known = before.status === "running";
  const takenOver = record.s === "running";
  const startedAt = (takenOver ? null : record.st) ?? (known ? before.startedAt : null);
  const error = takenOver ? undefined : record.e;
  return {
    // A retry's record and a hand-back's are of the generation that follows the attempt.
    generation: known
      ? before.generation
      : record.s === "retrying" || record.s === "waiting"
        ? record.g - 1
        : record.g,
    attempt: known ? before.attempts : Math.max(record.a, 1),
    worker: (takenOver ? null : record.w) ?? (known ? before.worker : null),
    startedAt,
    endedAt: record.t,
    durationMs:
      (takenOver ? null : record.du) ??
      (startedAt === null ? null : Math.max(0, record.t - startedAt)),
    outcome,
    errorCode: error?.code ?? (outcome === "lost" ? "worker-lost" : null),
    error: error?.message ?? null,
    stack: error?.stack ?? null,
  };
}

function priorityOf(record: JournalRecord): PriorityRow | null {
  const { act, from } = record;
  if (act === undefined || from === undefined || !PRIORITY_ACTS.has(act)) return null;
  return {
    at: record.t,
    by: record.by ?? "system",
    role: record.role ?? "system",
    from,
    to: record.l,
    action: act as PriorityAction,
    reason: record.why ?? null,
  };
}
