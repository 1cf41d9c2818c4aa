import type Database from "better-sqlite3";
import type { EndedTask, Purgeable } from "./audit-store.ts";

/** Finds what the journal may forget. Every function runs inside the caller's transaction. */
export interface PurgeFloor {
  /** The first sequence that is still needed. `endedBefore`: epoch ms; tasks that ended before it need no records. */
  find(endedBefore: number, cursor: number): number;
  /** The next such tasks above the floor, oldest record first. `done`: the `upTo` that the journal has forgotten by now. */
  next(endedBefore: number, cursor: number, done: number): Purgeable;
  /** After a rewind: what was left behind may be needed again. */
  reset(): unknown;
}

/** So many tasks are purged together: few enough that a daemon that stops need not wait for them. */
const BATCH = 2000;

/**
 * A task needs its last record while it lives and for the retention after its end; its older records may go.
 * The index is in order of the last record, so the first row that still needs its own is the floor. A floor never falls:
 * a task that moves again gets a newer last record. So each search begins at the former floor, and each batch above it
 * where the one before ended: a living task that was passed over comes again, further up, when it has ended.
 */
export function createPurgeFloor(db: Database.Database): PurgeFloor {
  const first = db
    .prepare<[number, number], number>(
      `SELECT last_seq FROM task_audit
       WHERE last_seq >= ? AND last_seq > 0 AND (ended_at IS NULL OR ended_at > ?)
       ORDER BY last_seq LIMIT 1`,
    )
    .pluck();
  const ended = db.prepare<[number, number, number], EndedTask & { readonly endedAt: number }>(
    `SELECT task_id AS id, queue, last_seq AS lastSeq, ended_at AS endedAt FROM task_audit
     WHERE last_seq > 0 AND last_seq > ? AND last_seq < ? AND ended_at IS NOT NULL
     ORDER BY last_seq LIMIT ?`,
  );
  const floor = createMark(db, "purge_floor");
  const passed = createMark(db, "purge_passed");
  return {
    find(endedBefore, cursor) {
      const found = first.get(floor.read(), endedBefore) ?? cursor + 1;
      // Always written: only a transaction that wrote something is synced, and what the journal may now forget must be
      // on the disk here.
      floor.write(found);
      // Below sequence 1 there is nothing: 0 says so.
      return found > 1 ? found : 0;
    },
    next(endedBefore, cursor, done) {
      const from = Math.max(floor.read() - 1, passed.read(), done);
      // Below the cursor: the newest record of the stream stays, since whoever waits until everything was followed waits
      // for that one.
      const rows = ended.all(from, cursor, BATCH);
      const recent = rows.findIndex(({ endedAt }) => endedAt > endedBefore);
      const tasks = recent === -1 ? rows : rows.slice(0, recent);
      const reached = rows[recent]?.lastSeq ?? (rows.length < BATCH ? cursor : null);
      const upTo = Math.max(from, reached === null ? tasks.at(-1)!.lastSeq : reached - 1);
      // Always written, as above. What lies between is of living tasks when there is no batch.
      passed.write(tasks.length === 0 ? upTo : from);
      return { tasks: tasks.map(({ id, queue, lastSeq }) => ({ id, queue, lastSeq })), upTo };
    },
    reset() {
      floor.write(0);
      passed.write(0);
    },
  };
}

function createMark(
  db: Database.Database,
  key: string,
): { read(): number; write(seq: number): void } {
  const stored = db.prepare<[string], string>("SELECT value FROM meta WHERE key = ?").pluck();
  const store = db.prepare(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  return {
    read: () => Number(stored.get(key) ?? 0),
    write: (seq) => store.run(key, String(seq)),
  };
}
