import type { FileHandle } from "node:fs/promises";

/** What a cell of a CSV file can hold; null is an empty cell. */
export type CsvCell = string | number | null;

/** A spreadsheet that opens the file would run a cell starting so as a formula. */
const FORMULA_START = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;
const CHUNK_CHARS = 64 * 1024;

/**
 * One record as RFC 4180 writes it, with its CRLF.
 * A text that a spreadsheet would take for a formula gets a leading apostrophe, also a negative number written as text.
 */
export function csvRecord(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return "";
  const text = String(cell);
  const safe = FORMULA_START.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Collects text and writes it to a file in pieces of 64 KiB; `end` writes the rest. Fails with the file system's error. */
export function createTextSink(file: FileHandle): {
  write(text: string): Promise<void>;
  end(): Promise<void>;
} {
  let pending = "";
  const flush = async (): Promise<void> => {
    const piece = pending;
    pending = "";
    await file.writeFile(piece);
  };
  return {
    async write(text) {
      pending += text;
      if (pending.length >= CHUNK_CHARS) await flush();
    },
    end: flush,
  };
}
