import type Database from "better-sqlite3";
import type { AuditReader, MinuteOfEnds } from "./audit-store.ts";
import { markBefore } from "./time-marks.ts";

type MetricsReads = Pick<AuditReader, "waits" | "endsByMinute">;

/** Rows that percentiles are made from: enough for a steady 95th, read in some milliseconds whatever the load was. */
const SAMPLES = 1000;
const MINUTE_MS = 60_000;

interface Started {
  readonly seq: number;
  readonly startedAt: number | null;
  readonly waitMs: number;
  readonly isFirst: 0 | 1;
}

/**
 * What charts need of the database: reads that are bounded, and that nobody makes while nobody looks. Where they begin in the
 * index of sequences stands before `last_seq > 0`, which only names that index: SQLite begins at the first of the two.
 */
export function createMetricsReads(db: Database.Database): MetricsReads {
  const last = db
    .prepare<[], number>(
      "SELECT last_seq FROM task_audit WHERE last_seq > 0 ORDER BY last_seq DESC LIMIT 1",
    )
    .pluck();
  // The wait of a first execution is that from the enqueue. One that was put off (run-at, retry, redrive) waited for its
  // time and not for its turn; a change of priority gives a task another generation as well, but no such event.
  const next = db.prepare<[number], Started>(
    `SELECT last_seq AS seq, started_at AS startedAt, max(started_at - created_at, 0) AS waitMs,
       attempts = 1 AND (generation = 1 OR NOT EXISTS (SELECT 1 FROM task_event e WHERE e.task_id = t.task_id
         AND e.kind IN ('task.scheduled', 'task.retrying', 'task.dead', 'task.cancelled'))) AS isFirst
     FROM task_audit t WHERE last_seq > ? AND last_seq > 0 ORDER BY last_seq LIMIT 1`,
  );
  const ends = db.prepare<{ seq: number; from: number; to: number }, MinuteOfEnds>(
    `SELECT ended_at - ended_at % ${MINUTE_MS} AS at, sum(status = 'completed') AS completed, sum(status = 'dead') AS dead,
       sum(status = 'cancelled') AS cancelled, 0 AS failed
     FROM task_audit WHERE last_seq > @seq AND last_seq > 0 AND ended_at >= @from AND ended_at < @to GROUP BY 1`,
  );
  const failures = db.prepare<{ seq: number; from: number; to: number }, { at: number; n: number }>(
    `SELECT a.ended_at - a.ended_at % ${MINUTE_MS} AS at, count(*) AS n
     FROM task_audit t JOIN task_attempt a ON a.task_id = t.task_id
     WHERE t.last_seq > @seq AND t.last_seq > 0 AND (t.status <> 'completed' OR t.generation > 1)
       AND a.ended_at >= @from AND a.ended_at < @to
       AND a.outcome NOT IN ('completed', 'cancelled', 'interrupted', 'running') GROUP BY 1`,
  );

  function waits(at: number): { p50: number; p95: number } | null {
    const first = markBefore(db, at).seq;
    const step = Math.max(1, ((last.get() ?? 0) - first) / SAMPLES);
    const found: number[] = [];
    for (let i = 0, seq = -1; i < SAMPLES; i += 1) {
      const row = next.get(Math.max(seq, Math.floor(first + i * step)));
      if (row === undefined) break;
      seq = row.seq;
      if (row.isFirst === 1 && row.startedAt !== null && row.startedAt >= at)
        found.push(row.waitMs);
    }
    found.sort((a, b) => a - b);
    const share = (of: number): number => found[Math.ceil(found.length * of) - 1] ?? 0;
    return found.length === 0 ? null : { p50: share(0.5), p95: share(0.95) };
  }

  return {
    waits,
    endsByMinute(from, to) {
      const range = { seq: markBefore(db, from).seq, from, to };
      const minutes = new Map(ends.all(range).map((minute) => [minute.at, minute]));
      for (const { at, n } of failures.all(range)) {
        const minute = minutes.get(at) ?? { at, completed: 0, dead: 0, cancelled: 0, failed: 0 };
        minutes.set(at, { ...minute, failed: n });
      }
      return [...minutes.values()];
    },
  };
}
