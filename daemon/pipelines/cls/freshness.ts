import { resolve } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { servedByCheckout } from "./checkout.ts";
import { classifyFingerprint, loadClsRules } from "./classify.ts";
import { readIntegrateInput } from "./integrate.ts";
import { isWholeExport } from "./manifest.ts";
import type { ClsContext, ClsParams } from "./params.ts";
import { hasPhaseTables, readPhaseResult } from "./phase-store.ts";
import { type ClsStore, clsStoreExists, openClsStore } from "./store.ts";

/**
 * Whether a phase has a result that was made from its input as it is now: stored rows, daily and reference files, settings and rules.
 * Such a phase need not run again. Never true for a phase that a checkout serves, nor with `fresh`: nothing is known, or wanted, of it.
 */
export async function isPhaseFresh(
  phase: "integrate" | "classify" | "export",
  params: ClsParams,
  ctx: Pick<ClsContext, "dataDir">,
): Promise<boolean> {
  if (params.fresh || servedByCheckout(params, phase)) return false;
  try {
    if (!clsStoreExists(ctx.dataDir, params.root)) return false;
    const store = openClsStore(ctx.dataDir, params.root);
    try {
      return hasPhaseTables(store) && (await isFresh(phase, params, store));
    } finally {
      store.close();
    }
  } catch (error) {
    // Ignored: an input that cannot be read makes no result fresh; the phase itself will say what is wrong.
    if (error instanceof AppError) return false;
    throw error;
  }
}

async function isFresh(
  phase: "integrate" | "classify" | "export",
  params: ClsParams,
  store: ClsStore,
): Promise<boolean> {
  const { fingerprint } = await readIntegrateInput(params, store);
  if (phase === "integrate")
    return readPhaseResult(store, "integrate")?.fingerprint === fingerprint;
  const classified = classifyFingerprint(fingerprint, await loadClsRules(params));
  if (phase === "classify") return readPhaseResult(store, "classify")?.fingerprint === classified;
  return params.out !== undefined && isWholeExport(resolve(params.out), classified);
}
