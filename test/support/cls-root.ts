import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ClsContext } from "../../daemon/pipelines/cls/params.ts";
import { writeWorkbook } from "../../daemon/pipelines/cls/xlsx-writer.ts";

/** One sheet's rows by column name; a name that a row lacks is a missing cell. */
export type Cells = Readonly<Record<string, string | null>>;

export const FULL_REPORT = "0031-Contract Item Price Cat Pkg Extract 1108.xlsx";

/** A report row of item `item` with everything that a look-up needs; its catalogue numbers are `VC-<item>` and `MC-<item>`. */
export function aReportRow(item: string, cells: Cells = {}): Cells {
  return {
    "PMM Item Number": item,
    "Corp Acct": "0101",
    "Vendor Code": "V1",
    "Additional Cost Centre": null,
    "Additional GL Account": null,
    "Vendor Name": "Vendor One",
    "Vendor Seq": "1",
    "Vendor Catalogue": `VC-${item}`,
    "Manufacturer Catalogue": `MC-${item}`,
    "Item Description": `ITEM ${item}`,
    "Contract No": "C1",
    "Contract EFF Date": "2025-01-01",
    "Contract EXP Date": "2025-12-31",
    Price1: "12.50",
    "Item Update Date": "2025-10-01",
    ...cells,
  };
}

/** A daily row that asks for item `item` by its distributor part number, for the plant, vendor and contract of `aReportRow`. */
export function aDailyRow(item: string, cells: Cells = {}): Cells {
  return {
    "Date and Time Stamp": "2025-Nov-20 08:38:00 AM",
    "Business Central Contract Number": "BC1",
    "Plant ID": "0199",
    "Local Contract Number": "C1",
    "MMC Distributor No.": "BV1",
    Distributor: "V1",
    "ERP Manufacturer No.": "BM1",
    "Distributor Part Number": `VC-${item}`,
    "Manufacturer Part Number": null,
    "Contract Start Date": "2025-01-01",
    "Contract End Date": "2025-12-31",
    "Base Unit of Measure": "EA",
    AUOM1: "BX",
    "AUOM1 QTY": "10",
    AUOM2: "CA",
    "AUOM2 QTY": "100",
    AUOM3: null,
    "AUOM3 QTY": null,
    "Purchase Order Price Unit of Measure": "BX",
    "Purchase UOM Price": "2.50",
    ...cells,
  };
}

/** What a root is made of. `daily` and `reports` are by file name. */
export interface RootContent {
  readonly reports?: Readonly<Record<string, readonly Cells[]>>;
  readonly daily?: Readonly<Record<string, readonly Cells[]>>;
  readonly vendors?: readonly (readonly [from: string, to: string])[];
  readonly manufacturers?: readonly (readonly [from: string, to: string])[];
}

/** Writes a root folder as the pipeline expects it. */
export async function writeClsRoot(root: string, content: RootContent): Promise<void> {
  const reports = join(root, "reports", "0031");
  const daily = join(root, "daily_files");
  const refs = join(root, "ref_files");
  for (const folder of [reports, daily, refs]) await mkdir(folder, { recursive: true });
  for (const [name, rows] of Object.entries(content.reports ?? {})) {
    await writeTable(join(reports, name), rows);
  }
  for (const [name, rows] of Object.entries(content.daily ?? {})) {
    await writeTable(join(daily, name), rows);
  }
  if (content.vendors !== undefined) {
    await writeTable(
      join(refs, "VN Mapping.xlsx"),
      content.vendors.map(([from, to]) => ({ "All_Vendor Code": to, "BC_Vendor No_": from })),
    );
  }
  if (content.manufacturers !== undefined) {
    await writeTable(
      join(refs, "MFN Mapping.xlsx"),
      content.manufacturers.map(([from, to]) => ({
        "All_Manufacturer Number": to,
        "BC_Manufacturer No_": from,
      })),
    );
  }
}

/** Writes rows as the only sheet of a workbook; the columns are those of all rows, in the order they first occur. */
export async function writeTable(path: string, rows: readonly Cells[]): Promise<void> {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => names.map((name) => row[name] ?? null));
  await writeWorkbook(path, [{ name: "Sheet1", rows: [names, ...lines] }]);
}

/** A context whose log and progress go nowhere, but for what the test gives. */
export function aClsContext(dataDir: string, given: Partial<ClsContext> = {}): ClsContext {
  return {
    runId: "run-1",
    dataDir,
    signal: new AbortController().signal,
    progress: () => undefined,
    log: () => undefined,
    ...given,
  };
}
