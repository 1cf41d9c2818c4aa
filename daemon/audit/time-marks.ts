import type Database from "better-sqlite3";

const MARK_EVERY_MS = 5 * 60_000;

/** Writes, every five minutes, where the tables stand; see the schema's `time_mark`. */
export function createTimeMarks(db: Database.Database): {
  mark(nowMs: number, seq: number): void;
  forget(): void;
} {
  const insert = db.prepare(
    `INSERT INTO time_mark (at, row, seq)
     VALUES (?, (SELECT coalesce(max(row), 0) FROM task_audit), ?) ON CONFLICT DO NOTHING`,
  );
  let marked = -1;
  return {
    mark(nowMs, seq) {
      const at = Math.floor(nowMs / MARK_EVERY_MS);
      if (at === marked) return;
      insert.run(nowMs, seq);
      marked = at;
    },
    forget() {
      marked = -1;
    },
  };
}

/**
 * The row and the journal sequence behind which everything lies that was created or ended since `sinceMs`.
 * One mark of slack stands for the differences between the clocks of machines.
 */
export function markBefore(db: Database.Database, sinceMs: number): { row: number; seq: number } {
  return (
    db
      .prepare<[number], { row: number; seq: number }>(
        "SELECT row, seq FROM time_mark WHERE at <= ? ORDER BY at DESC LIMIT 1",
      )
      .get(sinceMs - MARK_EVERY_MS) ?? { row: 0, seq: 0 }
  );
}
