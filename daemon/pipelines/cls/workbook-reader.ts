import { posix } from "node:path";
import { TextDecoder } from "node:util";
import { crc32 } from "node:zlib";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { AppError, describe } from "../../../shared/errors.ts";
import { parseStyles, parseWorkbookPart, type WorkbookPart } from "./workbook-parts.ts";
import { createSheetParser, type SheetRow } from "./workbook-sheet.ts";
import { createSharedStrings } from "./workbook-strings.ts";

export type { SheetRow } from "./workbook-sheet.ts";

/** Parts that are held in memory whole; larger ones are an attack or a mistake. */
const MAX_PART_BYTES = 64 * 1024 * 1024;
const MAX_STRINGS_BYTES = 1024 * 1024 * 1024;

export interface WorkbookOptions {
  /** Name of the sheet; the first one when absent. */
  readonly sheet?: string;
}

/**
 * Reads one sheet of an xlsx workbook in batches of rows, in constant memory apart from its table of strings.
 * Cells are text or null as they stand in the file (not trimmed); dates by style are ISO. Rows without any cell are left out.
 * Fails with `cls-file-unreadable` for whatever is malformed, truncated, damaged or no workbook at all, at the latest
 * at the end: rows may be trusted only when the iteration has ended.
 */
export async function* readWorkbook(
  path: string,
  options: WorkbookOptions = {},
): AsyncGenerator<SheetRow[]> {
  let zip: ZipFile | undefined;
  try {
    zip = await openZip(path);
    yield* readSheet(zip, options);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    zip?.close();
  }
}

/** The zip library's own words speak of records and signatures. */
async function openZip(path: string): Promise<ZipFile> {
  try {
    return await yauzl.openPromise(path, { autoClose: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("it is not there", { cause: error });
    if (error instanceof Error && "syscall" in error) throw error;
    throw new Error(`it is no workbook, or it was cut off (${describe(error)})`, { cause: error });
  }
}

function unreadable(path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("cls-file-unreadable", { file: path, what: describe(error) }, error);
}

async function* readSheet(zip: ZipFile, options: WorkbookOptions): AsyncGenerator<SheetRow[]> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) entries.set(entry.fileName.toLowerCase(), entry);
  const part = (name: string): Promise<string | null> => readPart(zip, entries.get(name));
  const book = await readBook(part);
  const sheet = pickSheet(book, options.sheet);
  const sheetEntry = entries.get(sheet.path);
  if (sheetEntry === undefined) throw new Error(`it lacks the sheet ${sheet.name}`);
  const styles = parseStyles((await part(book.stylesPath)) ?? "");
  const strings = createSharedStrings();
  const stringsEntry = entries.get(book.stringsPath);
  if (stringsEntry !== undefined) {
    if (stringsEntry.uncompressedSize > MAX_STRINGS_BYTES) throw new Error("it is too large");
    for await (const text of partChunks(zip, stringsEntry)) strings.write(text);
    strings.end();
  }
  const parser = createSheetParser({ strings: strings.list, styles, date1904: book.date1904 });
  for await (const text of partChunks(zip, sheetEntry)) {
    const rows = parser.write(text);
    if (rows.length > 0) yield rows;
  }
  const rest = parser.end();
  if (rest.length > 0) yield rest;
}

async function readBook(part: (name: string) => Promise<string | null>): Promise<WorkbookPart> {
  const rootRels = await part("_rels/.rels");
  const bookPath = rootRels === null ? "xl/workbook.xml" : officeDocument(rootRels);
  const book = await part(bookPath);
  if (book === null) throw new Error("it is a zip file but no workbook");
  const folder = posix.dirname(bookPath);
  const rels = await part(posix.join(folder, "_rels", `${posix.basename(bookPath)}.rels`));
  return parseWorkbookPart(book, rels ?? "", folder);
}

/** The path of the workbook part; most writers use the usual one. */
function officeDocument(rels: string): string {
  const book = /<Relationship\s[^>]*?\/officeDocument"[^>]*>/.exec(rels)?.[0] ?? "";
  const target = /\sTarget="([^"]*)"/.exec(book)?.[1] ?? "xl/workbook.xml";
  return target.replace(/^\//, "").toLowerCase();
}

function pickSheet(book: WorkbookPart, name: string | undefined): { name: string; path: string } {
  const sheet = name === undefined ? book.sheets[0] : book.sheets.find((s) => s.name === name);
  if (sheet === undefined) {
    throw new Error(name === undefined ? "it has no sheet" : `it has no sheet named ${name}`);
  }
  return sheet;
}

async function readPart(zip: ZipFile, entry: Entry | undefined): Promise<string | null> {
  if (entry === undefined) return null;
  if (entry.uncompressedSize > MAX_PART_BYTES) throw new Error(`${entry.fileName} is too large`);
  let text = "";
  for await (const chunk of partChunks(zip, entry)) text += chunk;
  return text;
}

/** The text of a part, with its checksum compared at the end: the zip library itself only compares the length. */
async function* partChunks(zip: ZipFile, entry: Entry): AsyncGenerator<string> {
  const stream = await zip.openReadStreamPromise(entry);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let crc = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    crc = crc32(chunk, crc);
    yield decoder.decode(chunk, { stream: true });
  }
  const rest = decoder.decode();
  if (rest !== "") yield rest;
  if (crc !== entry.crc32) throw new Error(`${entry.fileName} is damaged (wrong checksum)`);
}
