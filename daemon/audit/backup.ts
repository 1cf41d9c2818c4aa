import { chmodSync, renameSync, rmSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { AppError, describe } from "../../shared/errors.ts";
import { unavailableBecause } from "../db/failure.ts";
import { openReadOnly } from "../db/open.ts";

const DAMAGED =
  "the audit database is damaged; stop the daemon, then restore an older backup or move the file away";
/** All pages in one step: a backup in several begins anew whenever the writer has written between two of them. */
const ALL_PAGES = 0x7fff_ffff;

/**
 * Copies the whole database as it is at one instant into `path` (0600), and checks the copy. What was at `path` stays
 * until the copy is good. Throws `audit-store-unavailable`, or `backup-failed` when it cannot be written or fails its check.
 */
export async function backUp(file: string, path: string): Promise<{ bytes: number }> {
  const partial = `${path}.partial`;
  const db = openReadOnly(file);
  try {
    await db.backup(partial, { progress: () => ALL_PAGES });
    chmodSync(partial, 0o600);
    checkCopy(partial, path);
    renameSync(partial, path);
    return { bytes: statSync(path).size };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const what = unavailableBecause(error) ?? describe(error);
    throw new AppError("backup-failed", { file: path, what }, error);
  } finally {
    db.close();
    for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(partial + end, { force: true });
  }
}

function checkCopy(file: string, path: string): void {
  const copy = new Database(file);
  try {
    // Without a log of changes beside it the backup is one file.
    copy.pragma("journal_mode = DELETE");
    const answer = String(copy.pragma("integrity_check(1)", { simple: true }));
    if (answer !== "ok") throw new AppError("backup-failed", { file: path, what: DAMAGED });
  } finally {
    copy.close();
  }
}
