import { join } from "node:path";
import Database from "better-sqlite3";
import { DATA_FILES } from "../../shared/settings.ts";
import type { Check } from "./system.ts";

/** Reads the audit past the daemon: how many tasks it knows, how many completed, how many of them more than once. */
export function readCheck(dataDir: string): Check {
  const db = new Database(join(dataDir, DATA_FILES.audit), { readonly: true });
  const count = (sql: string): number => db.prepare<[], number>(sql).pluck().get() ?? 0;
  try {
    return {
      known: count("SELECT count(*) FROM task_audit"),
      completed: count("SELECT count(*) FROM task_audit WHERE status = 'completed'"),
      completedTwice: count(
        `SELECT count(*) FROM (SELECT 1 FROM task_event WHERE kind = 'task.completed'
         GROUP BY task_id HAVING count(*) > 1)`,
      ),
    };
  } finally {
    db.close();
  }
}
