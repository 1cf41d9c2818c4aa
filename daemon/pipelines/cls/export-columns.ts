import { readDailyHeader } from "./daily.ts";
import type { Evidence } from "./integrate-row.ts";
import type { ClassifiedRow, DailyFile } from "./phase-store.ts";
import { parseDay } from "./values.ts";

type Cell = string | number | null;

/** What the pipeline adds to a daily row, in the order of the columns. */
const ADDED: readonly (readonly [name: string, cell: (classified: ClassifiedRow) => Cell])[] = [
  ["Source_File", ({ row }) => row.sourceFile],
  ["Index", ({ row }) => row.index],
  ["PMM Item Number", ({ row }) => row.candidate],
  ["Item Description", ({ row }) => row.description],
  ["Match Source", ({ row }) => row.source],
  ["Match Score", ({ row }) => (row.candidate === null ? null : row.score)],
  ["Match Reasons", ({ row }) => list(row.reasons)],
  ["Duplicates", ({ row }) => flag(row.duplicate)],
  ["Preferred", ({ row }) => (row.candidate === null ? null : flag(row.preferred))],
  ["Vendors by Seq", ({ row }) => list(row.siteVendors)],
  ["Baseline Rows", ({ row }) => (row.candidate === null ? null : row.evidence.length)],
  ["Baseline Corp Acct", from((evidence) => evidence.corpAcct)],
  ["Baseline Vendor Name", from((evidence) => evidence.vendorName)],
  ["Baseline Vendor Catalogue", from((evidence) => evidence.vendorCatalogue)],
  ["Baseline Manufacturer Catalogue", from((evidence) => evidence.manufacturerCatalogue)],
  ["Baseline Contract No", from((evidence) => evidence.contractNumber)],
  ["Baseline Contract EFF Date", from((evidence) => evidence.contractStart)],
  ["Baseline Contract EXP Date", from((evidence) => evidence.contractEnd)],
  ["Baseline Price1", from((evidence) => evidence.price1)],
  ["Contract Check", ({ row }) => list(row.contractChecks)],
  ["Contract Number Differs", from((evidence) => flag(evidence.contractNumberDiffers))],
  ["Highest_UOM_Price", ({ row }) => row.highestUomPrice],
  ["Suggested Vendor", ({ row }) => row.suggestedVendor],
  ["Suggested Manufacturer", ({ row }) => row.suggestedManufacturer],
  ["Bucket", ({ bucket }) => bucket],
  ["Rule", ({ ruleId }) => ruleId],
];

/** The columns of an export: those of all daily files in the order they first occur, then what the pipeline adds. */
export interface ExportColumns {
  readonly header: readonly string[];
  record(classified: ClassifiedRow): Cell[];
  /** Day of the row's Date and Time Stamp; null when it has none that parses. */
  dayOf(classified: ClassifiedRow): string | null;
}

export function createExportColumns(files: readonly DailyFile[]): ExportColumns {
  const places = new Map<string, number>();
  const placesOf = new Map<number, readonly number[]>();
  const stampOf = new Map<number, number>();
  for (const { id, names } of files) {
    for (const name of names) if (!places.has(name)) places.set(name, places.size);
    placesOf.set(
      id,
      names.map((name) => places.get(name) ?? -1),
    );
    stampOf.set(id, readDailyHeader(names).at.stamp);
  }
  const taken = new Set(ADDED.map(([name]) => name));
  const daily = [...places.keys()].map((name) => (taken.has(name) ? `${name} (daily)` : name));
  return {
    header: [...daily, ...taken],
    record(classified) {
      const record: Cell[] = new Array<Cell>(daily.length).fill(null);
      const places = placesOf.get(classified.file) ?? [];
      classified.cells.forEach((cell, at) => {
        const place = places[at];
        if (place !== undefined) record[place] = cell;
      });
      for (const [, cell] of ADDED) record.push(cell(classified));
      return record;
    },
    dayOf: ({ file, cells }) => parseDay(cells[stampOf.get(file) ?? -1] ?? null),
  };
}

/** Of several baseline rows the one with the matching dates speaks for the candidate, else the first. */
function from(cell: (evidence: Evidence) => Cell): (classified: ClassifiedRow) => Cell {
  return ({ row: { evidence } }) => {
    const speaker = evidence.find(({ check }) => check === "Date Matched") ?? evidence[0];
    return speaker === undefined ? null : cell(speaker);
  };
}

function list(words: readonly string[]): string | null {
  return words.length === 0 ? null : words.join("; ");
}

function flag(value: boolean): string {
  return value ? "Y" : "N";
}
