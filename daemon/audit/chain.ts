import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import { createBulkInsert } from "../db/bulk-insert.ts";

/** A row of `task_event` before it has its place in the chain. `at` is epoch ms, `detail` JSON text. */
export interface EventRow {
  readonly at: number;
  readonly kind: string;
  readonly taskId: string | null;
  readonly by: string | null;
  readonly role: string | null;
  readonly detail: string;
}

/** The hash that a row must carry: it covers the row and, through the hash before it, every earlier one. */
function chainHash(before: string, seq: number, row: EventRow): string {
  const text = `${before}${seq}\n${row.at}\n${row.kind}\n${row.taskId ?? ""}\n${row.by ?? ""}\n${row.role ?? ""}\n${row.detail}`;
  return hash("sha256", text, "base64url");
}

/** The append-only end of `task_event`. */
export interface Chain {
  append(row: EventRow): void;
  /** Writes what was appended; inside the caller's transaction. */
  flush(): void;
  /** Goes back to the last row that is on disk, after a rollback. */
  reload(): void;
}

/** A name from outside must not be able to look like two fields of the hashed text. */
function oneLine(text: string | null): string | null {
  return text?.includes("\n") ? text.replaceAll("\n", " ") : text;
}

export function createChain(db: Database.Database): Chain {
  const last = db.prepare<[], { seq: number; hash: string }>(
    "SELECT seq, hash FROM task_event ORDER BY seq DESC LIMIT 1",
  );
  const insert = createBulkInsert(
    db,
    "INSERT INTO task_event (seq, at, kind, task_id, by, role, detail, hash)",
    8,
  );
  let tail = last.get() ?? { seq: 0, hash: "" };
  return {
    append(event) {
      const row =
        event.by === null && event.role === null
          ? event
          : { ...event, by: oneLine(event.by), role: oneLine(event.role) };
      const seq = tail.seq + 1;
      tail = { seq, hash: chainHash(tail.hash, seq, row) };
      insert.push([seq, row.at, row.kind, row.taskId, row.by, row.role, row.detail, tail.hash]);
    },
    flush: insert.flush,
    reload() {
      insert.clear();
      tail = last.get() ?? { seq: 0, hash: "" };
    },
  };
}

interface StoredEvent extends EventRow {
  readonly seq: number;
  readonly hash: string;
}

/** Reads the chain from its beginning and names the first row that does not fit. */
export function verifyChain(db: Database.Database): {
  ok: boolean;
  rows: number;
  firstBad: number | null;
  what: string | null;
} {
  const rows = db
    .prepare<[], StoredEvent>(
      "SELECT seq, at, kind, task_id AS taskId, by, role, detail, hash FROM task_event ORDER BY seq",
    )
    .iterate();
  let count = 0;
  let before = "";
  for (const row of rows) {
    const bad = (what: string) => ({ ok: false, rows: count, firstBad: row.seq, what });
    if (row.seq !== count + 1) return bad(`row ${count + 1} is missing`);
    if (row.hash !== chainHash(before, row.seq, row)) return bad(`row ${row.seq} was changed`);
    before = row.hash;
    count += 1;
  }
  return { ok: true, rows: count, firstBad: null, what: null };
}
