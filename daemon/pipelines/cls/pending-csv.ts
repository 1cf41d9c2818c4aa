import type { PendingItem } from "./act-params.ts";
import { csvRecord } from "./csv-writer.ts";

const HEADER = [
  ...["Id", "Kind", "File", "Row", "Key", "Incoming Date", "Column", "Stored", "Incoming"],
  ...["Decision", "Decided By", "Decided At", "Why"],
];

/** The conflict or review list as CSV, header first: a line per differing column, one line for a row without any. */
export function* pendingCsv(rows: Iterable<PendingItem>): Generator<string> {
  yield csvRecord(HEADER);
  for (const row of rows) {
    const { id, kind, file, key, day, decision, decidedBy, decidedAt, why } = row;
    const nothing = { column: null, stored: null, incoming: null };
    for (const { column, stored, incoming } of row.differences.length > 0
      ? row.differences
      : [nothing]) {
      const difference = [column, stored, incoming];
      const decided = [decision, decidedBy, decidedAt];
      yield csvRecord([id, kind, file, row.row, key, day, ...difference, ...decided, why]);
    }
  }
}
