import type Database from "better-sqlite3";
import type { UserView } from "../../shared/control.ts";
import { can, PERMISSIONS, ROLES } from "../../shared/roles.ts";
import type { TaskStatus } from "../../shared/task.ts";
import type { Cell } from "../db/bulk-insert.ts";
import type { AuditStore, EnqueueJournaled, Purgeable } from "./audit-store.ts";
import { createChain, type EventRow } from "./chain.ts";
import { createCounts } from "./counts.ts";
import type { FollowedRecord } from "./followed-record.ts";
import { createPurgeFloor } from "./purge-floor.ts";
import { createRuns } from "./runs.ts";
import { createTimeMarks } from "./time-marks.ts";
import { createWriteEnqueue } from "./write-enqueue.ts";
import { createWriteRecords } from "./write-records.ts";

/** Where the audit stands in the journal. `time`: when the broker stored that record, in ns since 1970, as text. */
export interface JournalCursor {
  readonly seq: number;
  readonly time: string;
  /** When the stream was made, as the broker words it; empty before the first. */
  readonly stream: string;
}

/** A running task as the database knows it. */
export interface StoredRunning {
  readonly id: string;
  readonly queue: string;
  readonly worker: string | null;
  readonly seq: number;
  readonly generation: number;
  readonly attempts: number;
  readonly level: number;
  readonly startedAt: number | null;
}

/** A change of priority that has no journal record of its own. `at` is epoch ms. */
export type PriorityChanged = Parameters<AuditStore["priorityChanged"]>[0];

/** All writes to an open database. Each function runs inside `transaction`, unless it says otherwise. */
export interface Writer {
  readonly file: string;
  /**
   * One transaction. `durable`: it is on the disk when this returns; else it may be lost with the power, as a whole and
   * together with its cursor, and is then read from the journal again.
   */
  transaction<T>(durable: boolean, work: () => T): T;
  enqueue(cells: readonly Cell[]): EnqueueJournaled[];
  /** Takes back rows that no record touched. */
  withdraw(ids: readonly string[]): void;
  priorityChanged(change: PriorityChanged): void;
  event(row: EventRow): void;
  putUser(user: UserView): void;
  removeUser(name: string): void;
  records(records: readonly FollowedRecord[], cursor: JournalCursor): void;
  /** The journal lost its newest records, or is another one: what lies behind `cursor` is read again. */
  rewind(cursor: JournalCursor, why: string): void;
  purgeFloor(retentionMs: number): number;
  purgeable(retentionMs: number, done: number): Purgeable;
  /** Outside of a transaction. */
  cursor(): JournalCursor;
  runningTasks(): StoredRunning[];
  checkpoint(): void;
  close(): void;
}

export function createWriter(db: Database.Database, now: () => number): Writer {
  const chain = createChain(db);
  const counts = createCounts(db);
  const runs = createRuns(db);
  const writeEnqueue = createWriteEnqueue(db, { chain, counts, runs });
  const writeRecords = createWriteRecords(db, { chain, counts, runs });
  const marks = createTimeMarks(db);
  const floor = createPurgeFloor(db);
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const meta = createMeta(db);
  const putUser = db.prepare(
    `INSERT INTO users (name, role, public_key, created_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET role = excluded.role, public_key = excluded.public_key`,
  );
  const removeUser = db.prepare("DELETE FROM users WHERE name = ?");
  let cursor = meta.read();
  const withdrawn = db.prepare<
    [string],
    { queue: string; status: TaskStatus; runId: string | null }
  >(
    "DELETE FROM task_audit WHERE task_id = ? AND last_seq = 0 RETURNING queue, status, run_id AS runId",
  );
  const priority = db.prepare(
    `INSERT OR IGNORE INTO priority_history
       (task_id, at, by, role, from_level, to_level, action, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  /** Up to here the timeline may hold records of a journal that was rewound. */
  let replayedUpTo = meta.readReplayed();
  let durableNow: boolean | null = null;
  fillRolePermissions(db);

  function undo(): void {
    // SQLite ends the transaction itself after some errors (a full disk, a failed write).
    if (db.inTransaction) rollback.run();
    for (const part of [counts, runs, writeRecords]) part.clear();
    chain.reload();
    marks.forget();
    cursor = meta.read();
    replayedUpTo = meta.readReplayed();
  }

  return {
    file: db.name,
    transaction(durable, work) {
      if (durableNow !== durable) {
        db.pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
        durableNow = durable;
      }
      begin.run();
      try {
        marks.mark(now(), cursor.seq);
        const value = work();
        runs.flush();
        counts.flush();
        chain.flush();
        commit.run();
        return value;
      } catch (error) {
        try {
          undo();
        } catch {
          // Ignored: the database fails altogether; the caller closes it because of the first error.
        }
        throw error;
      }
    },
    enqueue: (cells) => writeEnqueue(cells, now()),
    withdraw(ids) {
      for (const id of ids) {
        const gone = withdrawn.get(id);
        if (gone === undefined) continue;
        counts.add(gone.queue, gone.status, -1);
        if (gone.runId !== null) runs.withdrawn(gone.runId);
        chain.append(systemEvent(now(), "task.withdrawn", id, { why: "the broker refused it" }));
      }
    },
    priorityChanged(change) {
      const { taskId, at, by, role, from, to, action, reason } = change;
      priority.run(taskId, at, by, role, from, to, action, reason);
      const detail = JSON.stringify({ action, from, to, why: reason });
      chain.append({ at, kind: "task.priority", taskId, by, role, detail });
    },
    event: chain.append,
    putUser: (user) =>
      putUser.run(user.name, user.role, user.publicKey, Date.parse(user.createdAt)),
    removeUser: (name) => removeUser.run(name),
    records(records, next) {
      writeRecords.write(records, replayedUpTo);
      meta.write(next);
      cursor = next;
    },
    rewind(to, why) {
      replayedUpTo = Math.max(replayedUpTo, cursor.seq);
      if (cursor.seq > 0)
        chain.append(
          systemEvent(now(), "journal.rewound", null, { from: cursor.seq, to: to.seq, why }),
        );
      db.prepare("UPDATE task_audit SET last_seq = ? WHERE last_seq > ?").run(to.seq, to.seq);
      db.prepare("UPDATE time_mark SET seq = ? WHERE seq > ?").run(to.seq, to.seq);
      meta.write(to);
      meta.writeReplayed(replayedUpTo);
      floor.reset();
      cursor = to;
    },
    purgeFloor: (retentionMs) => floor.find(now() - retentionMs, cursor.seq),
    purgeable: (retentionMs, done) => floor.next(now() - retentionMs, cursor.seq, done),
    cursor: () => cursor,
    runningTasks: () => readRunning(db),
    checkpoint: () => db.pragma("wal_checkpoint(PASSIVE)"),
    close: () => db.close(),
  };
}

function systemEvent(at: number, kind: string, taskId: string | null, detail: object): EventRow {
  return { at, kind, taskId, by: "system", role: "system", detail: JSON.stringify(detail) };
}

function createMeta(db: Database.Database) {
  const get = db.prepare<[string], string>("SELECT value FROM meta WHERE key = ?").pluck();
  const put = db.prepare(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  let stream = "";
  return {
    read(): JournalCursor {
      stream = get.get("stream_created") ?? "";
      return { seq: Number(get.get("cursor") ?? 0), time: get.get("cursor_time") ?? "", stream };
    },
    write(cursor: JournalCursor) {
      put.run("cursor", String(cursor.seq));
      put.run("cursor_time", cursor.time);
      if (cursor.stream !== stream) put.run("stream_created", cursor.stream);
      stream = cursor.stream;
    },
    readReplayed: () => Number(get.get("replayed_up_to") ?? 0),
    writeReplayed: (seq: number) => put.run("replayed_up_to", String(seq)),
  };
}

/** Who may do what is decided in the program; the table repeats it for readers of the database. */
function fillRolePermissions(db: Database.Database): void {
  const rows = ROLES.flatMap((role) =>
    PERMISSIONS.filter((permission) => can(role, permission)).map((permission) => [
      role,
      permission,
    ]),
  );
  const stored = db
    .prepare<[], { role: string; permission: string }>(
      "SELECT role, permission FROM role_permissions",
    )
    .all();
  const text = (pairs: readonly (readonly string[])[]) =>
    pairs
      .map((pair) => pair.join(" "))
      .sort()
      .join("\n");
  if (text(rows) === text(stored.map(({ role, permission }) => [role, permission]))) return;
  const insert = db.prepare("INSERT INTO role_permissions (role, permission) VALUES (?, ?)");
  db.transaction(() => {
    db.exec("DELETE FROM role_permissions");
    for (const row of rows) insert.run(row);
  }).immediate();
}

function readRunning(db: Database.Database): StoredRunning[] {
  return db
    .prepare<[], StoredRunning>(
      `SELECT task_id AS id, queue, worker, last_seq AS seq, generation, attempts, level,
              started_at AS startedAt
       FROM task_audit WHERE status <> 'completed' AND status = 'running'`,
    )
    .all();
}
