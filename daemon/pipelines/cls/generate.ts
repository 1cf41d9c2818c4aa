import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BLANK_PERMITTED_FILE } from "./checks.ts";
import {
  baselineRow,
  contractNumber,
  GENERATED_COLUMNS,
  isoDay,
  itemNumber,
  MANUFACTURERS,
  manufacturerCatalogue,
  type ReportRow,
  randomBits,
  reportCells,
  VENDORS,
  vendorCatalogue,
  vendorCode,
} from "./generate-rows.ts";
import { REPORTS_FOLDER } from "./report-folder.ts";
import { formatMoney } from "./values.ts";
import { type SheetCell, writeWorkbook } from "./xlsx-writer.ts";

export interface GenerateOptions {
  /** Rows of the full file; 0 leaves the file out, increments still refer to that many. */
  readonly rows: number;
  readonly withFull?: boolean;
  /** Number of increments, one a day from 19 November 2025 on. */
  readonly increments: number;
  readonly rowsPerIncrement: number;
  readonly dailyRows: number;
  /** Adds an increment that is no workbook, as happens when a download breaks off. */
  readonly withBroken?: boolean;
  readonly seed?: number;
}

const DEFAULT_SEED = 2025;
/** 8 November 2025. */
const FULL_NAME = "1108";
/** 19 November 2025, counted from 1 January. */
const FIRST_INCREMENT_DAY = 322;
const REPORT_NAME = "0031-Contract Item Price Cat Pkg Extract";

/**
 * Writes a whole input folder for CLS_ALL under `root`: a full file, increments, a daily file and the reference files.
 * The same options give the same bytes. Returns the paths written.
 */
export async function generateClsRoot(root: string, options: GenerateOptions): Promise<string[]> {
  const seed = options.seed ?? DEFAULT_SEED;
  const reports = join(root, REPORTS_FOLDER);
  for (const folder of [reports, join(root, "daily_files"), join(root, "ref_files")]) {
    await mkdir(folder, { recursive: true });
  }
  const written: string[] = [];
  const sheet = async (path: string, rows: Iterable<readonly SheetCell[]>): Promise<void> => {
    await writeWorkbook(path, [{ name: "Sheet1", rows }]);
    written.push(path);
  };
  if (options.withFull ?? true) {
    await sheet(join(reports, `${REPORT_NAME} ${FULL_NAME}.xlsx`), fullFile(seed, options.rows));
  }
  for (let n = 0; n < options.increments; n += 1) {
    const path = join(reports, `${REPORT_NAME} ${incrementDay(n).replaceAll("-", "_")}.xlsx`);
    await sheet(path, incrementFile(seed, options, n));
  }
  if (options.withBroken === true) {
    const day = incrementDay(options.increments).replaceAll("-", "_");
    const path = join(reports, `${REPORT_NAME} ${day}.xlsx`);
    await writeFile(path, "the download broke off here");
    written.push(path);
  }
  const last = incrementDay(Math.max(options.increments - 1, 0)).replaceAll("-", "");
  const daily = join(root, "daily_files", `Allscripts_historical_deduped_${last}_01.xlsx`);
  await sheet(daily, dailyFile(seed, options));
  for (const [name, rows] of referenceFiles()) await sheet(join(root, "ref_files", name), rows);
  return written;
}

function incrementDay(n: number): string {
  return isoDay(FIRST_INCREMENT_DAY + n);
}

/** The full file: the header and `rows` rows. */
function* fullFile(seed: number, rows: number): Generator<readonly SheetCell[]> {
  yield GENERATED_COLUMNS;
  for (let index = 0; index < rows; index += 1) yield reportCells(baselineRow(seed, index));
}

function* incrementFile(
  seed: number,
  { rows, rowsPerIncrement }: GenerateOptions,
  n: number,
): Generator<readonly SheetCell[]> {
  yield GENERATED_COLUMNS;
  for (let row = 0; row < rowsPerIncrement; row += 1) {
    const bits = randomBits(seed, n * rowsPerIncrement + row, 2);
    const fresh = rows + n * rowsPerIncrement + row;
    yield reportCells(incrementRow(seed, bits, rows, fresh, incrementDay(n)));
  }
}

/** About one new row in ten; of the others most change a price, and some are each of the cases a person must know. */
function incrementRow(
  seed: number,
  bits: number,
  rows: number,
  fresh: number,
  day: string,
): ReportRow {
  const kind = bits % 100;
  if (kind < 10 || rows === 0) return { ...baselineRow(seed, fresh), updateDay: day };
  const row = baselineRow(seed, (bits >>> 7) % rows);
  const dearer = { ...row, price: row.price + ((bits >>> 3) % 900) * 100 + 100 };
  if (kind < 12) return { ...row, updateDay: day };
  if (kind < 14) return dearer;
  if (kind === 14) return { ...dearer, updateDay: null };
  if (kind === 15) return { ...dearer, updateDay: "2024-12-31" };
  if (kind === 16) return { ...dearer, account: "0205", updateDay: day };
  if (kind < 30) return { ...dearer, updateDay: day, endDay: row.endDay && "2027-12-31" };
  return { ...dearer, updateDay: day };
}

const DAILY_COLUMNS = [
  "Date and Time Stamp",
  "Business Central Contract Number",
  "Business Central VI",
  "Plant ID",
  "Local Contract Number",
  "MMC Distributor No.",
  "Distributor",
  "ERP Manufacturer No.",
  "Distributor Part Number",
  "Manufacturer Part Number",
  "Vendor Part Number",
  "Contract Start Date",
  "Contract End Date",
  "Change Effective Date",
  "Base Unit of Measure",
  "AUOM1",
  "AUOM1 QTY",
  "AUOM2",
  "AUOM2 QTY",
  "AUOM3",
  "AUOM3 QTY",
  "Purchase Order Price Unit of Measure",
  "Purchase UOM Price",
  "Payment Terms",
  "Freight Terms",
  "Target Value of Contract",
] as const;

function* dailyFile(
  seed: number,
  { rows, dailyRows }: GenerateOptions,
): Generator<readonly SheetCell[]> {
  yield DAILY_COLUMNS;
  for (let n = 0; n < dailyRows; n += 1) {
    const bits = randomBits(seed, n, 3);
    yield dailyCells(baselineRow(seed, (bits >>> 5) % Math.max(rows, 1)), bits, n);
  }
}

/** A contract price for a stored item; the kinds reach every bucket and every word of the contract check. */
function dailyCells(row: ReportRow, bits: number, n: number): SheetCell[] {
  const kind = bits % 8;
  const known = kind !== 0;
  const start = kind === 2 || kind === 4 ? "2025-12-01" : (row.startDay ?? "2025-12-01");
  const end = kind === 3 || kind === 4 ? "2026-12-01" : (row.endDay ?? "2026-12-01");
  const vendor = kind === 5 ? (row.vendor + 1) % VENDORS : row.vendor;
  const stamp = `2025-Nov-${19 + (n % 3)} 08:${String(bits % 60).padStart(2, "0")}:00 AM`;
  const byManufacturer = kind === 6;
  return [
    stamp,
    `BC${String(bits % 10_000).padStart(4, "0")}`,
    `VI${String(n).padStart(6, "0")}`,
    kind === 7 ? "0901" : row.account,
    contractNumber(row.contract),
    `BV${String(vendor).padStart(4, "0")}`,
    vendorCode(vendor),
    `BM${String(row.item % MANUFACTURERS).padStart(4, "0")}`,
    known && !byManufacturer ? vendorCatalogue(row) : `NEW-${n}`,
    known ? manufacturerCatalogue(row.item) : `NEWM-${n}`,
    vendorCatalogue(row),
    start,
    end,
    start,
    "EA",
    "BX",
    String(row.pack),
    "CA",
    String(row.pack * 10),
    null,
    null,
    ["EA", "BX", "CA"][bits % 3] ?? "EA",
    formatMoney(row.price),
    "N30",
    "FOB",
    "0",
  ];
}

function referenceFiles(): [string, SheetCell[][]][] {
  const pairs = (count: number, names: [string, string], to: (n: number) => [string, string]) => [
    names,
    ...Array.from({ length: count }, (_, n) => to(n)),
  ];
  const four = (n: number): string => String(n).padStart(4, "0");
  return [
    [
      "VN Mapping.xlsx",
      pairs(VENDORS, ["All_Vendor Code", "BC_Vendor No_"], (n) => [vendorCode(n), `BV${four(n)}`]),
    ],
    [
      "MFN Mapping.xlsx",
      pairs(MANUFACTURERS, ["All_Manufacturer Number", "BC_Manufacturer No_"], (n) => [
        `AM${String(n).padStart(3, "0")}`,
        `BM${four(n)}`,
      ]),
    ],
    [BLANK_PERMITTED_FILE, [["PMM Item Number"], ...[3, 33, 55].map((n) => [itemNumber(n)])]],
  ];
}
