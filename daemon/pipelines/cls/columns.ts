import { cleanCell, parseDay, parseMoney } from "./values.ts";

/** The columns of report 0031 that the pipeline itself reads; all others travel along untouched. */
export const REPORT_COLUMNS = {
  item: "PMM Item Number",
  account: "Corp Acct",
  vendor: "Vendor Code",
  costCentre: "Additional Cost Centre",
  glAccount: "Additional GL Account",
  vendorName: "Vendor Name",
  vendorSequence: "Vendor Seq",
  vendorCatalogue: "Vendor Catalogue",
  manufacturerCatalogue: "Manufacturer Catalogue",
  description: "Item Description",
  contractNumber: "Contract No",
  contractEff: "Contract EFF Date",
  contractExp: "Contract EXP Date",
  price1: "Price1",
  updateDate: "Item Update Date",
} as const;
type ReportField = keyof typeof REPORT_COLUMNS;

/** Without these a row cannot be told apart from others or judged. */
const REQUIRED = [
  "item",
  "account",
  "vendor",
  "updateDate",
] as const satisfies readonly ReportField[];

/** How two texts of a column are compared: by day, by amount, or as they stand. */
export type ColumnKind = "day" | "money" | "text";

/** A header as the pipeline uses it: names in file order, their kinds, and where each known field stands (-1: absent). */
export interface ReportHeader {
  readonly names: readonly string[];
  readonly kinds: readonly ColumnKind[];
  readonly at: Readonly<Record<ReportField, number>>;
}

/** A column name as it is compared: without regard to case and spacing, because exports differ in both. */
export function foldName(name: string): string {
  return name.trim().replace(/\s+/g, " ").toLowerCase();
}

function kindOf(name: string): ColumnKind {
  const folded = foldName(name);
  if (/\bdate\b/.test(folded)) return "day";
  return /\bprice\d*\b/.test(folded) && !folded.includes("unit of measure") ? "money" : "text";
}

/** Trimmed names, one per column; a nameless column and a repeated name get a number, so that no cell is lost. */
export function headerNames(cells: readonly (string | null)[]): string[] {
  const used = new Set<string>();
  return cells.map((cell, index) => {
    const base = cleanCell(cell) ?? `Column ${index + 1}`;
    let name = base;
    for (let n = 2; used.has(foldName(name)); n += 1) name = `${base} (${n})`;
    used.add(foldName(name));
    return name;
  });
}

/** Where each name stands, found without regard to case and spacing. */
export function columnIndex(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [foldName(name), index]));
}

/** Reads the header of a 0031 file. */
export function reportHeader(names: readonly string[]): ReportHeader {
  const index = columnIndex(names);
  const at = Object.fromEntries(
    Object.entries(REPORT_COLUMNS).map(([field, name]) => [field, index.get(foldName(name)) ?? -1]),
  ) as Record<ReportField, number>;
  return { names, kinds: names.map(kindOf), at };
}

/** Names of required columns that the header lacks; empty when it can be used. */
export function missingColumns(header: ReportHeader): string[] {
  return REQUIRED.filter((field) => header.at[field] < 0).map((field) => REPORT_COLUMNS[field]);
}

/** The five parts that identify a row, joined by `|`; a null part is empty. Cells are clean already. */
export function key5(header: ReportHeader, cells: readonly (string | null)[]): string {
  const { item, account, vendor, costCentre, glAccount } = header.at;
  return `${cells[item] ?? ""}|${cells[account] ?? ""}|${cells[vendor] ?? ""}|${cells[costCentre] ?? ""}|${cells[glAccount] ?? ""}`;
}

/** True when two clean texts of a column mean the same: `11/20/2025` = `2025-11-20`, `1,234.5` = `1234.50`. */
export function sameValue(kind: ColumnKind, a: string | null, b: string | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || kind === "text") return false;
  const parse = kind === "day" ? parseDay : parseMoney;
  const parsed = parse(a);
  return parsed !== null && parsed === parse(b);
}
