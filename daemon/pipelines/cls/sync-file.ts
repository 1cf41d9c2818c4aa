import { AppError } from "../../../shared/errors.ts";
import {
  addFile,
  beginRun,
  closeFile,
  currentFull,
  fileBySha,
  markMoved,
  type StoredFile,
  supersedeBefore,
  wipeStore,
} from "./file-store.ts";
import type { ClsContext, ClsParams } from "./params.ts";
import { hashFile, moveToArchive } from "./report-folder.ts";
import { bumpVersion, type ClsStore } from "./store.ts";
import { type Applied, applyFile, type FoundFile, fileStamp } from "./sync-apply.ts";
import { type SyncCounts, zeroCounts } from "./sync-counts.ts";
import { decideFile, type FileDecision, type ReportFile } from "./sync-plan.ts";
import type { Reporter } from "./sync-progress.ts";

/** What all files of a run share. */
export interface SyncRun {
  readonly store: ClsStore;
  readonly params: ClsParams;
  readonly ctx: ClsContext;
  /** This run began before and was interrupted. */
  readonly resumed: boolean;
  readonly blankPermitted: ReadonlySet<string>;
  readonly reporter: Reporter;
  /** The store is still to be emptied, together with the first file that is applied. */
  wipe: boolean;
}

export interface FileOutcome {
  readonly name: string;
  readonly status: "applied" | "failed" | "skipped";
  readonly reason?: string;
  /** Its id in the store when this run applied it. */
  readonly fileId: number | null;
  /** Left for the next run because there are too many. */
  readonly waits: boolean;
  readonly counts: SyncCounts;
  readonly warnings: readonly string[];
}

/** One file's turn. Only a failure of the store, or the signal, makes it throw. */
export async function processFile(
  run: SyncRun,
  file: ReportFile & { readonly path: string },
  incrementsApplied: number,
): Promise<FileOutcome> {
  try {
    const stamp = await fileStamp(file.path).catch((error: unknown) => {
      throw new AppError("cls-file-unreadable", { file: file.path, what: "it is gone" }, error);
    });
    const found: FoundFile = {
      ...file,
      stamp,
      sha256: await hashFile(file.path, () => run.reporter.rows(0)),
    };
    const known = run.wipe ? null : fileBySha(run.store, found.sha256);
    const decision = decide(run, found, known, incrementsApplied);
    if (decision.act === "skip" || decision.act === "wait") {
      const moved = known?.state === "applied" ? await archive(run, found, known.id) : [];
      const skipped = outcome(file, "skipped", decision.reason, zeroCounts(), moved);
      return { ...skipped, waits: decision.act === "wait" };
    }
    if (decision.act === "report" && known !== null) {
      const moved = await archive(run, found, known.id);
      const reported = [...known.warnings, ...moved];
      return { ...outcome(file, "applied", undefined, known.counts, reported), fileId: known.id };
    }
    const { id, counts, warnings } = await applyInTransaction(run, found);
    const moved = await archive(run, found, id);
    const applied = outcome(file, "applied", undefined, counts, [...warnings, ...moved]);
    return { ...applied, fileId: id };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "cls-file-unreadable") throw error;
    run.ctx.log("error", "cls.sync.file-failed", { file: file.name, what: error.message });
    return outcome(file, "failed", error.message, zeroCounts(), []);
  }
}

function outcome(
  { name }: ReportFile,
  status: FileOutcome["status"],
  reason: string | undefined,
  counts: SyncCounts,
  warnings: readonly string[],
): FileOutcome {
  const why = reason === undefined ? {} : { reason };
  return { name, status, ...why, fileId: null, waits: false, counts, warnings };
}

function decide(
  run: SyncRun,
  file: FoundFile,
  known: StoredFile | null,
  incrementsApplied: number,
): FileDecision {
  const full = run.wipe ? null : currentFull(run.store);
  const bySameRun = run.resumed && known?.runId === run.ctx.runId;
  return decideFile({
    file,
    known: known === null ? null : { ...known, bySameRun },
    currentFull: full,
    incrementsApplied,
    maxIncrements: run.params.maxIncrements,
  });
}

/** All or nothing: the savepoint is the transaction itself, or one step of a dry run's. */
async function applyInTransaction(
  run: SyncRun,
  file: FoundFile,
): Promise<Applied & { id: number }> {
  const { store, params, ctx, blankPermitted, reporter } = run;
  const { db } = store;
  const now = (): string => new Date().toISOString();
  db.exec("SAVEPOINT file");
  try {
    if (run.wipe) {
      wipeStore(store);
      beginRun(store, ctx.runId, now());
    }
    const id = addFile(store, file, ctx.runId, now());
    const deps = { store, params, blankPermitted, now, onRows: reporter.rows };
    const applied = await applyFile(deps, file, id);
    if (file.kind === "full") supersedeBefore(store, id);
    closeFile(store, id, applied.counts, applied.warnings, now());
    bumpVersion(store);
    reporter.step("committing");
    db.exec("RELEASE file");
    run.wipe = false;
    ctx.log("info", "cls.sync.file-applied", {
      file: file.name,
      dryRun: params.dryRun,
      ...applied.counts,
    });
    return { id, ...applied };
  } catch (error) {
    db.exec("ROLLBACK TO file");
    db.exec("RELEASE file");
    throw error;
  }
}

/** Moves the input when the setting says so. A move that fails is a warning: the file is applied all the same. */
async function archive(run: SyncRun, file: FoundFile, id: number): Promise<string[]> {
  if (!run.params.archive || run.params.dryRun) return [];
  try {
    markMoved(run.store, id, await moveToArchive(file.path));
    return [];
  } catch (error) {
    run.ctx.log("warn", "cls.sync.archive-failed", { file: file.name });
    return [`it could not be moved to archive/: ${error instanceof Error ? error.message : "?"}`];
  }
}
