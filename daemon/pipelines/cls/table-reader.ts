import { extname } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { headerNames } from "./columns.ts";
import { readCsv } from "./csv-reader.ts";
import { CELL_SEPARATOR } from "./store.ts";
import { cleanCell } from "./values.ts";
import { readWorkbook, type SheetRow } from "./workbook-reader.ts";

/** A table with its header apart. `cells` of a row are clean (trimmed, blank is null) and as many as `names`. */
export interface Table {
  readonly names: readonly string[];
  readonly batches: AsyncGenerator<SheetRow[]>;
}

/**
 * Opens a workbook (first sheet) or CSV file as a table: the first row that is not blank is the header, blank rows are left out.
 * Fails with `cls-file-unreadable`; so may the iteration of `batches`, which must be run to its end or returned.
 */
export async function openTable(path: string): Promise<Table> {
  const source = extname(path).toLowerCase() === ".csv" ? readCsv(path) : readWorkbook(path);
  for (;;) {
    const next = await source.next();
    if (next.done === true) {
      throw new AppError("cls-file-unreadable", { file: path, what: "it has no header row" });
    }
    const at = next.value.findIndex(({ cells }) => cells.some((cell) => cleanCell(cell) !== null));
    const header = next.value[at];
    if (header === undefined) continue;
    const names = headerNames(trimEnd(header.cells));
    return { names, batches: cleanBatches(source, next.value.slice(at + 1), names.length) };
  }
}

async function* cleanBatches(
  source: AsyncGenerator<SheetRow[]>,
  first: SheetRow[],
  width: number,
): AsyncGenerator<SheetRow[]> {
  try {
    const clean = cleanRows(first, width);
    if (clean.length > 0) yield clean;
    for await (const batch of source) {
      const rows = cleanRows(batch, width);
      if (rows.length > 0) yield rows;
    }
  } finally {
    await source.return(undefined);
  }
}

/** Cells beyond the header have no name and are left out. */
function cleanRows(rows: readonly SheetRow[], width: number): SheetRow[] {
  const clean: SheetRow[] = [];
  for (const { row, cells: raw } of rows) {
    const cells = new Array<string | null>(width);
    let blank = true;
    for (let i = 0; i < width; i += 1) {
      const cell = tidy(raw[i]);
      cells[i] = cell;
      if (cell !== null) blank = false;
    }
    if (!blank) clean.push({ row, cells });
  }
  return clean;
}

/** Clean, and without the separator that stored rows use between cells. */
function tidy(raw: string | null | undefined): string | null {
  const cell = cleanCell(raw);
  return cell?.includes(CELL_SEPARATOR) ? cleanCell(cell.replaceAll(CELL_SEPARATOR, " ")) : cell;
}

function trimEnd(cells: readonly (string | null)[]): readonly (string | null)[] {
  let length = cells.length;
  while (length > 0 && cleanCell(cells[length - 1]) === null) length -= 1;
  return cells.slice(0, length);
}
