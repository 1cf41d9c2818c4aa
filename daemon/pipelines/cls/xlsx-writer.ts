import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { AppError } from "../../../shared/errors.ts";

/** What a cell can hold. `null` leaves the cell out, so that a reader sees a missing cell. */
export type SheetCell = string | number | null;

/** One sheet. `rows` is read once, lazily, in order; the first row is usually the header. */
export interface Sheet {
  readonly name: string;
  readonly rows: Iterable<readonly SheetCell[]>;
}

/** Excel refuses a sheet with more rows. */
const MAX_ROWS = 1_048_576;
const MAX_NAME_LENGTH = 31;
const CHUNK_CHARS = 64 * 1024;
/** A constant time makes equal content equal bytes, on any day and in any time zone. */
const ENTRY_OPTIONS = { mtime: new Date(2000, 0, 1), forceDosTimestamp: true };
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";

/**
 * Writes a workbook to `path` (replacing it) in constant memory: rows are pulled as the zip takes them.
 * Strings become inline strings, so no table of strings is held. The same input gives the same bytes.
 * Fails with the file system's error, and with `internal` when a sheet has more rows than a workbook can hold.
 */
export async function writeWorkbook(
  path: string,
  sheets: Iterable<Sheet>,
): Promise<{ bytes: number }> {
  const list = [...sheets];
  const names = sheetNames(list);
  const zip = new ZipFile();
  for (const [name, xml] of packageParts(names)) {
    zip.addBuffer(Buffer.from(xml), name, ENTRY_OPTIONS);
  }
  list.forEach((sheet, index) => {
    zip.addReadStreamLazy(`xl/worksheets/sheet${index + 1}.xml`, ENTRY_OPTIONS, (give) => {
      const stream = Readable.from(sheetChunks(sheet), { objectMode: false });
      // The zip does not forward a source's failure to its output; without this the pipeline would wait for ever.
      stream.on("error", (error) => output.destroy(error));
      give(null, stream);
    });
  });
  zip.end();
  const output = zip.outputStream as Readable;
  zip.on("error", (error: Error) => output.destroy(error));
  await pipeline(output, createWriteStream(path));
  return { bytes: (await stat(path)).size };
}

/** Names as Excel allows them: no `[]:*?/\`, at most 31 characters, unique without regard to case. */
function sheetNames(sheets: readonly Sheet[]): string[] {
  const used = new Set<string>();
  return sheets.map(({ name }) => {
    const base = name.replace(/[[\]:*?/\\]/g, "_").slice(0, MAX_NAME_LENGTH) || "Sheet";
    let unique = base;
    for (let n = 2; used.has(unique.toLowerCase()); n += 1) {
      const suffix = ` ${n}`;
      unique = base.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
    }
    used.add(unique.toLowerCase());
    return unique;
  });
}

function packageParts(names: readonly string[]): [string, string][] {
  const each = (part: (name: string, n: number) => string): string =>
    names.map((name, index) => part(name, index + 1)).join("");
  const sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
  const bookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
  return [
    [
      "[Content_Types].xml",
      `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${bookType}"/>${each((_, n) => `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${sheetType}"/>`)}</Types>`,
    ],
    [
      "_rels/.rels",
      `${HEAD}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      "xl/workbook.xml",
      `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${each((name, n) => `<sheet name="${escapeXml(name)}" sheetId="${n}" r:id="rId${n}"/>`)}</sheets></workbook>`,
    ],
    [
      "xl/_rels/workbook.xml.rels",
      `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${each((_, n) => `<Relationship Id="rId${n}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${n}.xml"/>`)}</Relationships>`,
    ],
  ];
}

function* sheetChunks(sheet: Sheet): Generator<Buffer> {
  const columns: string[] = [];
  let text = `${HEAD}<worksheet xmlns="${MAIN}"><sheetData>`;
  let row = 0;
  for (const cells of sheet.rows) {
    row += 1;
    if (row > MAX_ROWS) {
      throw new AppError("internal", {
        what: `The sheet ${sheet.name} has more than ${MAX_ROWS} rows.`,
      });
    }
    while (columns.length < cells.length) columns.push(columnName(columns.length));
    text += rowXml(cells, row, columns);
    if (text.length >= CHUNK_CHARS) {
      yield Buffer.from(text);
      text = "";
    }
  }
  yield Buffer.from(`${text}</sheetData></worksheet>`);
}

function rowXml(cells: readonly SheetCell[], row: number, columns: readonly string[]): string {
  let xml = `<row r="${row}">`;
  for (let i = 0; i < cells.length; i += 1) {
    const cell = cells[i];
    if (cell === null || cell === undefined || cell === "") continue;
    const at = `<c r="${columns[i]}${row}"`;
    xml +=
      typeof cell === "number"
        ? `${at}><v>${cell}</v></c>`
        : `${at} t="inlineStr"><is><t xml:space="preserve">${escapeXml(cell)}</t></is></c>`;
  }
  return `${xml}</row>`;
}

/** 0 → A, 25 → Z, 26 → AA. */
function columnName(index: number): string {
  let name = "";
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26)) {
    name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  }
  return name;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML cannot carry.
const NEEDS_ESCAPE = /[&<>"\u0000-\u0008\u000b-\u001f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|\p{Cs}/gu;

/** Characters that XML cannot carry are written the way Excel does, `_x0001_`; readers turn them back. */
function escapeXml(text: string): string {
  return text.replace(NEEDS_ESCAPE, (char) => {
    if (char === "&") return "&amp;";
    if (char === "<") return "&lt;";
    if (char === ">") return "&gt;";
    if (char === '"') return "&quot;";
    return `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
  });
}
