import { stat } from "node:fs/promises";
import { AppError } from "../../../shared/errors.ts";
import { checkFull, checkTouched, createTouched, type Touched } from "./checks.ts";
import { missingColumns, type ReportHeader, reportHeader } from "./columns.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import type { ClsParams } from "./params.ts";
import { diffRows, type FieldChange, sameButDate } from "./row-diff.ts";
import {
  createRowStore,
  type RowStore,
  type StoredRow,
  type TypedRow,
  typeRow,
} from "./row-store.ts";
import { type ClsStore, layoutId, layoutReader, type RowEvent } from "./store.ts";
import { ROWS_INDEXES, ROWS_TABLE } from "./store-schema.ts";
import { countEvent, type SyncCounts, zeroCounts } from "./sync-counts.ts";
import { isTaken, judgeRow, policyDecision, type ReportFile } from "./sync-plan.ts";
import { openTable, type Table } from "./table-reader.ts";

/** A report file in the folder, with its content's hash. */
export interface FoundFile extends ReportFile {
  readonly path: string;
  readonly sha256: string;
  /** Size and time of change when it was hashed. */
  readonly stamp: string;
}

export interface ApplyDeps {
  readonly store: ClsStore;
  readonly params: Pick<ClsParams, "excludedAccounts" | "sameDate">;
  /** Item numbers whose Vendor Catalogue may be blank. */
  readonly blankPermitted: ReadonlySet<string>;
  /** ISO time. */
  readonly now: () => string;
  /** Called after each batch of rows and before long steps; throws to stop. */
  readonly onRows: (rows: number) => void;
}

export interface Applied {
  readonly counts: SyncCounts;
  readonly warnings: readonly string[];
}

/** Size and time of change, to notice a file that changes while it is read. */
export async function fileStamp(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size}:${mtimeMs}`;
}

/**
 * Reads one file into the store as `fileId`, inside the transaction that the caller holds.
 * Fails with `cls-file-unreadable`; then the caller rolls back and the store is as it was.
 */
export async function applyFile(
  deps: ApplyDeps,
  file: FoundFile,
  fileId: number,
): Promise<Applied> {
  const table = await openTable(file.path);
  const header = reportHeader(table.names);
  const missing = missingColumns(header);
  if (missing.length > 0) {
    await table.batches.return(undefined);
    throw unreadable(file, `it lacks the column ${missing.join(", ")}`);
  }
  const applied =
    file.kind === "full"
      ? await loadFull(deps, table, header, fileId)
      : await mergeIncrement(deps, table, header, fileId);
  if ((await fileStamp(file.path)) !== file.stamp) throw unreadable(file, "it changed meanwhile");
  return applied;
}

function unreadable(file: FoundFile, what: string): AppError {
  return new AppError("cls-file-unreadable", { file: file.path, what });
}

/** The name of the table that keeps the rows from before a full file, for undoing it. */
export function rowsBefore(fileId: number): string {
  return `rows_before_${fileId}`;
}

/** Replaces all rows by those of the file. The former ones are put aside, not copied. */
async function loadFull(
  deps: ApplyDeps,
  table: Table,
  header: ReportHeader,
  fileId: number,
): Promise<Applied> {
  const { store, params } = deps;
  store.db.exec(
    `DROP INDEX rows_key; DROP INDEX rows_contract;
     ALTER TABLE rows RENAME TO ${rowsBefore(fileId)}; ${ROWS_TABLE}`,
  );
  const rows = createRowStore(store);
  const layout = layoutId(store, header.names);
  const excluded = new Set(params.excludedAccounts);
  const counts = zeroCounts();
  for await (const batch of table.batches) {
    for (const { row, cells } of batch) {
      if (excluded.has(cells[header.at.account] ?? "")) {
        countEvent(counts, "filtered");
        continue;
      }
      countEvent(counts, "new");
      rows.insert(typeRow(header, cells), { file: fileId, row, layout });
    }
    deps.onRows(counts.rowsIn);
  }
  for (const index of ROWS_INDEXES) {
    store.db.exec(index);
    deps.onRows(counts.rowsIn);
  }
  const keys = Number(store.db.prepare("SELECT COUNT(DISTINCT key) FROM rows").pluck().get());
  counts.duplicateKeys = counts.rowsNew - keys;
  const warnings = checkFull(store, deps.blankPermitted, () => deps.onRows(counts.rowsIn));
  return { counts, warnings };
}

interface Judged {
  readonly event: RowEvent;
  readonly stored: readonly StoredRow[];
  readonly changes: readonly FieldChange[];
}

interface Merge {
  readonly header: ReportHeader;
  readonly layout: number;
  readonly fileId: number;
  readonly rows: RowStore;
  readonly headerOf: (layout: number) => ReportHeader;
  readonly touched: Touched;
  readonly counts: SyncCounts;
  readonly log: EventLog;
}

async function mergeIncrement(
  deps: ApplyDeps,
  table: Table,
  header: ReportHeader,
  fileId: number,
): Promise<Applied> {
  const { store, params } = deps;
  const layout = layoutId(store, header.names);
  const layouts = layoutReader(store);
  const merge: Merge = {
    header,
    layout,
    fileId,
    rows: createRowStore(store),
    // The file's own header object, so that rows of the same layout are compared without names.
    headerOf: (id) => (id === layout ? header : layouts(id)),
    touched: createTouched(deps.blankPermitted),
    counts: zeroCounts(),
    log: createEventLog(store, fileId, layout, deps.now),
  };
  const excluded = new Set(params.excludedAccounts);
  for await (const batch of table.batches) {
    for (const { row, cells } of batch) {
      const typed = typeRow(header, cells);
      if (excluded.has(cells[header.at.account] ?? "")) {
        countEvent(merge.counts, "filtered");
        merge.log.event(row, typed.key, "filtered", null);
      } else {
        mergeRow(merge, params.sameDate, row, typed, cells);
      }
    }
    deps.onRows(merge.counts.rowsIn);
  }
  return { counts: merge.counts, warnings: checkTouched(store, merge.touched) };
}

function mergeRow(
  merge: Merge,
  sameDate: ClsParams["sameDate"],
  row: number,
  typed: TypedRow,
  cells: readonly (string | null)[],
): void {
  const { rows, log, fileId, layout } = merge;
  const { event, stored, changes } = judge(merge, typed);
  countEvent(merge.counts, event);
  // An equal date is only skipped when the content is equal too.
  if (event === "older" && typed.day === newest(stored)?.day) merge.counts.skippedSame += 1;
  const taken = isTaken(event, sameDate);
  if (taken) {
    const origin = { file: fileId, row, layout };
    if (stored.length === 0) rows.insert(typed, origin);
    else rows.replace(stored, typed, origin);
    if (stored.length > 0) log.changes(row, typed, changes);
    merge.touched.add(merge.header, typed, cells);
  }
  if (event === "conflict" || event === "review") {
    log.pending(row, event, typed, changes, policyDecision(event, sameDate));
  }
  log.event(row, typed.key, event, taken ? typed.price1 : (newest(stored)?.price1 ?? null));
}

/** The stored row that counts: of the greatest day, the last of equals. */
function newest(stored: readonly StoredRow[]): StoredRow | undefined {
  let found = stored[0];
  for (const row of stored) if ((row.day ?? "") >= (found?.day ?? "")) found = row;
  return found;
}

function judge(merge: Merge, typed: TypedRow): Judged {
  const stored = merge.rows.find(typed.key);
  const current = newest(stored);
  if (current === undefined) return { event: "new", stored, changes: [] };
  const incoming = { header: merge.header, text: typed.text };
  const diff = (row: StoredRow): FieldChange[] =>
    diffRows({ header: merge.headerOf(row.layout), text: row.text }, incoming);
  let changes: readonly FieldChange[] | undefined;
  const same = (): boolean => {
    changes = diff(current);
    if (sameButDate(merge.header, changes)) return true;
    // Rows that share the key and its greatest day are all current; equal to one of them is nothing new.
    return stored.some(
      (row) => row !== current && row.day === current.day && sameButDate(merge.header, diff(row)),
    );
  };
  const event = judgeRow({ incomingDay: typed.day, stored: current, sameContent: same });
  const listed = event !== "older" && event !== "new";
  return { event, stored, changes: changes ?? (listed ? diff(current) : []) };
}
