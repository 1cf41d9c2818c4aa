import { open, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { servedByCheckout } from "./checkout.ts";
import { classify, classifyFingerprint, loadClsRules } from "./classify.ts";
import { createTextSink, csvRecord } from "./csv-writer.ts";
import { createExportColumns, type ExportColumns } from "./export-columns.ts";
import { sha256OfFile } from "./inputs.ts";
import { readIntegrateInput } from "./integrate.ts";
import {
  type ExportedFile,
  isWholeExport,
  MANIFEST_FILE,
  type Manifest,
  readManifest,
} from "./manifest.ts";
import { openPendingFolder } from "./output-folder.ts";
import type { CLSPipelineResult, ClsContext, ClsParams } from "./params.ts";
import { emptyResult, type PhaseRun, runPhase } from "./phase-run.ts";
import {
  type ClassifiedRow,
  classifiedRows,
  dailyFiles,
  type PhaseResult,
  readPhaseResult,
} from "./phase-store.ts";
import { BUCKETS } from "./rules.ts";
import { type IncrementEvent, incrementEvents } from "./store.ts";
import { formatMoney } from "./values.ts";
import { writeWorkbook } from "./xlsx-writer.ts";

/** What stands for a day when no row has a stamp that parses. */
const NO_DAY = "undated";

/** A step of an export: fills the file of that name and answers its data rows. */
interface ExportStep {
  readonly name: string;
  write(path: string): Promise<number>;
}

/**
 * Phase export: writes what classify found to `params.out`, in one rename. An export that is there already is kept as `<out>.previous`.
 * `rowsIn`: classified rows. Files and their rows are those of the manifest. Equal input gives equal bytes, but for the manifest.
 * Throws `input-invalid` without `out`, `cls-output-occupied`, `cls-phase-missing` without a result of classify.
 */
export async function runExport(params: ClsParams, ctx: ClsContext): Promise<CLSPipelineResult> {
  const { out } = params;
  if (out === undefined && !servedByCheckout(params, "export")) {
    throw new AppError("input-invalid", {
      name: "cls.export",
      path: "out",
      what: "it is required",
    });
  }
  return runPhase("export", params, ctx, async (run) => {
    const classified = await requireClassified(params, ctx, run);
    const result = { ...emptyResult("export"), ...pick(classified.result) };
    result.warnings = await staleness(params, run, classified);
    if (params.dryRun || out === undefined) return result;
    return { ...result, ...(await writeExport(resolve(out), classified, params, ctx, run)) };
  });
}

function pick({ rowsIn, buckets, rulesSha256 }: CLSPipelineResult): Partial<CLSPipelineResult> {
  return {
    rowsIn,
    ...(buckets === undefined ? {} : { buckets }),
    ...(rulesSha256 === undefined ? {} : { rulesSha256 }),
  };
}

async function requireClassified(
  params: ClsParams,
  ctx: ClsContext,
  run: PhaseRun,
): Promise<PhaseResult> {
  if (params.dryRun) await classify(params, ctx, run);
  const classified = readPhaseResult(run.store, "classify");
  if (classified !== null) return classified;
  throw new AppError("cls-phase-missing", {
    phase: "classify",
    root: params.root,
    what: "it did not run yet, or not since integrate ran.",
  });
}

async function staleness(
  params: ClsParams,
  run: PhaseRun,
  classified: PhaseResult,
): Promise<string[]> {
  const input = await readIntegrateInput(params, run.store);
  const now = classifyFingerprint(input.fingerprint, await loadClsRules(params));
  return now === classified.fingerprint
    ? []
    : [
        "the input or the rules have changed since classify ran: these rows are of the input before",
      ];
}

async function writeExport(
  out: string,
  classified: PhaseResult,
  params: ClsParams,
  ctx: ClsContext,
  run: PhaseRun,
): Promise<Pick<CLSPipelineResult, "artifacts">> {
  const written = await writtenByRun(out, classified, ctx);
  if (written !== null) return { artifacts: written };
  const folder = await openPendingFolder(out);
  try {
    const files: ExportedFile[] = [];
    for (const step of exportSteps(run)) {
      await run.pace.step(files.length, null, `files written, now ${step.name}`);
      const path = join(folder.path, step.name);
      const rows = await step.write(path);
      files.push({ name: step.name, rows, ...(await settle(path)) });
    }
    const manifest: Manifest = {
      kind: "cls-export",
      version: 1,
      runId: ctx.runId,
      createdAt: new Date().toISOString(),
      root: resolve(params.root),
      rulesSha256: classified.result.rulesSha256 ?? "",
      input: classified.fingerprint,
      buckets: classified.result.buckets ?? {},
      files,
    };
    const manifestPath = join(folder.path, MANIFEST_FILE);
    await writeFile(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
    const own = { name: MANIFEST_FILE, rows: files.length, ...(await settle(manifestPath)) };
    await run.pace.step(files.length, files.length, "files written");
    await folder.commit();
    return {
      artifacts: [...files, own].map(({ name, ...file }) => ({ path: join(out, name), ...file })),
    };
  } finally {
    await folder.discard();
  }
}

/**
 * The export that this very run has put there already, when its worker was lost before it could tell: writing it again would
 * push the former export out of `.previous`. Null when it must be written.
 */
async function writtenByRun(
  out: string,
  { fingerprint }: PhaseResult,
  { runId }: ClsContext,
): Promise<CLSPipelineResult["artifacts"] | null> {
  const manifest = await readManifest(out);
  if (manifest === null || manifest.runId !== runId) return null;
  if (!(await isWholeExport(out, fingerprint))) return null;
  const path = join(out, MANIFEST_FILE);
  const { size: bytes } = await stat(path);
  const own = { name: MANIFEST_FILE, rows: manifest.files.length, bytes };
  return [...manifest.files, { ...own, sha256: await sha256OfFile(path) }].map(
    ({ name, ...file }) => ({ path: join(out, name), ...file }),
  );
}

/** Sees that the file is on disk, because the rename of its folder must not outlive its content, and measures it. */
async function settle(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, "r+");
  try {
    await file.sync();
    const { size } = await file.stat();
    return { bytes: size, sha256: await sha256OfFile(path) };
  } finally {
    await file.close();
  }
}

function exportSteps(run: PhaseRun): ExportStep[] {
  const { store } = run;
  const columns = createExportColumns(dailyFiles(store));
  const header = csvRecord(columns.header);
  const record = (row: ClassifiedRow): string => csvRecord(columns.record(row));
  const lines = <T>(
    name: string,
    head: string,
    items: () => Iterable<T>,
    line: (item: T) => string,
  ): ExportStep => ({ name, write: (path) => writeLines(path, head, items(), line, run) });
  return [
    ...BUCKETS.map((bucket) =>
      lines(`${bucket}.csv`, header, () => classifiedRows(store, bucket), record),
    ),
    { name: workbookName(columns, run), write: (path) => writeSheets(path, columns, run) },
    lines("changes.ndjson", "", () => incrementEvents(store), changeLine),
    lines("rows.ndjson", "", () => classifiedRows(store), rowLine),
  ];
}

async function writeLines<T>(
  path: string,
  head: string,
  items: Iterable<T>,
  line: (item: T) => string,
  { pace }: PhaseRun,
): Promise<number> {
  const file = await open(path, "wx");
  try {
    const sink = createTextSink(file);
    await sink.write(head);
    let rows = 0;
    for (const item of items) {
      rows += 1;
      await sink.write(line(item));
      await pace.tick(rows, null, "rows written");
    }
    await sink.end();
    return rows;
  } finally {
    await file.close();
  }
}

async function writeSheets(
  path: string,
  columns: ExportColumns,
  { store, pace }: PhaseRun,
): Promise<number> {
  let rows = 0;
  function* sheetRows(bucket: (typeof BUCKETS)[number]): Generator<(string | number | null)[]> {
    yield [...columns.header];
    for (const row of classifiedRows(store, bucket)) {
      rows += 1;
      pace.beat(rows, null, "rows written to the workbook");
      yield columns.record(row);
    }
  }
  await writeWorkbook(
    path,
    BUCKETS.map((bucket) => ({ name: bucket, rows: sheetRows(bucket) })),
  );
  return rows;
}

/** Named by the first and the last day that the daily rows were stamped. */
function workbookName(columns: ExportColumns, { store, pace }: PhaseRun): string {
  let first: string | null = null;
  let last: string | null = null;
  let rows = 0;
  for (const row of classifiedRows(store)) {
    rows += 1;
    pace.beat(rows, null, "days looked up");
    const day = columns.dayOf(row);
    if (day === null) continue;
    if (first === null || day < first) first = day;
    if (last === null || day > last) last = day;
  }
  return `ExportFile_${first ?? NO_DAY}~${last ?? NO_DAY}.xlsx`;
}

function changeLine(change: IncrementEvent): string {
  const { file, row, key, event, price1 } = change;
  const price = price1 === null ? null : formatMoney(price1);
  return `${JSON.stringify({ file, row, key, event, price1: price })}\n`;
}

function rowLine({ row, bucket, ruleId }: ClassifiedRow): string {
  return `${JSON.stringify({
    index: row.index,
    sourceFile: row.sourceFile,
    candidate: row.candidate,
    preferred: row.preferred,
    score: row.score,
    source: row.source,
    contractChecks: row.contractChecks,
    highestUomPrice: row.highestUomPrice === null ? null : Number(row.highestUomPrice),
    suggestedVendor: row.suggestedVendor,
    suggestedManufacturer: row.suggestedManufacturer,
    bucket,
    ruleId,
    evidence: row.evidence,
  })}\n`;
}
