import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError, describe } from "../../shared/errors.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { makePrivateDirs } from "../make-private-dirs.ts";
import { isLeaseLive, readLease } from "./lease-file.ts";
import { isProcessAlive } from "./process-alive.ts";

/** The hold on a data directory. It ends with the process, however that ends. */
export interface DataDirLock {
  readonly dataDir: string;
  release(): void;
}

/**
 * Makes the data directory (0700) and holds it for this process alone. The hold is a lock of the operating system on
 * `lock.db`, taken by an exclusive transaction that stays open: a kill -9 frees it, and no stale file can block a start.
 * Throws `data-directory-unwritable`; `already-running` when a daemon holds it, `data-directory-locked` when the holder
 * has not told yet who it is.
 */
export function lockDataDir(dataDir: string): DataDirLock {
  makeDataDir(dataDir);
  const database = openLock(dataDir);
  return {
    dataDir,
    release() {
      if (!database.open) return;
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

function makeDataDir(dataDir: string): void {
  const probe = join(dataDir, `.writable-${process.pid}`);
  try {
    makePrivateDirs(dataDir);
    // The directory may be older than us and open to others; keys are going to live in it.
    chmodSync(dataDir, 0o700);
    writeFileSync(probe, "", { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    throw new AppError("data-directory-unwritable", { dataDir, what: describe(error) }, error);
  }
}

function openLock(dataDir: string): Database.Database {
  const file = join(dataDir, DATA_FILES.lock);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: 0 });
    // Kept in memory, so that the lock leaves no journal file behind.
    database.pragma("journal_mode = MEMORY");
    database.pragma("locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE");
    chmodSync(file, 0o600);
    return database;
  } catch (error) {
    database?.close();
    throw whyNotLocked(dataDir, error);
  }
}

function whyNotLocked(dataDir: string, error: unknown): AppError {
  const code = error instanceof Database.SqliteError ? error.code : "";
  if (!/^SQLITE_(BUSY|LOCKED)/.test(code))
    return new AppError(
      "data-directory-unwritable",
      { dataDir, what: `${DATA_FILES.lock}: ${describe(error)}` },
      error,
    );
  const lease = readLease(dataDir);
  if (lease !== null && isLeaseLive(lease, Date.now(), isProcessAlive))
    return new AppError("already-running", { dataDir, pid: lease.pid }, error);
  return new AppError("data-directory-locked", { dataDir, pid: lease?.pid ?? "unknown" }, error);
}
