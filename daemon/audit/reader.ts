import type Database from "better-sqlite3";
import { AppError, describe } from "../../shared/errors.ts";
import { unavailableBecause } from "../db/failure.ts";
import { openReadOnly } from "../db/open.ts";
import { runQuery } from "./audit-queries.ts";
import type { AuditReader } from "./audit-store.ts";
import { verifyChain } from "./chain.ts";
import { listTasks, selectTasks } from "./list-tasks.ts";
import { createMetricsReads } from "./metrics-reads.ts";
import { createRunViews } from "./run-views.ts";
import { createQueueReads, createTaskReads } from "./task-reads.ts";

const HOUR_MS = 3_600_000;

type Reads = Omit<AuditReader, "close">;

/** Every read of the audit, on this connection. */
function createReads(db: Database.Database, now: () => number): Reads {
  return {
    ...createTaskReads(db),
    ...createQueueReads(db),
    ...createRunViews(db),
    ...createMetricsReads(db),
    list: (where, limit, cursor, order) => listTasks(db, where, limit, cursor, order),
    ids: (where, limit) =>
      selectTasks<{ id: string }>(db, "row, task_id AS id", where, limit, null).map(({ id }) => id),
    query: (name, hours) => runQuery(db, name, now() - hours * HOUR_MS),
    verify: () => verifyChain(db),
  };
}

export interface ReaderDeps {
  readonly file: string;
  /** Changes when the database file was replaced: then it is opened again. */
  readonly epoch: () => number;
  readonly now?: () => number;
}

/**
 * A reader with a connection of its own, which opens at the first use and again after the file was replaced.
 * Every method throws `audit-store-unavailable` while the database cannot be read.
 */
export function createReader({ file, epoch, now = Date.now }: ReaderDeps): AuditReader {
  let open: {
    readonly db: Database.Database;
    readonly reads: Reads;
    readonly epoch: number;
  } | null = null;

  function close(): void {
    open?.db.close();
    open = null;
  }

  function reads(): Reads {
    const present = epoch();
    if (open !== null && open.epoch !== present) close();
    if (open === null) {
      const db = openReadOnly(file);
      try {
        open = { db, reads: createReads(db, now), epoch: present };
      } catch (error) {
        db.close();
        throw error;
      }
    }
    return open.reads;
  }

  function guarded<T>(read: (reads: Reads) => T): T {
    try {
      return read(reads());
    } catch (error) {
      if (error instanceof AppError) throw error;
      const what = unavailableBecause(error) ?? describe(error);
      throw new AppError("audit-store-unavailable", { what, file }, error);
    }
  }

  return {
    task: (id) => guarded((r) => r.task(id)),
    attempts: (id) => guarded((r) => r.attempts(id)),
    priorityHistory: (id) => guarded((r) => r.priorityHistory(id)),
    list: (where, limit, cursor, order) => guarded((r) => r.list(where, limit, cursor, order)),
    ids: (where, limit) => guarded((r) => r.ids(where, limit)),
    counts: () => guarded((r) => r.counts()),
    timeline: (id) => guarded((r) => r.timeline(id)),
    query: (name, hours) => guarded((r) => r.query(name, hours)),
    verify: () => guarded((r) => r.verify()),
    runs: (limit) => guarded((r) => r.runs(limit)),
    run: (id) => guarded((r) => r.run(id)),
    terminal: (ids) => guarded((r) => r.terminal(ids)),
    unfinished: (afterId, limit) => guarded((r) => r.unfinished(afterId, limit)),
    countAhead: (queue, level, createdAt) => guarded((r) => r.countAhead(queue, level, createdAt)),
    endedSince: (at) => guarded((r) => r.endedSince(at)),
    oldestWaiting: () => guarded((r) => r.oldestWaiting()),
    users: () => guarded((r) => r.users()),
    waits: (at) => guarded((r) => r.waits(at)),
    endsByMinute: (from, to) => guarded((r) => r.endsByMinute(from, to)),
    close,
  };
}
