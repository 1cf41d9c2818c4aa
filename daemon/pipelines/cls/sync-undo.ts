import { AppError } from "../../../shared/errors.ts";
import { currentFull, fileById, type StoredFile, storedFiles } from "./file-store.ts";
import { bumpVersion, type ClsStore } from "./store.ts";
import { ROWS_INDEXES } from "./store-schema.ts";
import { rowsBefore } from "./sync-apply.ts";

/** What undoing a file did, in keys. */
export interface UndoResult {
  readonly file: string;
  /** Keys that have their former rows again. */
  readonly restored: number;
  /** Keys that only this file had brought. */
  readonly removed: number;
  /** Keys that a later file changed again: they stay as that file left them. */
  readonly keptByLater: number;
}

/**
 * Takes back what one applied file changed, in one transaction. The file is not applied again by the next sync
 * (`forgetFile` allows it). Increments can be undone in any order; a full file only while it is the last one applied.
 * The caller holds the root's lock. Fails with `cls-undo-refused`.
 */
export function undoFile(store: ClsStore, fileId: number): UndoResult {
  const file = fileById(store, fileId);
  if (file === null) throw refused(`File ${fileId}`, "it was never applied");
  if (file.state !== "applied") throw refused(file.name, `it is ${file.state}`);
  const { db } = store;
  return db
    .transaction(() => {
      const result = file.kind === "full" ? undoFull(store, file) : undoIncrement(store, file);
      db.prepare("UPDATE files SET state = 'undone' WHERE id = ?").run(file.id);
      bumpVersion(store);
      return result;
    })
    .immediate();
}

/** Lets the next sync apply an undone content again. Fails with `cls-undo-refused` when it is not undone. */
export function forgetFile(store: ClsStore, fileId: number): void {
  const { changes } = store.db
    .prepare(
      "UPDATE files SET sha256 = 'forgotten:' || sha256 WHERE id = ? AND state = 'undone' AND sha256 NOT LIKE 'forgotten:%'",
    )
    .run(fileId);
  if (changes === 0) throw refused(`File ${fileId}`, "it is not undone");
}

function refused(file: string, what: string): AppError {
  return new AppError("cls-undo-refused", { file, what });
}

function undoFull(store: ClsStore, file: StoredFile): UndoResult {
  const { db } = store;
  const later = storedFiles(store).filter(({ id, state }) => id > file.id && state === "applied");
  if (later.length > 0) {
    throw refused(file.name, `${later.map(({ name }) => name).join(", ")} was applied after it`);
  }
  const before = rowsBefore(file.id);
  const kept = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(before);
  if (kept === undefined) throw refused(file.name, "the rows from before it are no longer kept");
  const keysOf = (table: string): number =>
    Number(db.prepare(`SELECT COUNT(DISTINCT key) FROM ${table}`).pluck().get());
  const removed = keysOf("rows");
  db.exec(`DROP TABLE rows; ALTER TABLE ${before} RENAME TO rows; ${ROWS_INDEXES.join("")}`);
  db.prepare(
    "UPDATE files SET state = 'applied', superseded_by = NULL WHERE superseded_by = ?",
  ).run(file.id);
  return { file: file.name, restored: keysOf("rows"), removed, keptByLater: 0 };
}

/** A row as `rows` and `replaced` keep it; `id` is its id in `rows`. */
interface KeptRow {
  readonly id: number;
  readonly key: string;
  readonly day: string | null;
  readonly price1: number | null;
  readonly file: number;
  readonly row: number;
  readonly layout: number;
  readonly vendor: string | null;
  readonly contract: string | null;
  readonly catalogue: string | null;
  readonly cells: string;
}

interface ReplacedRow extends KeptRow {
  readonly by_file: number;
  readonly by_row: number;
}

/** All rows that a key had at one time; several only when a full file brought them. */
type State = readonly KeptRow[];

const KEPT = "key, day, price1, file, row, layout, vendor, contract, catalogue, cells";
const KEPT_VALUES =
  "@key, @day, @price1, @file, @row, @layout, @vendor, @contract, @catalogue, @cells";

function undoIncrement(store: ClsStore, file: StoredFile): UndoResult {
  if (!file.undoable) throw refused(file.name, "the rows it replaced are no longer kept");
  const { db } = store;
  const keys = db
    .prepare(
      "SELECT DISTINCT key FROM events WHERE file = ? AND event NOT IN ('older', 'filtered') ORDER BY key",
    )
    .pluck()
    .all(file.id) as string[];
  const history = createHistory(store);
  const result = { file: file.name, restored: 0, removed: 0, keptByLater: 0 };
  for (const key of keys) {
    const states = history.read(key);
    const left = states.filter((state) => state[0]?.file !== file.id);
    if (left.length === states.length) continue;
    history.write(key, left);
    if (left.length === 0) result.removed += 1;
    else if (left.at(-1) === states.at(-1)) result.keptByLater += 1;
    else result.restored += 1;
  }
  return result;
}

/** The states of a key one after another, the stored one last. */
function createHistory(store: ClsStore) {
  const { db } = store;
  // What was replaced before the full file belongs to rows that it took away.
  const base = currentFull(store)?.id ?? 0;
  const replaced = db.prepare(
    `SELECT row_id AS id, by_file, by_row, ${KEPT} FROM replaced WHERE key = ? AND by_file > ? ORDER BY replaced.id`,
  );
  const stored = db.prepare(`SELECT id, ${KEPT} FROM rows WHERE key = ? ORDER BY id`);
  const forget = db.prepare("DELETE FROM replaced WHERE key = ? AND by_file > ?");
  const remove = db.prepare("DELETE FROM rows WHERE key = ?");
  const keep = db.prepare(
    `INSERT INTO replaced (by_file, by_row, row_id, ${KEPT}) VALUES (@byFile, @byRow, @id, ${KEPT_VALUES})`,
  );
  const hasId = db.prepare("SELECT 1 FROM rows WHERE id = ?");
  const restore = db.prepare(`INSERT INTO rows (id, ${KEPT}) VALUES (@id, ${KEPT_VALUES})`);
  return {
    read(key: string): State[] {
      const states: KeptRow[][] = [];
      let by = "";
      for (const { by_file, by_row, ...row } of replaced.all(key, base) as ReplacedRow[]) {
        if (`${by_file}:${by_row}` !== by) states.push([]);
        by = `${by_file}:${by_row}`;
        states.at(-1)?.push(row);
      }
      const now = stored.all(key) as KeptRow[];
      return now.length === 0 ? states : [...states, now];
    },
    write(key: string, states: readonly State[]): void {
      forget.run(key, base);
      remove.run(key);
      for (const [index, state] of states.entries()) {
        const next = states[index + 1]?.[0];
        for (const row of state) {
          if (next !== undefined) keep.run({ ...row, byFile: next.file, byRow: next.row });
          // Another row may have got the id since, when it had been the greatest.
          else restore.run({ ...row, id: hasId.get(row.id) === undefined ? row.id : null });
        }
      }
    },
  };
}
