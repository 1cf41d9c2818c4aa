import { join } from "node:path";
import Database from "better-sqlite3";
import { verifyChain } from "../../daemon/audit/chain.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import type { TaskStatus } from "../../shared/task.ts";

export interface AuditRow {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly level: number;
  readonly generation: number;
  readonly attempts: number;
  readonly lastSeq: number;
  /** Which intent it was, from its input; null when the audit has no input of it. */
  readonly label: string | null;
  readonly key: string | null;
}

/** What the audit's database says, read past the daemon. */
export interface AuditState {
  readonly rows: ReadonlyMap<string, AuditRow>;
  /** Tasks with more than one attempt that counts as completed. */
  readonly completedTwice: readonly string[];
  /** Attempts that still count as running, of tasks that ended. */
  readonly openAttempts: readonly string[];
  readonly chain: { readonly ok: boolean; readonly rows: number; readonly what: string | null };
}

export function readAudit(dataDir: string): AuditState {
  const db = new Database(join(dataDir, DATA_FILES.audit), { readonly: true });
  try {
    const rows = db
      .prepare<[], AuditRow & { input: string | null }>(
        `SELECT task_id AS id, task_name AS name, status, level, generation, attempts, last_seq AS lastSeq,
                idempotency_key AS key, args ->> '$.label' AS label FROM task_audit`,
      )
      .all();
    const ids = (sql: string): string[] => db.prepare<[], string>(sql).pluck().all();
    return {
      rows: new Map(rows.map((row) => [row.id, row])),
      completedTwice: ids(
        `SELECT task_id FROM task_attempt WHERE outcome = 'completed' GROUP BY task_id HAVING count(*) > 1`,
      ),
      openAttempts: ids(
        `SELECT a.task_id FROM task_attempt a JOIN task_audit t USING (task_id)
         WHERE a.outcome = 'running' AND t.status IN ('completed', 'cancelled', 'dead')`,
      ),
      chain: verifyChain(db),
    };
  } finally {
    db.close();
  }
}
