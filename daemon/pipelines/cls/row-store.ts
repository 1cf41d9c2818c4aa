import { key5, type ReportHeader } from "./columns.ts";
import { type ClsStore, packCells } from "./store.ts";
import { parseDay, parseMoney } from "./values.ts";

/** A row of a 0031 file with what the store indexes, its cells packed. */
export interface TypedRow {
  readonly key: string;
  readonly day: string | null;
  readonly price1: number | null;
  readonly vendor: string | null;
  readonly contract: string | null;
  readonly catalogue: string | null;
  readonly text: string;
}

/** A row as it is stored. */
export interface StoredRow extends TypedRow {
  readonly id: number;
  readonly layout: number;
}

/** Where a row comes from. */
interface RowOrigin {
  readonly file: number;
  readonly row: number;
  readonly layout: number;
}

/** What people write for "no contract". */
const NO_CONTRACT = /^(?:n\/?a|none|-+)$/i;

/** Types the clean cells of a row. */
export function typeRow(header: ReportHeader, cells: readonly (string | null)[]): TypedRow {
  const { at } = header;
  const contract = cells[at.contractNumber] ?? null;
  return {
    key: key5(header, cells),
    day: parseDay(cells[at.updateDate]),
    price1: parseMoney(cells[at.price1]),
    vendor: cells[at.vendor] ?? null,
    contract: contract === null || NO_CONTRACT.test(contract) ? null : contract,
    catalogue: cells[at.vendorCatalogue] ?? null,
    text: packCells(cells),
  };
}

/** Writes of stored rows. Prepared for one file: a full file exchanges the table. */
export interface RowStore {
  find(key: string): StoredRow[];
  insert(row: TypedRow, origin: RowOrigin): void;
  /** Puts `row` in the place of all stored rows of its key, keeping those for undo. */
  replace(stored: readonly StoredRow[], row: TypedRow, origin: RowOrigin): void;
}

type FoundLine = [
  id: number,
  day: string | null,
  price1: number | null,
  layout: number,
  vendor: string | null,
  contract: string | null,
  catalogue: string | null,
  text: string,
];

export function createRowStore({ db }: ClsStore): RowStore {
  const find = db
    .prepare(
      "SELECT id, day, price1, layout, vendor, contract, catalogue, cells FROM rows WHERE key = ? ORDER BY id",
    )
    .raw();
  const insert = db.prepare(
    "INSERT INTO rows (key, day, price1, file, row, layout, vendor, contract, catalogue, cells) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const keep = db.prepare(
    `INSERT INTO replaced (by_file, by_row, row_id, key, day, price1, file, row, layout, vendor, contract, catalogue, cells)
     SELECT ?, ?, id, key, day, price1, file, row, layout, vendor, contract, catalogue, cells FROM rows WHERE id = ?`,
  );
  const update = db.prepare(
    "UPDATE rows SET day = ?, price1 = ?, file = ?, row = ?, layout = ?, cells = ? WHERE id = ?",
  );
  const reindex = db.prepare(
    "UPDATE rows SET vendor = ?, contract = ?, catalogue = ? WHERE id = ?",
  );
  const remove = db.prepare("DELETE FROM rows WHERE id = ?");
  return {
    find: (key) =>
      (find.all(key) as FoundLine[]).map(
        ([id, day, price1, layout, vendor, contract, catalogue, text]) => ({
          id,
          key,
          day,
          price1,
          layout,
          vendor,
          contract,
          catalogue,
          text,
        }),
      ),
    insert: (row, origin) => void insert.run(...insertValues(row, origin)),
    replace: (stored, row, { file, row: line, layout }) => {
      for (const { id } of stored) keep.run(file, line, id);
      for (const { id } of stored.slice(1)) remove.run(id);
      const first = stored[0];
      if (first === undefined) return;
      update.run(row.day, row.price1, file, line, layout, row.text, first.id);
      // Setting an indexed column rewrites its index entries even when nothing differs.
      if (!sameIndexed(first, row)) {
        reindex.run(row.vendor, row.contract, row.catalogue, first.id);
      }
    },
  };
}

function insertValues(row: TypedRow, { file, row: line, layout }: RowOrigin): unknown[] {
  const { key, day, price1, vendor, contract, catalogue, text } = row;
  return [key, day, price1, file, line, layout, vendor, contract, catalogue, text];
}

function sameIndexed(a: TypedRow, b: TypedRow): boolean {
  return a.vendor === b.vendor && a.contract === b.contract && a.catalogue === b.catalogue;
}
