import { AppError } from "../../../shared/errors.ts";
import {
  currentFull,
  fileById,
  markUndone,
  type StoredFile,
  storedFiles,
  type UndoResult,
} from "./file-store.ts";
import { bumpVersion, type ClsStore, countRows } from "./store.ts";
import { ROWS_INDEXES } from "./store-schema.ts";
import { rowsBefore } from "./sync-apply.ts";
import { type LaterFile, planUndo } from "./undo-plan.ts";

export interface UndoOrder {
  /** The task that does it: a second execution of it answers what the first one did. */
  readonly taskId: string;
  readonly reason: string;
  /** ISO time. */
  readonly at: string;
  /** Leaves keys that a later file touched as that file left them, instead of refusing. */
  readonly keepLater: boolean;
  /** Lets the next sync apply the file again. */
  readonly again: boolean;
  /** Takes everything back at the end; what it did is told all the same. */
  readonly dryRun: boolean;
  /** Called for each key; rejects to stop, and then nothing has changed. */
  readonly tick?: (done: number, total: number) => void | Promise<void>;
}

/**
 * Takes back what one applied file changed, in one transaction. The next sync leaves the file alone, unless `again`, which
 * also a file that is undone already may be asked for. Increments can be undone in any order that no key forbids, a full
 * file only while it is the last one applied. The caller holds the root's lock.
 * Fails with `cls-undo-refused`, `cls-undo-needs-later`, or as `tick`.
 */
export async function undoFile(
  store: ClsStore,
  fileId: number,
  order: UndoOrder,
): Promise<UndoResult> {
  const { db } = store;
  // The transaction stays open over awaits; the connection belongs to this act alone.
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = await undoInside(store, fileId, order);
    db.exec(order.dryRun ? "ROLLBACK" : "COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

async function undoInside(store: ClsStore, fileId: number, order: UndoOrder): Promise<UndoResult> {
  const file = fileById(store, fileId);
  if (file === null) throw refused(`File ${fileId}`, "it was never applied");
  const { undone } = file;
  if (file.state === "undone" && undone !== null) {
    if (order.again && !isForgotten(file)) {
      forgetFile(store, fileId);
      return { ...undone.result, storedRows: countRows(store) };
    }
    if (undone.taskId !== order.taskId) throw refused(file.name, "it is undone already");
    return undone.result;
  }
  const plan = planUndo(
    { file, later: laterFiles(store, file), rowsKept: rowsAreKept(store, file) },
    order.keepLater,
  );
  if (plan.act === "refuse") throw new AppError(plan.code, { file: file.name, what: plan.what });
  const keys =
    file.kind === "full" ? undoFull(store, file) : await undoIncrement(store, file, order.tick);
  const result = { ...keys, file: file.name, storedRows: countRows(store) };
  markUndone(store, file.id, { ...order, result });
  if (order.again) forgetFile(store, file.id);
  bumpVersion(store);
  return result;
}

const FORGOTTEN = "forgotten:";

/** True when the next sync applies an undone content again. */
export function isForgotten({ sha256 }: Pick<StoredFile, "sha256">): boolean {
  return sha256.startsWith(FORGOTTEN);
}

/** Lets the next sync apply an undone content again. Fails with `cls-undo-refused` when it is not undone. */
function forgetFile(store: ClsStore, fileId: number): void {
  const { changes } = store.db
    .prepare(
      "UPDATE files SET sha256 = ? || sha256 WHERE id = ? AND state = 'undone' AND sha256 NOT GLOB ?",
    )
    .run(FORGOTTEN, fileId, `${FORGOTTEN}*`);
  if (changes === 0) throw refused(`File ${fileId}`, "it is not undone");
}

function refused(file: string, what: string): AppError {
  return new AppError("cls-undo-refused", { file, what });
}

/**
 * The files applied after an increment with the keys of it that they have rows for, taken or not; after a full file, all of
 * them, with no keys counted.
 */
export function laterFiles(store: ClsStore, file: StoredFile): LaterFile[] {
  const later = storedFiles(store).filter(({ id, state }) => id > file.id && state === "applied");
  if (file.kind === "full") return later.map(({ name }) => ({ name, keys: 0 }));
  const count = store.db
    .prepare(
      `SELECT COUNT(DISTINCT key) FROM events WHERE file = @later AND event <> 'filtered' AND key IN (
         SELECT key FROM events WHERE file = @file AND event IN ('new', 'updated', 'updated_same')
         UNION SELECT key FROM events JOIN pending USING (file, row, key) WHERE file = @file AND decision = 'take')`,
    )
    .pluck();
  return later.map(({ id, name }) => ({
    name,
    keys: Number(count.get({ later: id, file: file.id })),
  }));
}

/** False when what undoing a full file needs was dropped; an increment's rows are told by `undoable`. */
export function rowsAreKept({ db }: ClsStore, { id, kind }: StoredFile): boolean {
  if (kind === "increment") return true;
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(rowsBefore(id));
  return table !== undefined;
}

type UndoneKeys = Pick<UndoResult, "restored" | "removed" | "keptByLater">;

function undoFull(store: ClsStore, file: StoredFile): UndoneKeys {
  const { db } = store;
  const keysOf = (table: string): number =>
    Number(db.prepare(`SELECT COUNT(DISTINCT key) FROM ${table}`).pluck().get());
  const removed = keysOf("rows");
  db.exec(
    `DROP TABLE rows; ALTER TABLE ${rowsBefore(file.id)} RENAME TO rows; ${ROWS_INDEXES.join("")}`,
  );
  db.prepare(
    "UPDATE files SET state = 'applied', superseded_by = NULL WHERE superseded_by = ?",
  ).run(file.id);
  return { restored: keysOf("rows"), removed, keptByLater: 0 };
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

async function undoIncrement(
  store: ClsStore,
  file: StoredFile,
  tick: UndoOrder["tick"],
): Promise<UndoneKeys> {
  const keys = store.db
    .prepare(
      "SELECT DISTINCT key FROM events WHERE file = ? AND event NOT IN ('older', 'filtered') ORDER BY key",
    )
    .pluck()
    .all(file.id) as string[];
  const history = createHistory(store);
  const result = { restored: 0, removed: 0, keptByLater: 0 };
  for (const [done, key] of keys.entries()) {
    await tick?.(done, keys.length);
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
