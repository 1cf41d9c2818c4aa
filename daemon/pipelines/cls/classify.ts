import { resolve } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { integrate, readIntegrateInput } from "./integrate.ts";
import type { CLSPipelineResult, ClsContext, ClsParams } from "./params.ts";
import { emptyResult, fingerprintOf, type PhaseRun, runPhase } from "./phase-run.ts";
import {
  integratedRows,
  openClassifiedWriter,
  type PhaseResult,
  readPhaseResult,
  writePhaseResult,
} from "./phase-store.ts";
import { BUCKETS, chooseBucket, loadRules, type RuleSet } from "./rules.ts";

/**
 * Phase classify: puts every integrated row into a bucket by the rules. Stores the result; with unchanged input the stored one is
 * answered. `rowsIn`: integrated rows; `rowsNew`: bucket create; `rowsUpdated`: the other buckets.
 * Throws `cls-phase-missing` without a result of integrate, and `cls-rules-invalid`.
 */
export function runClassify(params: ClsParams, ctx: ClsContext): Promise<CLSPipelineResult> {
  return runPhase("classify", params, ctx, (run) => classify(params, ctx, run));
}

/** The phase on an open store, inside its transaction. */
export async function classify(
  params: ClsParams,
  ctx: ClsContext,
  run: PhaseRun,
): Promise<CLSPipelineResult> {
  await run.pace.step(0, null, "rules loaded");
  const rules = await loadClsRules(params);
  const integrated = await requireIntegrated(params, ctx, run);
  const warnings = await staleness(params, run, integrated);
  const fingerprint = classifyFingerprint(integrated.fingerprint, rules);
  const stored = readPhaseResult(run.store, "classify");
  if (stored?.fingerprint === fingerprint && !params.fresh) {
    ctx.log("info", "cls.classify.reused", { finishedAt: stored.finishedAt });
    return { ...stored.result, warnings };
  }
  const result = await classifyRows(rules, run);
  const finishedAt = new Date().toISOString();
  writePhaseResult(run.store, "classify", { fingerprint, finishedAt, result });
  return { ...result, warnings };
}

/** The rules that the parameters name; a relative path counts from the root. Throws `cls-rules-invalid`. */
export function loadClsRules(params: ClsParams): Promise<RuleSet> {
  return loadRules(
    params.rulesFile === undefined ? undefined : resolve(params.root, params.rulesFile),
  );
}

/** Names the input of classify: the result of integrate and the rules. */
export function classifyFingerprint(integrateFingerprint: string, rules: RuleSet): string {
  return fingerprintOf([integrateFingerprint, rules.sha256]);
}

/** In a dry run the phases before stored nothing: what they would have stored is made here, and undone with the rest. */
async function requireIntegrated(
  params: ClsParams,
  ctx: ClsContext,
  run: PhaseRun,
): Promise<PhaseResult> {
  if (params.dryRun) await integrate(params, ctx, run);
  const integrated = readPhaseResult(run.store, "integrate");
  if (integrated !== null) return integrated;
  throw new AppError("cls-phase-missing", {
    phase: "integrate",
    root: params.root,
    what: "it did not run yet, or not with this store.",
  });
}

async function staleness(
  params: ClsParams,
  run: PhaseRun,
  integrated: PhaseResult,
): Promise<string[]> {
  const now = await readIntegrateInput(params, run.store);
  return now.fingerprint === integrated.fingerprint
    ? []
    : ["the input has changed since integrate ran: these rows are of the input before"];
}

async function classifyRows(rules: RuleSet, run: PhaseRun): Promise<CLSPipelineResult> {
  const writer = openClassifiedWriter(run.store);
  const buckets = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0]));
  let rowsIn = 0;
  for (const piece of integratedRows(run.store)) {
    for (const { rank, row } of piece) {
      const { bucket, ruleId } = chooseBucket(rules, {
        candidate: row.candidate,
        baselineRows: row.evidence.length,
        checks: row.contractChecks,
        source: row.source,
        preferred: row.preferred,
        score: row.score,
      });
      writer.add(row.index, rank, bucket, ruleId);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      rowsIn += 1;
      await run.pace.tick(rowsIn, null, "rows classified");
    }
  }
  await run.pace.step(rowsIn, rowsIn, "rows classified");
  const rowsNew = buckets["create"] ?? 0;
  return {
    ...emptyResult("classify"),
    rowsIn,
    rowsNew,
    rowsUpdated: rowsIn - rowsNew,
    buckets,
    rulesSha256: rules.sha256,
  };
}
