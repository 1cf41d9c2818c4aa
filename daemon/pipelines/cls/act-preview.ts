import type { PreviewCounts, PreviewFile, PreviewResult } from "./act-params.ts";
import { servedByCheckout } from "./checkout.ts";
import { isPhaseFresh } from "./freshness.ts";
import type { ClsContext, ClsParams } from "./params.ts";
import { listReports } from "./report-folder.ts";
import { type ClsStore, clsStoreExists, countRows, openClsStore } from "./store.ts";
import { runSync } from "./sync.ts";
import { rowsBefore } from "./sync-apply.ts";
import type { SyncCounts } from "./sync-counts.ts";
import type { FileOutcome } from "./sync-file.ts";

const LATER = ["integrate", "classify", "export"] as const;

/**
 * What a sync with these parameters would do now, per file and for the phases after it. It does all of it and takes it back,
 * so that each file is judged after those before it; nothing is written but what the database sets aside meanwhile.
 * Fails as the sync itself would.
 */
export async function previewSync(params: ClsParams, ctx: ClsContext): Promise<PreviewResult> {
  const kinds = new Map((await listReports(params.root)).files.map((file) => [file.name, file]));
  const before = storedRows(params.root, ctx);
  const files: PreviewFile[] = [];
  const look = (store: ClsStore, outcomes: readonly FileOutcome[]): void => {
    for (const outcome of outcomes) {
      const { kind = "increment", day = "" } = kinds.get(outcome.name) ?? {};
      files.push({ ...toFile(outcome), kind, day, replaces: replaced(store, kind, outcome) });
    }
  };
  const result = await runSync({ ...params, dryRun: true, archive: false }, ctx, look);
  const applied = files.filter(({ would }) => would === "apply");
  const warnings = servedByCheckout(params, "sync")
    ? [
        "The setting cls.checkout has a Python checkout serve sync: this is what the built-in one would do.",
      ]
    : [];
  return {
    root: params.root,
    files,
    total: sumOf(applied),
    storedRows: { before, after: result.finalRows ?? before },
    keysNew: result.keysNew ?? 0,
    keysUpdated: result.keysUpdated ?? 0,
    later: await laterPhases(params, ctx, applied.length > 0),
    warnings: [...warnings, ...result.warnings],
    durationMs: result.durationMs,
  };
}

function storedRows(root: string, { dataDir }: ClsContext): number {
  if (!clsStoreExists(dataDir, root)) return 0;
  const store = openClsStore(dataDir, root);
  try {
    return countRows(store);
  } finally {
    store.close();
  }
}

function replaced(
  { db }: ClsStore,
  kind: PreviewFile["kind"],
  { fileId, status }: FileOutcome,
): number | null {
  if (kind !== "full" || status !== "applied" || fileId === null) return null;
  return Number(
    db
      .prepare(`SELECT COUNT(*) FROM ${rowsBefore(fileId)}`)
      .pluck()
      .get(),
  );
}

function toFile(outcome: FileOutcome): Omit<PreviewFile, "kind" | "day" | "replaces"> {
  const { name, status, waits, reason = null } = outcome;
  const would = status === "applied" ? "apply" : status === "failed" ? "fail" : "skip";
  return { name, would: waits ? "wait" : would, reason, ...previewCounts(outcome.counts) };
}

/** The counts of a sync as a person asks for them: what is the same as stored stands apart. Their sum is `rowsIn`. */
export function previewCounts(counts: SyncCounts): PreviewCounts {
  const { rowsIn, rowsNew, rowsConflict, rowsReview, rowsFiltered } = counts;
  return {
    rowsIn,
    rowsNew,
    rowsUpdated: counts.rowsUpdated - counts.updatedSame,
    rowsSame: counts.updatedSame + counts.skippedSame,
    rowsOlder: counts.rowsSkipped - counts.skippedSame,
    rowsConflict,
    rowsReview,
    rowsFiltered,
  };
}

function sumOf(files: readonly PreviewCounts[]): PreviewCounts {
  const sum = (count: keyof PreviewCounts): number =>
    files.reduce((total, file) => total + file[count], 0);
  return {
    rowsIn: sum("rowsIn"),
    rowsNew: sum("rowsNew"),
    rowsUpdated: sum("rowsUpdated"),
    rowsSame: sum("rowsSame"),
    rowsOlder: sum("rowsOlder"),
    rowsConflict: sum("rowsConflict"),
    rowsReview: sum("rowsReview"),
    rowsFiltered: sum("rowsFiltered"),
  };
}

/** An export without a folder to write to is not looked at. */
async function laterPhases(
  params: ClsParams,
  ctx: ClsContext,
  changes: boolean,
): Promise<PreviewResult["later"]> {
  const phases = LATER.filter((phase) => phase !== "export" || params.out !== undefined);
  const later: PreviewResult["later"] = [];
  let stale = changes;
  for (const phase of phases) {
    ctx.signal.throwIfAborted();
    stale ||= !(await isPhaseFresh(phase, params, ctx));
    later.push({ phase, would: stale ? "run" : "skip" });
  }
  return later;
}
