import type Database from "better-sqlite3";
import type { JournalRecord, TaskStatus } from "../../shared/task.ts";
import { createBulkInsert } from "../db/bulk-insert.ts";
import type { Chain } from "./chain.ts";
import type { Counts } from "./counts.ts";
import { detailText, type FollowedRecord, resultText } from "./followed-record.ts";
import { type AttemptChange, project, type TaskState, UNTOUCHED } from "./project.ts";
import type { Runs } from "./runs.ts";

/** A task of the batch: its row as it is on disk, and as it will be. */
interface Draft {
  readonly row: number | null;
  readonly id: string;
  readonly queue: string;
  readonly runId: string | null;
  readonly storedStatus: TaskStatus | null;
  /** The first record of a task without a row: what its row is made from. */
  readonly first: JournalRecord;
  state: TaskState;
  /** The input that a redrive replaced. */
  input: string | null;
  changed: boolean;
}

interface StoredState {
  readonly row: number;
  readonly queue: string;
  readonly runId: string | null;
  readonly status: TaskStatus;
  readonly lastSeq: number;
  readonly generation: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly error: string | null;
  readonly errorCode: string | null;
}

/** Writes a batch of records inside the caller's transaction. Only the last state of a task reaches its row. */
export interface WriteRecords {
  /** `replayedUpTo`: up to this sequence the timeline may have a record already, so each is looked for. */
  write(records: readonly FollowedRecord[], replayedUpTo: number): void;
  clear(): void;
}

export function createWriteRecords(
  db: Database.Database,
  parts: { readonly chain: Chain; readonly counts: Counts; readonly runs: Runs },
): WriteRecords {
  const { chain, counts, runs } = parts;
  const select = db.prepare<[string], StoredState>(
    `SELECT row, queue, run_id AS runId, status, last_seq AS lastSeq, generation, attempts,
            max_attempts AS maxAttempts, worker, started_at AS startedAt, error, error_code AS errorCode
     FROM task_audit WHERE task_id = ?`,
  );
  const update = db.prepare(
    `UPDATE task_audit SET status = ?, level = ?, generation = ?, attempts = ?, max_attempts = ?, worker = ?, due_at = ?,
       started_at = ?, ended_at = ?, duration_ms = ?, result = ?, result_ref_bytes = ?, error = ?,
       error_code = ?, dead_reason = ?, last_seq = ? WHERE row = ?`,
  );
  // The one statement of a task that ends with its first record: nothing that it does not find as enqueued is touched.
  const completeUntouched = db.prepare(
    `UPDATE task_audit SET status = 'completed', level = ?, attempts = ?, max_attempts = coalesce(?, max_attempts),
       worker = ?, started_at = ?, ended_at = ?, duration_ms = ?, result = ?, result_ref_bytes = ?, last_seq = ?
     WHERE task_id = ? AND last_seq = 0 AND status = 'waiting' AND generation = 1 AND run_id IS NULL`,
  );
  const insert = db.prepare(
    `INSERT INTO task_audit (status, level, generation, attempts, max_attempts, worker, due_at, started_at,
       ended_at, duration_ms, result, result_ref_bytes, error, error_code, dead_reason, last_seq,
       task_id, task_name, queue, created_at, phase, run_id, run_header)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const replaceInput = db.prepare("UPDATE task_audit SET args = ? WHERE task_id = ?");
  const attempts = createBulkInsert(
    db,
    `INSERT OR REPLACE INTO task_attempt (task_id, generation, attempt, worker, started_at, ended_at,
       duration_ms, outcome, error_code, error, stack)`,
    11,
  );
  const priorities = createBulkInsert(
    db,
    `INSERT OR IGNORE INTO priority_history (task_id, at, by, role, from_level, to_level, action, reason)`,
    8,
  );
  const isKnownEvent = db
    .prepare<[string, string, number, string], number>(
      "SELECT 1 FROM task_event WHERE task_id = ? AND kind = ? AND at = ? AND detail = ?",
    )
    .pluck();
  const drafts = new Map<string, Draft>();
  /** By task, generation and attempt: an attempt that begins and ends in one batch is one row. */
  const open = new Map<string, { id: string; attempt: AttemptChange }>();

  function draftOf(followed: FollowedRecord, record: JournalRecord): Draft {
    const known = drafts.get(followed.id);
    if (known !== undefined) return known;
    const stored = select.get(followed.id);
    const draft: Draft = {
      row: stored?.row ?? null,
      id: followed.id,
      queue: stored?.queue ?? followed.queue,
      runId: stored === undefined ? (record.run?.id ?? null) : stored.runId,
      storedStatus: stored?.status ?? null,
      first: record,
      state: stored === undefined ? UNTOUCHED : { ...UNTOUCHED, ...stored },
      input: null,
      changed: false,
    };
    drafts.set(followed.id, draft);
    return draft;
  }

  /** Most tasks end with their only record: that is written without reading the row first. False: not such a task. */
  function completedAtOnce(followed: FollowedRecord, record: JournalRecord): boolean {
    const { id, queue, seq } = followed;
    const { state, attempts: ended } = project(UNTOUCHED, record, seq, resultText(followed))!;
    const { changes } = completeUntouched.run([
      state.level,
      state.attempts,
      record.x ?? null,
      state.worker,
      state.startedAt,
      state.endedAt,
      state.durationMs,
      state.result,
      state.resultRefBytes,
      seq,
      id,
    ]);
    if (changes === 0) return false;
    for (const attempt of ended) attempts.push(attemptCells(id, attempt));
    counts.add(queue, "waiting", -1);
    counts.add(queue, "completed", 1);
    chain.append(eventOf(followed));
    return true;
  }

  function follow(followed: FollowedRecord, replayed: boolean): void {
    const { record, id, seq } = followed;
    if (record === null) {
      chain.append(eventOf(followed));
      return;
    }
    if (!replayed && record.s === "completed" && record.g === 1 && !drafts.has(id)) {
      if (completedAtOnce(followed, record)) return;
    }
    const draft = draftOf(followed, record);
    const projection = project(draft.state, record, seq, resultText(followed));
    if (projection === null) return;
    draft.state = projection.state;
    draft.changed = true;
    if (record.in !== undefined) draft.input = record.in;
    for (const attempt of projection.attempts)
      open.set(`${id} ${attempt.generation} ${attempt.attempt}`, { id, attempt });
    const { priority } = projection;
    if (priority !== null)
      priorities.push([
        id,
        priority.at,
        priority.by,
        priority.role,
        priority.from,
        priority.to,
        priority.action,
        priority.reason,
      ]);
    const event = eventOf(followed);
    if (replayed && isKnownEvent.get(id, event.kind, event.at, event.detail) !== undefined) return;
    chain.append(event);
  }

  function writeDraft(draft: Draft): void {
    const { state, row, runId, queue } = draft;
    if (row === null) insert.run([...stateCells(state), ...birthCells(draft)]);
    else update.run([...stateCells(state), row]);
    if (draft.input !== null) replaceInput.run(draft.input, draft.id);
    if (draft.storedStatus !== state.status) {
      if (draft.storedStatus !== null) counts.add(queue, draft.storedStatus, -1);
      counts.add(queue, state.status, 1);
    }
    if (runId === null) return;
    const { run } = draft.first;
    if (run !== undefined) runs.enqueued(run, state.level, draft.first.t);
    runs.touch(runId);
  }

  return {
    write(records, replayedUpTo) {
      for (const followed of records) follow(followed, followed.seq <= replayedUpTo);
      for (const draft of drafts.values()) if (draft.changed) writeDraft(draft);
      for (const { id, attempt } of open.values()) attempts.push(attemptCells(id, attempt));
      attempts.flush();
      priorities.flush();
      drafts.clear();
      open.clear();
    },
    clear() {
      drafts.clear();
      open.clear();
      attempts.clear();
      priorities.clear();
    },
  };
}

function eventOf(followed: FollowedRecord) {
  const { record, id } = followed;
  return {
    at: record?.t ?? 0,
    kind: record === null ? "task.unreadable" : `task.${record.s}`,
    taskId: id,
    by: record?.by ?? null,
    role: record?.role ?? null,
    detail: detailText(followed),
  };
}

function stateCells(state: TaskState) {
  return [
    state.status,
    state.level,
    state.generation,
    state.attempts,
    state.maxAttempts,
    state.worker,
    state.dueAt,
    state.startedAt,
    state.endedAt,
    state.durationMs,
    state.result,
    state.resultRefBytes,
    state.error,
    state.errorCode,
    state.deadReason,
    state.lastSeq,
  ];
}

/** The task was published without the daemon: its row begins with what its first record tells. */
function birthCells({ id, queue, first, runId }: Draft) {
  return [
    id,
    first.n ?? queue,
    queue,
    first.t,
    first.run?.phase ?? null,
    runId,
    first.run === undefined ? null : JSON.stringify(first.run),
  ];
}

function attemptCells(id: string, attempt: AttemptChange) {
  return [
    id,
    attempt.generation,
    attempt.attempt,
    attempt.worker,
    attempt.startedAt,
    attempt.endedAt,
    attempt.durationMs,
    attempt.outcome,
    attempt.errorCode,
    attempt.error,
    attempt.stack,
  ];
}
