-- Instants are epoch milliseconds (UTC); the view task_audit_utc shows them as ISO 8601 text.

-- One row a task. What changes comes first and the input last, so that reading a status never walks a long input.
CREATE TABLE task_audit (
  row              INTEGER PRIMARY KEY,
  task_id          TEXT NOT NULL UNIQUE,
  task_name        TEXT NOT NULL,
  queue            TEXT NOT NULL,
  status           TEXT NOT NULL CHECK (status IN
                     ('scheduled', 'waiting', 'running', 'retrying', 'completed', 'cancelled', 'dead')),
  level            INTEGER NOT NULL,
  generation       INTEGER NOT NULL DEFAULT 1,
  attempts         INTEGER NOT NULL DEFAULT 0,
  retry_count      INTEGER NOT NULL GENERATED ALWAYS AS (max(attempts - 1, 0)) VIRTUAL,
  max_attempts     INTEGER NOT NULL,
  -- Sequence of the last journal record that the row reflects; 0 before the first.
  last_seq         INTEGER NOT NULL DEFAULT 0,
  created_at       INTEGER NOT NULL,
  due_at           INTEGER,
  started_at       INTEGER,
  ended_at         INTEGER,
  duration_ms      REAL,
  worker           TEXT,
  created_by       TEXT,
  error_code       TEXT,
  error            TEXT,
  dead_reason      TEXT,
  idempotency_key  TEXT,
  correlation_id   TEXT,
  trace_id         TEXT,
  category         TEXT,
  phase            TEXT,
  run_id           TEXT,
  -- The run's description as it travels with the task (JSON).
  run_header       TEXT,
  -- Size in bytes of a result that is kept in the results bucket instead of here.
  result_ref_bytes INTEGER,
  result           TEXT,
  -- The input as JSON text; null when the task was published without the daemon.
  args             TEXT
) STRICT;

CREATE UNIQUE INDEX task_audit_key ON task_audit (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX task_audit_run ON task_audit (run_id) WHERE run_id IS NOT NULL;
-- Completed tasks are nearly all rows: listing them newest first needs no index, and leaving them out keeps it small.
-- Level and creation stand in it so that counting what waits before a task reads the index alone.
CREATE INDEX task_audit_open ON task_audit (status, queue, row, level, created_at)
  WHERE status <> 'completed';
-- Answers from which record on the journal is still needed.
CREATE INDEX task_audit_seq ON task_audit (last_seq, ended_at) WHERE last_seq > 0;

CREATE VIEW task_audit_utc AS
SELECT task_id, task_name, queue, status, level, generation, attempts, retry_count, max_attempts,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', due_at / 1000.0, 'unixepoch') AS due_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', ended_at / 1000.0, 'unixepoch') AS ended_at,
       duration_ms, worker, created_by, error_code, error, dead_reason, idempotency_key,
       correlation_id, trace_id, category, phase, run_id, result, args
FROM task_audit;

-- One row an execution. A redrive begins a new budget in a new generation, so earlier attempts stay.
CREATE TABLE task_attempt (
  task_id     TEXT NOT NULL,
  generation  INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  worker      TEXT,
  started_at  INTEGER,
  ended_at    INTEGER,
  duration_ms REAL,
  -- running, completed, cancelled, lost, interrupted, or the error's code.
  outcome     TEXT NOT NULL,
  error_code  TEXT,
  error       TEXT,
  stack       TEXT,
  PRIMARY KEY (task_id, generation, attempt)
) STRICT, WITHOUT ROWID;

-- Append-only. hash = base64url(sha256(hash of the row before || seq \n at \n kind \n task_id \n by \n role \n detail)),
-- with nothing in the place of a null and of the hash before the first row.
CREATE TABLE task_event (
  seq     INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  task_id TEXT,
  by      TEXT,
  role    TEXT,
  detail  TEXT NOT NULL,
  hash    TEXT NOT NULL
) STRICT;

CREATE INDEX task_event_task ON task_event (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX task_event_refused ON task_event (at) WHERE kind = 'refused';

CREATE TRIGGER task_event_no_update BEFORE UPDATE ON task_event
BEGIN SELECT raise(ABORT, 'task_event is append-only'); END;
CREATE TRIGGER task_event_no_delete BEFORE DELETE ON task_event
BEGIN SELECT raise(ABORT, 'task_event is append-only'); END;

CREATE TABLE priority_history (
  task_id    TEXT NOT NULL,
  at         INTEGER NOT NULL,
  by         TEXT NOT NULL,
  role       TEXT NOT NULL,
  from_level INTEGER NOT NULL,
  to_level   INTEGER NOT NULL,
  action     TEXT NOT NULL,
  reason     TEXT,
  PRIMARY KEY (task_id, at, action, from_level, to_level)
) STRICT, WITHOUT ROWID;

CREATE INDEX priority_history_at ON priority_history (at);

CREATE TABLE pipeline_run (
  run_id     TEXT PRIMARY KEY,
  pipeline   TEXT NOT NULL,
  -- JSON: the phases in order, and the parameters.
  phases     TEXT NOT NULL,
  params     TEXT NOT NULL,
  created_by TEXT NOT NULL,
  level      INTEGER NOT NULL,
  status     TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
  warnings   INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;

CREATE INDEX pipeline_run_created ON pipeline_run (created_at);

CREATE TABLE users (
  name       TEXT PRIMARY KEY,
  role       TEXT NOT NULL,
  public_key TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE role_permissions (
  role       TEXT NOT NULL,
  permission TEXT NOT NULL,
  PRIMARY KEY (role, permission)
) STRICT, WITHOUT ROWID;

-- How many tasks each queue has in each status: counting a million rows at each question would be too slow.
CREATE TABLE task_count (
  queue  TEXT NOT NULL,
  status TEXT NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (queue, status)
) STRICT, WITHOUT ROWID;

-- The last row and the last journal sequence that were there at this instant (one mark in five minutes): what was created
-- or ended since then lies behind them, so that questions about an hour or a day need no index on time.
CREATE TABLE time_mark (
  at  INTEGER PRIMARY KEY,
  row INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

-- `cursor`: the last journal sequence in these tables; `cursor_time`: when the broker stored it, in ns;
-- `stream_created`: which stream that sequence belongs to; `purge_floor`: the first sequence that is still needed;
-- `purge_passed`: up to here the records of ended tasks are purged, though older ones are still needed;
-- `replayed_up_to`: up to here records may come a second time, because the broker lost some of them.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
