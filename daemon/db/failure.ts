import Database from "better-sqlite3";
import { describe } from "../../shared/errors.ts";

/** Result codes (also as the head of an extended one) that say what is wrong with the file, the disk or its other users. */
const CAUSES: Readonly<Record<string, string>> = {
  SQLITE_BUSY: "another process has locked it",
  SQLITE_LOCKED: "another connection has locked it",
  SQLITE_FULL: "the disk is full",
  SQLITE_IOERR: "the disk failed to read or write",
  SQLITE_READONLY: "it is read-only",
  SQLITE_CANTOPEN: "it cannot be opened",
  SQLITE_PERM: "access to it is denied",
  SQLITE_NOMEM: "memory ran out",
  SQLITE_PROTOCOL: "its lock file does not answer",
  SQLITE_CORRUPT: "it is damaged: stop the daemon, then restore a backup or move the file away",
  SQLITE_NOTADB: "it is no database: stop the daemon, then restore a backup or move the file away",
};

const FILE_ERRORS = new Set(["ENOENT", "EACCES", "EPERM", "EROFS", "ENOSPC", "EIO", "ENOTDIR"]);

function codeOf(error: unknown): string | null {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : null;
}

/**
 * Why the database cannot be used now, as a clause for "The audit database cannot be used now: …";
 * null when the error is not about the database's file (a bug, a broken constraint).
 */
export function unavailableBecause(error: unknown): string | null {
  const code = codeOf(error);
  if (code === null) return null;
  if (error instanceof Database.SqliteError) {
    const known = Object.keys(CAUSES).find((head) => code === head || code.startsWith(`${head}_`));
    return known === undefined ? null : `${CAUSES[known]} (${code})`;
  }
  return FILE_ERRORS.has(code) ? `${describe(error)}` : null;
}

/** True when the file's content is not what SQLite wrote. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB");
}
