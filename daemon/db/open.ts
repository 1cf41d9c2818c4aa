import { chmodSync, closeSync, copyFileSync, existsSync, openSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { AppError, describe } from "../../shared/errors.ts";
import { isDamage, unavailableBecause } from "./failure.ts";
import { migrate } from "./migrate.ts";

/** How long a writer waits for another process's lock: the thread also follows the journal and must not stand still. */
const BUSY_TIMEOUT_MS = 200;
/** 4 KiB pages. Fewer, larger checkpoints write a page that changes often only once. */
const CHECKPOINT_PAGES = 4000;
const CACHE_KIB = 32_768;

/**
 * Opens the database for writing and brings its schema up to date: WAL, `synchronous=FULL`, readable by its owner only.
 * Throws `audit-store-corrupt` after keeping a copy beside it, `audit-store-newer`, or `audit-store-unavailable`.
 */
export function openDatabase(file: string): Database.Database {
  let db: Database.Database | null = null;
  try {
    createPrivate(file);
    db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.pragma(`cache_size = -${CACHE_KIB}`);
    db.pragma("journal_size_limit = 67108864");
    migrate(db);
    probe(db);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof AppError) throw error;
    if (isDamage(error)) throw corrupt(file, error);
    const what = unavailableBecause(error);
    if (what === null) throw error;
    throw new AppError("audit-store-unavailable", { what, file }, error);
  }
}

/** A connection that can only read. Throws `audit-store-unavailable` when the file is missing or cannot be opened. */
export function openReadOnly(file: string): Database.Database {
  try {
    return new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    const what = unavailableBecause(error) ?? describe(error);
    throw new AppError("audit-store-unavailable", { what, file }, error);
  }
}

/** SQLite gives its `-wal` and `-shm` files the mode of the database, so one private file makes three. */
function createPrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
}

/** Reads both ends of what is used first and takes the write lock once, so that a bad file is met at the start. */
function probe(db: Database.Database): void {
  db.prepare("SELECT 1 FROM task_audit ORDER BY row DESC LIMIT 1").get();
  db.prepare("SELECT hash FROM task_event ORDER BY seq DESC LIMIT 1").get();
  db.exec("BEGIN IMMEDIATE; UPDATE meta SET value = value WHERE key = 'cursor'; COMMIT");
}

/** The copy is named by the file's last change: starting again and again keeps one copy. */
function corrupt(file: string, error: unknown): AppError {
  const changed = statSync(file).mtime.toISOString().replaceAll(":", "-");
  const copy = `${file}.corrupt-${changed}`;
  if (!existsSync(copy)) copyFileSync(file, copy);
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
  return new AppError("audit-store-corrupt", { file, what: describe(error), copy }, error);
}
