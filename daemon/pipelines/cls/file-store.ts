import { randomUUID } from "node:crypto";
import type { ClsStore } from "./store.ts";
import { rowsBefore } from "./sync-apply.ts";
import { type SyncCounts, zeroCounts } from "./sync-counts.ts";
import type { KnownFile, ReportFile } from "./sync-plan.ts";

/** A content that was applied to the store once. */
export interface StoredFile extends ReportFile {
  readonly id: number;
  readonly sha256: string;
  readonly state: KnownFile["state"];
  readonly runId: string;
  /** ISO time. */
  readonly appliedAt: string;
  readonly counts: SyncCounts;
  readonly warnings: readonly string[];
  /** False when the rows it replaced are no longer kept. */
  readonly undoable: boolean;
  /** ISO time; null while nothing says that the input was archived. */
  readonly archivedAt: string | null;
  /** Where the input was moved; null when it stayed where it was. */
  readonly archivedTo: string | null;
  /** Null while nobody undid it. */
  readonly undone: Undone | null;
}

/** Who took a file back, and what that did. */
export interface Undone {
  /** ISO time. */
  readonly at: string;
  /** The task that did it; the audit knows who asked for it. */
  readonly taskId: string;
  readonly reason: string;
  readonly result: UndoResult;
}

/** What undoing a file did, in keys. */
export interface UndoResult {
  readonly file: string;
  /** Keys that have their former rows again. */
  readonly restored: number;
  /** Keys that only this file had brought. */
  readonly removed: number;
  /** Keys that a later file changed again: they stay as that file left them. */
  readonly keptByLater: number;
  /** Rows in the store afterwards. */
  readonly storedRows: number;
}

interface FileLine {
  id: number;
  sha256: string;
  name: string;
  kind: ReportFile["kind"];
  day: string;
  state: KnownFile["state"];
  run_id: string;
  applied_at: string;
  counts: string;
  warnings: string;
  undoable: number;
  archived_at: string | null;
  archived_to: string | null;
  undone_at: string | null;
  undone_by: string | null;
  undone_reason: string | null;
  undone_result: string | null;
}

function toFile(line: FileLine): StoredFile {
  return {
    id: line.id,
    sha256: line.sha256,
    name: line.name,
    kind: line.kind,
    day: line.day,
    state: line.state,
    runId: line.run_id,
    appliedAt: line.applied_at,
    // A record of an earlier version lacks the counts that came later.
    counts: { ...zeroCounts(), ...(JSON.parse(line.counts) as Partial<SyncCounts>) },
    warnings: JSON.parse(line.warnings) as string[],
    undoable: line.undoable === 1,
    archivedAt: line.archived_at,
    archivedTo: line.archived_to,
    undone: undoneOf(line),
  };
}

function undoneOf(line: FileLine): Undone | null {
  if (line.undone_at === null || line.undone_result === null) return null;
  return {
    at: line.undone_at,
    taskId: line.undone_by ?? "",
    reason: line.undone_reason ?? "",
    result: JSON.parse(line.undone_result) as UndoResult,
  };
}

/** Notes that a file was taken back. */
export function markUndone({ db }: ClsStore, id: number, undone: Undone): void {
  db.prepare(
    "UPDATE files SET state = 'undone', undone_at = ?, undone_by = ?, undone_reason = ?, undone_result = ? WHERE id = ?",
  ).run(undone.at, undone.taskId, undone.reason, JSON.stringify(undone.result), id);
}

/** Every file that was ever applied, in the order they were. */
export function storedFiles({ db }: ClsStore): StoredFile[] {
  return (db.prepare("SELECT * FROM files ORDER BY id").all() as FileLine[]).map(toFile);
}

/** The latest record of a content. */
export function fileBySha({ db }: ClsStore, sha256: string): StoredFile | null {
  const line = db
    .prepare("SELECT * FROM files WHERE sha256 = ? ORDER BY id DESC LIMIT 1")
    .get(sha256) as FileLine | undefined;
  return line === undefined ? null : toFile(line);
}

export function fileById({ db }: ClsStore, id: number): StoredFile | null {
  const line = db.prepare("SELECT * FROM files WHERE id = ?").get(id) as FileLine | undefined;
  return line === undefined ? null : toFile(line);
}

/** Records a file at the start of its transaction; its counts follow at the end. */
export function addFile(
  { db }: ClsStore,
  file: ReportFile & { readonly sha256: string },
  runId: string,
  at: string,
): number {
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO files (sha256, name, kind, day, state, run_id, applied_at, counts, warnings)
       VALUES (?, ?, ?, ?, 'applied', ?, ?, '{}', '[]')`,
    )
    .run(file.sha256, file.name, file.kind, file.day, runId, at);
  return Number(lastInsertRowid);
}

/** Ends a file's record. `archived` is a state of the store; the input itself stays where it is. */
export function closeFile(
  { db }: ClsStore,
  id: number,
  counts: SyncCounts,
  warnings: readonly string[],
  at: string,
): void {
  db.prepare("UPDATE files SET counts = ?, warnings = ?, archived_at = ? WHERE id = ?").run(
    JSON.stringify(counts),
    JSON.stringify(warnings),
    at,
    id,
  );
}

/** A full file makes whatever was applied before it a thing of the past. */
export function supersedeBefore({ db }: ClsStore, fullId: number): void {
  db.prepare(
    "UPDATE files SET state = 'superseded', superseded_by = ? WHERE state = 'applied' AND id < ?",
  ).run(fullId, fullId);
}

export function markMoved({ db }: ClsStore, id: number, to: string): void {
  db.prepare("UPDATE files SET archived_to = ? WHERE id = ?").run(to, id);
}

/** True when this run began before: it was interrupted, or it ended and its result was lost on the way. */
export function isKnownRun({ db }: ClsStore, runId: string): boolean {
  return db.prepare("SELECT 1 FROM runs WHERE run_id = ?").get(runId) !== undefined;
}

export function beginRun({ db }: ClsStore, runId: string, at: string): void {
  db.prepare(
    `INSERT INTO runs (run_id, started_at) VALUES (?, ?)
     ON CONFLICT (run_id) DO UPDATE SET started_at = excluded.started_at, finished_at = NULL`,
  ).run(runId, at);
}

export function finishRun({ db }: ClsStore, runId: string, at: string): void {
  db.prepare("UPDATE runs SET finished_at = ? WHERE run_id = ?").run(at, runId);
}

/** Empties the store inside the caller's transaction. */
export function wipeStore(store: ClsStore): void {
  const { db } = store;
  for (const table of keptTables(store)) db.exec(`DROP TABLE ${table}`);
  for (const table of ["rows", "events", "changes", "replaced", "pending", "files", "runs"]) {
    db.exec(`DELETE FROM ${table}`);
  }
  db.prepare("UPDATE meta SET value = ? WHERE name = 'store_id'").run(randomUUID());
}

/** Tables of rows that full files put aside. */
function keptTables({ db }: ClsStore): string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'rows_before_*'")
    .pluck()
    .all() as string[];
}

/** Drops what could undo files applied before `before` (ISO time), and rows put aside by any full file but the last. */
export function pruneUndo(store: ClsStore, before: string): void {
  const { db } = store;
  const old = db
    .prepare("SELECT id FROM files WHERE applied_at < ? AND undoable = 1")
    .pluck()
    .all(before) as number[];
  const last = currentFull(store);
  const kept = last?.undoable === true && !old.includes(last.id) ? rowsBefore(last.id) : null;
  const dropped = keptTables(store).filter((table) => table !== kept);
  if (old.length === 0 && dropped.length === 0) return;
  db.transaction(() => {
    const forget = db.prepare("DELETE FROM replaced WHERE by_file = ?");
    const mark = db.prepare("UPDATE files SET undoable = 0 WHERE id = ?");
    for (const id of old) {
      forget.run(id);
      mark.run(id);
    }
    for (const table of dropped) db.exec(`DROP TABLE ${table}`);
  }).immediate();
}

function lastFullId({ db }: ClsStore): number | null {
  const id = db
    .prepare("SELECT MAX(id) FROM files WHERE kind = 'full' AND state = 'applied'")
    .pluck()
    .get();
  return typeof id === "number" ? id : null;
}

/** The full file that the stored rows were built from. */
export function currentFull(store: ClsStore): StoredFile | null {
  const id = lastFullId(store);
  return id === null ? null : fileById(store, id);
}

/** Distinct keys that increments made or changed, the files given by id. */
export function countKeys(
  { db }: ClsStore,
  fileIds: readonly number[],
): { made: number; updated: number } {
  const count = (events: string): number =>
    Number(
      db
        .prepare(
          `SELECT COUNT(DISTINCT key) FROM events
           WHERE file IN (SELECT value FROM json_each(?)) AND event IN (${events})`,
        )
        .pluck()
        .get(JSON.stringify(fileIds)),
    );
  return { made: count("'new'"), updated: count("'updated', 'updated_same'") };
}

/** Keys that several of these files changed, with the names of the files in order. */
export function keysOfSeveralFiles(
  { db }: ClsStore,
  fileIds: readonly number[],
): { key: string; files: string[] }[] {
  const lines = db
    .prepare(
      `SELECT e.key AS key, json_group_array(DISTINCT f.name ORDER BY f.id) AS files
       FROM events e JOIN files f ON f.id = e.file
       WHERE e.file IN (SELECT value FROM json_each(?))
         AND e.event IN ('new', 'updated', 'updated_same')
       GROUP BY e.key HAVING COUNT(DISTINCT e.file) > 1 ORDER BY e.key`,
    )
    .all(JSON.stringify(fileIds)) as { key: string; files: string }[];
  return lines.map(({ key, files }) => ({ key, files: JSON.parse(files) as string[] }));
}
