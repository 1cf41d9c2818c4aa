import { AppError } from "../../../shared/errors.ts";
import { type DailyRow, readDailyHeader, readDailyRow } from "./daily.ts";
import { type InputFile, listDailyFiles, listRefFiles } from "./inputs.ts";
import { integrateRow } from "./integrate-row.ts";
import { createLookup, createLookupFilter, type Lookup, type LookupRow } from "./lookup.ts";
import { loadMappings } from "./mappings.ts";
import type { CLSPipelineResult, ClsContext, ClsFileResult, ClsParams } from "./params.ts";
import { emptyResult, fingerprintOf, type PhaseRun, runPhase } from "./phase-run.ts";
import { openIntegratedWriter, readPhaseResult, writePhaseResult } from "./phase-store.ts";
import { baselineRows, type ClsStore, storeVersion } from "./store.ts";
import { openTable } from "./table-reader.ts";
import { createWarnings, type Warnings } from "./warnings.ts";

/** Raised when the same input would give another result, so that stored results are made again. */
const INTEGRATE_VERSION = 1;
/** So many items for one row mean that a part number is a filler, not a number. */
const MANY_CANDIDATES = 50;

type Writer = ReturnType<typeof openIntegratedWriter>;

/** What integrate reads beside the store. */
interface IntegrateInput {
  readonly daily: readonly InputFile[];
  readonly refs: readonly InputFile[];
  readonly fingerprint: string;
}

/**
 * Phase integrate: finds for each daily row its candidates in the stored report and describes them. Stores the result; with
 * unchanged input the stored one is answered. `rowsIn`: daily rows; `rowsNew`: without candidate; `rowsUpdated`: with candidates;
 * `rowsReview`: with more than one; `files`: the daily files. A daily file that cannot be read fails alone.
 * Throws `cls-phase-missing` without a synced store, `cls-folder-missing`, `cls-file-unreadable` (mapping workbooks, or all daily files).
 */
export function runIntegrate(params: ClsParams, ctx: ClsContext): Promise<CLSPipelineResult> {
  return runPhase("integrate", params, ctx, (run) => integrate(params, ctx, run));
}

/** The phase on an open store, inside its transaction. */
export async function integrate(
  params: ClsParams,
  ctx: ClsContext,
  run: PhaseRun,
): Promise<CLSPipelineResult> {
  await run.pace.step(0, null, "input files checked");
  const input = await readIntegrateInput(params, run.store);
  const stored = readPhaseResult(run.store, "integrate");
  if (stored?.fingerprint === input.fingerprint && !params.fresh) {
    ctx.log("info", "cls.integrate.reused", { finishedAt: stored.finishedAt });
    return stored.result;
  }
  const result = await integrateInput(params, input, run);
  const finishedAt = new Date().toISOString();
  writePhaseResult(run.store, "integrate", { fingerprint: input.fingerprint, finishedAt, result });
  return result;
}

/** The input of integrate as it is now. */
export async function readIntegrateInput(
  params: ClsParams,
  store: ClsStore,
): Promise<IntegrateInput> {
  const daily = await listDailyFiles(params);
  const refs = await listRefFiles(params);
  const contents = (files: readonly InputFile[]): string[][] =>
    files.map(({ name, sha256 }) => [name, sha256]);
  const fingerprint = fingerprintOf([
    INTEGRATE_VERSION,
    storeVersion(store),
    contents(daily),
    contents(refs),
    params.excludedAccounts,
    params.excludedVendorPrefixes,
    params.excludedItemPrefixes,
    params.mirrorAccounts,
  ]);
  return { daily, refs, fingerprint };
}

async function integrateInput(
  params: ClsParams,
  input: IntegrateInput,
  run: PhaseRun,
): Promise<CLSPipelineResult> {
  const warnings = createWarnings();
  const mappings = await loadMappings(input.refs, warnings);
  const writer = openIntegratedWriter(run.store);
  const { rows, files } = await readDailyRows(input.daily, writer, warnings, run);
  const { lookup, rowsLookup } = await readLookup(params, rows, run);
  const result = { ...emptyResult("integrate"), rowsIn: rows.length, rowsLookup, files };
  for (const daily of rows) {
    const { rows: integrated, warning } = integrateRow(daily, lookup, mappings);
    const where = `${daily.sourceFile}, row ${daily.index}`;
    if (warning !== null) warnings.add("Highest_UOM_Price", `${where}: ${warning}`);
    if (integrated.length > MANY_CANDIDATES) {
      warnings.add("candidates", `${where}: ${integrated.length} items have its part numbers`);
    }
    integrated.forEach((row, rank) => {
      writer.addRow(rank, row);
    });
    if (integrated[0]?.candidate === null) result.rowsNew += 1;
    else result.rowsUpdated += 1;
    if (integrated.length > 1) result.rowsReview += 1;
    await run.pace.tick(daily.index, rows.length, "daily rows integrated");
  }
  await run.pace.step(rows.length, rows.length, "daily rows integrated");
  return { ...result, warnings: warnings.list() };
}

/** Reads all daily files in order. What a file gave before it proved unreadable is taken back. */
async function readDailyRows(
  files: readonly InputFile[],
  writer: Writer,
  warnings: Warnings,
  run: PhaseRun,
): Promise<{ rows: DailyRow[]; files: ClsFileResult[] }> {
  const rows: DailyRow[] = [];
  const results: ClsFileResult[] = [];
  let firstFailure: AppError | null = null;
  if (files.length === 0)
    warnings.add("daily files", "daily_files holds no workbook and no CSV file");
  for (const file of files) {
    const before = rows.length;
    run.store.db.exec("SAVEPOINT daily_file");
    try {
      await readDailyFile(file, rows, writer, warnings, run);
      results.push(fileResult(file.name, "applied", rows.length - before));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "cls-file-unreadable") throw error;
      run.store.db.exec("ROLLBACK TO daily_file");
      rows.length = before;
      firstFailure ??= error;
      warnings.add("daily files", error.message);
      results.push({ ...fileResult(file.name, "failed", 0), reason: error.message });
    }
    run.store.db.exec("RELEASE daily_file");
  }
  if (firstFailure !== null && results.every(({ status }) => status === "failed"))
    throw firstFailure;
  return { rows, files: results };
}

async function readDailyFile(
  file: InputFile,
  rows: DailyRow[],
  writer: Writer,
  warnings: Warnings,
  run: PhaseRun,
): Promise<void> {
  const table = await openTable(file.path);
  try {
    const header = readDailyHeader(table.names);
    if (header.missing.length > 0) {
      const what = `it has no column "${header.missing.join('", "')}"`;
      throw new AppError("cls-file-unreadable", { file: file.path, what });
    }
    const fileId = writer.addFile(file.name, table.names);
    for await (const batch of table.batches) {
      for (const { cells } of batch) {
        const row = readDailyRow(header, cells, rows.length + 1, file.name);
        writer.addDaily(row.index, fileId, cells);
        rows.push(row);
        await run.pace.tick(rows.length, null, "daily rows read");
      }
    }
    for (const name of header.absent) {
      warnings.add("daily columns", `${file.name} has no column "${name}": it counts as blank`);
    }
  } finally {
    await table.batches.return(undefined);
  }
}

/** Reads the stored report twice: a mirror row is judged by its twin, which may stand after it. */
async function readLookup(
  params: ClsParams,
  daily: readonly DailyRow[],
  run: PhaseRun,
): Promise<{ lookup: Lookup; rowsLookup: number }> {
  const filter = createLookupFilter(params, {
    distributor: numbers(daily, (row) => row.distributorPartNumber),
    manufacturer: numbers(daily, (row) => row.manufacturerPartNumber),
  });
  let seen = 0;
  for (const row of baselineRows(run.store)) {
    filter.note(row);
    seen += 1;
    await run.pace.tick(seen, null, "stored rows read for look-ups, first time");
  }
  const { items } = filter.plan();
  const kept: LookupRow[] = [];
  let rowsLookup = 0;
  let done = 0;
  for (const row of baselineRows(run.store)) {
    done += 1;
    await run.pace.tick(done, seen, "stored rows read for look-ups, second time");
    if (!filter.admits(row)) continue;
    rowsLookup += 1;
    if (row.item !== null && items.has(row.item)) kept.push({ ...row, item: row.item });
  }
  return { lookup: createLookup(kept), rowsLookup };
}

function numbers(
  rows: readonly DailyRow[],
  numberOf: (row: DailyRow) => string | null,
): Set<string> {
  return new Set(rows.flatMap((row) => numberOf(row) ?? []));
}

function fileResult(name: string, status: ClsFileResult["status"], rowsNew: number): ClsFileResult {
  return {
    name,
    status,
    rowsNew,
    rowsUpdated: 0,
    rowsSkipped: 0,
    rowsConflict: 0,
    rowsReview: 0,
    rowsFiltered: 0,
  };
}
