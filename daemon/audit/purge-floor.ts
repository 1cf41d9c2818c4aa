import type Database from "better-sqlite3";

/** Finds the first journal sequence that is still needed. Both functions run inside the caller's transaction. */
export interface PurgeFloor {
  /** `endedBefore`: epoch ms; tasks that ended before it need their records no more. */
  find(endedBefore: number, cursor: number): number;
  /** After a rewind: what was left behind may be needed again. */
  reset(): unknown;
}

/**
 * A task needs its last record while it lives and for the retention after its end; its older records may go.
 * The index is in order of the last record, so the first row that still needs its own is the floor. A floor never falls:
 * a task that moves again gets a newer last record. So each search begins at the former floor.
 */
export function createPurgeFloor(db: Database.Database): PurgeFloor {
  const first = db
    .prepare<[number, number], number>(
      `SELECT last_seq FROM task_audit
       WHERE last_seq >= ? AND last_seq > 0 AND (ended_at IS NULL OR ended_at > ?)
       ORDER BY last_seq LIMIT 1`,
    )
    .pluck();
  const stored = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'purge_floor'").pluck();
  const store = db.prepare(
    "INSERT INTO meta (key, value) VALUES ('purge_floor', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  return {
    find(endedBefore, cursor) {
      const former = Number(stored.get() ?? 0);
      const floor = first.get(former, endedBefore) ?? cursor + 1;
      // Always written: only a transaction that wrote something is synced, and what the journal may now forget must be
      // on the disk here.
      store.run(String(floor));
      // Below sequence 1 there is nothing: 0 says so.
      return floor > 1 ? floor : 0;
    },
    reset: () => store.run("0"),
  };
}
