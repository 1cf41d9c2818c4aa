import type Database from "better-sqlite3";
import type { AuditReader } from "./audit-store.ts";
import { markBefore } from "./time-marks.ts";

type QueryName = Parameters<AuditReader["query"]>[0];
type Since = { readonly at: number; readonly row: number; readonly seq: number };

/** `last_seq > 0` names the index; what stands before it says where in it to begin. */
const ENDED = "last_seq > @seq AND last_seq > 0 AND ended_at >= @at";
const ISO = (column: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;
const NEWEST = "LIMIT 1000";

/** The questions that come up again and again, about the tasks since an instant. */
const QUERIES: Readonly<Record<QueryName, string>> = {
  "by-status": `SELECT status, count(*) AS tasks FROM task_audit
    WHERE row > @row AND created_at >= @at GROUP BY status ORDER BY tasks DESC`,
  durations: `SELECT task_name, count(*) AS tasks, round(avg(duration_ms), 1) AS average_ms,
      round(percentile(duration_ms, 95), 1) AS p95_ms FROM task_audit
    WHERE ${ENDED} AND status = 'completed' AND duration_ms IS NOT NULL
    GROUP BY task_name ORDER BY average_ms DESC`,
  failures: `SELECT task_name, count(*) AS ended, sum(status = 'dead') AS dead,
      round(1.0 * sum(status = 'dead') / count(*), 4) AS failure_rate FROM task_audit
    WHERE ${ENDED} AND status IN ('completed', 'dead')
    GROUP BY task_name ORDER BY failure_rate DESC, ended DESC`,
  refusals: `SELECT ${ISO("at")} AS at, by AS user, role, detail ->> 'verb' AS verb,
      detail ->> 'what' AS what, task_id AS target FROM task_event
    WHERE kind = 'refused' AND at >= @at ORDER BY at DESC ${NEWEST}`,
  priority: `SELECT ${ISO("at")} AS at, task_id, by, role, action, from_level, to_level, reason
    FROM priority_history WHERE at >= @at ORDER BY at DESC ${NEWEST}`,
};

export function runQuery(
  db: Database.Database,
  name: QueryName,
  sinceMs: number,
): ReturnType<AuditReader["query"]> {
  const statement = db.prepare<Since, (string | number | null)[]>(QUERIES[name]).raw();
  const columns = statement.columns().map((column) => column.name);
  return { columns, rows: statement.all({ at: sinceMs, ...markBefore(db, sinceMs) }) };
}
