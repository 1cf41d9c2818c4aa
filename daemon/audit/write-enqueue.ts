import type Database from "better-sqlite3";
import type { RunDescriptor, TaskStatus } from "../../shared/task.ts";
import type { Cell } from "../db/bulk-insert.ts";
import type { EnqueueJournaled } from "./audit-store.ts";
import type { Chain } from "./chain.ts";
import type { Counts } from "./counts.ts";
import { CELL, ENQUEUE_COLUMNS } from "./enqueue-cells.ts";
import type { Runs } from "./runs.ts";

interface Existing {
  readonly row: number;
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly level: number;
  readonly status: TaskStatus;
  readonly input: string | null;
}

const WIDTH = ENQUEUE_COLUMNS.length;
const JOURNALED: EnqueueJournaled = { kind: "journaled" };

/** Writes enqueued rows, given as flat cells, inside the caller's transaction. Outcomes in the order of the rows. */
export type WriteEnqueue = (cells: readonly Cell[], nowMs: number) => EnqueueJournaled[];

export function createWriteEnqueue(
  db: Database.Database,
  parts: { readonly chain: Chain; readonly counts: Counts; readonly runs: Runs },
): WriteEnqueue {
  const { chain, counts, runs } = parts;
  const insert = db.prepare(
    `INSERT INTO task_audit (${ENQUEUE_COLUMNS.join(", ")})
     VALUES (${ENQUEUE_COLUMNS.map(() => "?").join(", ")}) ON CONFLICT DO NOTHING`,
  );
  const found = `SELECT row, task_id AS id, task_name AS name, queue, level, status, args AS input FROM task_audit`;
  const byId = db.prepare<[Cell], Existing>(`${found} WHERE task_id = ?`);
  const byKey = db.prepare<[Cell], Existing>(`${found} WHERE idempotency_key = ?`);
  // A task is published while its row is written: a worker's record can be here first and have made a row without what
  // only the enqueue knows. The same holds for a task that was accepted on the broker's word alone.
  const complete = db.prepare(
    `UPDATE OR IGNORE task_audit SET ${ENQUEUE_COLUMNS.filter((name) => !FROM_JOURNAL.has(name))
      .map((name) => `${name} = ?`)
      .join(", ")} WHERE row = ?`,
  );

  /** The id or the key is taken. */
  function meet(row: readonly Cell[], nowMs: number): EnqueueJournaled {
    const same = byId.get(row[CELL.id] ?? null) ?? byKey.get(row[CELL.key] ?? null);
    if (same === undefined) throw new Error(`neither inserted nor found: ${row[CELL.id]}`);
    if (same.input === null && same.id === row[CELL.id]) {
      complete.run([...row.filter((_, i) => !FROM_JOURNAL.has(ENQUEUE_COLUMNS[i])), same.row]);
      announceRun(row, nowMs);
      return JOURNALED;
    }
    if (same.name !== row[CELL.name] || same.input !== row[CELL.input]) return { kind: "conflict" };
    const { id, queue, level, status } = same;
    return { kind: "duplicate", id, queue, level, status };
  }

  function announceRun(row: readonly Cell[], nowMs: number): void {
    const run = row[CELL.run];
    if (typeof run === "string")
      runs.enqueued(JSON.parse(run) as RunDescriptor, Number(row[CELL.level]), nowMs);
  }

  return (cells, nowMs) => {
    const outcomes: EnqueueJournaled[] = [];
    const added: Cell[][] = [];
    for (let at = 0; at < cells.length; at += WIDTH) {
      const row = cells.slice(at, at + WIDTH);
      if (insert.run(row).changes === 0) {
        outcomes.push(meet(row, nowMs));
        continue;
      }
      outcomes.push(JOURNALED);
      added.push([row[CELL.id]!, row[CELL.name]!, row[CELL.level]!, row[CELL.by]!]);
      counts.add(row[CELL.queue] as string, row[CELL.status] as TaskStatus, 1);
      announceRun(row, nowMs);
    }
    // One link of the chain covers all tasks of the transaction: who enqueued what cannot be changed unseen.
    if (added.length > 0)
      chain.append({
        at: nowMs,
        kind: "task.enqueued",
        taskId: null,
        by: null,
        role: null,
        detail: JSON.stringify({ tasks: added }),
      });
    return outcomes;
  };
}

/** Columns that a row made from the journal has already, and knows better. */
const FROM_JOURNAL: ReadonlySet<string | undefined> = new Set([
  "task_id",
  "queue",
  "level",
  "status",
]);
