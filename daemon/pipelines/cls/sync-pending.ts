import { AppError } from "../../../shared/errors.ts";
import { foldName, REPORT_COLUMNS, type ReportHeader } from "./columns.ts";
import type { FieldChange } from "./row-diff.ts";
import { createRowStore, typeRow } from "./row-store.ts";
import { bumpVersion, type ClsStore, layoutReader, unpackCells } from "./store.ts";

/** A row that sync did not take by itself: same date with other content, or a blank date where one is stored. */
export interface PendingRow {
  readonly id: number;
  readonly kind: "conflict" | "review";
  readonly file: string;
  /** Row of the sheet, the header is 1. */
  readonly row: number;
  readonly key: string;
  /** Item Update Date of the row; null when blank. */
  readonly day: string | null;
  /** Against the stored row at that time. */
  readonly differences: readonly FieldChange[];
  /** Price1 as the stored row and this one had it, in the writing of their files: no amount is rounded. */
  readonly storedPrice: string | null;
  readonly price: string | null;
  /** Item Update Date of the stored row, as its file had it. */
  readonly storedDate: string | null;
  /** Null: nobody decided yet. */
  readonly decision: "keep" | "take" | null;
  /** `policy`, or the task that decided; the audit knows who asked for it. */
  readonly decidedBy: string | null;
  /** ISO time. */
  readonly decidedAt: string | null;
}

export interface PendingFilter {
  readonly kind?: "conflict" | "review";
  /** Only rows that nobody decided on. */
  readonly open?: boolean;
  /** Only rows of files whose name has this in it. */
  readonly file?: string;
}

/** A part of a list: at most so many rows, those after an id. */
export interface PendingPage {
  readonly after: number;
  readonly limit: number;
}

interface PendingLine {
  id: number;
  kind: "conflict" | "review";
  file_id: number;
  file: string;
  row: number;
  key: string;
  day: string | null;
  layout: number;
  cells: string;
  differences: string;
  decision: "keep" | "take" | null;
  decided_by: string | null;
  decided_at: string | null;
}

const SELECT = `SELECT p.id, p.kind, p.file AS file_id, f.name AS file, p.row, p.key, p.day, p.layout, p.cells, p.differences,
  p.decision, p.decided_by, p.decided_at FROM pending p JOIN files f ON f.id = p.file AND f.state = 'applied'`;

function toPending(line: PendingLine, header: ReportHeader): PendingRow {
  const differences = JSON.parse(line.differences) as FieldChange[];
  const cells = unpackCells(line.cells);
  // What does not differ is the same on both sides, to the letter.
  const stored = (field: "price1" | "updateDate"): string | null => {
    const name = foldName(REPORT_COLUMNS[field]);
    const changed = differences.find(([column]) => foldName(column) === name);
    return changed === undefined ? (cells[header.at[field]] ?? null) : changed[1];
  };
  return {
    id: line.id,
    kind: line.kind,
    file: line.file,
    row: line.row,
    key: line.key,
    day: line.day,
    differences,
    storedPrice: stored("price1"),
    price: cells[header.at.price1] ?? null,
    storedDate: stored("updateDate"),
    decision: line.decision,
    decidedBy: line.decided_by,
    decidedAt: line.decided_at,
  };
}

const WHERE = `WHERE (@kind IS NULL OR p.kind = @kind) AND (@open = 0 OR p.decision IS NULL)
  AND (@file IS NULL OR instr(lower(f.name), lower(@file)) > 0)`;

function bindings({ kind, open, file }: PendingFilter) {
  return { kind: kind ?? null, open: open === true ? 1 : 0, file: file ?? null };
}

/** How many rows a list has. */
export function countPending({ db }: ClsStore, filter: PendingFilter): number {
  const from = "FROM pending p JOIN files f ON f.id = p.file AND f.state = 'applied'";
  return Number(db.prepare(`SELECT COUNT(*) ${from} ${WHERE}`).pluck().get(bindings(filter)));
}

/** The conflict and review lists of the files that are applied, in the order the rows came; read as they are asked for. */
export function* listPending(
  store: ClsStore,
  filter: PendingFilter = {},
  page: PendingPage = { after: 0, limit: Number.MAX_SAFE_INTEGER },
): Generator<PendingRow> {
  const headerOf = layoutReader(store);
  const lines = store.db
    .prepare(`${SELECT} ${WHERE} AND p.id > @after ORDER BY p.id LIMIT @limit`)
    .iterate({ ...bindings(filter), ...page }) as IterableIterator<PendingLine>;
  for (const line of lines) yield toPending(line, headerOf(line.layout));
}

/**
 * Decides on a listed row: `take` puts it in the place of what is stored, `keep` closes it. `at` is an ISO time.
 * A decision to keep can be changed to take, not the other way round (undo the file for that). The caller holds the
 * root's lock. Fails with `cls-decision-refused`.
 */
export function decidePending(
  store: ClsStore,
  id: number,
  decision: "keep" | "take",
  by: string,
  at: string,
): PendingRow {
  const { db } = store;
  return db
    .transaction(() => {
      const line = db.prepare(`${SELECT} WHERE p.id = ?`).get(id) as PendingLine | undefined;
      if (line === undefined) throw refused(String(id), "the list", "there is no such row");
      const header = layoutReader(store)(line.layout);
      if (line.decision === "take") {
        if (decision === "take") return toPending(line, header);
        throw refused(line.row, line.file, "it was taken already; undo the file instead");
      }
      if (decision === "take") takeRow(store, line);
      db.prepare(
        "UPDATE pending SET decision = ?, decided_by = ?, decided_at = ? WHERE id = ?",
      ).run(decision, by, at, id);
      return toPending({ ...line, decision, decided_by: by, decided_at: at }, header);
    })
    .immediate();
}

function takeRow(store: ClsStore, line: PendingLine): void {
  const { db } = store;
  const rows = createRowStore(store);
  const stored = rows.find(line.key);
  const newer = db
    .prepare(
      "SELECT f.name FROM rows r JOIN files f ON f.id = r.file WHERE r.key = ? AND r.file > ?",
    )
    .pluck()
    .get(line.key, line.file_id);
  if (typeof newer === "string") {
    throw refused(line.row, line.file, `the later file ${newer} has changed the stored row`);
  }
  const typed = typeRow(layoutReader(store)(line.layout), unpackCells(line.cells));
  const origin = { file: line.file_id, row: line.row, layout: line.layout };
  if (stored.length === 0) rows.insert(typed, origin);
  else rows.replace(stored, typed, origin);
  db.prepare("INSERT INTO changes (file, row, key, day, fields) VALUES (?, ?, ?, ?, ?)").run(
    line.file_id,
    line.row,
    line.key,
    line.day,
    line.differences,
  );
  bumpVersion(store);
}

function refused(row: number | string, file: string, what: string): AppError {
  return new AppError("cls-decision-refused", { row, file, what });
}
