import { statSync } from "node:fs";
import { AppError, describe } from "../../shared/errors.ts";
import { unavailableBecause } from "../db/failure.ts";
import { openDatabase } from "../db/open.ts";
import type { AuditState } from "./messages.ts";
import { createWriter, type Writer } from "./writer.ts";

/** Holds the database open while it can be used, and says when it cannot. */
export interface DatabaseKeeper {
  readonly state: AuditState;
  /**
   * Runs a transaction. Throws `audit-store-unavailable` when the database cannot be used; anything else that is thrown
   * is about the work itself, which was rolled back.
   */
  transaction<T>(durable: boolean, work: (writer: Writer) => T): T;
  /** The writer while the database is open, for what needs no transaction. */
  writer(): Writer | null;
  /** Tries to use the database again; true when it can be used. */
  retry(): boolean;
  /** Moves the log of changes into the database file when nothing was written for that long. */
  checkpointWhenIdle(idleMs: number): void;
  close(): void;
}

export interface KeeperDeps {
  readonly file: string;
  readonly now: () => number;
  readonly onState: (state: AuditState) => void;
  /** A database was opened: the first one, one after an outage, or a new one in the place of a deleted file. */
  readonly onOpened: (writer: Writer) => void;
}

const OK: AuditState = { kind: "ok" };

/** Opens at once. Throws only what a person must settle: `audit-store-corrupt` and `audit-store-newer`. */
export function createDatabaseKeeper(deps: KeeperDeps): DatabaseKeeper {
  const { file, now } = deps;
  let open: { readonly writer: Writer; readonly inode: bigint } | null = null;
  let state: AuditState = { kind: "unavailable", cause: "it was not opened yet" };
  /** When the last transaction ended; null when all is in the database file. */
  let wroteAtMs: number | null = null;

  function become(next: AuditState): void {
    const same = JSON.stringify(next) === JSON.stringify(state);
    state = next;
    if (!same) deps.onState(next);
  }

  function closeNow(): void {
    const writer = open?.writer;
    open = null;
    try {
      writer?.close();
    } catch {
      // Ignored: a database that cannot be written may fail to close; its descriptor is released either way.
    }
  }

  function fail(cause: string, error?: unknown): AppError {
    closeNow();
    become({ kind: "unavailable", cause });
    return new AppError("audit-store-unavailable", { what: cause, file }, error);
  }

  function openNow(): Writer {
    let writer: Writer | null = null;
    try {
      const db = openDatabase(file);
      writer = createWriter(db, now);
      open = { writer, inode: statSync(file, { bigint: true }).ino };
    } catch (error) {
      if (error instanceof AppError && error.code !== "audit-store-unavailable") throw error;
      throw fail(
        error instanceof AppError
          ? String(error.details["what"])
          : (unavailableBecause(error) ?? describe(error)),
        error,
      );
    }
    become(OK);
    deps.onOpened(writer);
    return writer;
  }

  /** Writing to a file whose name was deleted would succeed and be lost: so the name is looked at each time. */
  function usable(): Writer {
    if (open === null) {
      if (state.kind === "unavailable") throw fail(state.cause);
      return openNow();
    }
    const { inode, writer } = open;
    if (statSync(file, { bigint: true, throwIfNoEntry: false })?.ino === inode) return writer;
    closeNow();
    return openNow();
  }

  try {
    openNow();
  } catch (error) {
    // Ignored when it may pass (locked, full, not writable): the daemon starts without and tries again.
    if (!(error instanceof AppError && error.code === "audit-store-unavailable")) throw error;
  }

  return {
    get state() {
      return state;
    },
    transaction(durable, work) {
      const writer = usable();
      try {
        const value = writer.transaction(durable, () => work(writer));
        wroteAtMs = performance.now();
        return value;
      } catch (error) {
        const cause = unavailableBecause(error);
        throw cause === null ? error : fail(cause, error);
      }
    },
    writer: () => open?.writer ?? null,
    retry() {
      if (state.kind === "ok") return true;
      try {
        openNow();
        return true;
      } catch (error) {
        become({ kind: "unavailable", cause: describe(error) });
        return false;
      }
    },
    checkpointWhenIdle(idleMs) {
      if (wroteAtMs === null || performance.now() - wroteAtMs < idleMs) return;
      wroteAtMs = null;
      try {
        open?.writer.checkpoint();
      } catch {
        // Ignored: what cannot be moved now stays in the log, where it is as safe; the next write shows what is wrong.
      }
    },
    close: closeNow,
  };
}
