import type { EnqueueRow } from "../../daemon/audit/audit-store.ts";
import type { AuditDeps } from "../../daemon/audit/start-audit.ts";
import { noLog } from "../../daemon/log.ts";

export function auditDeps(servers: string, dataDir: string): AuditDeps {
  return {
    dataDir,
    nats: { servers, seed: null, inboxPrefix: "_INBOX_audit" },
    prefix: "ms",
    log: noLog,
  };
}

/** A row as the enqueue would write it. */
export function aRow(id: string, changes: Partial<EnqueueRow> = {}): EnqueueRow {
  return {
    id,
    name: "etl.load",
    queue: "etl",
    level: 5,
    maxAttempts: 4,
    status: "waiting",
    input: '{"file":"a.csv"}',
    by: "owner",
    createdAt: Date.now(),
    dueAt: null,
    key: null,
    correlationId: null,
    traceId: null,
    category: null,
    phase: null,
    run: null,
    ...changes,
  };
}
