import { columnIndex } from "./columns.ts";
import { type ContractSpan, toDateCell } from "./contract-check.ts";
import type { PartNumbers } from "./match.ts";
import type { PriceCells } from "./uom-price.ts";
import { parseDay } from "./values.ts";

/** The columns of a daily workbook that the pipeline reads; all others travel along untouched. */
const DAILY_COLUMNS = {
  stamp: "Date and Time Stamp",
  plant: "Plant ID",
  localContract: "Local Contract Number",
  distributorNumber: "MMC Distributor No.",
  distributor: "Distributor",
  manufacturerNumber: "ERP Manufacturer No.",
  distributorPart: "Distributor Part Number",
  manufacturerPart: "Manufacturer Part Number",
  contractStart: "Contract Start Date",
  contractEnd: "Contract End Date",
  baseUnit: "Base Unit of Measure",
  unit1: "AUOM1",
  quantity1: "AUOM1 QTY",
  unit2: "AUOM2",
  quantity2: "AUOM2 QTY",
  unit3: "AUOM3",
  quantity3: "AUOM3 QTY",
  priceUnit: "Purchase Order Price Unit of Measure",
  price: "Purchase UOM Price",
} as const;
type DailyField = keyof typeof DAILY_COLUMNS;

/** Without these no row can be matched at all; any other column may be absent, with a warning. */
const REQUIRED: readonly DailyField[] = [
  "plant",
  "distributor",
  "distributorPart",
  "manufacturerPart",
];

/** Digits of a plant and of an account that name the site. */
const SITE_LENGTH = 2;

/** A daily row as the rules read it. Blank is null everywhere. */
export interface DailyRow extends PartNumbers {
  /** 1-based over all daily files. */
  readonly index: number;
  readonly sourceFile: string;
  /** Site that the row is for: the first two digits of its plant. */
  readonly site: string | null;
  readonly contract: ContractSpan;
  readonly contractNumber: string | null;
  readonly distributorNumber: string | null;
  readonly manufacturerNumber: string | null;
  readonly prices: PriceCells;
  /** Day of its Date and Time Stamp. */
  readonly day: string | null;
}

/** Where the known columns of one daily file stand; -1 when absent. */
export interface DailyHeader {
  readonly at: Readonly<Record<DailyField, number>>;
  /** Names of absent columns that a row cannot be matched without. */
  readonly missing: readonly string[];
  /** Names of absent columns whose values are taken for blank. */
  readonly absent: readonly string[];
}

/** Finds the known columns, without regard to case and spacing. */
export function readDailyHeader(names: readonly string[]): DailyHeader {
  const index = columnIndex(names);
  const fields = Object.entries(DAILY_COLUMNS) as [DailyField, string][];
  const at = Object.fromEntries(
    fields.map(([field, name]) => [field, index.get(name.toLowerCase()) ?? -1]),
  ) as Record<DailyField, number>;
  const gone = fields.filter(([field]) => at[field] < 0);
  return {
    at,
    missing: gone.filter(([field]) => REQUIRED.includes(field)).map(([, name]) => name),
    absent: gone.filter(([field]) => !REQUIRED.includes(field)).map(([, name]) => name),
  };
}

/** One row from its clean cells. */
export function readDailyRow(
  header: DailyHeader,
  cells: readonly (string | null)[],
  index: number,
  sourceFile: string,
): DailyRow {
  const cell = (field: DailyField): string | null => cells[header.at[field]] ?? null;
  return {
    index,
    sourceFile,
    distributorPartNumber: cell("distributorPart"),
    manufacturerPartNumber: cell("manufacturerPart"),
    distributor: cell("distributor"),
    site: siteOf(cell("plant")),
    contract: {
      start: toDateCell(cell("contractStart"), parseDay),
      end: toDateCell(cell("contractEnd"), parseDay),
    },
    contractNumber: cell("localContract"),
    distributorNumber: cell("distributorNumber"),
    manufacturerNumber: cell("manufacturerNumber"),
    prices: {
      price: cell("price"),
      priceUnit: cell("priceUnit"),
      baseUnit: cell("baseUnit"),
      packs: [
        { unit: cell("unit1"), quantity: cell("quantity1") },
        { unit: cell("unit2"), quantity: cell("quantity2") },
        { unit: cell("unit3"), quantity: cell("quantity3") },
      ],
    },
    day: parseDay(cell("stamp")),
  };
}

/** The site of a plant or an account: its first two digits. null when there are fewer. */
export function siteOf(text: string | null): string | null {
  return text === null || text.length < SITE_LENGTH ? null : text.slice(0, SITE_LENGTH);
}
