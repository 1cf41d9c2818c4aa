import { SaxesParser } from "saxes";
import { type CellStyle, localName } from "./workbook-parts.ts";
import { decodeEscapes } from "./workbook-strings.ts";

/** A row of a sheet or of a CSV file. `row` is its number in the file, the first is 1. Trailing cells may be missing. */
export interface SheetRow {
  readonly row: number;
  readonly cells: (string | null)[];
}

export interface SheetParserOptions {
  readonly strings: readonly string[];
  readonly styles: readonly CellStyle[];
  /** Serial days count from 1904 instead of 1900. */
  readonly date1904: boolean;
}

export interface SheetParser {
  /** Feeds a piece of the sheet's XML; returns the rows that ended in it. Throws when the XML is malformed. */
  write(text: string): SheetRow[];
  /** Throws when the XML is incomplete. */
  end(): SheetRow[];
}

const MAX_COLUMNS = 16_384;

/** Where the parser stands. One object that is changed, because a row passes through here in microseconds. */
interface Place {
  rows: SheetRow[];
  cells: (string | null)[];
  row: number;
  column: number;
  type: string;
  style: string;
  text: string;
  depth: number;
  inText: boolean;
  inPhonetic: boolean;
  sawData: boolean;
  prefix: string;
}

type Attributes = Readonly<Record<string, string>>;

/** Parses a worksheet from pieces of its XML. */
export function createSheetParser(options: SheetParserOptions): SheetParser {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const place: Place = {
    rows: [],
    cells: [],
    row: 0,
    column: -1,
    type: "",
    style: "",
    text: "",
    depth: 0,
    inText: false,
    inPhonetic: false,
    sawData: false,
    prefix: "",
  };
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => openTag(place, tag.name, tag.attributes as Attributes));
  parser.on("text", (piece) => {
    if (place.inText) place.text += piece;
  });
  parser.on("closetag", (tag) => closeTag(place, tag.name, options));
  const take = (): SheetRow[] => {
    const taken = place.rows;
    place.rows = [];
    return taken;
  };
  return {
    write: (piece) => {
      parser.write(piece);
      return take();
    },
    end: () => {
      parser.close();
      if (!place.sawData) throw new Error("its sheet holds no data part");
      return take();
    },
  };
}

function openTag(place: Place, tag: string, attributes: Attributes): void {
  if (place.depth === 0) {
    const local = localName(tag);
    if (local !== "worksheet") throw new Error(`its sheet begins with ${tag}`);
    place.prefix = tag.slice(0, tag.length - local.length);
  }
  place.depth += 1;
  const name = place.prefix === "" ? tag : tag.slice(place.prefix.length);
  if (name === "c") {
    const reference = attributes["r"];
    place.column = reference === undefined ? place.column + 1 : columnOf(reference);
    place.type = attributes["t"] ?? "";
    place.style = attributes["s"] ?? "";
    place.text = "";
  } else if (name === "v" || name === "t") place.inText = !place.inPhonetic;
  else if (name === "row") {
    place.row = attributes["r"] === undefined ? place.row + 1 : wholeNumber(attributes["r"]);
    place.column = -1;
  } else if (name === "rPh") place.inPhonetic = true;
  else if (name === "sheetData") place.sawData = true;
}

function closeTag(place: Place, tag: string, options: SheetParserOptions): void {
  place.depth -= 1;
  const name = place.prefix === "" ? tag : tag.slice(place.prefix.length);
  if (name === "c") {
    if (place.text === "") return;
    while (place.cells.length < place.column) place.cells.push(null);
    place.cells[place.column] = cellText(place.text, place.type, place.style, options);
  } else if (name === "v" || name === "t") place.inText = false;
  else if (name === "row") {
    if (place.cells.length > 0) place.rows.push({ row: place.row, cells: place.cells });
    place.cells = [];
  } else if (name === "rPh") place.inPhonetic = false;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`a row is numbered ${text}`);
  return value;
}

/** `A1` → 0, `AA7` → 26. */
function columnOf(reference: string): number {
  let column = 0;
  for (let i = 0; i < reference.length; i += 1) {
    const code = reference.charCodeAt(i);
    if (code >= 65 && code <= 90) column = column * 26 + code - 64;
    else if (i > 0) break;
    else throw new Error(`a cell is named ${reference}`);
  }
  if (column > MAX_COLUMNS) throw new Error(`a cell is named ${reference}`);
  return column - 1;
}

function cellText(text: string, type: string, style: string, options: SheetParserOptions): string {
  if (type === "s") {
    const shared = options.strings[Number(text)];
    if (shared === undefined) throw new Error(`a cell names the missing text ${text}`);
    return shared;
  }
  if (type === "inlineStr" || type === "str") return decodeEscapes(text);
  if (type === "b") return text === "1" || text === "true" ? "TRUE" : "FALSE";
  if (type === "e" || type === "d") return text;
  if (type !== "" && type !== "n") throw new Error(`a cell has the unknown type ${type}`);
  return numberText(text, style === "" ? undefined : options.styles[Number(style)], options);
}

const PLAIN_NUMBER = /^-?\d{1,15}$/;
/** More digits than this are noise of binary fractions, which Excel never shows. */
const SHOWN_DIGITS = 15;

function numberText(
  text: string,
  style: CellStyle | undefined,
  options: SheetParserOptions,
): string {
  if (style?.kind === "date") return serialDate(text, options.date1904);
  if (PLAIN_NUMBER.test(text)) {
    return style?.kind === "pad" && !text.startsWith("-") ? text.padStart(style.digits, "0") : text;
  }
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new Error(`a cell holds ${text} as number`);
  return decimalText(Number(value.toPrecision(SHOWN_DIGITS)));
}

/** Decimal digits without an exponent. */
function decimalText(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(text);
  if (match === null) return text;
  const digits = `${match[2]}${match[3] ?? ""}`;
  const exponent = Number(match[4]);
  return exponent < 0
    ? `${match[1]}0.${"0".repeat(-exponent - 1)}${digits}`
    : `${match[1]}${digits.padEnd(exponent + 1, "0")}`;
}

const DAY_SECONDS = 86_400;
/** 1970-01-01 as serial day. */
const EPOCH_1900 = 25_569;
const EPOCH_1904 = 24_107;
/** The 1900 calendar counts a 29 February 1900 that never was; days before it are one off. */
const LEAP_BUG_DAY = 60;

/** `45980` → `2025-11-19`; with a time of day → `2025-11-19 08:38:00`; a time alone → `08:38:00`. */
function serialDate(text: string, date1904: boolean): string {
  const serial = Number(text);
  if (text.trim() === "" || !Number.isFinite(serial))
    throw new Error(`a cell holds ${text} as date`);
  const seconds = Math.round(serial * DAY_SECONDS);
  if (seconds < 0) return text;
  const days = Math.floor(seconds / DAY_SECONDS) + (!date1904 && serial < LEAP_BUG_DAY ? 1 : 0);
  const date = new Date((days - (date1904 ? EPOCH_1904 : EPOCH_1900)) * DAY_SECONDS * 1000);
  if (Number.isNaN(date.getTime())) throw new Error(`a cell holds ${text} as date`);
  const rest = seconds % DAY_SECONDS;
  const time = new Date(rest * 1000).toISOString().slice(11, 19);
  if (!date1904 && seconds < DAY_SECONDS) return time;
  return rest === 0
    ? date.toISOString().slice(0, 10)
    : `${date.toISOString().slice(0, 10)} ${time}`;
}
