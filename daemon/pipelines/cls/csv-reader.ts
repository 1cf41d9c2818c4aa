import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { TextDecoder } from "node:util";
import { parse } from "csv-parse";
import { AppError, describe } from "../../../shared/errors.ts";
import type { SheetRow } from "./workbook-sheet.ts";

const BATCH_ROWS = 500;
const DELIMITERS = [",", ";", "\t"];

/**
 * Reads a CSV file (UTF-8, with or without byte order mark; comma, semicolon or tab) in batches of rows, in constant memory.
 * `row` counts records, not lines. Fails with `cls-file-unreadable` for malformed quoting or another encoding.
 */
export async function* readCsv(path: string): AsyncGenerator<SheetRow[]> {
  try {
    const delimiter = await findDelimiter(path);
    const parser = parse({
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: false,
    });
    // Errors reach the parser, which the loop below reads; the callback only keeps them from being unhandled.
    pipeline(utf8Chunks(path), parser, () => undefined);
    let batch: SheetRow[] = [];
    let row = 0;
    for await (const record of parser as AsyncIterable<string[]>) {
      row += 1;
      if (record.every((cell) => cell === "")) continue;
      batch.push({ row, cells: record });
      if (batch.length === BATCH_ROWS) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  } catch (error) {
    throw new AppError("cls-file-unreadable", { file: path, what: describe(error) }, error);
  }
}

async function* utf8Chunks(path: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    decoder.decode(chunk, { stream: true });
    yield chunk;
  }
  decoder.decode();
}

/** The delimiter that the first line has most often. */
async function findDelimiter(path: string): Promise<string> {
  let head = "";
  for await (const chunk of createReadStream(path, { end: 65_535 }) as AsyncIterable<Buffer>) {
    head += chunk.toString("utf8");
  }
  const line = head.split(/\r?\n/, 1)[0] ?? "";
  const count = (delimiter: string): number => line.split(delimiter).length;
  return DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
}
