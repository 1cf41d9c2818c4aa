import type { RowEvent } from "./store.ts";

/** Rows of one file by what became of them; `rowsSkipped` are older rows. Their sum is `rowsIn`. */
export interface SyncCounts {
  rowsIn: number;
  rowsNew: number;
  rowsUpdated: number;
  rowsSkipped: number;
  rowsConflict: number;
  rowsReview: number;
  rowsFiltered: number;
  /** Of the updated rows, those where nothing but the date differs. */
  updatedSame: number;
  /** Of the skipped rows, those that the store has just so. */
  skippedSame: number;
  /** Rows of a full file that share their key with an earlier one. */
  duplicateKeys: number;
}

export function zeroCounts(): SyncCounts {
  return {
    rowsIn: 0,
    rowsNew: 0,
    rowsUpdated: 0,
    rowsSkipped: 0,
    rowsConflict: 0,
    rowsReview: 0,
    rowsFiltered: 0,
    updatedSame: 0,
    skippedSame: 0,
    duplicateKeys: 0,
  };
}

const COUNT_OF: Record<RowEvent, keyof SyncCounts> = {
  new: "rowsNew",
  updated: "rowsUpdated",
  updated_same: "rowsUpdated",
  older: "rowsSkipped",
  conflict: "rowsConflict",
  review: "rowsReview",
  filtered: "rowsFiltered",
};

export function countEvent(counts: SyncCounts, event: RowEvent): void {
  counts.rowsIn += 1;
  counts[COUNT_OF[event]] += 1;
  if (event === "updated_same") counts.updatedSame += 1;
}

export function addCounts(sum: SyncCounts, more: Readonly<SyncCounts>): void {
  for (const name of Object.keys(sum) as (keyof SyncCounts)[]) sum[name] += more[name];
}
