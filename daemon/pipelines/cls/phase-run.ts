import { createHash } from "node:crypto";
import { AppError } from "../../../shared/errors.ts";
import { runCheckoutPhase, servedByCheckout } from "./checkout.ts";
import { createPace, type Pace } from "./pace.ts";
import type { CLSPipelineResult, ClsContext, ClsParams, ClsPhase } from "./params.ts";
import { preparePhaseTables } from "./phase-store.ts";
import { type ClsStore, clsStoreExists, openClsStore } from "./store.ts";
import { lockRoot } from "./store-lock.ts";

/** What the body of a phase works with. */
export interface PhaseRun {
  readonly store: ClsStore;
  readonly pace: Pace;
}

/**
 * Runs a phase: in the user's checkout when that serves it, else its body on the root's store.
 * A dry run on a folder that was never synced has nothing to look at: it says so instead of failing, because the dry run of
 * sync before it stored nothing either.
 */
export async function runPhase(
  phase: ClsPhase,
  params: ClsParams,
  ctx: ClsContext,
  body: (run: PhaseRun) => Promise<CLSPipelineResult>,
): Promise<CLSPipelineResult> {
  if (servedByCheckout(params, phase)) return runCheckoutPhase(phase, params, ctx);
  const startedMs = performance.now();
  try {
    const result = await withSyncedStore(params, ctx, body);
    return { ...result, durationMs: performance.now() - startedMs };
  } catch (error) {
    const missing = error instanceof AppError && error.code === "cls-phase-missing";
    if (!params.dryRun || !missing) throw error;
    const durationMs = performance.now() - startedMs;
    return { ...emptyResult(phase), warnings: [`dry run: ${error.message}`], durationMs };
  }
}

/**
 * Runs the body of a phase on the root's store, alone: another run on the same root is waited for. What the body writes to the
 * store is one transaction, undone when it throws, when the process dies and in a dry run.
 * Throws `cls-phase-missing` when nothing was synced yet, and the signal's reason.
 */
async function withSyncedStore<T>(
  params: ClsParams,
  ctx: ClsContext,
  body: (run: PhaseRun) => Promise<T>,
): Promise<T> {
  ctx.signal.throwIfAborted();
  requireStore(params, ctx);
  const lock = await lockRoot(ctx.dataDir, params.root, {
    runId: ctx.runId,
    signal: ctx.signal,
    onWait: (holder) => {
      const who = holder === null ? "another run" : `run ${holder.runId}`;
      ctx.progress({ done: 0, total: null, what: `waits for ${who} on the same folder` });
    },
  });
  try {
    requireStore(params, ctx);
    const store = openClsStore(ctx.dataDir, params.root);
    try {
      requireSynced(store, params);
      return await inTransaction(store, params.dryRun, () => {
        preparePhaseTables(store);
        return body({ store, pace: createPace(ctx) });
      });
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}

function requireStore(params: ClsParams, ctx: ClsContext): void {
  if (!clsStoreExists(ctx.dataDir, params.root)) throw notSynced(params);
}

/** An empty store is what a sync leaves whose files all failed. */
function requireSynced({ db }: ClsStore, params: ClsParams): void {
  const applied = db.prepare("SELECT 1 FROM files WHERE state <> 'undone' LIMIT 1").get();
  if (applied === undefined) throw notSynced(params);
}

/** There is nothing to look at before the first sync. */
export function notSynced({ root }: Pick<ClsParams, "root">): AppError {
  return new AppError("cls-phase-missing", {
    phase: "sync",
    root,
    what: "no file of reports/0031 was applied yet.",
  });
}

/** The transaction stays open over awaits; the connection belongs to this run alone, so nothing else gets into it. */
async function inTransaction<T>(
  { db }: ClsStore,
  undo: boolean,
  body: () => Promise<T>,
): Promise<T> {
  db.exec("BEGIN IMMEDIATE");
  try {
    const value = await body();
    db.exec(undo ? "ROLLBACK" : "COMMIT");
    return value;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** A result of a phase with every count zero, to be filled. */
export function emptyResult(phase: ClsPhase): CLSPipelineResult {
  return {
    phase,
    rowsIn: 0,
    rowsNew: 0,
    rowsUpdated: 0,
    rowsSkipped: 0,
    rowsConflict: 0,
    rowsReview: 0,
    rowsFiltered: 0,
    warnings: [],
    artifacts: [],
    durationMs: 0,
  };
}

/** Names an input by its content: equal parts give an equal text. */
export function fingerprintOf(parts: unknown): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
