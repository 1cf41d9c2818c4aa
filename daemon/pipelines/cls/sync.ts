import { join } from "node:path";
import { describe } from "../../../shared/errors.ts";
import { BLANK_PERMITTED_FILE, readBlankPermitted } from "./checks.ts";
import {
  beginRun,
  countKeys,
  currentFull,
  finishRun,
  isKnownRun,
  keysOfSeveralFiles,
  pruneUndo,
} from "./file-store.ts";
import { lockOptions, withLockedStore } from "./locked-store.ts";
import type { CLSPipelineResult, ClsContext, ClsFileResult, ClsParams } from "./params.ts";
import { listReports, type ReportFolder } from "./report-folder.ts";
import { type ClsStore, clsStoreExists, countRows } from "./store.ts";
import { addCounts, zeroCounts } from "./sync-counts.ts";
import { type FileOutcome, processFile, type SyncRun } from "./sync-file.ts";
import { createReporter } from "./sync-progress.ts";

/** Undo needs the rows as they were; they are kept this long. */
const UNDO_DAYS = 14;
const DAY_MS = 86_400_000;
const EXAMPLES = 5;

/**
 * Brings the store of a root up to date with its 0031 reports: full files first, then increments by day, each in a
 * transaction of its own. Inputs are only read, unless `archive` is set. Two runs on one root wait for each other.
 * Fails with `cls-folder-missing`, `cls-store-unusable`, `disk-full`, or the reason of the signal; a file that cannot be
 * read fails alone and is told in the result. A run that was killed and starts again with its `runId` gives the same result.
 */
export async function runSync(
  params: ClsParams,
  ctx: ClsContext,
  look: SyncLook = () => undefined,
): Promise<CLSPipelineResult> {
  const began = performance.now();
  const folder = await listReports(params.root);
  const { dataDir } = ctx;
  return await withLockedStore(
    dataDir,
    params.root,
    lockOptions(ctx),
    (store) => syncStore(store, folder, params, ctx, { began, look }),
    () => ({ temporary: params.dryRun && !clsStoreExists(dataDir, params.root) }),
  );
}

/** Sees what became of the files while it stands in the store: a dry run takes it back right afterwards. */
export type SyncLook = (store: ClsStore, outcomes: readonly FileOutcome[]) => void;

async function syncStore(
  store: ClsStore,
  folder: ReportFolder,
  params: ClsParams,
  ctx: ClsContext,
  { began, look }: { readonly began: number; readonly look: SyncLook },
): Promise<CLSPipelineResult> {
  const resumed = !params.dryRun && isKnownRun(store, ctx.runId);
  const warnings = folder.unknown.map((name) => `${name} is no 0031 report and was left alone`);
  const run: SyncRun = {
    store,
    params,
    ctx,
    resumed,
    blankPermitted: await permittedItems(params.root, warnings),
    reporter: createReporter(ctx, folder.files.length),
    wipe: params.fresh && !resumed,
  };
  if (!params.dryRun && !run.wipe) {
    pruneUndo(store, new Date(Date.now() - UNDO_DAYS * DAY_MS).toISOString());
    beginRun(store, ctx.runId, new Date().toISOString());
  }
  // A dry run does everything and takes it back, so that each file is judged after those before it.
  if (params.dryRun) store.db.exec("BEGIN IMMEDIATE");
  try {
    const outcomes = await processAll(run, folder, warnings);
    const result = summarize(run, folder, outcomes, warnings);
    look(store, outcomes);
    if (!params.dryRun) finishRun(store, ctx.runId, new Date().toISOString());
    return { ...result, durationMs: performance.now() - began };
  } finally {
    if (store.db.inTransaction) store.db.exec("ROLLBACK");
  }
}

/** A missing or unreadable list only weakens a warning, so it is one itself. */
async function permittedItems(root: string, warnings: string[]): Promise<ReadonlySet<string>> {
  try {
    return await readBlankPermitted(join(root, "ref_files"));
  } catch (error) {
    warnings.push(
      `No list of items with a permitted blank Vendor Catalogue (ref_files/${BLANK_PERMITTED_FILE}): ${describe(error)}`,
    );
    return new Set();
  }
}

async function processAll(
  run: SyncRun,
  folder: ReportFolder,
  warnings: string[],
): Promise<FileOutcome[]> {
  const outcomes: FileOutcome[] = [];
  let incrementsApplied = 0;
  for (const [index, file] of folder.files.entries()) {
    run.ctx.signal.throwIfAborted();
    run.reporter.beginFile(file.name, index);
    const outcome = await processFile(run, file, incrementsApplied);
    if (outcome.status === "applied" && file.kind === "increment") incrementsApplied += 1;
    if (outcome.status === "failed") warnings.push(`${file.name} failed: ${outcome.reason}`);
    warnings.push(...outcome.warnings.map((text) => `${file.name}: ${text}`));
    outcomes.push(outcome);
  }
  const waiting = outcomes.filter((outcome) => outcome.waits).map(({ name }) => name);
  if (waiting.length > 0) {
    const { maxIncrements } = run.params;
    warnings.push(
      `${waiting.length} increment(s) wait for the next run (more than ${maxIncrements}): ${waiting.join(", ")}`,
    );
  }
  if (run.wipe && run.params.fresh) {
    warnings.push(
      "No file could be applied, so the former store was kept although a fresh one was asked for",
    );
  }
  return outcomes;
}

function summarize(
  run: SyncRun,
  folder: ReportFolder,
  outcomes: readonly FileOutcome[],
  warnings: string[],
): Omit<CLSPipelineResult, "durationMs"> {
  const { store } = run;
  const sum = zeroCounts();
  for (const { counts } of outcomes) addCounts(sum, counts);
  const { duplicateKeys, updatedSame: _updated, skippedSame: _skipped, ...counts } = sum;
  const applied = outcomes.flatMap(({ fileId }) => (fileId === null ? [] : [fileId]));
  const keys = countKeys(store, applied);
  if (folder.files.length === 0) warnings.push("There is no 0031 report in reports/0031");
  else if (currentFull(store) === null) warnings.push("No full file was applied to this store");
  const several = applied.length > 1 ? keysOfSeveralFiles(store, applied) : [];
  if (several.length > 0) {
    const named = several.slice(0, EXAMPLES).map(({ key, files }) => `${key} (${files.length})`);
    const more = several.length > EXAMPLES ? "; …" : "";
    warnings.push(`${several.length} key(s) touched by several files: ${named.join("; ")}${more}`);
  }
  return {
    phase: "sync",
    ...counts,
    warnings,
    artifacts: [],
    finalRows: countRows(store),
    keysNew: keys.made,
    keysUpdated: keys.updated,
    duplicateKeys,
    files: outcomes.map(toResult),
  };
}

function toResult({ name, status, reason, counts }: FileOutcome): ClsFileResult {
  const { rowsNew, rowsUpdated, rowsSkipped, rowsConflict, rowsReview, rowsFiltered } = counts;
  const rows = { rowsNew, rowsUpdated, rowsSkipped, rowsConflict, rowsReview, rowsFiltered };
  return { name, status, ...(reason === undefined ? {} : { reason }), ...rows };
}
