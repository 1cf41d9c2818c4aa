import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import * as z from "zod";
import { rootBase } from "./store.ts";

/** Who holds a root: written beside the lock for people and for those who wait. */
const lockHolder = z.object({ runId: z.string(), pid: z.number().int(), since: z.string() });
export type LockHolder = z.output<typeof lockHolder>;

export interface LockOptions {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Called when the root is held by another run, first at once and then each second. Null: the holder is not known yet. */
  onWait(holder: LockHolder | null, waitedMs: number): void;
}

export interface RootLock {
  release(): void;
}

const POLL_MS = 50;
const NOTICE_MS = 1000;

/**
 * Waits until no other run works on this root and holds it. The lock is an exclusive SQLite transaction, which the
 * operating system drops with its process, so a killed run never blocks the next. Rejects with the signal's reason.
 */
export async function lockRoot(
  dataDir: string,
  root: string,
  options: LockOptions,
): Promise<RootLock> {
  const base = rootBase(dataDir, root);
  mkdirSync(dirname(base), { recursive: true });
  const db = new Database(`${base}.lock`, { timeout: 0 });
  try {
    const began = performance.now();
    let noticeAt = 0;
    while (!tryLock(db)) {
      const waitedMs = performance.now() - began;
      if (waitedMs >= noticeAt) {
        options.onWait(lockHolderOf(dataDir, root), waitedMs);
        noticeAt = waitedMs + NOTICE_MS;
      }
      options.signal.throwIfAborted();
      await delay(POLL_MS);
    }
    options.signal.throwIfAborted();
    writeHolder(`${base}.holder.json`, options.runId);
  } catch (error) {
    db.close();
    throw error;
  }
  return { release: () => db.close() };
}

/** The holder of a root as last written; it may have ended since. Null when nothing is written or it cannot be read. */
export function lockHolderOf(dataDir: string, root: string): LockHolder | null {
  try {
    return lockHolder.parse(
      JSON.parse(readFileSync(`${rootBase(dataDir, root)}.holder.json`, "utf8")),
    );
  } catch {
    // Ignored: the holder's name only serves a message; without it the wait goes on.
    return null;
  }
}

function tryLock(db: Database.Database): boolean {
  try {
    db.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
}

/** Renamed into place, so that a reader never sees half of it. */
function writeHolder(file: string, runId: string): void {
  const holder: LockHolder = { runId, pid: process.pid, since: new Date().toISOString() };
  writeFileSync(`${file}.new`, JSON.stringify(holder));
  renameSync(`${file}.new`, file);
}
