import type { AttemptView, TaskDetail, TaskSummary } from "../../shared/control.ts";
import { bucketOf } from "../../shared/priority.ts";
import type { DeadReason, JournalRecord } from "../../shared/task.ts";
import { isoInstant } from "../../shared/time.ts";
import type { AttemptRow, AuditReader, TaskRow } from "../audit/audit-store.ts";
import type { JournalEntry } from "../queue/journal.ts";
import type { ProgressEvent } from "../worker/progress.ts";

function toIso(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoInstant(ms);
}

/** A task as the audit has it, brought up to date by its journal when the audit is behind. */
export function toDetail(
  row: TaskRow,
  entry: JournalEntry | null,
  reader: AuditReader,
  progress: ProgressEvent | null,
): TaskDetail {
  const newer = entry !== null && entry.seq > row.lastSeq ? entry.record : null;
  const attempts = reader.attempts(row.id).map(toAttempt);
  const base = newer === null ? row : mergeRecord(row, newer);
  return {
    ...toSummary(base),
    maxAttempts: base.maxAttempts,
    worker: base.status === "running" ? base.worker : null,
    inputJson: base.input,
    resultJson: base.result,
    deadReason: base.deadReason as DeadReason | null,
    correlationId: base.correlationId,
    traceId: base.traceId,
    category: base.category,
    phase: base.phase,
    attemptHistory: attempts,
    priorityHistory: reader.priorityHistory(row.id),
    progress:
      progress === null || base.status !== "running"
        ? null
        : { done: progress.done, total: progress.total, what: progress.what },
  };
}

function toSummary(row: TaskRow): TaskSummary {
  return {
    id: row.id,
    name: row.name,
    queue: row.queue,
    status: row.status,
    priority: row.level,
    bucket: bucketOf(row.level),
    generation: row.generation,
    attempts: row.attempts,
    createdAt: toIso(row.createdAt) ?? "",
    startedAt: toIso(row.startedAt),
    endedAt: toIso(row.endedAt),
    dueAt: toIso(row.dueAt),
    durationMs: row.durationMs,
    by: row.by,
    runId: row.runId,
    error: row.error,
  };
}

/** The row as it will be once the audit has read this record. */
function mergeRecord(row: TaskRow, record: JournalRecord): TaskRow {
  const terminal = record.s === "completed" || record.s === "cancelled" || record.s === "dead";
  return {
    ...row,
    status: record.s,
    level: record.l,
    generation: record.g,
    attempts: record.a,
    maxAttempts: record.x ?? row.maxAttempts,
    worker: record.w ?? row.worker,
    startedAt: record.s === "running" ? record.t : (record.st ?? row.startedAt),
    endedAt: terminal ? record.t : null,
    durationMs: record.du ?? row.durationMs,
    dueAt: record.due ?? null,
    result:
      record.s === "completed" && record.rr === undefined
        ? JSON.stringify(record.r ?? null)
        : row.result,
    error: record.e?.message ?? row.error,
    deadReason: record.dead ?? row.deadReason,
  };
}

/** A task that the audit has not heard of yet: what its journal says. */
export function rowOfRecord(
  id: string,
  queue: string,
  record: JournalRecord,
  seq: number,
): TaskRow {
  return mergeRecord(
    {
      id,
      name: record.n ?? "",
      queue,
      status: record.s,
      level: record.l,
      generation: record.g,
      attempts: record.a,
      maxAttempts: record.x ?? 1,
      input: null,
      result: null,
      resultRefBytes: record.rr ?? null,
      error: null,
      errorCode: null,
      deadReason: null,
      by: null,
      worker: null,
      createdAt: record.t,
      dueAt: null,
      startedAt: null,
      endedAt: null,
      durationMs: null,
      correlationId: null,
      traceId: null,
      category: null,
      phase: null,
      runId: null,
      runHeader: null,
      lastSeq: seq,
    },
    record,
  );
}

function toAttempt(row: AttemptRow): AttemptView {
  return {
    attempt: row.attempt,
    generation: row.generation,
    worker: row.worker,
    startedAt: toIso(row.startedAt),
    endedAt: toIso(row.endedAt),
    durationMs: row.durationMs,
    outcome: row.outcome,
    error: row.error,
  };
}
