import type Database from "better-sqlite3";

export type Cell = string | number | null;

/** Rows that are written several at a time: one call into SQLite for ten rows costs half of ten calls. */
export interface BulkInsert {
  /** `row` holds one cell a column. */
  push(row: readonly Cell[]): void;
  /** Writes what was pushed. Call it inside the transaction. */
  flush(): void;
  /** Forgets what was pushed, after a rollback. */
  clear(): void;
}

const ROWS_PER_STATEMENT = 10;

/** `head` is the statement up to VALUES, `tail` what follows the rows (an ON CONFLICT clause). */
export function createBulkInsert(
  db: Database.Database,
  head: string,
  columns: number,
  tail = "",
): BulkInsert {
  const row = `(${Array(columns).fill("?").join(",")})`;
  const sql = (rows: number): string => `${head} VALUES ${Array(rows).fill(row).join(",")} ${tail}`;
  const single = db.prepare(sql(1));
  const many = db.prepare(sql(ROWS_PER_STATEMENT));
  const step = columns * ROWS_PER_STATEMENT;
  let cells: Cell[] = [];
  return {
    push(row) {
      for (let i = 0; i < columns; i += 1) cells.push(row[i] ?? null);
    },
    flush() {
      let at = 0;
      for (; at + step <= cells.length; at += step) many.run(cells.slice(at, at + step));
      for (; at < cells.length; at += columns) single.run(cells.slice(at, at + columns));
      cells = [];
    },
    clear() {
      cells = [];
    },
  };
}
