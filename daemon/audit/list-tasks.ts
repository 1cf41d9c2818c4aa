import type Database from "better-sqlite3";
import type { TaskFilter, TaskSummary } from "../../shared/control.ts";
import { bucketOf } from "../../shared/priority.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { toIso } from "./iso.ts";

type Parameter = string | number;

/** A condition of a filter in SQL, with its parameters in order. */
interface Condition {
  readonly sql: string;
  readonly values: readonly Parameter[];
}

const BUCKETS = { high: [8, 10], normal: [4, 7], low: [0, 3] } as const;

/** All conditions of a filter but its statuses and its queue, which choose the way to the rows. */
function conditionsOf(where: TaskFilter): Condition[] {
  const found: Condition[] = [];
  const add = (sql: string, ...values: Parameter[]): void => {
    found.push({ sql, values });
  };
  if (where.name !== undefined) add("task_name = ?", where.name);
  if (where.level !== undefined) add("level = ?", where.level);
  if (where.minLevel !== undefined) add("level >= ?", where.minLevel);
  if (where.maxLevel !== undefined) add("level <= ?", where.maxLevel);
  if (where.bucket !== undefined) add("level BETWEEN ? AND ?", ...BUCKETS[where.bucket]);
  if (where.runId !== undefined) add("run_id = ?", where.runId);
  if (where.by !== undefined) add("created_by = ?", where.by);
  if (where.createdAfter !== undefined) add("created_at > ?", where.createdAfter);
  if (where.createdBefore !== undefined) add("created_at < ?", where.createdBefore);
  if (where.text !== undefined && where.text !== "") {
    const like = `%${where.text.replace(/[\\%_]/g, "\\$&")}%`;
    const columns = ["task_id", "task_name", "error", "correlation_id", "idempotency_key"];
    add(
      `(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`,
      ...columns.map(() => like),
    );
  }
  return found;
}

export type ListOrder = "newest" | "oldest";

/** Rows of `columns` that fit the filter and follow `afterRow` in this order; null: from the first on. */
export function selectTasks<Row>(
  db: Database.Database,
  columns: string,
  where: TaskFilter,
  limit: number,
  afterRow: number | null,
  order: ListOrder = "newest",
): Row[] {
  const [follows, direction] = order === "newest" ? ["row < ?", "DESC"] : ["row > ?", "ASC"];
  const edge = order === "newest" ? Number.MAX_SAFE_INTEGER : 0;
  const rest = [...conditionsOf(where), { sql: follows, values: [afterRow ?? edge] }];
  const select = (more: readonly Condition[]): Condition => {
    const all = [...more, ...rest];
    return {
      sql: `SELECT ${columns} FROM task_audit WHERE ${all.map(({ sql }) => sql).join(" AND ")}
            ORDER BY row ${direction} LIMIT ${limit}`,
      values: all.flatMap(({ values }) => values),
    };
  };
  const open = openLanes(db, where);
  const parts = open === null ? [select(scanOf(where))] : open.map((lane) => select([lane]));
  if (parts.length === 0) return [];
  const sql = parts.map((part) => `SELECT * FROM (${part.sql})`).join(" UNION ALL ");
  return db
    .prepare<Parameter[], Row>(`SELECT * FROM (${sql}) ORDER BY row ${direction} LIMIT ${limit}`)
    .all(...parts.flatMap(({ values }) => values));
}

/** Read in order until enough fit: right where most rows are completed, or a run has few. */
function scanOf(where: TaskFilter): Condition[] {
  const found: Condition[] = [];
  if (where.queue !== undefined) found.push({ sql: "queue = ?", values: [where.queue] });
  if (where.status !== undefined && where.status.length > 0)
    found.push({
      sql: `status IN (${where.status.map(() => "?").join(", ")})`,
      values: where.status,
    });
  return found;
}

/** SQLite takes at most 500 parts. */
const MOST_LANES = 400;

/**
 * The statuses and queues to look through one by one, each already in order in the index; null when scanning is better:
 * completed tasks are asked for, or a run. The count table names the lanes that hold anything.
 */
function openLanes(db: Database.Database, where: TaskFilter): Condition[] | null {
  const { status = [] } = where;
  if (status.length === 0 || status.includes("completed") || where.runId !== undefined) return null;
  const lanes = db
    .prepare<[], { queue: string; status: TaskStatus }>(
      "SELECT queue, status FROM task_count WHERE n > 0 AND status <> 'completed'",
    )
    .all()
    .filter(
      (lane) =>
        status.includes(lane.status) && (where.queue === undefined || lane.queue === where.queue),
    );
  if (lanes.length > MOST_LANES) return null;
  return lanes.map((lane) => ({
    sql: "status <> 'completed' AND status = ? AND queue = ?",
    values: [lane.status, lane.queue],
  }));
}

const SUMMARY_COLUMNS = `row, task_id AS id, task_name AS name, queue, status, level, generation, attempts,
  created_at AS createdAt, started_at AS startedAt, ended_at AS endedAt, due_at AS dueAt,
  duration_ms AS durationMs, created_by AS "by", run_id AS runId, error`;

interface SummaryRow {
  readonly row: number;
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly status: TaskStatus;
  readonly level: number;
  readonly generation: number;
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly dueAt: number | null;
  readonly durationMs: number | null;
  readonly by: string | null;
  readonly runId: string | null;
  readonly error: string | null;
}

/** A page of tasks. The cursor is the last row of the page: rows that come later do not move it. */
export function listTasks(
  db: Database.Database,
  where: TaskFilter,
  limit: number,
  cursor: string | null,
  order: ListOrder = "newest",
): { tasks: TaskSummary[]; next: string | null } {
  const after = cursor === null ? null : Number(cursor);
  const rows = selectTasks<SummaryRow>(db, SUMMARY_COLUMNS, where, limit + 1, after, order);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    tasks: page.map(toSummary),
    next: rows.length > limit && last !== undefined ? String(last.row) : null,
  };
}

function toSummary({ row: _row, level, ...task }: SummaryRow): TaskSummary {
  return {
    ...task,
    priority: level,
    bucket: bucketOf(level),
    createdAt: toIso(task.createdAt),
    startedAt: toIso(task.startedAt),
    endedAt: toIso(task.endedAt),
    dueAt: toIso(task.dueAt),
  };
}
