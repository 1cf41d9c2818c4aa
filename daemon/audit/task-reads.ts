import type Database from "better-sqlite3";
import type { AuditEventView, PriorityChange, UserView } from "../../shared/control.ts";
import { TASK_STATUSES, type TaskStatus } from "../../shared/task.ts";
import type { AttemptRow, AuditReader, TaskRow } from "./audit-store.ts";
import { toIso } from "./iso.ts";
import { markBefore } from "./time-marks.ts";

const TASK_COLUMNS = `task_id AS id, task_name AS name, queue, status, level, generation, attempts,
  max_attempts AS maxAttempts, args AS input, result, result_ref_bytes AS resultRefBytes, error,
  error_code AS errorCode, dead_reason AS deadReason, created_by AS "by", worker,
  created_at AS createdAt, due_at AS dueAt, started_at AS startedAt, ended_at AS endedAt,
  duration_ms AS durationMs, correlation_id AS correlationId, trace_id AS traceId, category, phase,
  run_id AS runId, run_header AS runHeader, last_seq AS lastSeq`;

type StoredAttempt = Omit<AttemptRow, "error"> & {
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly stack: string | null;
};

type StoredChange = Omit<PriorityChange, "at"> & { readonly at: number };
type StoredEvent = Omit<AuditEventView, "at" | "detail"> & {
  readonly at: number;
  readonly detail: string;
};

type TaskReads = Pick<
  AuditReader,
  "task" | "attempts" | "priorityHistory" | "timeline" | "terminal" | "users"
>;

/** Reads about single tasks: each a look-up of some tens of microseconds. */
export function createTaskReads(db: Database.Database): TaskReads {
  const task = db.prepare<[string], TaskRow>(
    `SELECT ${TASK_COLUMNS} FROM task_audit WHERE task_id = ?`,
  );
  const attempts = db.prepare<[string], StoredAttempt>(
    `SELECT attempt, generation, worker, started_at AS startedAt, ended_at AS endedAt,
            duration_ms AS durationMs, outcome, error_code AS errorCode, error, stack
     FROM task_attempt WHERE task_id = ? ORDER BY generation, attempt`,
  );
  const history = db.prepare<[string], StoredChange>(
    `SELECT at, by, role, from_level AS "from", to_level AS "to", action, reason
     FROM priority_history WHERE task_id = ? ORDER BY at`,
  );
  const events = db.prepare<[string], StoredEvent>(
    "SELECT seq, at, kind, by, role, detail FROM task_event WHERE task_id = ? ORDER BY seq",
  );
  const terminal = db
    .prepare<[string], string>(
      `SELECT task_id FROM task_audit WHERE task_id IN (SELECT value FROM json_each(?))
     AND status IN ('completed', 'cancelled', 'dead')`,
    )
    .pluck();
  const users = db.prepare<
    [],
    { name: string; role: UserView["role"]; publicKey: string; at: number }
  >("SELECT name, role, public_key AS publicKey, created_at AS at FROM users ORDER BY name");
  return {
    task: (id) => task.get(id) ?? null,
    attempts: (id) => attempts.all(id).map(toAttempt),
    priorityHistory: (id) => history.all(id).map((row) => ({ ...row, at: toIso(row.at) })),
    timeline(id) {
      const row = task.get(id);
      const stored = events.all(id).map((event) => ({
        ...event,
        at: toIso(event.at),
        detail: JSON.parse(event.detail) as Record<string, unknown>,
      }));
      return row === undefined ? stored : [enqueuedEvent(row), ...stored];
    },
    terminal: (ids) => terminal.all(JSON.stringify(ids)),
    users: () => users.all().map(({ at, ...user }) => ({ ...user, createdAt: toIso(at) })),
  };
}

/** The chain keeps what was enqueued per transaction, not per task: here it is the task's first line, with number 0. */
function enqueuedEvent(row: TaskRow): AuditEventView {
  return {
    seq: 0,
    at: toIso(row.createdAt),
    kind: "task.enqueued",
    by: row.by,
    role: null,
    detail: { name: row.name, queue: row.queue },
  };
}

function toAttempt({ errorCode, error, stack, ...attempt }: StoredAttempt): AttemptRow {
  if (errorCode === null && error === null) return { ...attempt, error: null };
  return {
    ...attempt,
    error: {
      code: errorCode ?? "handler-failed",
      message: error ?? "",
      ...(stack === null ? {} : { stack }),
    },
  };
}

type QueueReads = Pick<
  AuditReader,
  "counts" | "unfinished" | "countAhead" | "endedSince" | "oldestWaiting"
>;

const UNFINISHED: ReadonlySet<TaskStatus> = new Set(["scheduled", "waiting", "retrying"]);

/** Reads about many tasks that stay fast with millions of rows. */
export function createQueueReads(db: Database.Database): QueueReads {
  const counts = db.prepare<[], { status: TaskStatus; n: number }>(
    "SELECT status, sum(n) AS n FROM task_count GROUP BY status",
  );
  const lanes = db.prepare<[], { queue: string; status: TaskStatus }>(
    "SELECT queue, status FROM task_count WHERE n > 0 AND status <> 'completed'",
  );
  const rowOf = db
    .prepare<[string], number>("SELECT row FROM task_audit WHERE task_id = ?")
    .pluck();
  const lane = "FROM task_audit WHERE status <> 'completed' AND status = ? AND queue = ?";
  const laneAfter = db.prepare<[string, string, number, number], TaskRow & { row: number }>(
    `SELECT row, ${TASK_COLUMNS} ${lane} AND row > ? ORDER BY row LIMIT ?`,
  );
  const oldest = db
    .prepare<[string, string], number>(`SELECT created_at ${lane} ORDER BY row LIMIT 1`)
    .pluck();
  const ahead = db
    .prepare<[string, string, number, number], number>(
      `SELECT count(*) ${lane} AND level = ? AND created_at < ?`,
    )
    .pluck();
  const ended = db
    .prepare<[number, number], number>(
      // `last_seq > 0` names the index; what stands before it says where in it to begin.
      "SELECT count(*) FROM task_audit WHERE last_seq > ? AND last_seq > 0 AND ended_at >= ?",
    )
    .pluck();
  return {
    counts() {
      const all = Object.fromEntries(TASK_STATUSES.map((status) => [status, 0]));
      for (const { status, n } of counts.all()) all[status] = n;
      return all as Record<TaskStatus, number>;
    },
    unfinished(afterId, limit) {
      const after = afterId === "" ? 0 : (rowOf.get(afterId) ?? 0);
      return lanes
        .all()
        .filter(({ status }) => UNFINISHED.has(status))
        .flatMap(({ status, queue }) => laneAfter.all(status, queue, after, limit))
        .sort((a, b) => a.row - b.row)
        .slice(0, limit)
        .map(({ row: _row, ...task }) => task);
    },
    countAhead: (queue, level, createdAt) => ahead.get("waiting", queue, level, createdAt) ?? 0,
    endedSince: (at) => ended.get(markBefore(db, at).seq, at) ?? 0,
    oldestWaiting: () =>
      lanes
        .all()
        .filter(({ status }) => status === "waiting")
        .flatMap(({ queue }) => {
          const createdAt = oldest.get("waiting", queue);
          return createdAt === undefined ? [] : [{ queue, createdAt }];
        }),
  };
}
